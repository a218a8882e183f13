//! The connection, and what it says when there is none to be had.

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_nats::rustls::crypto::ring::default_provider;
use async_nats::rustls::pki_types::pem::PemObject;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{self, ClientConfig, RootCertStore};
use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr, ServerError,
};
use tokio::sync::watch;

use super::{BusError, JetStreamOptions};

/// What a connection says besides answers.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    /// Counts lost connections.
    pub(super) lost: u64,
    /// What the server would not let us do.
    pub(super) refused: Option<String>,
}

/// Addresses; shown without what is secret in them.
#[derive(Clone)]
pub(super) struct Servers(Vec<ServerAddr>);

/// What an address says of who is asking.
#[derive(Debug, PartialEq, Eq)]
enum Credentials {
    None,
    Token(String),
    User(String, String),
}

impl Servers {
    pub(super) fn parse(text: &str) -> Result<Self, BusError> {
        let addresses = text.split(',').map(|address| address.trim().parse::<ServerAddr>());
        let addresses: Vec<ServerAddr> = addresses.collect::<Result<_, _>>().map_err(|error| {
            BusError::SetUp(format!(
                "the address of the bus cannot be read ({error}): it has the form \
                 nats://[user:password@]host[:port]"
            ))
        })?;
        if addresses.iter().any(|address| address.host().is_empty() || address.is_websocket()) {
            return Err(BusError::SetUp(
                "the address of the bus must name a host after nats:// or tls://".to_owned(),
            ));
        }
        Ok(Self(addresses))
    }

    /// Of the first address that has any: the servers of a cluster know the same users. The client
    /// itself does not look into the addresses for them.
    fn credentials(&self) -> Credentials {
        let given =
            self.0.iter().find_map(|address| Some((address.username()?, address.password())));
        match given {
            None => Credentials::None,
            Some((token, None)) => Credentials::Token(decoded(token)),
            Some((user, Some(password))) => Credentials::User(decoded(user), decoded(password)),
        }
    }
}

/// Undoes the `%40` that an `@` in a password has to be written as.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                &after[2..]
            }
            _ => {
                bytes.push(*first);
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, address) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{}:{}", address.host(), address.port())?;
        }
        Ok(())
    }
}

pub(super) async fn connect(
    servers: &Servers,
    options: &JetStreamOptions,
    news: &watch::Sender<News>,
) -> Result<Client, BusError> {
    let news = news.clone();
    // What an earlier connection said is nothing of this one's.
    news.send_replace(News::default());
    let mut connecting = ConnectOptions::new()
        .name("tillroll relay")
        .request_timeout(Some(options.answer_timeout))
        .connection_timeout(options.answer_timeout)
        .tls_client_config(tls(options)?)
        .event_callback(move |event| {
            heard(&news, &event);
            std::future::ready(())
        });
    connecting = match servers.credentials() {
        Credentials::None => connecting,
        Credentials::Token(token) => connecting.token(token),
        Credentials::User(user, password) => connecting.user_and_password(user, password),
    };
    if let Some(file) = &options.credentials {
        connecting = connecting
            .credentials_file(file)
            .await
            .map_err(|error| unusable("credentials file", file, &error))?;
    }
    connecting.connect(servers.0.as_slice()).await.map_err(|error| no_connection(servers, &error))
}

fn heard(news: &watch::Sender<News>, event: &Event) {
    match event {
        Event::Disconnected | Event::Closed => {
            news.send_modify(|news| *news = News { lost: news.lost + 1, refused: None });
        }
        Event::ServerError(ServerError::Other(what))
            if what.to_lowercase().contains("permissions violation") =>
        {
            news.send_modify(|news| news.refused = Some(what.clone()));
        }
        _ => {}
    }
    tracing::debug!(%event, "nats");
}

/// Made here, since the client itself would go by whichever library for cryptography some other
/// part of the process has made the default.
fn tls(options: &JetStreamOptions) -> Result<ClientConfig, BusError> {
    let mut roots = RootCertStore::empty();
    match &options.authorities {
        Some(file) => {
            let unusable = |error: &dyn fmt::Display| unusable("authorities file", file, error);
            let certificates = CertificateDer::pem_file_iter(file).map_err(|e| unusable(&e))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                roots.add(certificate).map_err(|error| unusable(&error))?;
            }
            if roots.is_empty() {
                return Err(unusable(&"no certificate is in it"));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BusError::SetUp(format!("TLS of the bus: {error}")))?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &options.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable("certificate", certificate, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable("key", key, &error))?;
    builder
        .with_client_auth_cert(chain, secret)
        .map_err(|error| unusable("certificate and key", certificate, &error))
}

fn unusable(what: &str, file: &Path, error: &dyn fmt::Display) -> BusError {
    BusError::SetUp(format!("the {what} of the bus, {}, cannot be used: {error}", file.display()))
}

fn no_connection(servers: &Servers, error: &ConnectError) -> BusError {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            BusError::SetUp(format!(
                "NATS at {servers} refuses these credentials: check user and password, token or \
                 credentials file of the bus"
            ))
        }
        ConnectErrorKind::Tls => no_tls(servers, &cause),
        ConnectErrorKind::Io if about_tls(error) => no_tls(servers, &cause),
        ConnectErrorKind::ServerParse => BusError::SetUp(format!("NATS at {servers}: {cause}")),
        ConnectErrorKind::Io
        | ConnectErrorKind::Dns
        | ConnectErrorKind::TimedOut
        | ConnectErrorKind::MaxReconnects => BusError::Unavailable(format!(
            "NATS at {servers} cannot be reached ({cause}): see that it runs there and that this \
             machine may connect to it"
        )),
    }
}

fn no_tls(servers: &Servers, cause: &str) -> BusError {
    BusError::SetUp(format!(
        "no TLS with NATS at {servers} ({cause}): name the certificates of its authority, and a \
         certificate of this client if it asks for one; the host must be one its certificate is for"
    ))
}

/// A handshake that fails is reported as any other failure to read.
fn about_tls(error: &ConnectError) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    io.and_then(std::io::Error::get_ref).is_some_and(|inner| inner.is::<rustls::Error>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asking_is_in_the_address() {
        let of = |text: &str| Servers::parse(text).unwrap().credentials();
        let user = |name: &str, word: &str| Credentials::User(name.to_owned(), word.to_owned());
        assert_eq!(of("nats://a, nats://b"), Credentials::None);
        assert_eq!(of("nats://a, nats://ada:hunter2@b"), user("ada", "hunter2"));
        assert_eq!(of("nats://ada:p%40s%25s%@b"), user("ada", "p@s%s%"));
        assert_eq!(of("nats://t0ken@b"), Credentials::Token("t0ken".to_owned()));
    }

    #[test]
    fn addresses_are_read_and_shown_without_their_secrets() {
        let servers = Servers::parse("nats://ada:hunter2@a.example:4333, tls://b.example").unwrap();
        assert_eq!(servers.to_string(), "a.example:4333, b.example:4222");
        for wrong in ["http://ada:hunter2@a", "nats://", "", "ws://a", "nats://ada:hunter2@a:port"]
        {
            let Err(BusError::SetUp(what)) = Servers::parse(wrong) else {
                panic!("`{wrong}` is no address");
            };
            assert!(!what.contains("hunter2"), "{what}");
        }
    }
}
