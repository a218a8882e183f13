//! A known customer's list: nearer to what they buy, on all pages alike.

use domain::CustomerId;
use uuid::Uuid;

use super::shop::{BoughtThese, Near, Shop, numbers, text};
use crate::{Order, PersonalRanking, Request, Shopper, Start};

fn known(request: Request) -> Request {
    let customer = Some(CustomerId::new(Uuid::from_u128(5)));
    Request { shopper: Shopper { customer, ..request.shopper }, ..request }
}

/// Whoever asks bought pots of category 2, as the even mugs are.
async fn shop() -> Shop {
    Shop::with(150, Near::default(), BoughtThese(vec![1_002, 1_004]), true).await
}

#[tokio::test]
async fn what_a_customer_buys_moves_up_a_little() {
    let shop = shop().await;
    let guests = numbers(&shop.ask(&Request { limit: 100, ..text("mug") }).await);
    assert_eq!(guests, (51..=150).rev().collect::<Vec<_>>());
    let answer = shop.ask(&known(Request { limit: 100, explain: true, ..text("mug") })).await;
    let own = numbers(&answer);
    assert_ne!(own, guests);
    let farthest = PersonalRanking::default().places_max;
    for (place, number) in own.iter().enumerate() {
        let before = guests.iter().position(|of| of == number).unwrap();
        assert!(place.abs_diff(before) <= farthest, "{number}");
        let why = answer.products[place].explanation.as_ref().unwrap().personal.unwrap();
        assert_eq!(why.moved, before as i32 - place as i32);
        assert!(if number % 2 == 0 { why.affinity > 0.9 } else { why.affinity < 0.6 });
    }
}

#[tokio::test]
async fn pages_of_a_customers_list_fit_together() {
    let shop = shop().await;
    let asked = known(Request { limit: 30, ..text("mug") });
    let (mut pages, mut request) = (Vec::new(), asked.clone());
    loop {
        let answer = shop.ask(&request).await;
        pages.extend(numbers(&answer));
        assert_eq!(answer.total, 150);
        match answer.next {
            Some(cursor) => request.start = Start::After(cursor),
            None => break,
        }
    }
    let mut by_number = Vec::new();
    for page in 1..=5 {
        let answer = shop.ask(&Request { start: Start::Page(page), ..asked.clone() }).await;
        by_number.extend(numbers(&answer));
    }
    assert_eq!(pages, by_number);
    let mut all = pages.clone();
    all.sort_unstable();
    assert_eq!(all, (1..=150).collect::<Vec<_>>());
    // Behind the first hundred everybody's list is the same.
    assert_eq!(pages[100..], (1..=50).rev().collect::<Vec<u32>>());
}

#[tokio::test]
async fn an_order_that_was_asked_for_is_kept() {
    let shop = shop().await;
    let by_price = Request { order: Some(Order::PriceAscending), ..text("mug") };
    let guests = numbers(&shop.ask(&by_price).await);
    assert_eq!(numbers(&shop.ask(&known(by_price)).await), guests);
    let browsing = Request { text: None, ..text("mug") };
    let guests = numbers(&shop.ask(&browsing).await);
    assert_eq!(numbers(&shop.ask(&known(browsing)).await), guests);
}
