//! What the demo shop sells, put together from a few words.

use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Shelf {
    pub(super) name: &'static str,
    pub(super) slug: &'static str,
    /// What each is, and what is said of it: things that are told apart by nothing but their names
    /// would be all alike to whoever looks for what is similar.
    things: [(&'static str, &'static str); 4],
}

pub(super) const SHELVES: [Shelf; 6] = [
    Shelf {
        name: "Kitchen",
        slug: "kitchen",
        things: [
            ("Mug", "for coffee, cocoa or soup"),
            ("Teapot", "pours four cups of tea"),
            ("Bread knife", "cuts crust without crumbs"),
            ("Apron", "keeps flour off your shirt"),
        ],
    },
    Shelf {
        name: "Garden",
        slug: "garden",
        things: [
            ("Trowel", "digs holes for bulbs"),
            ("Watering can", "holds five litres and has a fine rose"),
            ("Gloves", "against thorns and nettles"),
            ("Kneeler", "soft under the knees while you weed"),
        ],
    },
    Shelf {
        name: "Desk",
        slug: "desk",
        things: [
            ("Notebook", "with 200 dotted pages"),
            ("Pencil set", "from soft to hard, with a sharpener"),
            ("Lamp", "lights the page and not the room"),
            ("Clock", "ticks quietly and rings on time"),
        ],
    },
    Shelf {
        name: "Walks",
        slug: "walks",
        things: [
            ("Flask", "keeps broth hot until noon"),
            ("Rucksack", "carries lunch and a raincoat"),
            ("Map case", "stays dry inside when it pours"),
            ("Torch", "shines a whole night"),
        ],
    },
    Shelf {
        name: "Toys",
        slug: "toys",
        things: [
            ("Kite", "flies in the lightest wind"),
            ("Wooden train", "pulls three wagons and whistles"),
            ("Spinning top", "hums for minutes on any floor"),
            ("Puzzle", "of 500 pieces, with a picture of the coast"),
        ],
    },
    Shelf {
        name: "Home",
        slug: "home",
        things: [
            ("Blanket", "woven of lambswool, warm on the sofa"),
            ("Candle", "burns for forty hours and smells of honey"),
            ("Door mat", "takes the mud off boots"),
            ("Basket", "for logs, laundry or newspapers"),
        ],
    },
];

const MAKES: [(&str, &str); 3] =
    [("Heron", "in blue enamel"), ("Alder & Ash", "in oiled wood"), ("Northlight", "in grey")];
const PEOPLE: [&str; 8] = [
    "Ada Byron",
    "Mary Anning",
    "Grace Hopper",
    "Alan Turing",
    "Ida Rhodes",
    "John Snow",
    "Rosa Parks",
    "Isaac Newton",
];

pub(super) struct Article {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) brand: String,
    pub(super) tags: BTreeSet<String>,
    pub(super) attributes: BTreeMap<String, String>,
    /// Price in pence.
    pub(super) minor: i64,
    /// Units in the first and the second warehouse.
    pub(super) units: [u32; 2],
}

/// The articles of one shelf.
pub(super) fn articles(shelf: usize) -> impl Iterator<Item = Article> {
    let shelf_number = shelf;
    let shelf = &SHELVES[shelf % SHELVES.len()];
    shelf.things.iter().enumerate().flat_map(move |(thing_number, (thing, about))| {
        MAKES.iter().enumerate().map(move |(make_number, (make, finish))| {
            let number = shelf_number * 12 + thing_number * 3 + make_number;
            // A few articles are scarce, so that a sold-out one can be seen.
            let units = if number % 17 == 5 { [3, 0] } else { [4_000, 2_500] };
            Article {
                name: format!("{make} {}", thing.to_lowercase()),
                description: format!("{thing} {finish}: {about}."),
                brand: (*make).to_owned(),
                tags: BTreeSet::from([shelf.slug.to_owned(), "demo".to_owned()]),
                attributes: BTreeMap::from([("finish".to_owned(), (*finish).to_owned())]),
                minor: 395 + (number as i64 * 271) % 6_000,
                units,
            }
        })
    })
}

pub(super) fn person(number: usize) -> &'static str {
    PEOPLE[number % PEOPLE.len()]
}
