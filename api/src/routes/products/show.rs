//! `GET /products/{product_id}`.

use domain::ProductId;
use domain::product::ProductStatus;
use projections::Projector;
use projections::catalogue::{Catalogue, product};

use super::body::ProductBody;
use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::Ids;

/// One product with its SKUs, at the retail prices of now.
#[utoipa::path(get, path = "/products/{product_id}", tag = "catalogue",
    responses((status = 200, description = "The product", body = ProductBody)))]
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
    let body = ProductBody::at(view, who.services().engine.bus().now());
    Reply::ok().etag(body.version).json(&body)
}
