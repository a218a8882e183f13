//! `GET /products/{product_id}`.

use domain::pricing::{Tier, WholesalePolicy, effective_price};
use domain::product::ProductStatus;
use domain::{Currency, ProductId, Timestamp};
use projections::Projector;
use projections::catalogue::{Catalogue, ProductView, SkuView, product};
use serde_json::{Value, json};

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::{Problem, catalogue};
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::Ids;

/// One product with its SKUs, at the retail prices of now.
#[utoipa::path(get, path = "/products/{product_id}", tag = "catalogue",
    responses((status = 200, description = "The product", body = Object)))]
pub(crate) async fn show_product(
    who: Who<PUBLIC>,
    Ids((product_id,)): Ids<(ProductId,)>,
) -> Answer {
    who.wait_for(&[Catalogue::NAME]).await?;
    let reads = who.services().reads.clone();
    let found =
        off_thread(move || reads.read(Catalogue::NAME, |c| product(c, product_id))).await??;
    let view = found.filter(|view| view.status != ProductStatus::Deleted);
    let view = view.ok_or_else(|| Problem::not_found("product"))?;
    let version = view.version;
    let now = who.services().engine.bus().now();
    Reply::ok().etag(version).json(&public(view, now)?)
}

/// What everybody may see: no wholesale prices, and of sales only those that hold.
fn public(mut view: ProductView, now: Timestamp) -> Result<Value, Problem> {
    let skus = std::mem::take(&mut view.skus);
    let skus = skus.into_iter().filter(|sku| !sku.withdrawn);
    let skus: Vec<Value> = skus.map(|sku| shown(&view, sku, now)).collect();
    let written = serde_json::to_value(&view);
    let mut body = written
        .map_err(|_| Problem::new(catalogue::INTERNAL, "a product cannot be written as JSON"))?;
    body["skus"] = Value::from(skus);
    Ok(body)
}

fn shown(view: &ProductView, sku: SkuView, now: Timestamp) -> Value {
    let book = &sku.prices;
    let mut currencies: Vec<Currency> = view.base_prices.keys().copied().collect();
    currencies.extend(book.own.keys().chain(book.sale.keys()).copied());
    currencies.sort_unstable();
    currencies.dedup();
    let policy = WholesalePolicy::default();
    let prices = currencies.into_iter().filter_map(|currency| {
        let base = &view.base_prices;
        let price = effective_price(book, base, Tier::Retail, currency, now, policy)?;
        Some(json!({ "minor": price.minor, "currency": currency, "price_rule": price.rule }))
    });
    json!({
        "sku_id": sku.sku_id,
        "attributes": sku.details.attributes,
        "weight_g": sku.details.weight_g,
        "barcode": sku.details.barcode,
        "prices": prices.collect::<Vec<_>>(),
        "available": sku.available,
    })
}
