//! `GET /sellers/{seller_id}`.

use domain::SellerId;
use domain::seller::Seller;

use super::body::SellerBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, CUSTOMER, SELLER, STOREFRONT, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::wire::Ids;

/// One seller; how to reach them is only for staff and the seller's own key.
#[utoipa::path(get, path = "/sellers/{seller_id}", tag = "catalogue",
    responses((status = 200, description = "The seller", body = SellerBody)))]
pub(crate) async fn show_seller(
    who: Who<{ CUSTOMER | STOREFRONT | SELLER | SUPPORT | ADMIN }>,
    Ids((seller_id,)): Ids<(SellerId,)>,
) -> Answer {
    who.wait_for(&[]).await?;
    let caller = who.caller();
    let read = who.services().engine.bus().run(&caller, move |unit| {
        let version = unit.version::<Seller>(&seller_id)?;
        let seller = unit.state::<Seller>(&seller_id)?.as_ref();
        Ok((version, commands::known(seller, "seller", seller_id)?.clone()))
    });
    let (version, details) = read.await?.value;
    let body = SellerBody::open(&who, seller_id, version, details).await?;
    Reply::ok().etag(version).json(&body)
}
