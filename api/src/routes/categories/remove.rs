//! `DELETE /categories/{category_id}`.

use domain::CategoryId;
use domain::category::{Category, CategoryCommand, TreeId};

use super::add::CategoryRef;
use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::Ids;

/// Removes a category without children.
#[utoipa::path(delete, path = "/categories/{category_id}", tag = "catalogue",
    responses((status = 200, description = "Removed", body = CategoryRef)))]
pub(crate) async fn remove_category(
    who: Who<ADMIN>,
    Ids((category_id,)): Ids<(CategoryId,)>,
) -> Answer {
    let done = change(&who, None, move |unit| {
        unit.execute::<Category>(&TreeId, &CategoryCommand::Remove { category_id })?;
        Ok(CategoryRef { category_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
