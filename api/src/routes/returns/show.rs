//! `GET /returns/{return_id}`.

use domain::product_return::ProductReturn;
use domain::{OrderId, ReturnId};
use projections::orders::ReturnView;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::orders::show::{READER, visible_order_of};
use crate::wire::Ids;

/// One return of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReturnShown {
    #[schema(value_type = Uuid)]
    return_id: ReturnId,
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    #[serde(rename = "return")]
    #[schema(value_type = crate::openapi::shapes::Return)]
    returned: ReturnView,
}

/// One return, for whoever may see its order.
#[utoipa::path(get, path = "/returns/{return_id}", tag = "orders",
    responses((status = 200, description = "The return", body = ReturnShown)))]
pub(crate) async fn show_return(who: Who<READER>, Ids((return_id,)): Ids<(ReturnId,)>) -> Answer {
    who.wait_for(&["orders"]).await?;
    let not_found = || Problem::not_found("return");
    let bus = who.services().engine.bus();
    let order_of =
        |state: &<ProductReturn as domain::Decider>::State| state.as_ref().map(|of| of.order_id);
    let order_id =
        bus.read::<ProductReturn, _>(return_id, order_of).await?.value.ok_or_else(not_found)?;
    let mut view = visible_order_of(&who, "return", order_id).await?;
    let found = view.returns.remove(&return_id).ok_or_else(not_found)?;
    let body = ReturnShown { return_id, order_id, returned: found };
    Reply::ok().json(&body)
}
