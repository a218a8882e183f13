//! What `GET /products` answers.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CategoryId, Currency};
use search::{
    Answer, AttributeFacets, Bucket, CategoryCount, Explanation, Facets, Found, Request, Shelf,
    ValueCount,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::routes::products::on_show::ProductOnShow;

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundProducts {
    products: Vec<FoundProduct>,
    /// Products on all pages.
    total: u64,
    /// Where the next page begins; null on the last, and where pages end: behind 10,000 products,
    /// even if there are more.
    next: Option<String>,
    /// The text that was searched for instead, where words were taken for misspelt; null where none
    /// were, and always null with Meilisearch, which does not say what it put right, and in mode
    /// semantic, in which nothing is.
    corrected: Option<String>,
    facets: FacetsBody,
    /// Null if prices were not asked for.
    prices: Option<PricesBody>,
}

/// A product that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundProduct {
    #[serde(flatten)]
    product: ProductOnShow,
    /// Null unless asked for.
    explanation: Option<ExplanationBody>,
}

/// Products by what they are. Each facet counts what there would be if nothing were chosen in it;
/// tags, of which a product must have all that are chosen, count what there is. Brands, tags and
/// values that are chosen are listed in any case, with a count of 0 if need be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetsBody {
    /// In or below each category, in the order of the tree; null if not asked for, as all of these.
    category: Option<Vec<CategoryFacet>>,
    /// The most frequent first.
    brand: Option<Vec<ValueFacet>>,
    tags: Option<Vec<ValueFacet>>,
    /// By the attribute's name.
    attributes: Option<BTreeMap<String, Vec<ValueFacet>>>,
}

/// A category, and products in or below it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CategoryFacet {
    #[schema(value_type = Uuid)]
    category_id: CategoryId,
    name: String,
    /// Slugs from the root down, joined by slashes.
    path: String,
    count: u64,
    /// Whether it is filtered by.
    chosen: bool,
}

/// A value, and products that have it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValueFacet {
    value: String,
    count: u64,
    /// Whether it is filtered by.
    chosen: bool,
}

/// Products by price.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PricesBody {
    #[schema(value_type = String, example = "GBP")]
    currency: Currency,
    /// Without gaps, the cheapest first, counted as if no price were chosen.
    buckets: Vec<BucketBody>,
}

/// Products with a price from a bound up to but without another, in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BucketBody {
    /// Null in the first.
    from: Option<i64>,
    /// Null in the last.
    to: Option<i64>,
    count: u64,
}

/// Why a product is where it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplanationBody {
    /// Null unless it was found by words.
    text: Option<TextScoreBody>,
    /// Null unless it was found by likeness.
    semantic: Option<SemanticScoreBody>,
    /// By which it was ranked, if both lists were fused.
    fused: Option<f32>,
    /// Null unless a known customer asked.
    personal: Option<PersonalScoreBody>,
}

/// How well the words match.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TextScoreBody {
    /// From 1, among all that match by words.
    rank: usize,
    /// Only to be compared within one answer.
    score: f32,
    /// Words that were found, by where in the product they are.
    matched: BTreeMap<String, Vec<String>>,
}

/// How near the product is in meaning.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SemanticScoreBody {
    /// From 1, among the nearest.
    rank: usize,
    /// Cosine, -1 to 1.
    similarity: f32,
}

/// What the customer's liking for a category did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonalScoreBody {
    /// Share of the customer's buying in the product's categories, 0 to 1.
    affinity: f32,
    /// Places gained; negative: lost.
    moved: i32,
}

impl FoundProducts {
    pub(super) fn new(of: Answer, asked: &Request, shelf: &Shelf) -> Self {
        let Answer { products, total, next, corrected, facets, buckets, found_by: _ } = of;
        let product = |Found { product, explanation }| FoundProduct {
            product: ProductOnShow::new(product, asked.currency),
            explanation: explanation.map(ExplanationBody::from),
        };
        let currency = asked.currency.filter(|_| asked.price_bounds != search::PriceBounds::None);
        Self {
            products: products.into_iter().map(product).collect(),
            total,
            next: next.map(|cursor| cursor.to_string()),
            corrected,
            facets: FacetsBody::new(facets, asked, shelf),
            prices: currency.map(|currency| PricesBody {
                currency,
                buckets: buckets.into_iter().map(BucketBody::from).collect(),
            }),
        }
    }
}

impl FacetsBody {
    fn new(counted: Facets, asked: &Request, shelf: &Shelf) -> Self {
        let (filter, wanted) = (&asked.filter, &asked.facets);
        let nothing = BTreeSet::new();
        let attributes = counted.attributes.into_iter().map(|(name, values)| {
            let chosen = filter.attributes.get(&name).unwrap_or(&nothing);
            let values = value_facets(values, chosen);
            (name, values)
        });
        let category = |CategoryCount { category_id, count }| {
            let view = shelf.category(category_id);
            let (name, path) = view.map_or_else(Default::default, |view| (view.name, view.path));
            let chosen = filter.category == Some(category_id);
            CategoryFacet { category_id, name, path, count, chosen }
        };
        Self {
            category: wanted.category.then(|| counted.category.into_iter().map(category).collect()),
            brand: wanted.brand.then(|| value_facets(counted.brand, &filter.brands)),
            tags: wanted.tags.then(|| value_facets(counted.tags, &filter.tags)),
            attributes: (wanted.attributes != AttributeFacets::None).then(|| attributes.collect()),
        }
    }
}

fn value_facets(counted: Vec<ValueCount>, chosen: &BTreeSet<String>) -> Vec<ValueFacet> {
    let facet = |ValueCount { value, count }| {
        let chosen = chosen.contains(&value);
        ValueFacet { value, count, chosen }
    };
    counted.into_iter().map(facet).collect()
}

impl From<Bucket> for BucketBody {
    fn from(Bucket { from, to, count }: Bucket) -> Self {
        Self { from, to, count }
    }
}

impl From<Explanation> for ExplanationBody {
    fn from(of: Explanation) -> Self {
        Self {
            text: of.text.map(|text| TextScoreBody {
                rank: text.rank,
                score: text.score,
                matched: text.matched,
            }),
            semantic: of.semantic.map(|semantic| SemanticScoreBody {
                rank: semantic.rank,
                similarity: semantic.similarity,
            }),
            fused: of.fused,
            personal: of.personal.map(|personal| PersonalScoreBody {
                affinity: personal.affinity,
                moved: personal.moved,
            }),
        }
    }
}
