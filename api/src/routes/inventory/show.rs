//! `GET /inventory/{sku_id}`.

use domain::SkuId;

use super::body::StockBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::acting::{Reach, change};
use crate::wire::Ids;

/// The stock of one SKU.
#[utoipa::path(get, path = "/inventory/{sku_id}", tag = "stock",
    responses((status = 200, description = "The stock", body = StockBody)))]
pub(crate) async fn show_stock(
    who: Who<{ SELLER | SUPPORT | ADMIN }>,
    Ids((sku_id,)): Ids<(SkuId,)>,
) -> Answer {
    who.wait_for(&[]).await?;
    let reach = Reach::of(&who)?;
    let done = change(&who, None, move |unit| {
        reach.sku(unit, sku_id)?;
        StockBody::read(unit, sku_id)
    })
    .await?;
    Reply::ok().etag(done.value.version).position(&who, done.position).json(&done.value)
}
