//! `POST /categories`.

use domain::CategoryId;
use domain::category::{Category, CategoryCommand, TreeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::ADMIN;
use crate::reply::{Answer, Reply};
use crate::routes::acting::change;
use crate::wire::{Body, request};

request! {
    /// A new category.
    AddCategory {
        name: String = String,
        /// Names it in addresses: lower-case letters, digits, hyphens, underscores.
        slug: String = String,
        /// A root, if left out.
        parent_id: Option<CategoryId> = Option<Uuid>,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CategoryRef {
    #[schema(value_type = Uuid)]
    pub(crate) category_id: CategoryId,
}

/// Adds a category as the last child of its parent.
#[utoipa::path(post, path = "/categories", tag = "catalogue", request_body = AddCategory,
    responses((status = 201, description = "The category's id", body = CategoryRef)))]
pub(crate) async fn add_category(who: Who<ADMIN>, body: Body<AddCategory>) -> Answer {
    let AddCategory { name, slug, parent_id } = body.value;
    let category_id = who.services().engine.bus().new_id();
    let command = CategoryCommand::Add { category_id, parent_id, name, slug };
    let done = change(&who, who.request_key(&body.bytes)?, move |unit| {
        unit.execute::<Category>(&TreeId, &command)?;
        Ok(CategoryRef { category_id })
    })
    .await?;
    Reply::created(&format!("/categories/{}", done.value.category_id))
        .position(&who, done.position)
        .replayed(done.replayed)
        .json(&done.value)
}
