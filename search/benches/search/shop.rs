//! A made-up shop, the same in every run: words, brands and categories are as unevenly frequent as
//! in real ones (Zipf's law).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeZone, Utc};
use domain::product::ProductStatus;
use domain::{CategoryId, Currency, ProductId, SellerId, Timestamp};
use projections::catalogue::{
    CategoryView, NamedCategory, SearchDocument, Stars, TierKey, TierPrice,
};
use uuid::Uuid;

pub(crate) const BRANDS: usize = 300;
const WORDS: usize = 20_000;
/// The most frequent words of a language are left out: nobody searches a shop for "the".
const FUNCTION_WORDS: usize = 30;
const ROOTS: usize = 10;
const MIDDLES: usize = 40;
const LEAVES: usize = 150;
const TAGS: usize = 50;
/// Each with how many values it has.
const ATTRIBUTES: [(&str, usize); 5] =
    [("colour", 12), ("size", 8), ("material", 20), ("weight", 10), ("style", 15)];
const SYLLABLES: [&str; 32] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su",
    "ta", "ve", "wi", "xo", "yu", "za", "bel", "cor", "dan", "fer", "gil", "hom", "lin", "mar",
    "nor", "pol", "ster",
];

/// Steele, Lea and Flood's SplitMix.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.unit() * bound as f64) as usize
    }

    /// From 0 up to but without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Ranks below a bound, the `n`th as often as `1 / (n + shift)` (Mandelbrot's form of the law).
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(bound: usize, shift: usize) -> Self {
        let mut sum = 0.0;
        let mut sums: Vec<f64> = (1..=bound)
            .map(|rank| {
                sum += 1.0 / (rank + shift) as f64;
                sum
            })
            .collect();
        sums.iter_mut().for_each(|at| *at /= sum);
        Self(sums)
    }

    fn draw(&self, dice: &mut Dice) -> usize {
        let at = dice.unit();
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

pub(crate) struct Shop {
    words: Vec<String>,
    by_word: Zipf,
    by_own_word: Zipf,
    by_brand: Zipf,
    pub(crate) categories: Vec<CategoryView>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let mut words = BTreeSet::new();
        let mut dice = Dice::new(1);
        while words.len() < WORDS {
            let syllables = 2 + dice.below(3);
            words.insert((0..syllables).map(|_| SYLLABLES[dice.below(32)]).collect::<String>());
        }
        // In no order of letters.
        let mut words: Vec<String> = words.into_iter().collect();
        for at in (1..words.len()).rev() {
            words.swap(at, dice.below(at + 1));
        }
        Self {
            words,
            by_word: Zipf::new(WORDS, FUNCTION_WORDS),
            by_own_word: Zipf::new(200, 0),
            by_brand: Zipf::new(BRANDS, 0),
            categories: categories(),
        }
    }

    pub(crate) fn brand(&self, rank: usize) -> String {
        let word = &self.words[WORDS - 1 - rank];
        format!("{}{}", word[..1].to_uppercase(), &word[1..])
    }

    /// The words that are used most.
    pub(crate) fn frequent(&self, rank: usize) -> &str {
        &self.words[rank]
    }

    /// Products `from` up to but without `to`.
    pub(crate) fn documents(&self, from: usize, to: usize) -> Vec<SearchDocument> {
        (from..to).map(|number| self.document(number, 0)).collect()
    }

    /// A product, as it is after some changes.
    pub(crate) fn document(&self, number: usize, changes: u64) -> SearchDocument {
        let mut dice = Dice::new(number as u64 * 1000 + changes);
        let leaf = ROOTS + MIDDLES + (number * 7919 + number / LEAVES) % LEAVES;
        let mut name = Vec::new();
        for _ in 0..3 + dice.below(5) {
            // Half of a name is words that its category uses.
            name.push(if dice.below(2) == 0 {
                &self.words[(leaf * 131 + self.by_own_word.draw(&mut dice)) % WORDS]
            } else {
                &self.words[self.by_word.draw(&mut dice)]
            });
        }
        let description: Vec<&str> =
            (0..30).map(|_| self.words[self.by_word.draw(&mut dice)].as_str()).collect();
        let mut attributes = BTreeMap::new();
        for (name, values) in ATTRIBUTES {
            if dice.below(10) < 7 {
                let value = format!("{name} {}", dice.below(values));
                attributes.insert(name.to_owned(), BTreeSet::from([value]));
            }
        }
        SearchDocument {
            number: number as i64 * 37,
            product_id: product_id(number),
            seller_id: SellerId::new(Uuid::from_u128(1 + dice.below(200) as u128)),
            status: ProductStatus::Active,
            name: name.into_iter().map(String::as_str).collect::<Vec<_>>().join(" "),
            description: description.join(" "),
            brand: Some(self.brand(self.by_brand.draw(&mut dice))),
            tags: (0..dice.below(4)).map(|_| format!("tag {}", dice.below(TAGS))).collect(),
            categories: self.path(leaf),
            attributes,
            prices: prices(&mut dice),
            in_stock: dice.below(10) > 0,
            stars: Stars { sum: dice.below(400) as u32, count: 100 },
            created_at: at(number as i64),
        }
    }

    fn path(&self, leaf: usize) -> Vec<NamedCategory> {
        let middle = ROOTS + leaf % MIDDLES;
        [middle % ROOTS, middle, leaf]
            .into_iter()
            .filter_map(|number| {
                let id = category_id(number);
                self.categories.iter().find(|category| category.category_id == id)
            })
            .map(|category| NamedCategory {
                category_id: category.category_id,
                name: category.name.clone(),
            })
            .collect()
    }
}

pub(crate) fn product_id(number: usize) -> ProductId {
    ProductId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128))
}

pub(crate) fn category_id(number: usize) -> CategoryId {
    CategoryId::new(Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + number as u128))
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Utc.timestamp_nanos((1_700_000_000 + seconds) * 1_000_000_000)
}

fn prices(dice: &mut Dice) -> Vec<TierPrice> {
    let minor = (300.0 * (dice.unit() * 5.0).exp()) as i64;
    let on_sale = dice.below(10) == 0;
    let until = at(86_400 * (1 + dice.below(300) as i64)).timestamp_nanos_opt().unwrap_or(0);
    let mut prices = Vec::new();
    for tier in [TierKey::Retail, TierKey::Wholesale] {
        for (currency, minor) in [(Currency::GBP, minor), (Currency::EUR, minor * 115 / 100)] {
            let price =
                |from_ns, until_ns, minor| TierPrice { tier, currency, from_ns, until_ns, minor };
            if on_sale && tier == TierKey::Retail {
                prices.push(price(i64::MIN, until, minor * 8 / 10));
                prices.push(price(until, i64::MAX, minor));
            } else {
                prices.push(price(i64::MIN, i64::MAX, minor));
            }
        }
    }
    prices
}

fn categories() -> Vec<CategoryView> {
    let mut views = Vec::new();
    let mut bound = 0;
    let mut open = |views: &mut Vec<CategoryView>, number: usize, parent: Option<usize>, depth| {
        bound += 1;
        views.push(CategoryView {
            category_id: category_id(number),
            parent_id: parent.map(category_id),
            name: format!("category {number}"),
            slug: format!("c{number}"),
            lft: bound,
            rgt: 0,
            depth,
            path: format!("c{number}"),
        });
        views.len() - 1
    };
    for root in 0..ROOTS {
        open(&mut views, root, None, 0);
        for middle in (ROOTS..ROOTS + MIDDLES).filter(|middle| middle % ROOTS == root) {
            open(&mut views, middle, Some(root), 1);
            let leaves = ROOTS + MIDDLES..ROOTS + MIDDLES + LEAVES;
            for leaf in leaves.filter(|leaf| ROOTS + leaf % MIDDLES == middle) {
                open(&mut views, leaf, Some(middle), 2);
            }
        }
    }
    // Bounds close behind the last that lies within: only their order counts.
    for at in 0..views.len() {
        let behind = views[at + 1..].iter().position(|later| later.depth <= views[at].depth);
        let last = behind.map_or(views.len() - 1, |behind| at + behind);
        views[at].rgt = views[last].lft;
    }
    views
}
