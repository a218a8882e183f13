//! The real orders: the UCI "Online Retail" data set, as far as it says who bought what when.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::{CustomerId, ProductId};
use search::Basket;
use uuid::Uuid;

/// Codes that name no goods.
const SERVICES: [&str; 10] =
    ["POST", "DOT", "C2", "M", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"];

pub(crate) struct Orders {
    /// The oldest first.
    pub(crate) baskets: Vec<Basket>,
    pub(crate) names: BTreeMap<ProductId, String>,
    /// Places of each customer's baskets, the oldest first; only of those with two or more.
    pub(crate) customers: BTreeMap<CustomerId, Vec<usize>>,
}

#[derive(Default)]
struct Invoice {
    at: DateTime<Utc>,
    customer: u128,
    products: BTreeSet<ProductId>,
}

impl Orders {
    /// Leaves out cancellations, adjustments, what is not goods, lines without a customer or at no
    /// price; a product counts once in an invoice.
    pub(crate) fn read(file: &Path) -> Result<Self, Box<dyn Error>> {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(file)?).read_to_end(&mut text)?;
        let mut codes: BTreeMap<String, ProductId> = BTreeMap::new();
        let mut names = BTreeMap::new();
        let mut invoices: BTreeMap<String, Invoice> = BTreeMap::new();
        for row in csv::Reader::from_reader(text.as_slice()).records() {
            let row = row?;
            let [number, code, name, quantity, at, price, customer] =
                [0, 1, 2, 3, 4, 5, 6].map(|column| row.get(column).unwrap_or_default());
            let goods = !SERVICES.contains(&code) && !number.starts_with(['C', 'A']);
            let sold = quantity.parse::<i64>()? > 0 && price.parse::<f64>()? > 0.0;
            if !goods || !sold || customer.is_empty() {
                continue;
            }
            let next = ProductId::new(Uuid::from_u128(codes.len() as u128 + 1));
            let product = *codes.entry(code.to_owned()).or_insert(next);
            names.insert(product, name.to_owned());
            let invoice = invoices.entry(number.to_owned()).or_default();
            invoice.at = NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M:%S")?.and_utc();
            invoice.customer = customer.trim_end_matches(".0").parse()?;
            invoice.products.insert(product);
        }
        let mut baskets: Vec<Basket> = (invoices.into_values())
            .map(|invoice| Basket {
                at: invoice.at,
                customer: Some(CustomerId::new(Uuid::from_u128(invoice.customer))),
                products: invoice.products.into_iter().collect(),
            })
            .collect();
        baskets.sort_by_key(|basket| basket.at);
        let mut customers: BTreeMap<CustomerId, Vec<usize>> = BTreeMap::new();
        for (place, basket) in baskets.iter().enumerate() {
            if let Some(customer) = basket.customer {
                customers.entry(customer).or_default().push(place);
            }
        }
        customers.retain(|_, places| places.len() >= 2);
        Ok(Self { baskets, names, customers })
    }
}
