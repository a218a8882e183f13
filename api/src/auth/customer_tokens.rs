//! Customers' JSON Web Tokens, made by the shop's own login service.
//!
//! Each key is for one algorithm, named in the configuration: what a token's header says only
//! chooses among those, so neither `none` nor a public key used as a secret gets anywhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{CustomerId, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Verified tokens kept in memory; a signature takes far longer to check than a digest.
const CACHED_MAX: usize = 20_000;
const TOKEN_BYTES_MAX: usize = 8 * 1024;
const LEEWAY_SECONDS_MAX: u64 = 60;

/// A key that signs customers' tokens, and the one algorithm it is for.
#[derive(Clone)]
pub enum TokenKey {
    /// A shared secret of at least 32 bytes.
    Hs256(Vec<u8>),
    /// Public keys in PEM.
    Rs256(String),
    Es256(String),
    EdDsa(String),
}

/// What a good token says.
#[derive(Clone)]
pub struct CustomerTokenOptions {
    /// Several while keys are rotated.
    pub keys: Vec<TokenKey>,
    pub issuer: String,
    pub audience: String,
    /// At most 60.
    pub leeway_seconds: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenSetupError {
    #[error("a customer token key cannot be read: {0}")]
    BadKey(String),
    #[error("an HS256 secret has at least 32 bytes")]
    ShortSecret,
    #[error("the leeway is at most 60 s")]
    Leeway,
    #[error("issuer and audience must be named")]
    Unnamed,
}

/// Checks customers' tokens.
pub struct CustomerTokens {
    keys: Vec<(Algorithm, DecodingKey, Validation)>,
    verified: Mutex<HashMap<[u8; 32], Verified>>,
}

#[derive(Clone, Copy)]
struct Verified {
    customer_id: CustomerId,
    /// Seconds since 1970, leeway included.
    expires: i64,
}

#[derive(Deserialize)]
struct Claims {
    sub: CustomerId,
    exp: i64,
}

impl CustomerTokens {
    /// # Errors
    /// What is wrong with the options.
    pub fn new(options: &CustomerTokenOptions) -> Result<Self, TokenSetupError> {
        let CustomerTokenOptions { keys, issuer, audience, leeway_seconds } = options;
        if *leeway_seconds > LEEWAY_SECONDS_MAX {
            return Err(TokenSetupError::Leeway);
        }
        if issuer.is_empty() || audience.is_empty() {
            return Err(TokenSetupError::Unnamed);
        }
        let keys = keys.iter().map(|key| {
            let (algorithm, key) = decoding(key)?;
            let mut rules = Validation::new(algorithm);
            rules.leeway = *leeway_seconds;
            rules.validate_nbf = true;
            rules.set_issuer(&[issuer]);
            rules.set_audience(&[audience]);
            rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
            Ok((algorithm, key, rules))
        });
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, verified: Mutex::default() })
    }

    /// The customer a token is for, if it is good at `now`.
    pub(super) fn check(&self, token: &str, now: Timestamp) -> Option<CustomerId> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = now.timestamp();
        let known = {
            let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.get(&digest).copied()
        };
        if let Some(known) = known.filter(|known| now < known.expires) {
            return Some(known.customer_id);
        }
        let verified = self.verify(token)?;
        let mut cache = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_MAX {
            cache.retain(|_, verified| now < verified.expires);
        }
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(digest, verified);
        Some(verified.customer_id)
    }

    fn verify(&self, token: &str) -> Option<Verified> {
        let algorithm = decode_header(token).ok()?.alg;
        self.keys.iter().filter(|(of, _, _)| *of == algorithm).find_map(|(_, key, rules)| {
            let claims = decode::<Claims>(token, key, rules).ok()?.claims;
            let leeway = i64::try_from(rules.leeway).unwrap_or(0);
            let expires = claims.exp.saturating_add(leeway);
            Some(Verified { customer_id: claims.sub, expires })
        })
    }
}

fn decoding(key: &TokenKey) -> Result<(Algorithm, DecodingKey), TokenSetupError> {
    let bad = |error: jsonwebtoken::errors::Error| TokenSetupError::BadKey(error.to_string());
    Ok(match key {
        TokenKey::Hs256(secret) if secret.len() < 32 => return Err(TokenSetupError::ShortSecret),
        TokenKey::Hs256(secret) => (Algorithm::HS256, DecodingKey::from_secret(secret)),
        TokenKey::Rs256(pem) => {
            (Algorithm::RS256, DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(bad)?)
        }
        TokenKey::Es256(pem) => {
            (Algorithm::ES256, DecodingKey::from_ec_pem(pem.as_bytes()).map_err(bad)?)
        }
        TokenKey::EdDsa(pem) => {
            (Algorithm::EdDSA, DecodingKey::from_ed_pem(pem.as_bytes()).map_err(bad)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::{Value, json};
    use uuid::Uuid;

    const SECRET: [u8; 32] = [7; 32];

    fn tokens() -> CustomerTokens {
        let options = CustomerTokenOptions {
            keys: vec![TokenKey::Hs256(SECRET.to_vec())],
            issuer: "shop".to_owned(),
            audience: "tillroll".to_owned(),
            leeway_seconds: 10,
        };
        CustomerTokens::new(&options).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from(std::time::SystemTime::now())
    }

    fn claims(change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = json!({
            "sub": Uuid::from_u128(9), "iss": "shop", "aud": "tillroll",
            "exp": now().timestamp() + 60, "nbf": now().timestamp() - 1,
        });
        change(&mut claims);
        claims
    }

    fn signed(claims: &Value, algorithm: Algorithm, secret: &[u8]) -> String {
        encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
    }

    #[test]
    fn a_good_token_names_its_customer_every_time() {
        let tokens = tokens();
        let token = signed(&claims(|_| {}), Algorithm::HS256, &SECRET);
        for _ in 0..2 {
            assert_eq!(tokens.check(&token, now()), Some(CustomerId::new(Uuid::from_u128(9))));
        }
        assert_eq!(tokens.verified.lock().unwrap().len(), 1);
    }

    #[test]
    fn every_claim_counts() {
        let tokens = tokens();
        let wrong: Vec<fn(&mut Value)> = vec![
            |c| c["aud"] = json!("other"),
            |c| c["iss"] = json!("other"),
            |c| c["exp"] = json!(now().timestamp() - 60),
            |c| c["nbf"] = json!(now().timestamp() + 60),
            |c| c["sub"] = json!("bob"),
            |c| drop(c.as_object_mut().unwrap().remove("exp")),
            |c| drop(c.as_object_mut().unwrap().remove("aud")),
            |c| drop(c.as_object_mut().unwrap().remove("iss")),
            |c| drop(c.as_object_mut().unwrap().remove("sub")),
        ];
        for (index, change) in wrong.into_iter().enumerate() {
            let token = signed(&claims(change), Algorithm::HS256, &SECRET);
            assert_eq!(tokens.check(&token, now()), None, "case {index}");
        }
    }

    #[test]
    fn the_header_chooses_no_algorithm() {
        let tokens = tokens();
        let body = URL_SAFE_NO_PAD.encode(claims(|_| {}).to_string());
        for alg in ["none", "None", "NONE"] {
            let head = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT"}).to_string());
            assert_eq!(tokens.check(&format!("{head}.{body}."), now()), None);
        }
        let other = signed(&claims(|_| {}), Algorithm::HS512, &SECRET);
        assert_eq!(tokens.check(&other, now()), None);
        let forged = signed(&claims(|_| {}), Algorithm::HS256, &[8; 32]);
        assert_eq!(tokens.check(&forged, now()), None);
        for broken in ["", ".", "..", "a.b.c", &"x".repeat(10_000)] {
            assert_eq!(tokens.check(broken, now()), None);
        }
    }

    #[test]
    fn weak_setups_are_refused() {
        let options = |secret: Vec<u8>, leeway_seconds| CustomerTokenOptions {
            keys: vec![TokenKey::Hs256(secret)],
            issuer: "a".to_owned(),
            audience: "b".to_owned(),
            leeway_seconds,
        };
        let short = CustomerTokens::new(&options(vec![1; 31], 10));
        assert_eq!(short.err(), Some(TokenSetupError::ShortSecret));
        let lenient = CustomerTokens::new(&options(vec![1; 32], 61));
        assert_eq!(lenient.err(), Some(TokenSetupError::Leeway));
        let pem = CustomerTokenOptions {
            keys: vec![TokenKey::EdDsa("no pem".to_owned())],
            ..options(vec![1; 32], 10)
        };
        assert!(matches!(CustomerTokens::new(&pem).err(), Some(TokenSetupError::BadKey(_))));
    }
}
