//! Product vectors.

mod anew;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::product::ProductStatus;
use domain::{ProductId, SellerId, Timestamp};
use embeddings::{EmbedError, Embedder, IndexError};
use projections::catalogue::{SearchDocument, Stars};
use uuid::Uuid;

use super::files::Files;
use super::{EmbedderChoice, ProductVectors, SemanticError};
use crate::{Changes, Likeness};

pub(crate) fn document(number: i64, name: &str) -> SearchDocument {
    SearchDocument {
        number,
        product_id: ProductId::new(Uuid::from_u128(number as u128)),
        seller_id: SellerId::new(Uuid::from_u128(1)),
        status: ProductStatus::Active,
        name: name.to_owned(),
        description: String::new(),
        brand: None,
        tags: Default::default(),
        categories: Vec::new(),
        attributes: Default::default(),
        prices: Vec::new(),
        in_stock: true,
        stars: Stars::default(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// A model refuses texts with this in them.
const REFUSED: char = '\u{7f}';

/// A vector of how often each letter is in a text, of length 1.
struct Letters {
    id: &'static str,
    dimensions: usize,
    gives: usize,
    texts: AtomicUsize,
}

impl Letters {
    fn new(id: &'static str) -> Arc<Self> {
        Arc::new(Self { id, dimensions: 26, gives: 26, texts: AtomicUsize::new(0) })
    }

    fn texts(&self) -> usize {
        self.texts.load(Ordering::Relaxed)
    }
}

impl Embedder for Letters {
    fn id(&self) -> &str {
        self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.iter().any(|text| text.contains(REFUSED)) {
            return Err(EmbedError::Model("refused".to_owned()));
        }
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        let each = texts.iter().map(|text| {
            let mut vector = vec![0.0; self.gives];
            for letter in text.bytes().filter(u8::is_ascii_lowercase) {
                vector[usize::from(letter - b'a')] += 1.0f32;
            }
            let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt().max(1.0);
            vector.iter_mut().for_each(|value| *value /= length);
            vector
        });
        Ok(each.collect())
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn given(directory: &Path, embedder: &Arc<Letters>) -> ProductVectors {
    let embedder: Arc<dyn Embedder> = Arc::clone(embedder) as _;
    ProductVectors::open(directory, EmbedderChoice::Given { embedder, floor: 0.5 }).unwrap()
}

fn tell(vectors: &ProductVectors, products: &[(i64, &str)]) {
    let documents = products.iter().map(|(number, name)| document(*number, name)).collect();
    vectors.apply(&Changes { documents, ..Changes::default() });
}

fn settle(vectors: &ProductVectors) {
    for _ in 0..1_000 {
        if !vectors.work(now()).unwrap() {
            return;
        }
    }
    panic!("there is always more to do");
}

fn found(vectors: &ProductVectors, text: &str) -> Vec<u128> {
    let near = vectors.neighbours(text, 10, |_| true).unwrap();
    near.iter().map(|near| near.product_id.uuid().as_u128()).collect()
}

const SHOP: [(i64, &str); 3] = [(1, "lamp"), (2, "lamps"), (3, "honey")];

#[test]
fn only_what_is_new_or_changed_is_embedded_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let embedder = Letters::new("letters");
    let vectors = given(directory.path(), &embedder);
    tell(&vectors, &SHOP);
    assert_eq!(vectors.progress(), (0, 3));
    settle(&vectors);
    assert_eq!((vectors.progress(), embedder.texts()), ((3, 3), 3));
    tell(&vectors, &SHOP);
    tell(&vectors, &[(3, "money")]);
    settle(&vectors);
    assert_eq!(embedder.texts(), 4);
    vectors.save(now()).unwrap();
    drop(vectors);

    let vectors = given(directory.path(), &embedder);
    assert_eq!(found(&vectors, "lamp"), [1, 2]);
    assert_eq!(embedder.texts(), 5);
    tell(&vectors, &[SHOP[0], SHOP[1], (3, "money"), (4, "hammer")]);
    assert_eq!(vectors.progress(), (3, 4));
    settle(&vectors);
    assert_eq!((vectors.progress(), embedder.texts()), ((4, 4), 6));
}

#[test]
fn a_question_is_embedded_once_and_what_is_far_is_no_neighbour() {
    let directory = tempfile::tempdir().unwrap();
    let embedder = Letters::new("letters");
    let vectors = given(directory.path(), &embedder);
    assert_eq!(found(&vectors, "lamp"), [0; 0]);
    tell(&vectors, &SHOP);
    settle(&vectors);
    let before = embedder.texts();
    assert_eq!(found(&vectors, "lamp"), [1, 2]);
    assert_eq!(found(&vectors, " lamp "), [1, 2]);
    assert_eq!(embedder.texts(), before);
    assert_eq!(found(&vectors, "zzz"), [0; 0]);
    assert_eq!(found(&vectors, "?"), [0; 0]);
    let of_2 = |id: ProductId| id.uuid().as_u128() == 2;
    assert_eq!(vectors.neighbours("lamp", 1, of_2).unwrap().len(), 1);
    let like: Vec<_> = vectors.similar_to(SHOP_1, 1, |_| true);
    assert_eq!(like[0].product_id.uuid().as_u128(), 2);
    assert!(!vectors.default_fusion().only_behind);
}

const SHOP_1: ProductId = ProductId::new(Uuid::from_u128(1));

#[test]
fn what_is_no_longer_for_sale_is_gone_also_if_that_was_missed() {
    let directory = tempfile::tempdir().unwrap();
    let embedder = Letters::new("letters");
    let vectors = given(directory.path(), &embedder);
    tell(&vectors, &SHOP);
    settle(&vectors);
    vectors.apply(&Changes { removed: vec![SHOP_1], ..Changes::default() });
    assert_eq!(found(&vectors, "lamp"), [2]);
    assert_eq!(vectors.progress(), (2, 2));
    vectors.save(now()).unwrap();
    drop(vectors);
    let vectors = given(directory.path(), &embedder);
    tell(&vectors, &[SHOP[2]]);
    assert_eq!(found(&vectors, "lamp"), [2]);
    vectors.filled();
    assert_eq!(found(&vectors, "lamp"), [0; 0]);
    let mut inactive = document(3, "honey");
    inactive.status = ProductStatus::Inactive;
    vectors.apply(&Changes { documents: vec![inactive], ..Changes::default() });
    assert_eq!(found(&vectors, "honey"), [0; 0]);
}

#[test]
fn vectors_of_another_model_or_without_their_texts_are_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = given(directory.path(), &Letters::new("letters"));
    tell(&vectors, &SHOP);
    settle(&vectors);
    drop(vectors);
    let other = Letters::new("other letters");
    let vectors = given(directory.path(), &other);
    assert_eq!(found(&vectors, "lamp"), [0; 0]);
    tell(&vectors, &SHOP);
    settle(&vectors);
    assert_eq!(found(&vectors, "lamp"), [1, 2]);
    drop(vectors);
    std::fs::remove_file(directory.path().join("vectors.texts")).unwrap();
    let vectors = given(directory.path(), &other);
    tell(&vectors, &SHOP);
    assert_eq!(vectors.progress(), (0, 3));
}

#[test]
fn a_vector_of_a_wrong_size_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let odd = Letters { id: "odd", dimensions: 20, gives: 26, texts: AtomicUsize::new(0) };
    let vectors = given(directory.path(), &Arc::new(odd));
    tell(&vectors, &SHOP);
    assert!(matches!(
        vectors.work(now()),
        Err(SemanticError::Index(IndexError::Dimensions { expected: 20, found: 26 }))
    ));
    assert!(vectors.neighbours("lamp", 1, |_| true).is_err());
    assert_eq!(vectors.progress(), (0, 3));
}

#[test]
fn a_text_that_the_model_refuses_does_not_keep_others_from_their_vectors() {
    let directory = tempfile::tempdir().unwrap();
    let embedder = Letters::new("letters");
    let vectors = given(directory.path(), &embedder);
    let refused = format!("tea{REFUSED}pot");
    // More than are embedded at a time, and the first of all among the refused.
    let others: Vec<(i64, String)> = (2..=150).map(|n| (n, "jar".repeat(n as usize))).collect();
    let mut told: Vec<(i64, &str)> = others.iter().map(|(n, name)| (*n, name.as_str())).collect();
    told.extend([(1, refused.as_str()), (70, refused.as_str())]);
    tell(&vectors, &told);
    settle(&vectors);
    assert_eq!(vectors.progress(), (148, 150));
    // Not tried again before it is another text.
    let before = embedder.texts();
    tell(&vectors, &[(1, &refused)]);
    settle(&vectors);
    assert_eq!((vectors.progress(), embedder.texts()), ((148, 150), before));
    tell(&vectors, &[(1, "teapot")]);
    settle(&vectors);
    assert_eq!((vectors.progress(), embedder.texts()), ((149, 150), before + 1));
    assert_eq!(found(&vectors, "teapot"), [1]);
    vectors.apply(&Changes { removed: vec![document(70, "").product_id], ..Changes::default() });
    assert_eq!(vectors.progress(), (149, 149));
}

#[test]
fn a_model_that_could_not_be_written_down_is_trained_again() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = trained(directory.path());
    vectors.apply(&Changes { documents: catalogue(1, 40), ..Changes::default() });
    vectors.filled();
    std::fs::remove_dir_all(directory.path()).unwrap();
    for _ in 0..2 {
        assert!(vectors.work(now()).is_err());
        assert_eq!(vectors.progress(), (0, 40));
    }
    std::fs::create_dir_all(directory.path()).unwrap();
    settle(&vectors);
    assert_eq!(vectors.progress(), (40, 40));
}

/// The file that the next start loads.
fn serving_model(directory: &Path) -> Vec<u8> {
    let files = Files::of(directory).unwrap();
    std::fs::read(files.model(files.load().unwrap().unwrap().model)).unwrap()
}

#[test]
fn what_cannot_be_read_for_a_moment_is_neither_deleted_nor_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = trained(directory.path());
    vectors.apply(&Changes { documents: catalogue(1, 40), ..Changes::default() });
    vectors.filled();
    settle(&vectors);
    vectors.save(now()).unwrap();
    let near = found(&vectors, "bedside light");
    drop(vectors);
    let files = Files::of(directory.path()).unwrap();
    let saved = files.load().unwrap().unwrap();
    let texts = directory.path().join("vectors.texts");
    for path in [texts, files.vectors(saved.vectors), files.model(saved.model)] {
        // A directory in its place is found and cannot be read, by anybody.
        let away = directory.path().join("away");
        std::fs::rename(&path, &away).unwrap();
        std::fs::create_dir(&path).unwrap();
        let choice = EmbedderChoice::Trained { orders: None };
        let error = ProductVectors::open(directory.path(), choice).err().unwrap().to_string();
        let is_named = error.starts_with(path.to_str().unwrap());
        assert!(is_named && error.lines().count() == 1, "{error}");
        files.sweep(&[]);
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(&away, &path).unwrap();
    }
    assert_eq!(found(&trained(directory.path()), "bedside light"), near);
}

fn trained(directory: &Path) -> ProductVectors {
    ProductVectors::open(directory, EmbedderChoice::Trained { orders: None }).unwrap()
}

/// Lamps and jars of some colours, each with words that go with it.
fn catalogue(from: i64, count: i64) -> Vec<SearchDocument> {
    (from..from + count)
        .map(|number| {
            let colour = ["red", "blue", "green", "white"][number as usize % 4];
            let (kind, words) = match number % 2 {
                0 => ("lamp", "light bulb shade glow bedside"),
                _ => ("jar", "glass lid honey kitchen preserve"),
            };
            let mut document = document(number, &format!("{colour} {kind} {number}"));
            document.description = words.to_owned();
            document
        })
        .collect()
}

#[test]
fn a_model_of_the_shops_own_is_trained_when_all_is_told_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = trained(directory.path());
    vectors.apply(&Changes { documents: catalogue(1, 40), ..Changes::default() });
    settle(&vectors);
    assert_eq!(vectors.progress(), (0, 40));
    vectors.filled();
    settle(&vectors);
    assert_eq!(vectors.progress(), (40, 40));
    let near = found(&vectors, "bedside light");
    assert!(!near.is_empty() && near.iter().all(|number| number % 2 == 0), "{near:?}");
    assert_eq!(found(&vectors, "совершенно другое"), [0; 0]);
    // Spelt a little like words of the shop, and something else; and one that is misspelt.
    assert_eq!(found(&vectors, "kitten gloves"), [0; 0]);
    assert!(!found(&vectors, "bedsides").is_empty());
    assert!(vectors.default_fusion().only_behind);
    drop(vectors);

    // The same model, and nothing to embed.
    let vectors = trained(directory.path());
    assert_eq!(found(&vectors, "bedside light"), near);
    vectors.apply(&Changes { documents: catalogue(1, 40), ..Changes::default() });
    vectors.filled();
    assert_eq!(vectors.progress(), (40, 40));
    assert!(!vectors.work(now()).unwrap());
}

#[test]
fn a_fifth_that_changed_makes_a_new_model_while_the_old_one_serves() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = trained(directory.path());
    vectors.apply(&Changes { documents: catalogue(1, 400), ..Changes::default() });
    vectors.filled();
    settle(&vectors);
    vectors.apply(&Changes { documents: catalogue(401, 79), ..Changes::default() });
    settle(&vectors);
    let model = serving_model(directory.path());
    assert_eq!(vectors.progress(), (479, 479));
    vectors.apply(&Changes { documents: catalogue(480, 1), ..Changes::default() });
    let is_new = || serving_model(directory.path()) != model;
    assert!(vectors.work(now()).unwrap());
    assert_eq!(vectors.progress(), (0, 480));
    assert!(!found(&vectors, "bedside light").is_empty() && !is_new());
    settle(&vectors);
    assert_eq!(vectors.progress(), (480, 480));
    assert!(!found(&vectors, "bedside light").is_empty() && is_new());
}

#[test]
fn a_number_that_is_another_products_by_now_has_not_that_ones_vector() {
    let directory = tempfile::tempdir().unwrap();
    let embedder = Letters::new("letters");
    let vectors = given(directory.path(), &embedder);
    tell(&vectors, &SHOP);
    settle(&vectors);
    // Another catalogue, in which the same is written about another product.
    let mut other = document(1, "lamp");
    other.product_id = ProductId::new(Uuid::from_u128(77));
    vectors.apply(&Changes { documents: vec![other], ..Changes::default() });
    settle(&vectors);
    assert_eq!(found(&vectors, "lamp"), [77, 2]);
    vectors.apply(&Changes { removed: vec![SHOP_1], ..Changes::default() });
    assert_eq!(vectors.progress(), (3, 3));
}

#[test]
fn those_who_keep_lists_are_told_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let vectors = given(directory.path(), &Letters::new("letters"));
    tell(&vectors, &SHOP);
    settle(&vectors);
    assert_eq!(vectors.take_changed().len(), 3);
    tell(&vectors, &[(2, "lampshade")]);
    settle(&vectors);
    assert_eq!(vectors.take_changed(), [ProductId::new(Uuid::from_u128(2))]);
    assert_eq!(vectors.take_changed(), []);
    let unknown = ProductId::new(Uuid::from_u128(9));
    let lists = vectors.like_each(&[SHOP_1, unknown], 1);
    assert_eq!(lists[0][0].product_id.uuid().as_u128(), 2);
    assert!(lists[1].is_empty());
    vectors.save(now()).unwrap();
    drop(vectors);

    // After a restart: once it is known which product has which vector.
    let vectors = given(directory.path(), &Letters::new("letters"));
    assert_eq!(vectors.take_changed(), []);
    tell(&vectors, &[SHOP[0], (2, "lampshade"), SHOP[2]]);
    vectors.filled();
    assert_eq!(vectors.take_changed().len(), 3);
    assert_eq!(vectors.like_each(&[SHOP_1], 1)[0].len(), 1);
}
