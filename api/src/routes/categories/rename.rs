//! `PATCH /categories/{category_id}`.

use domain::CategoryId;
use domain::category::{Category, CategoryCommand, TreeId};

use super::add::CategoryRef;
use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, Ids, request};

request! {
    /// What changes; what is left out stays.
    RenameCategory {
        name: Option<String> = Option<String>,
        slug: Option<String> = Option<String>,
    }
}

/// Renames a category.
#[utoipa::path(patch, path = "/categories/{category_id}", tag = "catalogue",
    request_body = RenameCategory,
    responses((status = 200, description = "Renamed", body = CategoryRef)))]
pub(crate) async fn rename_category(
    who: Who<ADMIN>,
    Ids((category_id,)): Ids<(CategoryId,)>,
    body: Body<RenameCategory>,
) -> Answer {
    let RenameCategory { name, slug } = body.value;
    let done = change(&who, None, move |unit| {
        let node = unit.state::<Category>(&TreeId)?.nodes.get(&category_id);
        let node = commands::known(node, "category", category_id)?;
        let command = CategoryCommand::Rename {
            category_id,
            name: name.clone().unwrap_or_else(|| node.name.clone()),
            slug: slug.clone().unwrap_or_else(|| node.slug.clone()),
        };
        unit.execute::<Category>(&TreeId, &command)?;
        Ok(CategoryRef { category_id })
    })
    .await?;
    Reply::ok().position(&who, done.position).json(&done.value)
}
