//! Answers what shoppers ask: by words from the search engine, by likeness from the products'
//! vectors, with what a list shows of each product from the shelf, a little nearer to what a known
//! customer buys.

mod cursor;
mod digest;
mod matching;
mod near_in_meaning;
mod patience;
mod request;
mod window;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{CustomerId, ProductId, Timestamp};
use journal::Position;

pub use cursor::{Cursor, CursorError};
pub use near_in_meaning::NearInMeaning;
pub use request::{
    Answer, FindError, Found, FoundBy, LIMIT_MAX, Mode, OFFSET_MAX, PriceBounds, Request, Shopper,
    Start,
};

use crate::recommend::Purchases;
use crate::{
    AttributeFacets, Filter, Findings, Freshness, Fusion, Hit, Order, PersonalRanking, Question,
    SearchEngine, SearchError, Shelf, category_affinity, rerank,
};
use patience::Patience;
use window::Window;

/// How the finder goes about it.
#[derive(Debug, Clone, PartialEq)]
pub struct FinderOptions {
    /// Products near in meaning that are looked at, at most.
    pub neighbours: usize,
    /// How both are fused; `None`: as suits what makes the vectors.
    pub fusion: Option<Fusion>,
    /// Products found by words from which on nothing is put behind them that is only near in
    /// meaning: a long list needs no filling up.
    pub enough_by_text: u64,
    pub personal: PersonalRanking,
    /// How long whoever asks waits for an engine that is a server elsewhere, all calls to it together.
    pub engine_patience: Option<Duration>,
    /// How long whoever asks waits for what is near in meaning, and for their turn to ask for that. Then
    /// words alone find something, unless nothing but likeness was asked for.
    pub meaning_patience: Duration,
    /// Days after which a purchase tells half as much about what a customer likes.
    pub liking_half_life_days: u32,
}

impl Default for FinderOptions {
    fn default() -> Self {
        Self {
            neighbours: 100,
            fusion: None,
            enough_by_text: 24,
            personal: PersonalRanking::default(),
            engine_patience: None,
            meaning_patience: Duration::from_secs(1),
            liking_half_life_days: 180,
        }
    }
}

/// What a [`Finder`] is made of.
pub struct FinderParts {
    pub engine: Arc<dyn SearchEngine>,
    pub shelf: Shelf,
    /// `None`: products are found by words only.
    pub vectors: Option<Arc<dyn NearInMeaning>>,
    /// `None`: every customer sees what guests see.
    pub purchases: Option<Arc<dyn Purchases>>,
    /// How far the engine is.
    pub engine_at: Freshness,
    /// How far the shelf is.
    pub shelf_at: Freshness,
    pub options: FinderOptions,
}

/// Finds products; see the module.
pub struct Finder(FinderParts, EmbeddingAtOnce);

/// Permits to embed a text, one for each processor: whoever asks without a credential waits for one.
type EmbeddingAtOnce = Arc<tokio::sync::Semaphore>;

impl Finder {
    #[must_use]
    pub fn new(parts: FinderParts) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(parts, Arc::new(tokio::sync::Semaphore::new(processors)))
    }

    #[must_use]
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// Whether all products for sale are on the shelf: before, nobody can tell what there is.
    #[must_use]
    pub fn is_shelf_ready(&self) -> bool {
        self.0.shelf_at.reached() > Position(0)
    }

    /// Whether it is known that a product is for sale.
    #[must_use]
    pub fn is_for_sale(&self, product: ProductId) -> bool {
        self.is_shelf_ready() && self.0.shelf.contains(product)
    }

    /// Waits until what is found reaches `position`, at most `patience`.
    ///
    /// # Errors
    /// The position that was reached instead.
    pub async fn wait_for(&self, position: Position, patience: Duration) -> Result<(), Position> {
        let both = tokio::join!(
            self.0.shelf_at.wait_for(position, patience),
            self.0.engine_at.wait_for(position, patience),
        );
        match both {
            (Ok(()), Ok(())) => Ok(()),
            (Err(shelf), Err(engine)) => Err(shelf.min(engine)),
            (Err(reached), Ok(())) | (Ok(()), Err(reached)) => Err(reached),
        }
    }

    /// The same for the shelf alone, from which all is answered that is not searched for.
    ///
    /// # Errors
    /// The position that was reached instead.
    pub async fn wait_for_shelf(
        &self,
        position: Position,
        patience: Duration,
    ) -> Result<(), Position> {
        self.0.shelf_at.wait_for(position, patience).await
    }

    /// One page. Total and numbers are the same on every page of one question.
    ///
    /// # Errors
    /// `Invalid` names the value that breaks a rule, `Unavailable` says there may be an answer
    /// later.
    pub async fn find(&self, request: &Request) -> Result<Answer, FindError> {
        let mut patience = Patience::new(&*self.0.engine, self.0.options.engine_patience);
        let order = request.order.unwrap_or(match request.text {
            Some(_) => Order::Relevance,
            None => Order::Newest,
        });
        self.check(request, &mut patience).await?;
        let asked = digest::digest(request, order);
        let (offset, cursor) = place(request, asked)?;
        let customer = request
            .shopper
            .customer
            .filter(|_| request.text.is_some() && order == Order::Relevance);
        let bought = match customer {
            Some(customer) => self.bought(customer, request.now).await,
            None => Vec::new(),
        };
        let personal = self.0.options.personal;
        let sorted_anew = (!bought.is_empty()).then_some(personal.first);
        let window = Window::new(offset, request.limit, cursor, sorted_anew);
        let price_bounds = self.price_bounds(request).await?;
        let question = self.question(request, order, &window, price_bounds);
        let (mut findings, found_by) = self.findings(question, request.mode, &mut patience).await?;
        if sorted_anew.is_some() && window.offset == 0 {
            let affinity = category_affinity(&bought, &self.0.shelf);
            rerank(&mut findings.hits, affinity, personal, request.explain);
        }
        Ok(self.answer(request, asked, &window, findings, found_by))
    }

    /// Refuses what the shelf does not know.
    async fn check(&self, request: &Request, patience: &mut Patience<'_>) -> Result<(), FindError> {
        let limit_fits = (1..=LIMIT_MAX).contains(&request.limit);
        if !limit_fits {
            return Err(FindError::invalid("limit", format!("must be from 1 to {LIMIT_MAX}")));
        }
        self.is_stocked(patience).await?;
        let shelf = &self.0.shelf;
        let Filter { category, attributes, .. } = &request.filter;
        if let Some(id) = category.filter(|id| !shelf.knows_category(*id)) {
            return Err(FindError::invalid("category", format!("there is no category {id}")));
        }
        let unknown = |name: &&String| !shelf.knows_attribute(name);
        if let Some(name) = attributes.keys().find(unknown) {
            let message = "no product for sale has such an attribute";
            return Err(FindError::invalid(format!("attributes.{name}"), message));
        }
        if let AttributeFacets::Named(names) = &request.facets.attributes
            && let Some(name) = names.iter().find(unknown)
        {
            let message = format!("no product for sale has an attribute {name:?}");
            return Err(FindError::invalid("facets", message));
        }
        Ok(())
    }

    /// Refuses to answer from a shelf on which nothing was put yet, when there is something.
    async fn is_stocked(&self, patience: &mut Patience<'_>) -> Result<(), FindError> {
        if self.is_shelf_ready() {
            return Ok(());
        }
        match patience.wait(self.0.engine.filled()).await? {
            Some(filled) if filled.position == Position(0) => Ok(()),
            Some(_) => Err(FindError::Unavailable("products are being loaded".to_owned())),
            None => Err(FindError::Unavailable("the index is being filled".to_owned())),
        }
    }

    async fn price_bounds(&self, request: &Request) -> Result<Vec<i64>, FindError> {
        let (tier, now) = (request.shopper.tier, request.now);
        let currency = match (&request.price_bounds, request.currency) {
            (PriceBounds::Own(bounds), _) => return Ok(bounds.clone()),
            (PriceBounds::Suggested, Some(currency)) => currency,
            (PriceBounds::Suggested, None) | (PriceBounds::None, _) => return Ok(Vec::new()),
        };
        let bounds = match self.0.shelf.known_price_bounds(currency, tier, now) {
            Some(known) => known,
            None => {
                // All products are gone through.
                let shelf = self.0.shelf.clone();
                matching::aside(move || shelf.price_bounds(currency, tier, now)).await?
            }
        };
        Ok(bounds.to_vec())
    }

    fn question(
        &self,
        request: &Request,
        order: Order,
        window: &Window,
        price_bounds: Vec<i64>,
    ) -> Question {
        Question {
            text: request.text.clone(),
            filter: request.filter.clone(),
            tier: request.shopper.tier,
            currency: request.currency,
            now: request.now,
            order,
            offset: window.offset,
            limit: window.fetch,
            facets: request.facets.clone(),
            price_bounds,
            neighbours: Vec::new(),
            fusion: self.fusion(),
            explain: request.explain,
        }
    }

    fn fusion(&self) -> Fusion {
        let suited = || self.0.vectors.as_ref().map(|vectors| vectors.fusion());
        self.0.options.fusion.or_else(suited).unwrap_or_default()
    }

    /// What a customer bought, each with its weight: more for more orders, less the longer ago.
    async fn bought(&self, customer: CustomerId, now: Timestamp) -> Vec<(ProductId, f32)> {
        let Some(purchases) = self.0.purchases.clone() else { return Vec::new() };
        let bought = tokio::task::spawn_blocking(move || purchases.of_customer(customer));
        let bought = match bought.await {
            Ok(Ok(bought)) => bought,
            Ok(Err(error)) => {
                tracing::warn!(%error, "searched without regard to who asks");
                return Vec::new();
            }
            Err(_) => return Vec::new(),
        };
        let half_life = f64::from(self.0.options.liking_half_life_days.max(1));
        let weighed = bought.iter().map(|bought| {
            let days = (now - bought.last).num_days().max(0) as f64;
            let weight = f64::from(bought.orders) * (-days / half_life).exp2();
            (bought.product_id, weight as f32)
        });
        weighed.collect()
    }

    fn answer(
        &self,
        request: &Request,
        asked: u32,
        window: &Window,
        findings: Findings,
        found_by: FoundBy,
    ) -> Answer {
        let Findings { hits, total, facets, buckets, corrected } = findings;
        let ids: Vec<ProductId> = hits.iter().map(|hit| hit.product_id).collect();
        let page = window.page(&ids);
        let next = window.next(&page, total).and_then(|offset| {
            let last = *ids.get(page.end.checked_sub(1)?)?;
            Some(Cursor { offset: u32::try_from(offset).ok()?, last, question: asked })
        });
        let tier = request.shopper.tier;
        let summaries = self.0.shelf.summaries(&ids[page.clone()], tier, request.now);
        // What is no longer for sale is not among them.
        let mut summaries: HashMap<ProductId, _> =
            summaries.into_iter().map(|summary| (summary.product_id, summary)).collect();
        let on_page = hits.into_iter().skip(page.start).take(page.len());
        let products = on_page.filter_map(|Hit { product_id, explanation }| {
            let product = summaries.remove(&product_id)?;
            Some(Found { product, explanation })
        });
        let products = products.collect();
        Answer { products, total, next, corrected, facets, buckets, found_by }
    }
}

/// Products before the page, and the cursor if one says so.
fn place(request: &Request, asked: u32) -> Result<(usize, Option<Cursor>), FindError> {
    let (field, offset, cursor) = match request.start {
        Start::Page(0) => return Err(FindError::invalid("page", "must be from 1")),
        Start::Page(page) => {
            let before = usize::try_from(page - 1).unwrap_or(usize::MAX);
            ("page", before.saturating_mul(request.limit), None)
        }
        Start::After(cursor) if cursor.question != asked => {
            let message = "was given out with another question: the same filters, text, sort and \
                           shopper belong to it";
            return Err(FindError::invalid("cursor", message));
        }
        Start::After(cursor) => ("cursor", cursor.offset as usize, Some(cursor)),
    };
    if offset >= OFFSET_MAX {
        let message = format!("is behind the first {OFFSET_MAX} products, where pages end: filter");
        return Err(FindError::invalid(field, message));
    }
    Ok((offset, cursor))
}

fn unavailable(error: SearchError) -> FindError {
    match error {
        SearchError::Unavailable(why) => FindError::Unavailable(why),
        // The operator's to put right; whoever searches can only come back.
        SearchError::Misconfigured(_) | SearchError::Damaged(_) | SearchError::Other(_) => {
            tracing::error!(%error, "the search engine cannot answer");
            FindError::Unavailable("the search engine cannot answer".to_owned())
        }
    }
}
