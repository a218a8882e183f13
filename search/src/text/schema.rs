//! What of a product is indexed, where, and how much it counts.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use domain::ProductId;
use projections::catalogue::SearchDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use super::Language;
use super::words::{compounds, stem};

/// Changes whenever what is written does: an index of another layout is filled anew.
const LAYOUT: &str = "text 2";
/// The engine's own tokenizer that parts at white space, of which words have none. Tokens handed over
/// as such would travel to the writing thread as JSON, which takes as long as writing them.
const APART: &str = "whitespace";
/// Words of one field of one product; what is beyond is not found.
const WORDS_MAX: usize = 20_000;
/// Stems remembered while documents are taken in.
const STEMS_MAX: usize = 50_000;

/// How a field counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldRule {
    pub(super) name: &'static str,
    /// Weight of a match, beside those of other fields.
    pub(super) boost: f32,
    /// How much longer fields count for less: `b` of BM25, 0 to 1.
    pub(super) length: f32,
}

pub(super) const FIELDS: [FieldRule; 6] = [
    FieldRule { name: "name", boost: 3.0, length: 0.75 },
    FieldRule { name: "brand", boost: 2.0, length: 0.75 },
    FieldRule { name: "category", boost: 1.5, length: 0.75 },
    FieldRule { name: "tags", boost: 1.0, length: 0.75 },
    FieldRule { name: "attributes", boost: 0.5, length: 0.75 },
    FieldRule { name: "description", boost: 1.0, length: 0.75 },
];
/// Weight of the very word that was typed, beside that of its stem.
pub(super) const SURFACE_BOOST: f32 = 0.3;
pub(super) const NUMBER: &str = "number";
/// See [`fingerprint`].
pub(super) const FINGERPRINT: &str = "fingerprint";

/// Where everything is.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) schema: Schema,
    /// The product's id, to replace and remove it by.
    pub(super) id: Field,
    number: Field,
    fingerprint: Field,
    /// Stems with their frequencies, as in [`FIELDS`].
    pub(super) fields: [Field; FIELDS.len()],
    /// All stems of the product, without frequencies: which products have a word at all.
    pub(super) all: Field,
    /// All words as they are written, without frequencies.
    pub(super) surface: Field,
}

impl Layout {
    pub(super) fn new() -> Self {
        let text = |record, norms| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(APART)
                .set_index_option(record)
                .set_fieldnorms(norms);
            TextOptions::default().set_indexing_options(indexing)
        };
        let mut schema = Schema::builder();
        let id = schema.add_bytes_field("id", INDEXED);
        let number = schema.add_i64_field(NUMBER, FAST);
        let fingerprint = schema.add_u64_field(FINGERPRINT, FAST);
        let fields = FIELDS
            .map(|rule| schema.add_text_field(rule.name, text(IndexRecordOption::WithFreqs, true)));
        let all = schema.add_text_field("all", text(IndexRecordOption::Basic, false));
        let surface = schema.add_text_field("surface", text(IndexRecordOption::Basic, false));
        Self { schema: schema.build(), id, number, fingerprint, fields, all, surface }
    }

    /// Told apart by it: indexes that can take each other's place.
    pub(super) fn mark(language: Language) -> String {
        format!("{LAYOUT} {language}")
    }

    pub(super) fn id_term(&self, product_id: ProductId) -> Term {
        Term::from_field_bytes(self.id, product_id.uuid().as_bytes())
    }
}

/// The same for as long as nothing of the product changes that is indexed. Another build of the program
/// may tell others: then what changes next is written once more than it need be.
pub(super) fn fingerprint(product: &SearchDocument) -> u64 {
    let SearchDocument { number, name, description, brand, tags, categories, attributes, .. } =
        product;
    let mut hasher = DefaultHasher::new();
    (number, name, description, brand, tags).hash(&mut hasher);
    for category in categories {
        category.name.hash(&mut hasher);
    }
    // Names of attributes are not searched, but tell where the values of one end.
    (categories.len(), attributes).hash(&mut hasher);
    hasher.finish()
}

/// Turns products into what is indexed.
#[derive(Debug)]
pub(super) struct DocumentWriter {
    language: Language,
    stems: HashMap<String, String>,
}

impl DocumentWriter {
    pub(super) fn new(language: Language) -> Self {
        Self { language, stems: HashMap::new() }
    }

    pub(super) fn document(
        &mut self,
        layout: &Layout,
        product: &SearchDocument,
    ) -> TantivyDocument {
        let texts: [Vec<&str>; FIELDS.len()] = [
            vec![&product.name],
            product.brand.as_deref().into_iter().collect(),
            product.categories.iter().map(|category| category.name.as_str()).collect(),
            product.tags.iter().map(String::as_str).collect(),
            product.attributes.values().flatten().map(String::as_str).collect(),
            vec![&product.description],
        ];
        let mut document = TantivyDocument::default();
        document.add_bytes(layout.id, product.product_id.uuid().as_bytes());
        document.add_i64(layout.number, product.number);
        document.add_u64(layout.fingerprint, fingerprint(product));
        let (mut all, mut surface) = (Vec::new(), Vec::new());
        for (field, texts) in layout.fields.iter().zip(texts) {
            let words = texts.into_iter().flat_map(|text| compounds(text, WORDS_MAX)).flat_map(
                |compound| {
                    let parts = compound.parts.into_iter().map(|part| part.word);
                    parts.chain(compound.joined).collect::<Vec<_>>()
                },
            );
            let mut stems = Vec::new();
            for word in words.take(WORDS_MAX) {
                stems.push(self.stem(&word));
                surface.push(word);
            }
            all.extend_from_slice(&stems);
            document.add_text(*field, stems.join(" "));
        }
        for (field, mut words) in [(layout.all, all), (layout.surface, surface)] {
            words.sort_unstable();
            words.dedup();
            document.add_text(field, words.join(" "));
        }
        document
    }

    fn stem(&mut self, word: &str) -> String {
        if let Some(stem) = self.stems.get(word) {
            return stem.clone();
        }
        if self.stems.len() >= STEMS_MAX {
            self.stems.clear();
        }
        let stem = stem(self.language, word);
        self.stems.insert(word.to_owned(), stem.clone());
        stem
    }
}
