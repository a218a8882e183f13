//! `POST /impressions`.

use domain::ProductId;
use domain::browsing::{PRODUCTS_MAX, Place};

use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{Body, request};

request! {
    /// What was put before a shopper, and where.
    ShowProducts {
        place: Place = crate::openapi::shapes::Place,
        /// 1 to 100.
        product_ids: Vec<ProductId> = Vec<Uuid>,
    }
}

/// Tells which products were put before a shopper; all shoppers are counted together. Products that
/// are not for sale are passed over, and all are until it is known what is.
///
/// A hint: it is written a moment later, and may be lost with the machine.
#[utoipa::path(post, path = "/impressions", tag = "catalogue", request_body = ShowProducts,
    responses((status = 202, description = "Taken")))]
pub(crate) async fn show_products(who: Who<SHOPPER>, body: Body<ShowProducts>) -> Answer {
    let ShowProducts { place, product_ids } = body.value;
    if !(1..=PRODUCTS_MAX).contains(&product_ids.len()) {
        let message = format!("must hold 1 to {PRODUCTS_MAX} ids");
        return Err(Problem::field("product_ids", "invalid", message));
    }
    let services = who.services();
    // Whoever tells of products that there are not must not fill memory and journals.
    let shown: Vec<ProductId> =
        product_ids.into_iter().filter(|id| services.search.is_for_sale(*id)).collect();
    if let Some(browsing) = services.browsing.as_ref().filter(|_| !shown.is_empty()) {
        browsing.shown(place, &shown, services.engine.bus().now());
    }
    Reply::accepted().empty()
}
