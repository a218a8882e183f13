//! The real catalogue: the products of the UCI "Online Retail" data set.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::path::Path;

use domain::product::ProductStatus;
use domain::{ProductId, SellerId, Timestamp};
use projections::catalogue::{SearchDocument, Stars};
use uuid::Uuid;

/// Codes that name no goods.
const SERVICES: [&str; 10] =
    ["POST", "DOT", "C2", "M", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"];

/// Everything that was sold at a price, by the name it was sold under most often.
pub(crate) fn read(file: &Path) -> Result<Vec<SearchDocument>, Box<dyn Error>> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file)?).read_to_end(&mut text)?;
    let mut names: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for row in csv::Reader::from_reader(text.as_slice()).byte_records() {
        let row = row?;
        let field = |column| String::from_utf8_lossy(row.get(column).unwrap_or_default());
        let code = field(1).to_uppercase();
        let name = field(2).trim().to_owned();
        if field(5).parse::<f64>()? > 0.0 && !name.is_empty() && !SERVICES.contains(&&*code) {
            *names.entry(code).or_default().entry(name).or_default() += 1;
        }
    }
    let most = |names: BTreeMap<String, u32>| names.into_iter().max_by_key(|(_, count)| *count);
    let named = names.into_values().filter_map(most);
    Ok((1_i64..).zip(named).map(|(number, (name, _))| document(number, name)).collect())
}

fn document(number: i64, name: String) -> SearchDocument {
    SearchDocument {
        number,
        product_id: ProductId::new(Uuid::from_u128(number.unsigned_abs().into())),
        seller_id: SellerId::new(Uuid::from_u128(1)),
        status: ProductStatus::Active,
        name,
        description: String::new(),
        brand: None,
        tags: Default::default(),
        categories: Vec::new(),
        attributes: BTreeMap::new(),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}
