//! Why no connection could be had: the client does not tell, so somebody knocks once more.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::place::Place;
use crate::JournalError;

const WITHIN: Duration = Duration::from_secs(2);
/// How HTTP/2 begins, with settings that change nothing.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

enum Found {
    Nobody(std::io::Error),
    /// Speaks HTTP/2 in the open.
    Plain,
    /// Takes connections and speaks something else, which is TLS as a rule.
    Other,
}

/// What stands behind `said`, which the client gave as the reason; nothing if it may pass by itself.
pub(super) async fn explain(place: &Place, said: &str) -> Result<(), JournalError> {
    let hosts = &place.hosts;
    let mut found = None;
    for host in place.settings.hosts() {
        match knock(&host.host, host.port).await {
            Found::Nobody(error) => {
                found.get_or_insert(Found::Nobody(error));
            }
            answered => {
                found = Some(answered);
                break;
            }
        }
    }
    let secure = place.settings.is_secure_mode_enabled();
    Err(JournalError::Unavailable(match found {
        Some(Found::Nobody(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!(
                "nobody listens at {hosts}: start EventStoreDB, or fix host and port in the URL"
            )
        }
        Some(Found::Nobody(error)) => format!(
            "cannot reach EventStoreDB at {hosts}: {error}; check host, port and the network between"
        ),
        Some(Found::Plain) if secure => format!(
            "EventStoreDB at {hosts} runs without TLS: add `tls=false` to the URL, or give the \
             server a certificate"
        ),
        Some(Found::Other) if !secure => format!(
            "what listens at {hosts} demands TLS, or is no EventStoreDB: write `tls=true` in the \
             URL, and `tlsCaFile=FILE` if its certificate is not a public one"
        ),
        Some(Found::Other) if said.contains("ertificate") || said.contains("onnect") => format!(
            "no TLS with {hosts} ({said}): name the authority of its certificate by \
             `tlsCaFile=FILE` in the URL, and check that the certificate is for this host name"
        ),
        _ => return Ok(()),
    }))
}

async fn knock(host: &str, port: u32) -> Found {
    let port = u16::try_from(port).unwrap_or_default();
    let connecting = tokio::time::timeout(WITHIN, TcpStream::connect((host, port))).await;
    let mut socket = match connecting {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return Found::Nobody(error),
        Err(_) => return Found::Nobody(std::io::ErrorKind::TimedOut.into()),
    };
    let mut answer = [0; 4];
    let asking = async {
        socket.write_all(HELLO).await?;
        socket.read_exact(&mut answer).await
    };
    // A settings frame: three bytes of length, then its type.
    match tokio::time::timeout(WITHIN, asking).await {
        Ok(Ok(_)) if answer[0] == 0 && answer[3] == 4 => Found::Plain,
        _ => Found::Other,
    }
}
