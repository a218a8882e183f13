//! TLS as the URL asks for it, with the words of libpq: `sslmode` and `sslrootcert`.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    /// If the server can; whoever answers.
    Prefer,
    /// Whoever answers.
    Require,
    /// A server with a certificate of a known authority.
    VerifyCa,
    /// And of this name.
    VerifyFull,
}

#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) mode: Mode,
    roots: Option<String>,
}

/// Takes what is about TLS out of a URL.
pub(super) fn split(url: &str) -> Result<(String, Wanted), StoreError> {
    let mut wanted = Wanted { mode: Mode::Prefer, roots: None };
    let Some((address, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), wanted));
    };
    let mut others = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => wanted.mode = parse(mode)?,
            Some(("sslrootcert", file)) => wanted.roots = Some(decoded(file)),
            _ => others.push(pair),
        }
    }
    Ok((format!("{address}?{}", others.join("&")), wanted))
}

fn parse(mode: &str) -> Result<Mode, StoreError> {
    Ok(match mode {
        "disable" => Mode::Disable,
        "allow" | "prefer" => Mode::Prefer,
        "require" => Mode::Require,
        "verify-ca" => Mode::VerifyCa,
        "verify-full" => Mode::VerifyFull,
        _ => {
            return Err(StoreError::Unavailable(
                "not a PostgreSQL URL (sslmode is one of disable, prefer, require, verify-ca, \
                 verify-full): expected postgres://USER:PASSWORD@HOST:5432/DATABASE"
                    .to_owned(),
            ));
        }
    })
}

/// With %XX put right.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Wanted {
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, StoreError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let failed = |why: String| StoreError::Unavailable(format!("TLS cannot be set up: {why}"));
        let verifier: Arc<dyn ServerCertVerifier> = match self.mode {
            Mode::Disable | Mode::Prefer | Mode::Require => {
                Arc::new(Lenient { checked: None, provider: Arc::clone(&provider) })
            }
            Mode::VerifyCa | Mode::VerifyFull => {
                let roots = Arc::new(self.roots()?);
                let full =
                    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
                        .build()
                        .map_err(|error| failed(error.to_string()))?;
                match self.mode {
                    Mode::VerifyFull => full,
                    _ => Arc::new(Lenient { checked: Some(full), provider: Arc::clone(&provider) }),
                }
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, StoreError> {
        let Some(file) = &self.roots else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let unreadable = |why: String| {
            StoreError::Unavailable(format!(
                "`sslrootcert` names {file}, which cannot be used: {why}; it is to be a PEM file \
                 of the authority's certificates"
            ))
        };
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(file);
        for certificate in certificates.map_err(|error| unreadable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
        match roots.is_empty() {
            true => Err(unreadable("it has no certificate".to_owned())),
            false => Ok(roots),
        }
    }
}

/// Lets anybody answer, or anybody whose certificate `checked` knows, whatever its name.
#[derive(Debug)]
struct Lenient {
    checked: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(checked) = &self.checked else {
            return Ok(ServerCertVerified::assertion());
        };
        match checked.verify_server_cert(certificate, between, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
