//! `POST /products/{product_id}/views`.

use domain::ProductId;
use domain::product::ProductStatus;
use projections::Projector;
use projections::catalogue::{Catalogue, product};

use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::{Body, Ids, Nothing};

/// Tells that a shopper looks at a product's page: the customer, or a guest of the storefront, who is
/// counted with all others.
///
/// A hint: it is written a moment later, and may be lost with the machine.
#[utoipa::path(post, path = "/products/{product_id}/views", tag = "catalogue",
    request_body = Nothing, responses((status = 202, description = "Taken")))]
pub(crate) async fn view_product(
    who: Who<SHOPPER>,
    Ids((product_id,)): Ids<(ProductId,)>,
    _: Body<Nothing>,
) -> Answer {
    let customer = who.shops_for()?;
    let reads = who.services().reads.clone();
    let found =
        off_thread(move || reads.read(Catalogue::NAME, |c| product(c, product_id))).await??;
    if found.is_none_or(|view| view.status == ProductStatus::Deleted) {
        return Err(Problem::not_found("product"));
    }
    if let Some(browsing) = &who.services().browsing {
        browsing.viewed(customer, product_id, who.services().engine.bus().now());
    }
    Reply::accepted().empty()
}
