//! Who asks, and what that lets them do. Credentials decide; nothing in a body does.

mod api_keys;
mod customer_tokens;
mod key_file;
mod patience;
pub(crate) mod roles;
mod signed_tokens;
pub(crate) mod who;

pub use api_keys::{ApiKey, ApiKeyRole, ApiKeys, ApiKeysError, NewApiKey};
pub use customer_tokens::{CustomerTokenOptions, CustomerTokens, TokenKey, TokenSetupError};
pub use signed_tokens::SignedTokens;

pub(crate) use roles::access_of;
pub(crate) use who::{Asking, Identity, Who};
