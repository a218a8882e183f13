//! What is asked.

use crate::shop::{Shop, random, word};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    OneWord,
    TwoWords,
    ThreeWords,
    Misspelt,
    Prefix,
    Filtered,
    Hybrid,
    Browse,
    Stranger,
    Customer,
    Similar,
    BoughtTogether,
}

type Headers = Vec<(&'static str, String)>;

const NUMBERS: &str = "currency=GBP&facets=category,brand,attributes.colour,price";

impl Kind {
    pub(crate) const ALL: [Self; 12] = [
        Self::OneWord,
        Self::TwoWords,
        Self::ThreeWords,
        Self::Misspelt,
        Self::Prefix,
        Self::Filtered,
        Self::Hybrid,
        Self::Browse,
        Self::Stranger,
        Self::Customer,
        Self::Similar,
        Self::BoughtTogether,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OneWord => "one word",
            Self::TwoWords => "two words",
            Self::ThreeWords => "three words",
            Self::Misspelt => "two words, one misspelt",
            Self::Prefix => "two words, one begun",
            Self::Filtered => "one word, three filters",
            Self::Hybrid => "three words, hybrid, never before",
            Self::Browse => "a category, in stock, by price",
            Self::Stranger => "front page, a stranger",
            Self::Customer => "front page, a customer",
            Self::Similar => "similar products",
            Self::BoughtTogether => "bought together",
        }
    }

    /// Path and headers of the question with this number.
    pub(crate) fn question(self, shop: &Shop, number: usize) -> (String, Headers) {
        let words = |count: usize| {
            (0..count).map(|place| word(number * 8 + place)).collect::<Vec<_>>().join("+")
        };
        let text = |q: String| format!("/products?{NUMBERS}&mode=text&q={q}");
        let product = || &shop.products[random(number) % shop.products.len()];
        let path = match self {
            Self::OneWord => text(words(1)),
            Self::TwoWords => text(words(2)),
            Self::ThreeWords => text(words(3)),
            Self::Misspelt => {
                let mut misspelt = word(number * 8 + 1);
                misspelt.replace_range(3..5, "xq");
                text(format!("{}+{misspelt}+", word(number * 8)))
            }
            Self::Prefix => text(format!("{}+{}", word(number * 8), &word(number * 8 + 1)[..4])),
            Self::Filtered => {
                let category = &shop.categories[random(number) % 20];
                let filters = "in_stock=true&price_max=10000&attributes.colour=red,blue";
                format!("{}&category={category}&{filters}", text(words(1)))
            }
            Self::Hybrid => format!("/products?{NUMBERS}&mode=hybrid&q={}", words(3)),
            Self::Browse => {
                let category = &shop.categories[random(number) % 20];
                format!("/products?{NUMBERS}&category={category}&in_stock=true&sort=price")
            }
            Self::Stranger | Self::Customer => "/home".to_owned(),
            Self::Similar => format!("/products/{}/similar", product()),
            Self::BoughtTogether => format!("/products/{}/frequently-bought-together", product()),
        };
        let headers = match self {
            Self::Customer => vec![
                ("authorization", shop.storefront.clone()),
                ("tillroll-customer", shop.customers[number % shop.customers.len()].clone()),
            ],
            _ => Vec::new(),
        };
        (path, headers)
    }
}
