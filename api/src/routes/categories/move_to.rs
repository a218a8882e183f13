//! `POST /categories/{category_id}/move`.

use domain::CategoryId;
use domain::category::{Category, CategoryCommand, TreeId};

use super::add::CategoryRef;
use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, Ids, request};

request! {
    /// Where it goes.
    MoveCategory {
        /// A root, if left out.
        parent_id: Option<CategoryId> = Option<Uuid>,
    }
}

/// Moves a category, with everything below it, to be the last child of its new parent.
#[utoipa::path(post, path = "/categories/{category_id}/move", tag = "catalogue",
    request_body = MoveCategory,
    responses((status = 200, description = "Moved", body = CategoryRef)))]
pub(crate) async fn move_category(
    who: Who<ADMIN>,
    Ids((category_id,)): Ids<(CategoryId,)>,
    body: Body<MoveCategory>,
) -> Answer {
    let command = CategoryCommand::Move { category_id, parent_id: body.value.parent_id };
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        unit.execute::<Category>(&TreeId, &command)?;
        Ok(CategoryRef { category_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).replayed(done.replayed).json(&done.value)
}
