//! The shop the file's orders were placed in: one seller, one warehouse, one product for each
//! code, and stock for all of it.

use std::collections::BTreeMap;
use std::time::Instant;

use commands::{Caller, catalogue};
use domain::inventory::Inventory;
use domain::pricing::PriceBook;
use domain::product::{Product, ProductCommand, ProductDetails, ProductStatus, SkuDetails};
use domain::{Currency, ProductId, SellerId, SkuId, Timestamp, WarehouseId};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::ledger::Ledger;
use super::plan::{Article, Plan, articles};
use super::rules::is_service;
use crate::import::error::ImportError;
use crate::import::progress::{Progress, Stage, Watch};
use crate::import::{ImportInto, named_id, warehouse};

const NAME: &str = "Online Retail";
const NAME_CHARS_MAX: usize = 500;
/// Products created at once.
const PRODUCTS_IN_FLIGHT: usize = 128;

/// Ids and names of everything in the shop.
pub(super) struct Shop {
    /// Just before the first sale.
    opened_at: Timestamp,
    pub(super) seller_id: SellerId,
    pub(super) warehouse_id: WarehouseId,
    /// By code.
    goods: Vec<Goods>,
}

struct Goods {
    code: Box<str>,
    product_id: ProductId,
    sku_id: SkuId,
    article: Article,
    is_service: bool,
}

/// What opening the shop, or taking goods off sale, did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Opened {
    pub(super) products: u64,
    pub(super) units_received: u64,
    pub(super) already_there: u64,
}

impl Shop {
    pub(super) fn of(ledger: &Ledger, first: Timestamp) -> Self {
        let goods = ledger.codes.all.iter().zip(articles(ledger)).map(|(code, article)| Goods {
            code: code.name.clone(),
            product_id: named_id("product", &code.name, code.since),
            sku_id: named_id("sku", &code.name, code.since),
            article,
            is_service: is_service(&code.name),
        });
        Self {
            opened_at: first - chrono::Duration::minutes(1),
            seller_id: named_id("seller", NAME, first),
            warehouse_id: named_id("warehouse", NAME, first),
            goods: goods.collect(),
        }
    }

    pub(super) fn sku_id(&self, code: u32) -> Option<SkuId> {
        self.goods.get(code as usize).map(|goods| goods.sku_id)
    }

    /// Seller, warehouse, and every product the plan needs with its stock.
    pub(super) async fn open(
        &self,
        into: &ImportInto,
        plan: &Plan,
        watch: Watch<'_>,
    ) -> Result<Opened, ImportError> {
        let began = Instant::now();
        let caller = self.caller(self.opened_at, "catalogue");
        let mut opened = Opened::default();
        opened.already_there +=
            u64::from(warehouse::seller(into, &caller, self.seller_id, NAME).await?);
        opened.already_there +=
            u64::from(warehouse::warehouse(into, &caller, self.warehouse_id, NAME).await?);
        let needed: Vec<(&Goods, u64)> = self
            .goods
            .iter()
            .zip(plan.units_needed.iter().copied())
            .filter(|(_, units)| *units > 0)
            .collect();
        let total = Some(needed.len() as u64);
        let mut stocked = stream::iter(needed)
            .map(|(goods, units)| self.stock(into, goods, units))
            .buffered(PRODUCTS_IN_FLIGHT);
        while let Some((known, units_received)) = stocked.try_next().await? {
            opened.products += 1;
            opened.already_there += u64::from(known);
            opened.units_received += units_received;
            if opened.products.is_multiple_of(100) {
                let (done, elapsed) = (opened.products, began.elapsed());
                watch(Progress { stage: Stage::Catalogue, done, total, elapsed });
            }
        }
        Ok(opened)
    }

    /// One product, its SKU and its stock; whether the product was there, and units received.
    async fn stock(
        &self,
        into: &ImportInto,
        goods: &Goods,
        units: u64,
    ) -> Result<(bool, u64), ImportError> {
        let Goods { product_id, sku_id, article, .. } = goods;
        let (seller_id, warehouse_id) = (self.seller_id, self.warehouse_id);
        let (product_id, sku_id) = (*product_id, *sku_id);
        let details = ProductDetails {
            name: article.name.chars().take(NAME_CHARS_MAX).collect(),
            description: String::new(),
            category_id: None,
            brand: None,
            tags: if goods.is_service { ["service".to_owned()].into() } else { [].into() },
        };
        let price = article.price_minor.unwrap_or(0);
        let prices = BTreeMap::from([(Currency::GBP, price)]);
        let attributes = BTreeMap::from([("stock_code".to_owned(), goods.code.to_string())]);
        let sku = SkuDetails { attributes, ..SkuDetails::default() };
        let caller = self.caller(self.opened_at, &goods.code);
        let stocked = into.engine.bus().run(&caller, move |unit| {
            let known = unit.state::<Product>(&product_id)?.is_some();
            if !known {
                catalogue::create_product(unit, product_id, seller_id, &details, &prices)?;
                catalogue::add_sku(unit, product_id, sku_id, &sku, &PriceBook::default())?;
            }
            unit.prefetch::<Inventory>(&[sku_id])?;
            let reference = "opening stock";
            let received = warehouse::receive_up_to(unit, sku_id, warehouse_id, units, reference)?;
            Ok((known, received))
        });
        Ok(stocked.await.map_err(ImportError::refused(&goods.code))?.value)
    }

    /// Nobody should buy postage by itself, nor goods that have no price.
    pub(super) async fn take_off_sale(
        &self,
        into: &ImportInto,
        at: Timestamp,
    ) -> Result<Opened, ImportError> {
        let mut off = Opened::default();
        let not_sold = |goods: &&Goods| goods.is_service || goods.article.price_minor.is_none();
        for goods in self.goods.iter().filter(not_sold) {
            let product_id = goods.product_id;
            let caller = self.caller(at, &goods.code);
            let done = into.engine.bus().run(&caller, move |unit| {
                // Codes beyond a limited import have no product.
                if unit.state::<Product>(&product_id)?.is_none() {
                    return Ok(1);
                }
                let command = ProductCommand::ChangeStatus(ProductStatus::Inactive);
                unit.execute::<Product>(&product_id, &command)
            });
            let events = done.await.map_err(ImportError::refused(&goods.code))?.value;
            off.already_there += u64::from(events == 0);
        }
        Ok(off)
    }

    fn caller(&self, at: Timestamp, reference: &str) -> Caller {
        Caller {
            request: Some(format!("online-retail {reference}").into()),
            occurred: Some(at),
            ..Caller::named("import")
        }
    }
}
