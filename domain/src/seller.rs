//! Seller: who offers products and ships them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Sealed, SellerId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SellerDetails {
    pub name: String,
    /// E-mail, telephone: one sealed JSON object.
    pub contact: Sealed,
    /// Where notifications go, https only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum SellerEvent {
    Registered {
        seller_id: SellerId,
        #[serde(flatten)]
        details: SellerDetails,
    },
    DetailsChanged(SellerDetails),
}

#[derive(Debug, Clone, PartialEq)]
pub enum SellerCommand {
    Register {
        seller_id: SellerId,
        details: SellerDetails,
    },
    ChangeDetails(SellerDetails),
}

/// `None` until registered.
pub type SellerState = Option<SellerDetails>;

/// The aggregate.
#[derive(Debug)]
pub struct Seller;
