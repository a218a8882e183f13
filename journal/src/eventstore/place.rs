//! The URL: where the server is and which of its streams is the log.

use eventstore::ClientSettings;

use crate::JournalError;

/// The log's stream unless the URL names another.
const STREAM: &str = "tillroll";
/// Longest stream name; the server allows more, but has to index it.
const STREAM_BYTES_MAX: usize = 200;
const FORM: &str = "expected esdb://USER:PASSWORD@HOST:2113?tls=true&stream=tillroll";

/// Where the log is. Messages may hold all of it but the settings, which know the password.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) settings: ClientSettings,
    pub(super) stream: String,
    /// Hosts with ports, for messages.
    pub(super) hosts: String,
    pub(super) user: Option<String>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("hosts", &self.hosts).field("stream", &self.stream).finish()
    }
}

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self, JournalError> {
        // The URL may hold a password, so it is never repeated, nor are the client's own messages.
        let wrong = |what: &str| {
            JournalError::Unavailable(format!("not an EventStoreDB URL ({what}): {FORM}"))
        };
        let url = ["kurrentdb", "kurrent", "kdb"]
            .iter()
            .find_map(|scheme| Some(format!("esdb{}", url.strip_prefix(scheme)?)))
            .unwrap_or_else(|| url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("no scheme"))?;
        if scheme != "esdb" && scheme != "esdb+discover" {
            return Err(wrong("another scheme"));
        }
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut stream = None;
        let mut settings = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("stream", name)) => stream = Some(name),
                Some(_) => settings.push(pair),
                None => return Err(wrong("a setting without a value")),
            }
        }
        let stream = stream.unwrap_or(STREAM);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if stream.is_empty() || stream.len() > STREAM_BYTES_MAX || !stream.bytes().all(plain) {
            return Err(wrong("a stream is named by letters, digits, `_`, `.` and `-`"));
        }
        // Followers refuse appends, and what they show may be old. The client sleeps for half a
        // second before it connects unless it is told otherwise.
        for default in ["nodePreference=leader", "discoveryInterval=50"] {
            let name = default.split_once('=').map_or(default, |(name, _)| name);
            let given = |pair: &&str| {
                pair.split_once('=').is_some_and(|(given, _)| given.eq_ignore_ascii_case(name))
            };
            if !settings.iter().any(given) {
                settings.push(default);
            }
        }
        let client_url = format!("{scheme}://{address}?{}", settings.join("&"));
        let settings: ClientSettings =
            client_url.parse().map_err(|_| wrong("host or settings are malformed"))?;
        for (what, file) in [
            ("tlsCaFile", settings.tls_ca_file()),
            ("userCertFile", settings.user_certificate().map(|(cert, _)| cert)),
            ("userKeyFile", settings.user_certificate().map(|(_, key)| key)),
        ] {
            // The client would panic.
            if let Some(file) = file
                && let Err(error) = std::fs::read(file)
            {
                return Err(JournalError::Unavailable(format!("{what}={file}: {error}")));
            }
        }
        let hosts: Vec<_> =
            settings.hosts().iter().map(|host| format!("{}:{}", host.host, host.port)).collect();
        let user = address.rsplit_once('@').map(|(who, _)| who.split(':').next().unwrap_or(who));
        Ok(Self {
            stream: stream.to_owned(),
            hosts: hosts.join(","),
            user: user.filter(|user| !user.is_empty()).map(str::to_owned),
            settings,
        })
    }

    /// The stream of a lease, beside the log and never mixed up with that of another log.
    pub(super) fn lease(&self, name: &str) -> String {
        format!("{}-lease-{name}", self.stream)
    }
}
