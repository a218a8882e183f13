//! What the shelf keeps of each product, one column for each thing.
//!
//! A product has a slot: a small number, given out again after the product was removed. What many
//! products share is kept once and counted ([`Interner`]).

use std::cmp::Ordering;
#[cfg(test)]
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeZone;
use domain::product::ProductStatus;
use domain::{CategoryId, ProductId, SellerId, Timestamp};
use projections::catalogue::{CategoryView, ProductSummary, SearchDocument, Stars};
use rustc_hash::FxHashMap;

use super::interner::{Interner, NONE};
use super::lists::Lists;
use super::prices::{Prices, nanoseconds};
use super::tree::Tree;
use crate::Changes;

/// In a free slot, where a product's number would be.
const FREE: i64 = i64::MIN;

/// Slots looked at before a number is looked up.
const NEAR: usize = 16;
/// Slots ahead up to which it can be told where a product must be.
const FAR: f32 = 4096.0;

/// A value of an attribute: the number of the attribute's name, and the value.
pub(super) type AttributeValue = (u32, Arc<str>);

#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    /// How often anything changed.
    pub(super) revision: u64,
    slots: FxHashMap<i64, u32>,
    products: HashMap<ProductId, u32>,
    free: Vec<u32>,

    pub(super) number: Vec<i64>,
    pub(super) product_id: Vec<ProductId>,
    pub(super) seller: Vec<u32>,
    /// The name's first bytes without regard to case, for sorting.
    pub(super) name_key: Vec<u64>,
    name: Lists<u8>,
    pub(super) brand: Vec<u32>,
    pub(super) tags: Lists<u32>,
    /// Values of attributes.
    pub(super) values: Lists<u32>,
    pub(super) category: Vec<u32>,
    pub(super) prices: Prices,
    pub(super) in_stock: Vec<bool>,
    pub(super) stars: Vec<Stars>,
    created_at: Vec<Timestamp>,

    pub(super) sellers: Interner<SellerId>,
    pub(super) brands: Interner<Arc<str>>,
    pub(super) tag_names: Interner<Arc<str>>,
    pub(super) attribute_names: Interner<Arc<str>>,
    pub(super) attribute_values: Interner<AttributeValue>,
    /// The name's number for each value of an attribute.
    pub(super) attribute_of_value: Vec<u32>,
    categories: Interner<CategoryId>,
    pub(super) tree: Tree,
    /// Where each category is in the tree.
    place_of_category: Vec<u32>,
}

impl Columns {
    pub(super) fn new(categories: &[CategoryView]) -> Self {
        let mut columns = Self::default();
        columns.plant(categories);
        columns
    }

    pub(super) fn fill(&mut self, documents: &[SearchDocument]) {
        for document in documents {
            self.put(document);
        }
    }

    pub(super) fn apply(&mut self, changes: &Changes) {
        self.revision += 1;
        if let Some(categories) = &changes.categories {
            self.plant(categories);
        }
        self.fill(&changes.documents);
        for product_id in &changes.removed {
            self.remove(*product_id);
        }
    }

    fn plant(&mut self, categories: &[CategoryView]) {
        self.tree = Tree::new(categories);
        self.place_of_category = (0..self.categories.bound() as u32)
            .map(|id| self.categories.value(id).and_then(|id| self.tree.place(*id)).unwrap_or(NONE))
            .collect();
    }

    fn put(&mut self, document: &SearchDocument) {
        if document.status != ProductStatus::Active {
            return self.remove(document.product_id);
        }
        let slot = self.slot_for(document);
        let row = slot as usize;
        let name = document.name.as_bytes();
        self.name.set(row, name);
        self.name_key[row] = name_key(&document.name);
        self.in_stock[row] = document.in_stock;
        self.stars[row] = document.stars;
        self.created_at[row] = document.created_at;
        self.prices.set(row, &document.prices);

        // New uses first: what is shared by before and after keeps its number.
        let seller = self.sellers.hold(&document.seller_id);
        let brand = document.brand.as_deref().map_or(NONE, |brand| self.brands.hold_text(brand));
        let category =
            document.categories.last().map_or(NONE, |own| self.hold_category(own.category_id));
        let tags: Vec<u32> =
            document.tags.iter().map(|tag| self.tag_names.hold_text(tag)).collect();
        let mut values = Vec::new();
        for (attribute, of) in &document.attributes {
            for value in of {
                values.push(self.hold_value(attribute, value));
            }
        }
        self.release(row);
        self.seller[row] = seller;
        self.brand[row] = brand;
        self.category[row] = category;
        self.tags.set(row, &tags);
        self.values.set(row, &values);
    }

    /// The slot of the document's product, or one that was free.
    fn slot_for(&mut self, document: &SearchDocument) -> u32 {
        let known = self.products.get(&document.product_id).copied();
        let slot = known.unwrap_or_else(|| self.free.pop().unwrap_or_else(|| self.grow()));
        let row = slot as usize;
        if self.number[row] != document.number {
            self.slots.remove(&self.number[row]);
            if let Some(other) = self.slots.insert(document.number, slot) {
                // Two products cannot have one number; what was told last holds.
                self.clear(other);
            }
            self.number[row] = document.number;
        }
        self.product_id[row] = document.product_id;
        self.products.insert(document.product_id, slot);
        slot
    }

    fn grow(&mut self) -> u32 {
        self.number.push(FREE);
        self.product_id.push(ProductId::new(uuid::Uuid::nil()));
        self.seller.push(NONE);
        self.name_key.push(0);
        self.brand.push(NONE);
        self.category.push(NONE);
        self.in_stock.push(false);
        self.stars.push(Stars::default());
        self.created_at.push(Timestamp::default());
        (self.number.len() - 1) as u32
    }

    fn remove(&mut self, product_id: ProductId) {
        if let Some(slot) = self.products.get(&product_id).copied() {
            self.slots.remove(&self.number[slot as usize]);
            self.clear(slot);
        }
    }

    /// Empties a slot whose number is not looked up any more.
    fn clear(&mut self, slot: u32) {
        let row = slot as usize;
        self.products.remove(&self.product_id[row]);
        self.number[row] = FREE;
        self.release(row);
        self.seller[row] = NONE;
        self.brand[row] = NONE;
        self.category[row] = NONE;
        self.name.set(row, &[]);
        self.tags.set(row, &[]);
        self.values.set(row, &[]);
        self.prices.set(row, &[]);
        self.free.push(slot);
    }

    /// Gives up what the row shares with others.
    fn release(&mut self, row: usize) {
        self.sellers.release(self.seller[row]);
        self.brands.release(self.brand[row]);
        self.categories.release(self.category[row]);
        for tag in self.tags.get(row) {
            self.tag_names.release(*tag);
        }
        for value in self.values.get(row) {
            if let Some((attribute, _)) = self.attribute_values.value(*value) {
                self.attribute_names.release(*attribute);
            }
            self.attribute_values.release(*value);
        }
    }

    fn hold_category(&mut self, id: CategoryId) -> u32 {
        let category = self.categories.hold(&id);
        set_at(&mut self.place_of_category, category, self.tree.place(id).unwrap_or(NONE));
        category
    }

    fn hold_value(&mut self, attribute: &str, value: &str) -> u32 {
        let attribute = self.attribute_names.hold_text(attribute);
        let value = self.attribute_values.hold(&(attribute, Arc::from(value)));
        set_at(&mut self.attribute_of_value, value, attribute);
        value
    }

    /// Gives back room kept for growing.
    pub(super) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
        self.products.shrink_to_fit();
        self.number.shrink_to_fit();
        self.product_id.shrink_to_fit();
        self.seller.shrink_to_fit();
        self.name_key.shrink_to_fit();
        self.brand.shrink_to_fit();
        self.category.shrink_to_fit();
        self.in_stock.shrink_to_fit();
        self.stars.shrink_to_fit();
        self.created_at.shrink_to_fit();
        self.name.shrink();
        self.tags.shrink();
        self.values.shrink();
        self.prices.shrink();
    }

    /// Products for sale.
    pub(crate) fn len(&self) -> usize {
        self.products.len()
    }

    /// How often anything changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The earliest instant after `now` at which the price of any product changes by itself.
    pub(crate) fn next_price_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.prices.next_change(nanoseconds(now)).map(|at| chrono::Utc.timestamp_nanos(at))
    }

    /// Every slot in use is below.
    #[cfg(test)]
    pub(crate) fn slots_bound(&self) -> usize {
        self.number.len()
    }

    /// Slots in use, from the last: those are mostly the newest, and whoever wants the newest first
    /// then has little to sort.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> {
        (0..self.number.len() as u32).rev().filter(|slot| self.number[*slot as usize] != FREE)
    }

    pub(crate) fn slot_of(&self, number: i64) -> Option<u32> {
        self.slots.get(&number).copied()
    }

    /// For [`Near::find`].
    pub(crate) fn near(&self) -> Near<'_> {
        let used = |number: &i64| *number != FREE;
        let first = self.number.iter().position(used).unwrap_or_default();
        let last = self.number.iter().rposition(used).unwrap_or_default();
        let number = |slot: usize| self.number.get(slot).copied().unwrap_or_default();
        let span = number(last).saturating_sub(number(first));
        let slots_a_number = if span > 0 { (last - first) as f32 / span as f32 } else { 0.0 };
        Near { columns: self, before: (number(first), first), slots_a_number }
    }

    /// The slot of a product, if it is close to where it is thought to be.
    fn slot_near(&self, number: i64, guess: usize) -> Option<u32> {
        let found = *self.number.get(guess)?;
        let near = match found.cmp(&number) {
            Ordering::Equal => Some(guess),
            Ordering::Less => {
                let behind = self.number[guess..].iter().take(NEAR);
                let at = behind.take_while(|other| **other < number).count();
                Some(guess + at)
            }
            Ordering::Greater => {
                let before = self.number[..guess].iter().rev().take(NEAR);
                guess.checked_sub(before.take_while(|other| **other > number).count() + 1)
            }
        };
        near.filter(|slot| self.number.get(*slot) == Some(&number)).map(|slot| slot as u32)
    }

    pub(crate) fn slot_of_product(&self, product_id: ProductId) -> Option<u32> {
        self.products.get(&product_id).copied()
    }

    pub(crate) fn product_at(&self, slot: u32) -> ProductId {
        self.product_id[slot as usize]
    }

    pub(crate) fn number_at(&self, slot: u32) -> i64 {
        self.number[slot as usize]
    }

    pub(super) fn name_at(&self, slot: u32) -> &str {
        std::str::from_utf8(self.name.get(slot as usize)).unwrap_or_default()
    }

    /// The place in the tree of the product's own category.
    pub(super) fn place_at(&self, slot: u32) -> Option<u32> {
        let category = self.category[slot as usize];
        self.place_of_category.get(category as usize).copied().filter(|place| *place != NONE)
    }

    /// Every number of a category is below.
    pub(super) fn categories_bound(&self) -> usize {
        self.categories.bound()
    }

    /// Counts by category's number as counts by its place in the tree; those of what is not in it are left
    /// out.
    pub(super) fn by_place(&self, counts: &[u32]) -> Vec<u32> {
        let mut by_place = vec![0; self.tree.len()];
        for (place, count) in self.place_of_category.iter().zip(counts) {
            if let Some(sum) = by_place.get_mut(*place as usize) {
                *sum += count;
            }
        }
        by_place
    }

    pub(super) fn summary(
        &self,
        slot: u32,
        tier: domain::pricing::Tier,
        now_ns: i64,
    ) -> ProductSummary {
        let row = slot as usize;
        ProductSummary {
            product_id: self.product_id[row],
            name: self.name_at(slot).to_owned(),
            category_id: self.categories.value(self.category[row]).copied(),
            brand: self.brands.value(self.brand[row]).map(|brand| brand.to_string()),
            tags: (self.tags.get(row).iter().map(|tag| self.tag_names.text(*tag).to_owned()))
                .collect(),
            status: ProductStatus::Active,
            seller_id: (self.sellers.value(self.seller[row]).copied())
                .unwrap_or(SellerId::new(uuid::Uuid::nil())),
            lowest_prices: self.prices.all_at(row, tier, now_ns),
            in_stock: self.in_stock[row],
            stars: self.stars[row],
            created_at: self.created_at[row],
        }
    }

    /// Bytes held in memory, near enough: allocators' own needs are not counted.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = [&self.brands, &self.tag_names, &self.attribute_names]
            .into_iter()
            .map(|texts| texts.bytes() + texts.bound() * TEXT_BYTES)
            .sum();
        let row = size_of::<i64>()
            + size_of::<ProductId>()
            + 3 * size_of::<u32>()
            + size_of::<u64>()
            + size_of::<bool>()
            + size_of::<Stars>()
            + size_of::<Timestamp>();
        self.number.capacity() * row
            + self.slots.capacity() * (size_of::<(i64, u32)>() + 1)
            + self.products.capacity() * (size_of::<(ProductId, u32)>() + 1)
            + self.name.bytes()
            + self.tags.bytes()
            + self.values.bytes()
            + self.prices.bytes()
            + texts
            + self.attribute_values.bytes()
            + self.attribute_values.bound() * TEXT_BYTES
            + self.sellers.bytes()
            + self.categories.bytes()
            + self.tree.bytes()
    }

    /// How many values the shared columns keep; for tests.
    #[cfg(test)]
    pub(crate) fn shared(&self) -> BTreeMap<&'static str, usize> {
        fn used<K: Eq + std::hash::Hash + Clone>(interner: &Interner<K>) -> usize {
            (0..interner.bound() as u32).filter(|id| interner.value(*id).is_some()).count()
        }
        BTreeMap::from([
            ("brands", used(&self.brands)),
            ("tags", used(&self.tag_names)),
            ("attributes", used(&self.attribute_names)),
            ("values", used(&self.attribute_values)),
            ("sellers", used(&self.sellers)),
            ("categories", used(&self.categories)),
        ])
    }
}

/// What a shared text of some dozen letters takes beside its entry.
const TEXT_BYTES: usize = 32;

fn set_at(column: &mut Vec<u32>, at: u32, value: u32) {
    let at = at as usize;
    if at >= column.len() {
        column.resize(at + 1, NONE);
    }
    column[at] = value;
}

/// The first eight bytes of the name in small letters, so that most names are told apart by one
/// comparison of numbers.
fn name_key(name: &str) -> u64 {
    let mut bytes = [0; 8];
    let small = name.chars().take(8).flat_map(char::to_lowercase).collect::<String>();
    for (to, from) in bytes.iter_mut().zip(small.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(bytes)
}

/// Looks slots up. Mostly both numbers and slots go up with age, so that from where one product is it can
/// be told about where the next one must be, sooner than it could be looked up.
pub(crate) struct Near<'a> {
    columns: &'a Columns,
    /// The last one found: its number and its slot.
    before: (i64, usize),
    slots_a_number: f32,
}

impl Near<'_> {
    /// Adds the slots of some products, as they come.
    pub(crate) fn find(
        &mut self,
        numbers: impl Iterator<Item = i64>,
        slots: &mut Vec<Option<u32>>,
    ) {
        for number in numbers {
            let ahead = number.saturating_sub(self.before.0) as f32 * self.slots_a_number;
            let near = (0.0..FAR)
                .contains(&ahead)
                .then(|| self.columns.slot_near(number, self.before.1 + ahead as usize));
            let slot = near.flatten().or_else(|| self.columns.slot_of(number));
            if let Some(slot) = slot {
                self.before = (number, slot as usize);
            }
            slots.push(slot);
        }
    }
}
