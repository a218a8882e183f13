//! A made-up shop to ask about. No word in it is within two letters of another or begins another, so
//! that engines which forgive misspellings differently still agree on what matches.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, ProductId, SellerId, Timestamp};
use projections::catalogue::{
    CategoryView, NamedCategory, SearchDocument, Stars, TierKey, TierPrice,
};
use uuid::Uuid;

/// Products for sale.
pub(crate) const PRODUCTS: u32 = 60;
/// One more, which is not.
pub(crate) const INACTIVE: u32 = 61;

pub(crate) const OUTDOORS: u32 = 1;
pub(crate) const CAMPING: u32 = 2;
pub(crate) const SHELTER: u32 = 3;
pub(crate) const LIGHTING: u32 = 4;
pub(crate) const CYCLING: u32 = 5;
pub(crate) const HOUSEHOLD: u32 = 6;
pub(crate) const KITCHEN: u32 = 7;
pub(crate) const COOKWARE: u32 = 8;
pub(crate) const CUTLERY: u32 = 9;
pub(crate) const BEDROOM: u32 = 10;
pub(crate) const ARCHIVE: u32 = 11;

/// Number, parent, name; each before what is below it.
const TREE: &[(u32, Option<u32>, &str)] = &[
    (OUTDOORS, None, "Outdoors"),
    (CAMPING, Some(OUTDOORS), "Camping"),
    (SHELTER, Some(CAMPING), "Shelter"),
    (LIGHTING, Some(CAMPING), "Lighting"),
    (CYCLING, Some(OUTDOORS), "Cycling"),
    (HOUSEHOLD, None, "Household"),
    (KITCHEN, Some(HOUSEHOLD), "Kitchen"),
    (COOKWARE, Some(KITCHEN), "Cookware"),
    (CUTLERY, Some(KITCHEN), "Cutlery"),
    (BEDROOM, Some(HOUSEHOLD), "Bedroom"),
    (ARCHIVE, None, "Archive"),
];

/// What it is and where it belongs; products take turns.
const KINDS: &[(&str, Option<u32>)] = &[
    ("lantern", Some(LIGHTING)),
    ("hammock", Some(SHELTER)),
    ("bicycle", Some(CYCLING)),
    ("saucepan", Some(COOKWARE)),
    ("teaspoons", Some(CUTLERY)),
    ("pillow", Some(BEDROOM)),
    ("voucher", None),
];
const LOOKS: &[&str] = &["Crimson", "emerald", "WALNUT", "granite", "Velvet"];
/// Two of them differ in nothing but case, and one is written to break out of a quoted string.
pub(crate) const BRANDS: &[&str] = &["Nordwind", "nordwind", BRUTE_BRAND, "Tamarisk"];
pub(crate) const BRUTE_BRAND: &str = r#"O'Hara "Pro" \ OR brand EXISTS"#;
pub(crate) const TAGS: &[&str] = &["clearance", "eco-friendly", r#"50% "today" AND x"#, "ünique"];
pub(crate) const COLOUR: &str = "Frame colour";
pub(crate) const SIZE: &str = r#"Size "UK".v2 [x]"#;
const COLOURS: &[&str] = &["Midnight", "ivory", "Ochre / tan"];
const SIZES: &[&str] = &["10", "10.5", "12"];

/// The instant the sales end.
pub(crate) fn sale_end() -> Timestamp {
    instant(86_400)
}

/// So many seconds after the shop's beginning; most questions are asked at 0.
pub(crate) fn instant(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(1_750_000_000 + seconds, 0).unwrap()
}

pub(crate) fn product_id(n: u32) -> ProductId {
    // Ids do not go up with age, so that nobody takes one for the other.
    ProductId::new(Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000
            | (u128::from(n * 7919 % 997) << 32)
            | u128::from(n),
    ))
}

/// The shop's number of a product.
pub(crate) fn number(product_id: ProductId) -> u32 {
    product_id.uuid().as_u128() as u32
}

pub(crate) fn category_id(n: u32) -> CategoryId {
    CategoryId::new(Uuid::from_u128(
        0x0190_0000_0000_7000_9000_0000_0000_0000
            | (u128::from(n * 7919 % 997) << 32)
            | u128::from(n),
    ))
}

pub(crate) fn seller_id(n: u32) -> SellerId {
    SellerId::new(Uuid::from_u128(0x0190_0000_0000_7000_a000_0000_0000_0000 | u128::from(n)))
}

/// The category tree, in its order.
pub(crate) fn categories() -> Vec<CategoryView> {
    views(TREE)
}

fn views(tree: &[(u32, Option<u32>, &str)]) -> Vec<CategoryView> {
    let mut views: Vec<CategoryView> = Vec::new();
    for (n, parent, name) in tree {
        let above = parent.map(|parent| {
            views.iter().find(|view| view.category_id == category_id(parent)).unwrap().clone()
        });
        let slug = name.to_lowercase();
        views.push(CategoryView {
            category_id: category_id(*n),
            parent_id: parent.map(category_id),
            name: (*name).to_owned(),
            path: above.as_ref().map_or(slug.clone(), |above| format!("{}/{slug}", above.path)),
            slug,
            lft: 0,
            rgt: 0,
            depth: above.map_or(0, |above| above.depth + 1),
        });
    }
    let mut next = 1;
    bound(&mut views, None, &mut next);
    views.sort_by_key(|view| view.lft);
    views
}

fn bound(views: &mut [CategoryView], parent: Option<CategoryId>, next: &mut u32) {
    for index in 0..views.len() {
        if views[index].parent_id == parent {
            views[index].lft = *next;
            *next += 1;
            bound(views, Some(views[index].category_id), next);
            views[index].rgt = *next;
            *next += 1;
        }
    }
}

/// The tree with cookware moved out of the kitchen, below camping.
pub(crate) fn moved_categories() -> Vec<CategoryView> {
    let mut tree = TREE.to_vec();
    for entry in &mut tree {
        if entry.0 == COOKWARE {
            entry.1 = Some(CAMPING);
        }
    }
    views(&tree)
}

/// From the root down to category `n`.
pub(crate) fn path(tree: &[CategoryView], n: u32) -> Vec<NamedCategory> {
    let mut path = Vec::new();
    let mut at = Some(category_id(n));
    while let Some(id) = at {
        let view = tree.iter().find(|view| view.category_id == id).unwrap();
        path.insert(0, NamedCategory { category_id: id, name: view.name.clone() });
        at = view.parent_id;
    }
    path
}

pub(crate) fn documents() -> Vec<SearchDocument> {
    (1..=INACTIVE).map(document).collect()
}

pub(crate) fn document(n: u32) -> SearchDocument {
    let turn = n as usize;
    let (kind, category) = KINDS[if n.is_multiple_of(20) { 6 } else { turn % 6 }];
    let look = LOOKS[turn % 5];
    // Some names are the same but for case.
    let name = match n {
        7 => "Crème brûlée torch".to_owned(),
        8 => "CRIMSON LANTERN K18".to_owned(),
        _ => format!("{look} {kind} K{:02}", n % 40),
    };
    let description = match n {
        9 => "Durable, at home beside a lantern.".to_owned(),
        _ if n.is_multiple_of(11) => "Plain.".to_owned(),
        _ => format!("Durable goods, batch {}.", 9000 + n / 4),
    };
    let mut attributes = BTreeMap::new();
    if !n.is_multiple_of(4) {
        let colours = [COLOURS[turn % 3], COLOURS[turn / 7 % 3]];
        attributes.insert(COLOUR.to_owned(), colours.map(str::to_owned).into());
    }
    if n.is_multiple_of(2) {
        attributes.insert(SIZE.to_owned(), BTreeSet::from([SIZES[turn / 2 % 3].to_owned()]));
    }
    SearchDocument {
        number: i64::from(n) * 10,
        product_id: product_id(n),
        seller_id: seller_id(n % 4),
        status: if n == INACTIVE { ProductStatus::Inactive } else { ProductStatus::Active },
        name,
        description,
        brand: (!n.is_multiple_of(10)).then(|| BRANDS[turn / 6 % 4].to_owned()),
        tags: (0..4)
            .filter(|t| n.is_multiple_of(t + 2))
            .map(|t| TAGS[t as usize].to_owned())
            .collect(),
        categories: category.map(|n| path(&categories(), n)).unwrap_or_default(),
        attributes,
        prices: prices(n),
        in_stock: !n.is_multiple_of(3),
        stars: stars(n),
        // Of each two, one is only told from the other by its number.
        created_at: instant(i64::from(n / 2) * 3600 - 1_000_000),
    }
}

fn stars(n: u32) -> Stars {
    if n.is_multiple_of(4) {
        return Stars::default();
    }
    let count = n % 5 + 1;
    Stars { sum: count * 2 + n % (count * 3 + 1), count }
}

fn prices(n: u32) -> Vec<TierPrice> {
    let usual = 500 + i64::from(n * 37 % 23) * 100;
    let mut prices = Vec::new();
    for tier in [TierKey::Retail, TierKey::Wholesale] {
        if !n.is_multiple_of(9) {
            let minor =
                if tier == TierKey::Wholesale && n.is_multiple_of(5) { usual / 2 } else { usual };
            let on_sale = n % 3 == 1 && minor == usual;
            let price = |from_ns, until_ns, minor| TierPrice {
                tier,
                currency: Currency::GBP,
                from_ns,
                until_ns,
                minor,
            };
            if on_sale {
                let end = nanoseconds(sale_end());
                prices.push(price(i64::MIN, end, usual * 6 / 10));
                prices.push(price(end, i64::MAX, usual));
            } else {
                prices.push(price(i64::MIN, i64::MAX, minor));
            }
        }
        if n.is_multiple_of(2) {
            prices.push(TierPrice {
                tier,
                currency: Currency::EUR,
                from_ns: i64::MIN,
                until_ns: i64::MAX,
                minor: usual + 50,
            });
        }
    }
    prices
}

pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    time.signed_duration_since(DateTime::UNIX_EPOCH)
        .num_nanoseconds()
        .unwrap_or(TimeDelta::MAX.num_seconds())
}
