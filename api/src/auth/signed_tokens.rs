//! Tokens that the engine signs and does not store: a guest's session, and the right to read one
//! order. An id and a proof that it came from here: `<uuid>.<base64url HMAC-SHA256>`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{CartId, OrderId};
use hmac::{Hmac, KeyInit, Mac};
use sagas::key_store::{Entropy, NoEntropy};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What a token is for; one for a session is no good for an order.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Session,
    Order,
}

/// Signs and checks; whoever has the secret can make any token.
#[derive(Clone)]
pub struct SignedTokens {
    keyed: Hmac<Sha256>,
}

impl SignedTokens {
    /// `secret` should have 32 random bytes, and stay the same over restarts.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self::keyed(secret)
    }

    /// Tokens that are good until the process ends.
    ///
    /// # Errors
    /// `NoEntropy` when there are no random bytes.
    pub fn ephemeral(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut secret = [0; 32];
        entropy.fill(&mut secret)?;
        Ok(Self::keyed(&secret))
    }

    fn keyed(secret: &[u8; 32]) -> Self {
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(secret)
            .expect("HMAC takes a key of any length");
        Self { keyed }
    }

    /// The token of a guest's cart.
    #[must_use]
    pub fn session(&self, cart: CartId) -> String {
        self.sign(Purpose::Session, cart.uuid())
    }

    /// The cart a session token is for; `None` for a token that was not made here.
    #[must_use]
    pub fn read_session(&self, token: &str) -> Option<CartId> {
        self.check(Purpose::Session, token).map(CartId::new)
    }

    /// The token that reads one order.
    #[must_use]
    pub fn order(&self, order: OrderId) -> String {
        self.sign(Purpose::Order, order.uuid())
    }

    /// The order a token is for.
    #[must_use]
    pub fn read_order(&self, token: &str) -> Option<OrderId> {
        self.check(Purpose::Order, token).map(OrderId::new)
    }

    fn sign(&self, purpose: Purpose, id: Uuid) -> String {
        format!("{}.{}", id.hyphenated(), URL_SAFE_NO_PAD.encode(self.mac(purpose, id)))
    }

    fn check(&self, purpose: Purpose, token: &str) -> Option<Uuid> {
        let (id, proof) = token.split_once('.')?;
        let id = Uuid::try_parse(id).ok()?;
        let mut given = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(proof, &mut given).ok()?;
        let expected = self.mac(purpose, id);
        (length == given.len() && bool::from(expected.ct_eq(&given))).then_some(id)
    }

    fn mac(&self, purpose: Purpose, id: Uuid) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(match purpose {
            Purpose::Session => b"session\0",
            Purpose::Order => b"order\0",
        });
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for SignedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedTokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_purpose_and_its_secret_only() {
        let tokens = SignedTokens::new(&[1; 32]);
        let cart = CartId::new(Uuid::from_u128(5));
        let token = tokens.session(cart);
        assert_eq!(tokens.read_session(&token), Some(cart));
        assert_eq!(tokens.read_order(&token), None);
        assert_eq!(SignedTokens::new(&[2; 32]).read_session(&token), None);
        for broken in ["", ".", "x.y", &token[..token.len() - 1], &token.replace('5', "6")] {
            assert_eq!(tokens.read_session(broken), None, "{broken}");
        }
    }
}
