//! Pages by number and by cursor.

use std::collections::BTreeSet;

use domain::pricing::Tier;
use domain::{Currency, CustomerId, SellerId};
use uuid::Uuid;

use super::shop::{Shop, browse, category, document, numbers, text};
use crate::{Filter, Mode, OFFSET_MAX, Order, PriceFilter, Request, Shopper, Start};

async fn follow(shop: &Shop, first: Request) -> Vec<Vec<u32>> {
    let (mut pages, mut request) = (Vec::new(), first);
    loop {
        let answer = shop.ask(&request).await;
        pages.push(numbers(&answer));
        match answer.next {
            Some(cursor) => request.start = Start::After(cursor),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn every_page_has_the_same_numbers_and_together_they_have_everything() {
    let shop = Shop::new(57).await;
    let whole: Vec<u32> = (1..=57).rev().collect();
    assert_eq!(follow(&shop, text("mug")).await.concat(), whole);
    let first = shop.ask(&text("mug")).await;
    for page in 1..=8 {
        let answer = shop.ask(&Request { start: Start::Page(page), ..text("mug") }).await;
        let from = (page as usize - 1) * 10;
        let expected: Vec<u32> = whole.iter().skip(from).take(10).copied().collect();
        assert_eq!(numbers(&answer), expected, "page {page}");
        assert_eq!((answer.total, &answer.facets), (57, &first.facets));
        assert_eq!(answer.next.is_some(), page < 6);
    }
    // Pages may be of another length.
    let next = Start::After(first.next.unwrap());
    let longer = shop.ask(&Request { start: next, limit: 100, ..text("mug") }).await;
    assert_eq!(numbers(&longer), whole[10..]);
}

#[tokio::test]
async fn what_comes_and_goes_between_pages_moves_nothing() {
    let shop = Shop::new(57).await;
    let first = shop.ask(&text("mug")).await;
    shop.put([document(58, "mug"), document(59, "mug")], [55, 50]).await;
    let next = shop.ask(&Request { start: Start::After(first.next.unwrap()), ..text("mug") }).await;
    assert_eq!(numbers(&next), (38..=47).rev().collect::<Vec<_>>());
    // The last product of the page is gone itself: the offset is what is left to go by.
    shop.put([], [38]).await;
    let next = shop.ask(&Request { start: Start::After(next.next.unwrap()), ..text("mug") }).await;
    assert_eq!(numbers(&next), (28..=37).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_is_good_for_its_question_only() {
    let shop = Shop::new(57).await;
    let asked = Request {
        filter: Filter { category: Some(category(1)), ..Filter::default() },
        ..text("mug")
    };
    let cursor = shop.ask(&asked).await.next.unwrap();
    let asked = Request { start: Start::After(cursor), ..asked };
    let telling = Request { explain: true, facets: Default::default(), ..asked.clone() };
    assert_eq!(numbers(&shop.ask(&telling).await), numbers(&shop.ask(&asked).await));
    let filtered = |filter: Filter| Request {
        filter: Filter { category: Some(category(1)), ..filter },
        ..asked.clone()
    };
    let text = |text: &str| BTreeSet::from([text.to_owned()]);
    let price = PriceFilter { min_minor: Some(1), max_minor: None };
    let customer = Some(CustomerId::new(Uuid::from_u128(1)));
    for other in [
        Request { text: Some("mugs".to_owned()), ..asked.clone() },
        Request { text: None, ..asked.clone() },
        Request { mode: Mode::Text, ..asked.clone() },
        Request { order: Some(Order::Name), ..asked.clone() },
        Request { currency: None, ..asked.clone() },
        Request { currency: Some(Currency::EUR), ..asked.clone() },
        Request { shopper: Shopper { tier: Tier::Wholesale, customer: None }, ..asked.clone() },
        Request { shopper: Shopper { tier: Tier::Retail, customer }, ..asked.clone() },
        Request { filter: Filter::default(), ..asked.clone() },
        filtered(Filter { brands: text("brand 1"), ..Filter::default() }),
        filtered(Filter { tags: text("brand 1"), ..Filter::default() }),
        filtered(Filter {
            attributes: [("colour".to_owned(), text("red"))].into(),
            ..Filter::default()
        }),
        filtered(Filter { price: Some(price), ..Filter::default() }),
        filtered(Filter { in_stock: Some(true), ..Filter::default() }),
        filtered(Filter { seller: Some(SellerId::new(Uuid::from_u128(9))), ..Filter::default() }),
    ] {
        assert_eq!(shop.refused(&other).await, "cursor", "{other:?}");
    }
}

#[tokio::test]
async fn pages_end_and_say_so() {
    let shop = Shop::new(3).await;
    let past = shop.ask(&Request { start: Start::Page(2), ..text("mug") }).await;
    assert_eq!((numbers(&past), past.total, past.next), (vec![], 3, None));
    let last = u32::try_from(OFFSET_MAX / 10).unwrap();
    assert_eq!(shop.ask(&Request { start: Start::Page(last), ..browse() }).await.total, 103);
    for page in [0, last + 1, u32::MAX] {
        let deep = Request { start: Start::Page(page), ..browse() };
        assert_eq!(shop.refused(&deep).await, "page");
    }
    for limit in [0, 101, usize::MAX] {
        assert_eq!(shop.refused(&Request { limit, ..browse() }).await, "limit");
    }
}
