//! `GET /categories`.

use projections::Projector;
use projections::catalogue::{Catalogue, CategoryView, category_tree};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::PUBLIC;
use crate::reply::{Answer, Reply};
use crate::routes::off_thread;

/// All categories, each before what is below it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CategoryTreeBody {
    #[schema(value_type = Vec<crate::openapi::shapes::Category>)]
    categories: Vec<CategoryView>,
}

/// The whole tree, in its order.
#[utoipa::path(get, path = "/categories", tag = "catalogue",
    responses((status = 200, description = "The tree", body = CategoryTreeBody)))]
pub(crate) async fn list_categories(who: Who<PUBLIC>) -> Answer {
    who.wait_for(&[Catalogue::NAME]).await?;
    let reads = who.services().reads.clone();
    let categories = off_thread(move || reads.read(Catalogue::NAME, category_tree)).await??;
    Reply::ok().json(&CategoryTreeBody { categories })
}
