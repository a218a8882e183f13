//! Signatures of webhooks by the Standard Webhooks specification, symmetric scheme `v1`.
//!
//! The bytes `id.timestamp.body` are authenticated with HMAC-SHA256. Nothing here parses a body
//! or knows HTTP; headers come in as raw bytes, so that no header, however broken, can do more
//! than be refused.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub const ID_HEADER: &str = "webhook-id";
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far a timestamp may be from now, either way, unless configured.
pub const TOLERANCE_SECONDS: u32 = 300;

const ID_BYTES_MAX: usize = 256;
const TIMESTAMP_BYTES_MAX: usize = 16;
const SIGNATURE_BYTES_MAX: usize = 4_096;
/// Key lengths the specification allows, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One shared secret, written `whsec_<base64>`; never shown.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("a webhook secret starts with `whsec_`")]
    Prefix,
    #[error("a webhook secret is base64 after `whsec_`")]
    NotBase64,
    #[error("a webhook secret has 24 to 64 bytes, this one has {0}")]
    Length(usize),
    #[error("at least one webhook secret is needed")]
    None,
}

impl WebhookSecret {
    /// Reads `whsec_<base64>` of 24 to 64 bytes.
    ///
    /// # Errors
    /// What is wrong with the text; the text itself is not repeated.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or(SecretError::Prefix)?;
        let bytes = BASE64.decode(encoded).map_err(|_| SecretError::NotBase64)?;
        Self::from_bytes(bytes)
    }

    /// # Errors
    /// [`SecretError::Length`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes);
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SecretError::Length(bytes.len()))
        }
    }

    fn sign(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length");
        for part in [id, b".", timestamp, b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The secrets in force: the current one, and older or newer ones while they are rotated.
#[derive(Debug, Clone)]
pub struct WebhookSecrets(Vec<WebhookSecret>);

/// The three headers of a signed webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHeaders {
    pub id: String,
    /// Seconds since 1970.
    pub timestamp: String,
    pub signature: String,
}

impl SignedHeaders {
    /// Names and values, as they are sent.
    #[must_use]
    pub fn pairs(&self) -> [(&'static str, &str); 3] {
        [
            (ID_HEADER, &self.id),
            (TIMESTAMP_HEADER, &self.timestamp),
            (SIGNATURE_HEADER, &self.signature),
        ]
    }

    /// The same headers as a receiver sees them.
    #[must_use]
    pub fn received(&self) -> ReceivedHeaders<'_> {
        ReceivedHeaders {
            id: Some(self.id.as_bytes()),
            timestamp: Some(self.timestamp.as_bytes()),
            signature: Some(self.signature.as_bytes()),
        }
    }
}

/// The three headers as they came; `None` for one that did not.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReceivedHeaders<'a> {
    pub id: Option<&'a [u8]>,
    pub timestamp: Option<&'a [u8]>,
    pub signature: Option<&'a [u8]>,
}

/// A webhook whose signature and time are good. A replay within the tolerance is good too: the
/// receiver drops repeats by `id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub id: String,
    pub sent_at: DateTime<Utc>,
}

/// Why a webhook was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    #[error("the header `{0}` is longer than allowed")]
    TooLong(&'static str),
    #[error("the header `{0}` is malformed")]
    Malformed(&'static str),
    #[error("the webhook is {age_seconds} s old, more than the {tolerance_seconds} s allowed")]
    TooOld { age_seconds: i64, tolerance_seconds: u32 },
    #[error("the webhook is from {ahead_seconds} s ahead, more than {tolerance_seconds} s")]
    FromTheFuture { ahead_seconds: i64, tolerance_seconds: u32 },
    #[error("no signature matches")]
    Mismatch,
}

impl SignatureError {
    /// Whether the request is unreadable (400), as opposed to not authentic (401).
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::TooLong(_) | Self::Malformed(_))
    }
}

impl WebhookSecrets {
    /// # Errors
    /// [`SecretError::None`] when there are none.
    pub fn new(secrets: Vec<WebhookSecret>) -> Result<Self, SecretError> {
        if secrets.is_empty() {
            return Err(SecretError::None);
        }
        Ok(Self(secrets))
    }

    /// Reads secrets separated by spaces or commas.
    ///
    /// # Errors
    /// Of the first one that cannot be read.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let parts = text.split([' ', ',', '\n']).filter(|part| !part.is_empty());
        Self::new(parts.map(WebhookSecret::parse).collect::<Result<_, _>>()?)
    }

    /// Signs with every secret, so that a receiver which knows only one of them accepts it.
    /// `id` is made by the caller of visible ASCII without a full stop.
    #[must_use]
    pub fn sign(&self, id: &str, sent_at: DateTime<Utc>, body: &[u8]) -> SignedHeaders {
        let timestamp = sent_at.timestamp().to_string();
        let signatures: Vec<String> = self
            .0
            .iter()
            .map(|secret| {
                let mac = secret.sign(id.as_bytes(), timestamp.as_bytes(), body);
                format!("v1,{}", BASE64.encode(mac))
            })
            .collect();
        SignedHeaders { id: id.to_owned(), timestamp, signature: signatures.join(" ") }
    }

    /// Accepts a webhook if one of its signatures is by one of the secrets and its timestamp is
    /// at most `tolerance_seconds` from `now`, either way.
    ///
    /// # Errors
    /// [`SignatureError`]; never panics, whatever the bytes.
    pub fn verify(
        &self,
        headers: &ReceivedHeaders<'_>,
        body: &[u8],
        now: DateTime<Utc>,
        tolerance_seconds: u32,
    ) -> Result<Verified, SignatureError> {
        let id = header(headers.id, ID_HEADER, ID_BYTES_MAX)?;
        let timestamp = header(headers.timestamp, TIMESTAMP_HEADER, TIMESTAMP_BYTES_MAX)?;
        let signatures = header(headers.signature, SIGNATURE_HEADER, SIGNATURE_BYTES_MAX)?;
        // With a full stop in it, one signature would fit two messages.
        if !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
            return Err(SignatureError::Malformed(ID_HEADER));
        }
        let sent_at = seconds(timestamp)
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or(SignatureError::Malformed(TIMESTAMP_HEADER))?;
        let given = v1_signatures(signatures)?;
        let mut matches = subtle::Choice::from(0);
        for secret in &self.0 {
            let expected = secret.sign(id.as_bytes(), timestamp.as_bytes(), body);
            for signature in &given {
                matches |= expected.as_slice().ct_eq(signature);
            }
        }
        if !bool::from(matches) {
            return Err(SignatureError::Mismatch);
        }
        let age = now.signed_duration_since(sent_at);
        let tolerance = TimeDelta::seconds(i64::from(tolerance_seconds));
        if age > tolerance {
            return Err(SignatureError::TooOld {
                age_seconds: age.num_seconds(),
                tolerance_seconds,
            });
        }
        if age < -tolerance {
            return Err(SignatureError::FromTheFuture {
                ahead_seconds: -age.num_seconds(),
                tolerance_seconds,
            });
        }
        Ok(Verified { id: id.to_owned(), sent_at })
    }
}

fn header<'a>(
    value: Option<&'a [u8]>,
    name: &'static str,
    bytes_max: usize,
) -> Result<&'a str, SignatureError> {
    let value = value.ok_or(SignatureError::Missing(name))?;
    if value.is_empty() {
        return Err(SignatureError::Missing(name));
    }
    if value.len() > bytes_max {
        return Err(SignatureError::TooLong(name));
    }
    match std::str::from_utf8(value) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(SignatureError::Malformed(name)),
    }
}

/// Digits only: what parses in two ways would be signed in two ways.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// The decoded signatures of scheme `v1`; others (`v1a`) are passed over.
fn v1_signatures(list: &str) -> Result<Vec<Vec<u8>>, SignatureError> {
    let mut decoded = Vec::new();
    for part in list.split(' ').filter(|part| !part.is_empty()) {
        let (scheme, encoded) =
            part.split_once(',').ok_or(SignatureError::Malformed(SIGNATURE_HEADER))?;
        if scheme == "v1" {
            // One that cannot be decoded matches nothing, but another of the list may.
            decoded.extend(BASE64.decode(encoded).ok());
        }
    }
    if decoded.is_empty() {
        return Err(SignatureError::Malformed(SIGNATURE_HEADER));
    }
    Ok(decoded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use super::*;

    // The known answer is base64(HMAC-SHA256(secret, "id.timestamp.body")), worked out apart.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secrets() -> WebhookSecrets {
        WebhookSecrets::parse(SECRET).unwrap()
    }

    fn other() -> WebhookSecret {
        WebhookSecret::from_bytes(vec![7; 32]).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn verify(headers: &SignedHeaders, body: &[u8], now: i64) -> Result<Verified, SignatureError> {
        secrets().verify(&headers.received(), body, at(now), TOLERANCE_SECONDS)
    }

    #[test]
    fn the_known_answer_comes_out_and_is_accepted() {
        let headers = secrets().sign(ID, at(SENT), BODY);
        assert_eq!(headers.signature, SIGNATURE);
        let verified = verify(&headers, BODY, SENT).unwrap();
        assert_eq!(verified.id, ID);
        assert_eq!(verified.sent_at, at(SENT));
        // A replay is authentic; the receiver knows its id.
        assert_eq!(verify(&headers, BODY, SENT + 1).unwrap().id, ID);
    }

    #[test]
    fn the_tolerance_counts_both_ways_and_its_end_is_inside() {
        let headers = secrets().sign(ID, at(SENT), BODY);
        assert!(verify(&headers, BODY, SENT + 300).is_ok());
        assert!(verify(&headers, BODY, SENT - 300).is_ok());
        assert!(matches!(
            verify(&headers, BODY, SENT + 301),
            Err(SignatureError::TooOld { age_seconds: 301, .. })
        ));
        assert!(matches!(
            verify(&headers, BODY, SENT - 301),
            Err(SignatureError::FromTheFuture { ahead_seconds: 301, .. })
        ));
    }

    #[test]
    fn what_was_not_signed_is_refused() {
        let signed = secrets().sign(ID, at(SENT), BODY);
        assert_eq!(verify(&signed, &BODY[1..], SENT), Err(SignatureError::Mismatch));
        assert_eq!(verify(&signed, b"", SENT), Err(SignatureError::Mismatch));
        let mut headers = signed.clone();
        headers.id = "msg_other".to_owned();
        assert_eq!(verify(&headers, BODY, SENT), Err(SignatureError::Mismatch));
        let mut headers = signed;
        headers.timestamp = (SENT + 1).to_string();
        assert_eq!(verify(&headers, BODY, SENT), Err(SignatureError::Mismatch));
        let swapped = WebhookSecrets::new(vec![other()]).unwrap().sign(ID, at(SENT), BODY);
        assert_eq!(verify(&swapped, BODY, SENT), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_stale_forgery_is_called_a_forgery() {
        let forged = WebhookSecrets::new(vec![other()]).unwrap().sign(ID, at(SENT), BODY);
        assert_eq!(verify(&forged, BODY, SENT + 9_999), Err(SignatureError::Mismatch));
    }

    #[test]
    fn either_secret_counts_during_rotation() {
        let both = WebhookSecrets::new(vec![other(), WebhookSecret::parse(SECRET).unwrap()]);
        let both = both.unwrap();
        let old_only = secrets().sign(ID, at(SENT), BODY);
        assert!(both.verify(&old_only.received(), BODY, at(SENT), 300).is_ok());
        let by_both = both.sign(ID, at(SENT), BODY);
        assert!(by_both.signature.contains(SIGNATURE));
        assert!(verify(&by_both, BODY, SENT).is_ok());
    }

    #[test]
    fn one_good_signature_among_many_is_enough() {
        let mut headers = secrets().sign(ID, at(SENT), BODY);
        headers.signature = format!("v1a,zzz v1,!!! v1,AAAA  v2,x {SIGNATURE}");
        assert!(verify(&headers, BODY, SENT).is_ok());
    }

    #[test]
    fn broken_headers_are_typed_errors() {
        let good = secrets().sign(ID, at(SENT), BODY);
        let huge = "v1,AAAA ".repeat(1_000);
        let cases: Vec<(&str, &[u8])> = vec![
            (ID_HEADER, b""),
            (ID_HEADER, b"msg.1"),
            (ID_HEADER, "msg_é".as_bytes()),
            (ID_HEADER, b"msg\xff"),
            (ID_HEADER, b"msg\n1"),
            (ID_HEADER, &[b'a'; 257]),
            (TIMESTAMP_HEADER, b""),
            (TIMESTAMP_HEADER, b"-1"),
            (TIMESTAMP_HEADER, b"+1614265330"),
            (TIMESTAMP_HEADER, b"1614265330.0"),
            (TIMESTAMP_HEADER, b"9999999999999999"),
            (TIMESTAMP_HEADER, b"99999999999999999999999"),
            (TIMESTAMP_HEADER, "١٢٣".as_bytes()),
            (SIGNATURE_HEADER, b""),
            (SIGNATURE_HEADER, b" "),
            (SIGNATURE_HEADER, b"v1"),
            (SIGNATURE_HEADER, b"v1,***"),
            (SIGNATURE_HEADER, b"v1a,AAAA"),
            (SIGNATURE_HEADER, b"\x00\xff"),
            (SIGNATURE_HEADER, huge.as_bytes()),
        ];
        for (name, value) in cases {
            let mut headers = good.received();
            match name {
                ID_HEADER => headers.id = Some(value),
                TIMESTAMP_HEADER => headers.timestamp = Some(value),
                _ => headers.signature = Some(value),
            }
            let error = secrets().verify(&headers, BODY, at(SENT), 300).unwrap_err();
            assert!(error.is_malformed(), "{name} {value:?}: {error}");
        }
        let error = secrets().verify(&ReceivedHeaders::default(), BODY, at(SENT), 300);
        assert_eq!(error, Err(SignatureError::Missing(ID_HEADER)));
    }

    #[test]
    fn bad_secrets_are_named_and_good_ones_never_shown() {
        let parse = |text| WebhookSecret::parse(text).unwrap_err();
        assert_eq!(parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), SecretError::Prefix);
        assert_eq!(parse("whsec_***"), SecretError::NotBase64);
        assert_eq!(parse("whsec_AAAA"), SecretError::Length(3));
        assert_eq!(WebhookSecrets::parse(" ").unwrap_err(), SecretError::None);
        assert!(!format!("{:?}", secrets()).contains("MfKQ"));
    }
}
