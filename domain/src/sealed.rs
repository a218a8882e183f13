//! Personal data in a form that only its key opens.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A personal value, encrypted under a key of the person it belongs to.
///
/// The domain never opens it. Destroying the key erases the value everywhere it was
/// ever written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Wraps text that is already encrypted; its form belongs to whoever seals.
    #[must_use]
    pub fn from_ciphertext(ciphertext: String) -> Self {
        Self(ciphertext)
    }

    #[must_use]
    pub fn ciphertext(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}
