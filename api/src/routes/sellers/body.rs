//! A seller, as everybody may see them, and as they themselves and staff do.

use domain::SellerId;
use domain::seller::SellerDetails;
use sagas::key_store::PersonalField;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Asking;
use crate::personal::{Contact, open_json};
use crate::problem::Problem;

/// One seller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Seller)]
pub(crate) struct SellerBody {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    /// As in the `ETag`.
    version: u64,
    name: String,
    /// For staff and the seller's own key; else null.
    contact: Option<Contact>,
    /// Where notifications go; for staff and the seller's own key, else null.
    webhook: Option<String>,
}

impl SellerBody {
    pub(crate) async fn open(
        who: &Asking,
        seller_id: SellerId,
        version: u64,
        details: SellerDetails,
    ) -> Result<Self, Problem> {
        let SellerDetails { name, contact, webhook } = details;
        if !who.is_staff() && who.seller() != Some(seller_id) {
            return Ok(Self { seller_id, version, name, contact: None, webhook: None });
        }
        let keys = who.services().engine.keys().as_ref();
        let contact = open_json(keys, PersonalField::Contact, &contact).await?;
        Ok(Self { seller_id, version, name, contact, webhook })
    }
}
