//! `POST /clicks`.

use domain::ProductId;
use domain::browsing::Place;

use crate::auth::Who;
use crate::auth::roles::SHOPPER;
use crate::reply::{Answer, Reply};
use crate::wire::{Body, request};

request! {
    /// What a shopper clicked, and where it was shown.
    ClickProduct {
        place: Place = crate::openapi::shapes::Place,
        product_id: ProductId = Uuid,
    }
}

/// Tells that a shopper clicked a product that was shown; all shoppers are counted together. A
/// product that is not for sale is passed over, and all are until it is known what is.
///
/// A hint: it is written a moment later, and may be lost with the machine.
#[utoipa::path(post, path = "/clicks", tag = "catalogue", request_body = ClickProduct,
    responses((status = 202, description = "Taken")))]
pub(crate) async fn click_product(who: Who<SHOPPER>, body: Body<ClickProduct>) -> Answer {
    let ClickProduct { place, product_id } = body.value;
    let services = who.services();
    let is_taken = services.search.is_for_sale(product_id);
    if let Some(browsing) = services.browsing.as_ref().filter(|_| is_taken) {
        browsing.clicked(place, product_id, services.engine.bus().now());
    }
    Reply::accepted().empty()
}
