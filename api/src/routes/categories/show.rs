//! `GET /categories/{category_id}`.

use domain::CategoryId;
use projections::Projector;
use projections::catalogue::{Catalogue, CategoryView, category, subtree};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;
use crate::wire::Ids;

/// A category and everything below it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CategoryBody {
    #[schema(value_type = crate::openapi::shapes::Category)]
    category: CategoryView,
    /// In the order of the tree.
    #[schema(value_type = Vec<crate::openapi::shapes::Category>)]
    below: Vec<CategoryView>,
}

/// One category, with what is below it.
#[utoipa::path(get, path = "/categories/{category_id}", tag = "catalogue",
    responses((status = 200, description = "The category", body = CategoryBody)))]
pub(crate) async fn show_category(
    who: Who<PUBLIC>,
    Ids((category_id,)): Ids<(CategoryId,)>,
) -> Answer {
    who.wait_for(&[Catalogue::NAME]).await?;
    let reads = who.services().reads.clone();
    let found = off_thread(move || {
        reads.read(Catalogue::NAME, |connection| {
            Ok((category(connection, category_id)?, subtree(connection, category_id)?))
        })
    });
    let (category, mut below) = found.await??;
    let category = category.ok_or_else(|| Problem::not_found("category"))?;
    below.retain(|view| view.category_id != category_id);
    Reply::ok().json(&CategoryBody { category, below })
}
