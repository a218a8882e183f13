//! One order as models of purchases see it: its products, and which units of them are not back yet.

use std::collections::BTreeMap;

use crate::sql::FromSqlError;
use domain::order::{LineUnits, OrderEvent, OrderLine};
use domain::{LineNumber, OrderId, ProductId};
use journal::Position;
use schemas::AnyEvent;

use crate::Envelope;
use crate::id_column::{ids, stream_id};

/// An order's products, from its placing until it comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// Position of `order.placed`.
    ordinal: i64,
    confirmed: bool,
    /// Products with units that are not back; sorted, distinct, never empty.
    products: Vec<ProductId>,
    lines: Vec<Line>,
}

/// Units of one line that are not back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    line: LineNumber,
    /// Index into the basket's products.
    product: u32,
    units: u32,
}

impl Basket {
    /// The order whose basket an event may change.
    pub(crate) fn changed_by(event: &Envelope) -> Option<OrderId> {
        let AnyEvent::Order(order) = &event.event else { return None };
        match order {
            OrderEvent::Placed(_)
            | OrderEvent::Confirmed(_)
            | OrderEvent::LinesReturned { .. }
            | OrderEvent::Returned(_)
            | OrderEvent::Cancelled(_)
            | OrderEvent::Failed(_) => stream_id(event),
            OrderEvent::ProcessingStarted(_)
            | OrderEvent::LinesShipped { .. }
            | OrderEvent::Shipped(_)
            | OrderEvent::LinesDelivered { .. }
            | OrderEvent::Delivered(_) => None,
        }
    }

    pub(crate) fn fold(row: Option<Self>, event: &OrderEvent, position: Position) -> Option<Self> {
        match event {
            OrderEvent::Placed(order) => row.or_else(|| Self::placed(&order.lines, position)),
            OrderEvent::Confirmed(_) => row.map(|basket| Self { confirmed: true, ..basket }),
            OrderEvent::LinesReturned { lines, .. } => row.and_then(|basket| basket.without(lines)),
            OrderEvent::Returned(_) | OrderEvent::Cancelled(_) | OrderEvent::Failed(_) => None,
            OrderEvent::ProcessingStarted(_)
            | OrderEvent::LinesShipped { .. }
            | OrderEvent::Shipped(_)
            | OrderEvent::LinesDelivered { .. }
            | OrderEvent::Delivered(_) => row,
        }
    }

    fn placed(lines: &[OrderLine], position: Position) -> Option<Self> {
        let mut products: Vec<ProductId> = lines.iter().map(|line| line.product_id).collect();
        products.sort_unstable();
        products.dedup();
        let lines = lines
            .iter()
            .filter_map(|line| {
                Some(Line {
                    line: line.line,
                    product: index_of(&products, line.product_id)?,
                    units: line.quantity.get(),
                })
            })
            .collect();
        (!products.is_empty()).then_some(Self {
            ordinal: position.0.cast_signed(),
            confirmed: false,
            products,
            lines,
        })
    }

    /// Takes units that came back out; `None` when nothing is left.
    fn without(mut self, returned: &[LineUnits]) -> Option<Self> {
        let mut back: BTreeMap<LineNumber, u32> = BTreeMap::new();
        for units in returned {
            let sum = back.entry(units.line).or_default();
            *sum = sum.saturating_add(units.quantity.get());
        }
        let mut left: Vec<(Line, ProductId)> = Vec::with_capacity(self.lines.len());
        for mut line in self.lines {
            line.units = line.units.saturating_sub(back.get(&line.line).copied().unwrap_or(0));
            if let Some(product) = self.products.get(line.product as usize)
                && line.units > 0
            {
                left.push((line, *product));
            }
        }
        let mut products: Vec<ProductId> = left.iter().map(|(_, product)| *product).collect();
        products.sort_unstable();
        products.dedup();
        self.lines = left
            .into_iter()
            .filter_map(|(line, id)| {
                let product = index_of(&products, id)?;
                Some(Line { product, ..line })
            })
            .collect();
        self.products = products;
        (!self.products.is_empty()).then_some(self)
    }

    /// Number of the order: the position of its `order.placed`.
    #[must_use]
    pub fn ordinal(&self) -> i64 {
        self.ordinal
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Products the order counts for, sorted: none before it is confirmed.
    #[must_use]
    pub fn counted(&self) -> &[ProductId] {
        if self.confirmed { &self.products } else { &[] }
    }

    /// Products the order counts for, each with its units that are not back.
    pub(crate) fn counted_units(&self) -> BTreeMap<ProductId, i64> {
        let mut units = BTreeMap::new();
        if self.confirmed {
            for line in &self.lines {
                if let Some(product) = self.products.get(line.product as usize) {
                    *units.entry(*product).or_default() += i64::from(line.units);
                }
            }
        }
        units
    }

    pub(crate) fn products_blob(&self) -> Vec<u8> {
        self.products.iter().flat_map(|id| id.uuid().into_bytes()).collect()
    }

    /// Line number, product index and units of every line, each as LEB128.
    pub(crate) fn lines_blob(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.lines.len() * 4);
        for line in &self.lines {
            for number in [line.line, line.product, line.units] {
                write_leb128(&mut blob, number);
            }
        }
        blob
    }

    pub(crate) fn read(
        ordinal: i64,
        confirmed: bool,
        products: &[u8],
        mut lines: &[u8],
    ) -> Result<Self, FromSqlError> {
        let mut read_lines = Vec::with_capacity(lines.len() / 3);
        while !lines.is_empty() {
            read_lines.push(Line {
                line: read_leb128(&mut lines)?,
                product: read_leb128(&mut lines)?,
                units: read_leb128(&mut lines)?,
            });
        }
        Ok(Self {
            ordinal,
            confirmed,
            products: ids(products)?.map(ProductId::new).collect(),
            lines: read_lines,
        })
    }
}

fn index_of(products: &[ProductId], id: ProductId) -> Option<u32> {
    let index = products.binary_search(&id).ok()?;
    u32::try_from(index).ok()
}

/// Seven bits a byte, lowest first, the top bit set on all but the last (DWARF 5, section 7.6).
fn write_leb128(blob: &mut Vec<u8>, mut number: u32) {
    loop {
        let bits = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            blob.push(bits);
            return;
        }
        blob.push(bits | 0x80);
    }
}

fn read_leb128(blob: &mut &[u8]) -> Result<u32, FromSqlError> {
    let mut number = 0_u32;
    for shift in (0..32).step_by(7) {
        let (first, rest) = blob.split_first().ok_or(FromSqlError::InvalidType)?;
        *blob = rest;
        number |= u32::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(FromSqlError::InvalidType)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_read_back(number: u32) {
            let mut blob = Vec::new();
            write_leb128(&mut blob, number);
            assert_eq!(read_leb128(&mut blob.as_slice()), Ok(number));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(blob: Vec<u8>) {
            let _ = Basket::read(1, true, &[], &blob);
        }
    }
}
