//! Values as Meilisearch keeps them apart.
//!
//! It compares the strings that are filtered by and counted without regard to case and accents, trims
//! them and cuts off long ones, and it has a syntax of its own for filters. So each value gets a key
//! of small letters, digits, `~`, `-` and `_`, which nothing is done to: `~` and two hexadecimal digits
//! stand for any other byte. No key needs an escape, so no value can break out of a filter.

use std::fmt::Write as _;

/// Longer keys end in a hash. Meilisearch keeps 468 bytes of a value.
const KEY_BYTES_MAX: usize = 400;

/// The key of a value by itself: a brand, a tag.
pub(super) fn value_key(value: &str) -> String {
    let mut key = String::from("v");
    encode(value, &mut key);
    shorten(key)
}

/// The key of an attribute's value.
pub(super) fn pair_key(name: &str, value: &str) -> String {
    let mut key = String::from("v");
    encode(name, &mut key);
    key.push('_');
    encode(value, &mut key);
    shorten(key)
}

/// Whether the value can no longer be read from its key.
pub(super) fn is_hashed(key: &str) -> bool {
    key.starts_with('h')
}

/// The value a key was made of; `None` for one with a hash, or that was not made here.
pub(super) fn value_of(key: &str) -> Option<String> {
    decode(key.strip_prefix('v')?)
}

/// The attribute and the value a key was made of.
pub(super) fn pair_of(key: &str) -> Option<(String, String)> {
    let (name, value) = key.strip_prefix('v')?.split_once('_')?;
    Some((decode(name)?, decode(value)?))
}

/// A name as it is sorted by: the order of the bytes of its small letters. What differs only after
/// 200 bytes is equal.
pub(super) fn name_key(name: &str) -> String {
    let mut key = String::from("n");
    for byte in name.to_lowercase().bytes().take(200) {
        let _ = write!(key, "{byte:02x}");
    }
    key
}

fn encode(value: &str, key: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => key.push(char::from(byte)),
            other => {
                let _ = write!(key, "~{other:02x}");
            }
        }
    }
}

fn decode(key: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'~' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn shorten(key: String) -> String {
    if key.len() <= KEY_BYTES_MAX {
        return key;
    }
    // FNV-1a, 128 bits (RFC 9923).
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in key.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    // A key is ASCII throughout.
    format!("h{}_{hash:032x}", &key[1..KEY_BYTES_MAX - 34])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_come_back_from_their_keys(name in ".{0,40}", value in ".{0,30}") {
            let key = value_key(&value);
            prop_assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"~-_".contains(&b)));
            prop_assert!(key.len() <= KEY_BYTES_MAX);
            if !is_hashed(&key) {
                prop_assert_eq!(value_of(&key), Some(value.clone()));
            }
            let key = pair_key(&name, &value);
            if !is_hashed(&key) {
                prop_assert_eq!(pair_of(&key), Some((name, value)));
            }
        }

        #[test]
        fn names_sort_by_their_small_letters(a in "\\PC{0,20}", b in "\\PC{0,20}") {
            let wanted = a.to_lowercase().cmp(&b.to_lowercase());
            prop_assert_eq!(name_key(&a).cmp(&name_key(&b)), wanted);
        }
    }

    #[test]
    fn what_differs_in_case_or_spaces_has_another_key() {
        let values =
            ["nordwind", "Nordwind", "nordwind ", "", " ", "~20", "n~6frdwind", "nördwind"];
        for (index, a) in values.iter().enumerate() {
            for b in &values[index + 1..] {
                assert_ne!(value_key(a), value_key(b));
            }
        }
        assert_ne!(pair_key("a_", "b"), pair_key("a", "_b"));
    }

    #[test]
    fn long_values_stay_apart() {
        let long = "ä".repeat(400);
        let (a, b) = (value_key(&long), value_key(&format!("{long}x")));
        assert!(is_hashed(&a) && is_hashed(&b) && a.len() <= KEY_BYTES_MAX);
        assert_ne!(a, b);
        assert_eq!(value_of(&a), None);
    }
}
