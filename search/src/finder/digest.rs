//! What a cursor remembers of the question it was given out with.

use crc32fast::Hasher;
use domain::Currency;
use domain::pricing::Tier;

use super::{Mode, Request};
use crate::{Filter, Order, PriceFilter};

/// Digest of everything that decides which products there are and in which order; how many are
/// asked for at a time, and what is told of them, may differ from page to page.
pub(super) fn digest(request: &Request, order: Order) -> u32 {
    let mut digest = Digest(Hasher::new());
    digest.optional(request.text.as_deref().map(str::as_bytes));
    digest.number(match request.mode {
        Mode::Auto => 0,
        Mode::Text => 1,
        Mode::Semantic => 2,
        Mode::Hybrid => 3,
    });
    digest.number(match order {
        Order::Relevance => 0,
        Order::Newest => 1,
        Order::Name => 2,
        Order::PriceAscending => 3,
        Order::PriceDescending => 4,
        Order::Rating => 5,
    });
    digest.number(match request.shopper.tier {
        Tier::Retail => 0,
        Tier::Wholesale => 1,
    });
    digest.optional(request.shopper.customer.as_ref().map(|id| id.uuid().into_bytes()));
    digest.optional(request.currency.as_ref().map(Currency::code));
    digest.filter(&request.filter);
    digest.0.finalize()
}

struct Digest(Hasher);

impl Digest {
    fn number(&mut self, number: u64) {
        self.0.update(&number.to_be_bytes());
    }

    /// With its length, so that what follows is never taken for a part of it.
    fn bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.number(bytes.as_ref().len() as u64);
        self.0.update(bytes.as_ref());
    }

    fn optional(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        self.number(u64::from(bytes.is_some()));
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    fn all<T: AsRef<[u8]>>(&mut self, values: impl ExactSizeIterator<Item = T>) {
        self.number(values.len() as u64);
        values.for_each(|value| self.bytes(value));
    }

    fn filter(&mut self, filter: &Filter) {
        let Filter { category, brands, tags, attributes, price, in_stock, seller } = filter;
        self.optional(category.map(|id| id.uuid().into_bytes()));
        self.all(brands.iter());
        self.all(tags.iter());
        self.number(attributes.len() as u64);
        for (name, values) in attributes {
            self.bytes(name);
            self.all(values.iter());
        }
        let PriceFilter { min_minor, max_minor } = price.unwrap_or_default();
        self.optional(min_minor.map(i64::to_be_bytes));
        self.optional(max_minor.map(i64::to_be_bytes));
        self.optional(in_stock.map(|wanted| [u8::from(wanted)]));
        self.optional(seller.map(|id| id.uuid().into_bytes()));
    }
}
