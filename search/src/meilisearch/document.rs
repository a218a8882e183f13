//! Products as documents of Meilisearch, and the documents that say what an index is.

use std::collections::{BTreeMap, BTreeSet};

use domain::pricing::Tier;
use domain::{Currency, Timestamp};
use journal::{JournalId, Position};
use projections::catalogue::{CategoryView, SearchDocument, TierKey, TierPrice};
use serde::{Deserialize, Serialize};

use super::encoding::{is_hashed, name_key, pair_key, value_key};
use crate::Filled;

/// Rises when documents are written differently: an index of another number is filled anew.
pub(super) const FORMAT: u32 = 2;
pub(super) const OWNER_ID: &str = "_owner";
pub(super) const META_ID: &str = "_meta";
pub(super) const TREE_ID: &str = "_tree";
/// Somebody of a shop asks for another index in place of this one, with which the document goes away:
/// this, a `-` and the shop's journal.
pub(super) const REQUEST_ID: &str = "_request";
/// The year 10000: what has no end. Meilisearch's numbers are floating-point.
const NEVER_MS: i64 = 253_402_300_800_000;

#[derive(Debug, Serialize)]
pub(super) struct Document {
    id: String,
    kind: String,
    number: i64,
    /// Microseconds since 1970.
    created: i64,
    // Searched in, in this order.
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    categories: Vec<String>,
    tags: BTreeSet<String>,
    attributes: BTreeSet<String>,
    description: String,
    // Filtered by, sorted by and counted.
    name_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand_key: Option<String>,
    tag_keys: Vec<String>,
    pairs: Vec<String>,
    /// From the root down, so that a filter for one of them finds all that is below it.
    category_ids: Vec<String>,
    seller: String,
    in_stock: bool,
    stars_mean: f64,
    stars_count: u32,
    /// What holds now, by [`price_field`].
    prices: BTreeMap<String, i64>,
    /// Until when, in milliseconds since 1970: the first at which it no longer does.
    until: BTreeMap<String, i64>,
    /// Keys that end in a hash, each with what it was made of, as JSON after a space.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    long: Vec<String>,
}

impl Document {
    /// The product of a shop with the prices that hold at `now`.
    pub(super) fn new(product: SearchDocument, journal: JournalId, now: Timestamp) -> Self {
        let mut long = Vec::new();
        let mut keep = |key: String, made_of: &[&str]| {
            if is_hashed(&key) {
                let json = serde_json::to_string(made_of).unwrap_or_default();
                long.push(format!("{key} {json}"));
            }
            key
        };
        let brand_key = product.brand.as_ref().map(|brand| keep(value_key(brand), &[brand]));
        let tag_keys = product.tags.iter().map(|tag| keep(value_key(tag), &[tag])).collect();
        let mut pairs = Vec::new();
        for (name, values) in &product.attributes {
            pairs.extend(values.iter().map(|value| keep(pair_key(name, value), &[name, value])));
        }
        let mut prices = BTreeMap::new();
        let mut until = BTreeMap::new();
        let now_ns = now.timestamp_nanos_opt().unwrap_or(i64::MAX);
        for price in &product.prices {
            if price.from_ns <= now_ns && now_ns < price.until_ns {
                let field = field_of(price);
                prices.insert(field.clone(), price.minor);
                until.insert(field, end_ms(price.until_ns));
            }
        }
        Self {
            id: product.product_id.to_string(),
            kind: product_kind(journal),
            number: product.number,
            created: product.created_at.timestamp_micros(),
            name_key: name_key(&product.name),
            name: product.name,
            brand: product.brand,
            category_ids: product.categories.iter().map(|it| it.category_id.to_string()).collect(),
            categories: product.categories.into_iter().map(|category| category.name).collect(),
            tags: product.tags,
            attributes: product.attributes.into_values().flatten().collect(),
            description: product.description,
            brand_key,
            tag_keys,
            pairs,
            seller: product.seller_id.to_string(),
            in_stock: product.in_stock,
            stars_mean: product.stars.mean().unwrap_or(0.0),
            stars_count: product.stars.count,
            prices,
            until,
            long,
        }
    }
}

/// The kind of a shop's products. Each has its own: when a shop takes over another's index, what that one
/// had already sent may be put in afterwards, and must not be found.
pub(super) fn product_kind(journal: JournalId) -> String {
    format!("product {journal}")
}

/// The name of the field below `prices` and `until`.
pub(super) fn price_field(tier: Tier, currency: Currency) -> String {
    let tier = match tier {
        Tier::Retail => "retail",
        Tier::Wholesale => "wholesale",
    };
    format!("{tier}_{}", currency.code().to_lowercase())
}

fn field_of(price: &TierPrice) -> String {
    let tier = match price.tier {
        TierKey::Retail => Tier::Retail,
        TierKey::Wholesale => Tier::Wholesale,
    };
    price_field(tier, price.currency)
}

/// Rounded up, so that a price holds up to its end also where that lies within a millisecond.
fn end_ms(until_ns: i64) -> i64 {
    if until_ns == i64::MAX {
        return NEVER_MS;
    }
    until_ns.div_euclid(1_000_000) + i64::from(until_ns.rem_euclid(1_000_000) > 0)
}

/// Says whose the index is. It is written while the index is filled, and never after: whatever a shop had
/// already sent when another took its index over, it does not get it back by that.
#[derive(Debug, Serialize)]
pub(super) struct Owner {
    id: &'static str,
    kind: &'static str,
    journal: JournalId,
}

impl Owner {
    pub(super) fn new(journal: JournalId) -> Self {
        Self { id: OWNER_ID, kind: "meta", journal }
    }
}

/// Says what the index is filled with. Written after the documents it speaks of, so that an index that
/// was lost, emptied or only half written is known for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Meta {
    id: String,
    kind: String,
    pub(super) format: u32,
    /// Checksum of the settings the index was made with.
    pub(super) settings: u32,
    pub(super) journal: JournalId,
    pub(super) generation: u64,
    pub(super) position: u64,
    /// Products in the index, at least.
    pub(super) products: u64,
    /// Checksum of the tree.
    pub(super) tree: u32,
}

impl Meta {
    pub(super) fn new(filled: Filled, settings: u32, products: u64, tree: &Tree) -> Self {
        Self {
            id: META_ID.to_owned(),
            kind: "meta".to_owned(),
            format: FORMAT,
            settings,
            journal: filled.journal,
            generation: filled.generation,
            position: filled.position.0,
            products,
            tree: tree.checksum(),
        }
    }

    pub(super) fn set(&mut self, filled: Filled) {
        self.journal = filled.journal;
        self.generation = filled.generation;
        self.position = filled.position.0;
    }

    pub(super) fn filled(&self) -> Filled {
        Filled {
            journal: self.journal,
            generation: self.generation,
            position: Position(self.position),
        }
    }
}

/// The order of the categories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    id: String,
    kind: String,
    pub(super) order: Vec<String>,
}

impl Tree {
    pub(super) fn new(categories: &[CategoryView]) -> Self {
        let mut categories: Vec<&CategoryView> = categories.iter().collect();
        categories.sort_by_key(|category| category.lft);
        let order = categories.iter().map(|category| category.category_id.to_string());
        Self { id: TREE_ID.to_owned(), kind: "tree".to_owned(), order: order.collect() }
    }

    pub(super) fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for id in &self.order {
            hasher.update(id.as_bytes());
        }
        hasher.finalize()
    }
}
