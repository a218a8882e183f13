//! Products like a product.

use super::shop::{Shop, product};
use crate::Changes;
use crate::recommend::{RecommendSettings, Recommender};

fn similar(recommender: &Recommender, of: u128, k: usize) -> Vec<u128> {
    let similar = recommender.similar(product(of), k, &|_| true);
    similar.iter().map(|similar| similar.product_id.uuid().as_u128()).collect()
}

#[test]
fn lists_are_made_ahead_and_read_without_asking_again() {
    let shop = Shop::new(RecommendSettings::default()).sells([101, 102, 104, 201]);
    assert_eq!(similar(&shop.recommender, 101, 9), [102, 104]);
    shop.settle();
    assert_eq!(shop.recommender.progress().similar, (4, 4));
    let asked = *shop.alike.asked.lock().unwrap();
    assert_eq!(similar(&shop.recommender, 101, 9), [102, 104]);
    assert_eq!(similar(&shop.recommender, 101, 1), [102]);
    assert_eq!(similar(&shop.recommender, 201, 9), [0; 0]);
    assert_eq!(*shop.alike.asked.lock().unwrap(), asked);
    assert_eq!(similar(&shop.recommender, 999, 9), [0; 0]);
}

#[test]
fn what_is_not_available_is_left_out_as_of_now() {
    let shop = Shop::new(RecommendSettings::default()).sells([101, 102, 104]);
    shop.settle();
    let available = shop.recommender.similar(product(101), 1, &|other| other != product(102));
    assert_eq!(available[0].product_id, product(104));
}

#[test]
fn what_is_new_or_gone_is_in_the_lists_of_others_or_is_not() {
    let shop = Shop::new(RecommendSettings::default()).sells([101, 104]);
    shop.settle();
    let shop = shop.sells([102]);
    shop.settle();
    assert_eq!(similar(&shop.recommender, 101, 9), [102, 104]);
    assert_eq!(similar(&shop.recommender, 102, 9), [101, 104]);
    shop.alike.products.lock().unwrap().remove(&product(102));
    let removed = vec![product(102)];
    shop.recommender.apply(&Changes { removed, ..Changes::default() });
    shop.settle();
    assert_eq!(similar(&shop.recommender, 101, 9), [104]);
    assert_eq!(shop.recommender.progress().similar, (2, 2));
}
