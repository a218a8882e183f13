//! `GET /admin/shortages`.

use domain::{SkuId, WarehouseId};
use projections::Projector;
use projections::stock::{Stock, shortages};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::auth::roles::{ADMIN, SUPPORT};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::routes::inventory::level::LevelBody;
use crate::routes::off_thread;
use crate::routes::page::{limit_of, next_of};
use crate::wire::{Query, query};

query! {
    /// Which page.
    ListShortages {
        /// `next` of the page before.
        cursor: String = String,
        /// 1 to 100, 50 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShortagePage {
    shortages: Vec<LevelBody>,
    /// The `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Where more is promised, or kept from sale, than was counted.
#[utoipa::path(get, path = "/admin/shortages", tag = "operators", params(ListShortages),
    responses((status = 200, description = "A page of SKUs", body = ShortagePage)))]
pub(crate) async fn list_shortages(
    who: Who<{ SUPPORT | ADMIN }>,
    Query(query): Query<ListShortages>,
) -> Answer {
    who.wait_for(&[Stock::NAME]).await?;
    let limit = limit_of(query.limit)?;
    let bad = || Problem::field("cursor", "invalid", "must be a `next` that was given out here");
    let after = query.cursor.map(|text| read_cursor(&text).ok_or_else(bad)).transpose()?;
    let reads = who.services().reads.clone();
    let mut found = off_thread(move || shortages(&reads, after, limit + 1)).await??;
    let next = next_of(&mut found, limit, |at| format!("{}.{}", at.sku_id, at.warehouse_id));
    let shortages = found.into_iter().map(LevelBody::from).collect();
    Reply::ok().json(&ShortagePage { shortages, next })
}

fn read_cursor(text: &str) -> Option<(SkuId, WarehouseId)> {
    let (sku, warehouse) = text.split_once('.')?;
    Some((sku.parse().ok()?, warehouse.parse().ok()?))
}
