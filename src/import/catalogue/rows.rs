//! The catalogue's rows, checked by the domain's own rules before anything is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use chrono::DateTime;
use domain::pricing::{PriceBook, Prices, SalePrice};
use domain::product::{Product, ProductCommand, ProductDetails, ProductState, SkuDetails};
use domain::{CategoryId, Currency, Decider, Money, ProductId, SellerId, SkuId, Timestamp};

use crate::import::csv_file::{CsvFile, Fields};
use crate::import::error::{ImportError, RowError};
use crate::import::named_id;

const COLUMNS: [&str; 15] = [
    "product_ref",
    "sku_ref",
    "name",
    "description",
    "category",
    "brand",
    "tags",
    "price",
    "currency",
    "sale_price",
    "sale_ends_at",
    "wholesale_price",
    "weight_g",
    "barcode",
    "attributes",
];
const REFERENCE: &str = "1 to 100 characters";
const AMOUNT: &str = "an amount of the currency, 0 or more, such as 2.55";

#[derive(Debug, Clone)]
pub(super) struct CategoryRow {
    pub(super) id: CategoryId,
    pub(super) parent: Option<CategoryId>,
    pub(super) name: String,
    pub(super) slug: String,
}

#[derive(Debug, Clone)]
pub(super) struct ProductRow {
    pub(super) id: ProductId,
    pub(super) reference: Box<str>,
    pub(super) details: ProductDetails,
    pub(super) base_prices: Prices,
    pub(super) skus: Vec<SkuRow>,
}

#[derive(Debug, Clone)]
pub(super) struct SkuRow {
    pub(super) id: SkuId,
    pub(super) details: SkuDetails,
    pub(super) prices: PriceBook,
}

#[derive(Debug, Default)]
pub(super) struct CatalogueFile {
    /// Parents before their children.
    pub(super) categories: Vec<CategoryRow>,
    pub(super) products: Vec<ProductRow>,
    pub(super) rows: u64,
    by_reference: HashMap<Box<str>, usize>,
    product_of_sku: HashMap<SkuId, usize>,
}

/// The id a reference stands for. There is no first mention to date it by, so its time is 1970.
pub(in crate::import) fn id_of<I: From<uuid::Uuid>>(kind: &str, reference: &str) -> I {
    named_id(kind, reference, DateTime::UNIX_EPOCH)
}

impl CatalogueFile {
    pub(super) fn read(path: &Path, seller_id: SellerId) -> Result<Self, ImportError> {
        let mut file = Self::default();
        CsvFile::open(path, &COLUMNS)?.each(|fields| file.take(fields, seller_id))?;
        Ok(file)
    }

    fn take(&mut self, fields: &Fields<'_>, seller_id: SellerId) -> Result<(), RowError> {
        self.rows += 1;
        let reference = reference(fields, 0)?;
        let sku_ref = self::reference(fields, 1)?;
        let category_id = self.category(fields)?;
        let details = ProductDetails {
            name: fields.text(2).into_owned(),
            description: fields.text(3).into_owned(),
            category_id,
            brand: Some(fields.text(5).into_owned()).filter(|brand| !brand.is_empty()),
            tags: list(&fields.text(6)).map(str::to_owned).collect(),
        };
        let currency: Currency =
            fields.value(8, "an ISO 4217 code such as GBP", |code| code.parse().ok())?;
        let price = amount(fields, 7, currency)?;
        let sku = SkuRow {
            id: id_of("sku", &sku_ref),
            details: sku_details(fields)?,
            prices: price_book(fields, price, currency)?,
        };
        let index = match self.by_reference.get(&*reference) {
            Some(index) => *index,
            None => {
                let index = self.products.len();
                self.by_reference.insert(reference.clone(), index);
                self.products.push(ProductRow {
                    id: id_of("product", &reference),
                    reference,
                    details: details.clone(),
                    base_prices: Prices::default(),
                    skus: Vec::new(),
                });
                index
            }
        };
        if *self.product_of_sku.entry(sku.id).or_insert(index) != index {
            return Err(fields.wrong(1, "a SKU of one product only"));
        }
        let Some(product) = self.products.get_mut(index) else { return Ok(()) };
        if product.details != details {
            return Err(fields.wrong(0, "a product that all its rows say the same about"));
        }
        product.base_prices.entry(currency).or_insert(price);
        join(product, sku, fields)?;
        passes(product, seller_id, fields)
    }

    /// The category a path names, with all above it.
    fn category(&mut self, fields: &Fields<'_>) -> Result<Option<CategoryId>, RowError> {
        let path = fields.text(4);
        let (mut parent, mut so_far) = (None, String::new());
        for name in path.split('>').map(str::trim).filter(|name| !name.is_empty()) {
            let slug = slug(name);
            if slug.is_empty() || slug.chars().count() > 100 {
                return Err(fields.wrong(4, "names with letters or digits, up to 100 of them"));
            }
            so_far = format!("{so_far}>{name}");
            let id: CategoryId = id_of("category", &so_far);
            let same_slug = |c: &&CategoryRow| c.parent == parent && c.slug == slug;
            match self.categories.iter().find(same_slug) {
                Some(known) if known.id == id => {}
                Some(_) => {
                    let rule = "a category whose address differs from its siblings'";
                    return Err(fields.wrong(4, rule));
                }
                None => {
                    self.categories.push(CategoryRow { id, parent, name: name.to_owned(), slug });
                }
            }
            parent = Some(id);
        }
        Ok(parent)
    }
}

fn reference(fields: &Fields<'_>, column: usize) -> Result<Box<str>, RowError> {
    fields.value(column, REFERENCE, |text| {
        (1..=100).contains(&text.chars().count()).then(|| Box::from(text))
    })
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|item| !item.is_empty())
}

fn slug(name: &str) -> String {
    let lower: String = name.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn amount(fields: &Fields<'_>, column: usize, currency: Currency) -> Result<i64, RowError> {
    fields.value(column, AMOUNT, |text| read_amount(text, currency))
}

pub(in crate::import) fn read_amount(text: &str, currency: Currency) -> Option<i64> {
    Money::parse_major(text, currency).ok().map(|money| money.minor).filter(|minor| *minor >= 0)
}

fn sku_details(fields: &Fields<'_>) -> Result<SkuDetails, RowError> {
    let attributes = fields.value(14, "pairs such as colour=red;size=L", |text| {
        let pair = |item: &str| {
            let (name, value) = item.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        list(text).map(pair).collect::<Option<BTreeMap<_, _>>>()
    })?;
    Ok(SkuDetails {
        attributes,
        weight_g: fields.optional(12, "whole grams", |text| text.parse().ok())?,
        barcode: fields.optional(13, REFERENCE, |text| Some(text.to_owned()))?,
    })
}

fn price_book(fields: &Fields<'_>, own: i64, currency: Currency) -> Result<PriceBook, RowError> {
    let mut book = PriceBook { own: Prices::from([(currency, own)]), ..PriceBook::default() };
    let ends_at: Option<Timestamp> =
        fields.optional(10, "a time such as 2026-01-31T23:59:59Z", |text| {
            DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
        })?;
    if let Some(minor) = fields.optional(9, AMOUNT, |text| read_amount(text, currency))? {
        book.sale.insert(currency, SalePrice { minor, ends_at });
    } else if ends_at.is_some() {
        return Err(fields.wrong(10, "empty where there is no sale price"));
    }
    if let Some(minor) = fields.optional(11, AMOUNT, |text| read_amount(text, currency))? {
        book.wholesale.insert(currency, minor);
    }
    Ok(book)
}

/// Adds the SKU, or another currency of one that is there.
fn join(product: &mut ProductRow, sku: SkuRow, fields: &Fields<'_>) -> Result<(), RowError> {
    let Some(known) = product.skus.iter_mut().find(|known| known.id == sku.id) else {
        product.skus.push(sku);
        return Ok(());
    };
    if known.details != sku.details {
        return Err(fields.wrong(1, "a SKU that all its rows say the same about"));
    }
    let had: BTreeSet<Currency> = known.prices.own.keys().copied().collect();
    if sku.prices.own.keys().any(|currency| had.contains(currency)) {
        return Err(fields.wrong(8, "named once for each SKU"));
    }
    known.prices.own.extend(sku.prices.own);
    known.prices.sale.extend(sku.prices.sale);
    known.prices.wholesale.extend(sku.prices.wholesale);
    Ok(())
}

/// Lets the domain decide on the row, without writing anything.
fn passes(product: &ProductRow, seller_id: SellerId, fields: &Fields<'_>) -> Result<(), RowError> {
    let refused = |why: String| RowError {
        line: fields.line,
        field: "row".to_owned(),
        rule: why,
        seen: product.reference.to_string(),
    };
    let mut state = ProductState::default();
    let create = ProductCommand::Create {
        product_id: product.id,
        seller_id,
        details: product.details.clone(),
        base_prices: product.base_prices.clone(),
    };
    let events = Product::decide(&state, &create).map_err(|why| refused(why.to_string()))?;
    events.iter().for_each(|event| Product::evolve(&mut state, event));
    let Some(sku) = product.skus.last() else { return Ok(()) };
    let (sku_id, details, prices) = (sku.id, sku.details.clone(), sku.prices.clone());
    Product::decide(&state, &ProductCommand::AddSku { sku_id, details, prices })
        .map(drop)
        .map_err(|why| refused(why.to_string()))
}
