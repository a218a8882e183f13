//! What is written about a product, as one text.

use projections::catalogue::SearchDocument;

/// Characters of a description that count: models look at a few hundred words, and shops say what
/// matters first.
const DESCRIPTION_MAX: usize = 1_000;

/// Name, categories from the root down, brand, tags, attributes, and the beginning of the
/// description: what says most of what it is comes first.
#[must_use]
pub fn product_text(document: &SearchDocument) -> String {
    let mut text = document.name.clone();
    let mut part = |words: &str| {
        if !words.is_empty() {
            text.push_str(". ");
            text.push_str(words);
        }
    };
    let categories: Vec<&str> = document.categories.iter().map(|c| c.name.as_str()).collect();
    part(&categories.join(" > "));
    part(document.brand.as_deref().unwrap_or_default());
    part(&document.tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    for (name, values) in &document.attributes {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        part(&format!("{name}: {}", values.join(", ")));
    }
    part(beginning(&document.description));
    text
}

/// Cut between words, where there are any.
fn beginning(description: &str) -> &str {
    let Some((end, _)) = description.char_indices().nth(DESCRIPTION_MAX) else {
        return description;
    };
    let cut = &description[..end];
    cut.rfind(char::is_whitespace).map_or(cut, |space| &cut[..space])
}

/// Tells one text from another; FNV-1a over its bytes (Fowler, Noll, Vo), the same on every machine.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantic::tests::document;

    #[test]
    fn all_that_is_written_is_in_it_and_the_name_is_first() {
        let mut of = document(1, "Trail jacket");
        of.brand = Some("Nordvik".into());
        of.tags.insert("rain".into());
        of.attributes.insert("colour".into(), ["blue".to_owned(), "red".to_owned()].into());
        of.description = "Keeps dry.".into();
        assert_eq!(product_text(&of), "Trail jacket. Nordvik. rain. colour: blue, red. Keeps dry.");
    }

    #[test]
    fn long_descriptions_are_cut_between_words_and_letters() {
        let words = "wörd ".repeat(500);
        let cut = beginning(&words);
        assert!(cut.ends_with("wörd") && cut.chars().count() <= DESCRIPTION_MAX);
        assert_eq!(beginning(&"ö".repeat(3_000)).chars().count(), DESCRIPTION_MAX);
        assert_eq!(beginning("short"), "short");
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
