//! How near is near: to questions in the words of the shop, and to questions that have no answer in it.

use domain::Timestamp;
use search::{EmbedderChoice, ProductVectors};

use crate::orders::Orders;
use crate::shop::Texts;

const OF_THE_SHOP: [&str; 12] = [
    "red heart decoration",
    "christmas tree lights",
    "lunch bag for children",
    "garden bird feeder",
    "vintage tea cups",
    "birthday card",
    "picture frame",
    "kitchen scales",
    "paper napkins",
    "door sign",
    "candle holder glass",
    "toy soldier",
];

const OF_NO_SHOP: [&str; 12] = [
    "wie repariere ich mein Fahrrad",
    "Schraubenschlüssel Satz",
    "chaussures de randonnée imperméables",
    "ordinateur portable pas cher",
    "zapatos para correr",
    "aspiradora sin cable",
    "зимняя куртка",
    "ноутбук",
    "自転車",
    "kubernetes deployment yaml",
    "quarterly tax declaration",
    "graphics driver download",
];

pub(crate) fn measure(orders: &Orders) {
    let directory = tempfile::tempdir().unwrap();
    let choice = EmbedderChoice::Trained { orders: None };
    let vectors = ProductVectors::open(directory.path(), choice).unwrap();
    vectors.apply(&Texts::of(orders).catalogue());
    vectors.filled();
    while vectors.work(Timestamp::UNIX_EPOCH).unwrap() {}
    for (what, questions) in [("of the shop", OF_THE_SHOP), ("of no shop", OF_NO_SHOP)] {
        println!("{what}: nearest, tenth, how many are at least as near as 0.5, 0.6, 0.7, 0.8");
        for question in questions {
            let near = vectors.neighbours(question, 1_000, |_| true).unwrap();
            let at = |place: usize| near.get(place).map_or(0.0, |near| near.similarity);
            let [a, b, c, d] = [0.5, 0.6, 0.7, 0.8]
                .map(|floor| near.iter().filter(|n| n.similarity >= floor).count());
            let (first, tenth) = (at(0), at(9));
            println!("{question:<44} {first:>6.3} {tenth:>6.3} {a:>5} {b:>5} {c:>5} {d:>5}");
        }
    }
}
