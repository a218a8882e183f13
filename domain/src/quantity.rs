//! How many units: never zero, never negative, never a fraction.

use std::fmt;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of units, 1 to [`Quantity::MAX`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(NonZeroU32);

/// A number that is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quantity must be from 1 to {max}, not {given}", max = Quantity::MAX)]
pub struct QuantityError {
    pub given: i64,
}

impl Quantity {
    /// The most a quantity can express. What a line may hold is a policy below this.
    pub const MAX: u32 = 1_000_000_000;
    pub const ONE: Self = Self(NonZeroU32::MIN);

    pub fn new(units: u32) -> Result<Self, QuantityError> {
        match NonZeroU32::new(units) {
            Some(n) if units <= Self::MAX => Ok(Self(n)),
            _ => Err(QuantityError { given: i64::from(units) }),
        }
    }

    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for Quantity {
    type Error = QuantityError;
    fn try_from(units: u32) -> Result<Self, Self::Error> {
        Self::new(units)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.get()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}
