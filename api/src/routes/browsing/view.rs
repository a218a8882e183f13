//! `POST /products/{product_id}/views`.

use domain::ProductId;

use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{Body, Ids, Nothing};

/// Tells that a shopper looks at a product's page: the customer, or a guest of the storefront, who is
/// counted with all others.
///
/// Passed over until it is known which products are for sale. A hint: it is written a moment later, and may be lost with the machine.
#[utoipa::path(post, path = "/products/{product_id}/views", tag = "catalogue",
    request_body = Nothing, responses((status = 202, description = "Taken")))]
pub(crate) async fn view_product(
    who: Who<SHOPPER>,
    Ids((product_id,)): Ids<(ProductId,)>,
    _: Body<Nothing>,
) -> Answer {
    let customer = who.shops_for()?;
    who.wait_for_products().await?;
    let services = who.services();
    let is_taken = services.search.is_for_sale(product_id);
    if !is_taken && services.search.is_shelf_ready() {
        return Err(Problem::not_found("product"));
    }
    if let Some(browsing) = services.browsing.as_ref().filter(|_| is_taken) {
        browsing.viewed(customer, product_id, services.engine.bus().now());
    }
    Reply::accepted().empty()
}
