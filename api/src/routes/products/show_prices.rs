//! `GET /products/{product_id}/prices`.

use std::collections::BTreeMap;

use domain::pricing::Prices;
use domain::product::Product;
use domain::{ProductId, SkuId};
use serde::Serialize;
use utoipa::ToSchema;

use super::prices::PriceBookBody;
use crate::auth::Who;
use crate::auth::roles::{ADMIN, SELLER, SUPPORT};
use crate::reply::{Answer, Reply};
use crate::routes::acting::Reach;
use crate::wire::Ids;

/// The whole price book of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProductPrices {
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    /// As in the `ETag`.
    version: u64,
    /// Minor units by currency.
    #[schema(value_type = BTreeMap<String, i64>)]
    base_prices: Prices,
    /// By SKU; withdrawn ones too.
    #[schema(value_type = BTreeMap<String, PriceBookBody>)]
    skus: BTreeMap<SkuId, PriceBookBody>,
}

/// Every price of a product as it was set: wholesale ones, and sales that are over, too.
#[utoipa::path(get, path = "/products/{product_id}/prices", tag = "catalogue",
    responses((status = 200, description = "The price book", body = ProductPrices)))]
pub(crate) async fn show_prices(
    who: Who<{ SELLER | SUPPORT | ADMIN }>,
    Ids((product_id,)): Ids<(ProductId,)>,
) -> Answer {
    who.wait_for(&[]).await?;
    let (reach, caller) = (Reach::of(&who)?, who.caller());
    let read = who.services().engine.bus().run(&caller, move |unit| {
        reach.product(unit, product_id)?;
        let version = unit.version::<Product>(&product_id)?;
        let product = unit.state::<Product>(&product_id)?.as_deref();
        let product = commands::known(product, "product", product_id)?;
        let skus = product.skus.iter().map(|(id, sku)| (*id, sku.prices.clone().into()));
        let base_prices = product.base_prices.clone();
        Ok(ProductPrices { product_id, version, base_prices, skus: skus.collect() })
    });
    let body = read.await?.value;
    Reply::ok().etag(body.version).json(&body)
}
