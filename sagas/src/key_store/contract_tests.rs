//! What every adapter must do, run on both.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

use std::sync::Arc;

use domain::Sealed;
use futures::future::join_all;
use uuid::Uuid;

use super::*;

pub(super) fn person(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(super) fn seeded_master(seed: u64) -> MasterKey {
    let dir = tempfile::tempdir().unwrap();
    MasterKey::create(&dir.path().join("key"), &SeededEntropy::new(seed)).unwrap()
}

/// Both adapters; the directory lives as long as the store does.
fn adapters() -> Vec<(Arc<dyn KeyStore>, Option<tempfile::TempDir>)> {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = SqliteKeyStore::open_data_dir(dir.path(), KeyStoreOptions::default()).unwrap();
    let memory = MemoryKeyStore::new(Arc::new(SeededEntropy::new(1)));
    vec![(Arc::new(memory), None), (Arc::new(sqlite), Some(dir))]
}

#[tokio::test]
async fn what_is_sealed_opens_and_shows_nothing() {
    for (keys, _dir) in adapters() {
        for text in ["Ada Lovelace", "", "Ж 漢字 🧾", &"x".repeat(100_000)] {
            let sealed = keys.seal(person(1), PersonalField::Contact, text).await.unwrap();
            assert!(text.is_empty() || !sealed.ciphertext().contains(text));
            assert_eq!(person_of(&sealed), Some(person(1)));
            assert_eq!(keys.open(PersonalField::Contact, &sealed).await.unwrap(), text);
        }
        let one = keys.seal(person(1), PersonalField::Contact, "same").await.unwrap();
        let two = keys.seal(person(1), PersonalField::Contact, "same").await.unwrap();
        assert_ne!(one, two, "equal texts are not seen to be equal");
    }
}

#[tokio::test]
async fn an_altered_moved_or_malformed_value_does_not_open() {
    for (keys, _dir) in adapters() {
        keys.ensure(person(2)).await.unwrap();
        let sealed = keys.seal(person(1), PersonalField::Contact, "Ada").await.unwrap();
        let text = sealed.ciphertext();
        let tampered = Err(KeyStoreError::Tampered { person: person(1) });
        assert_eq!(keys.open(PersonalField::Address, &sealed).await, tampered);
        let last = if text.ends_with('A') { 'Q' } else { 'A' };
        let altered = format!("{}{last}", &text[..text.len() - 1]);
        let mut middle = text.to_owned();
        let at = text.len() - 10;
        middle.replace_range(at..=at, if &text[at..=at] == "B" { "C" } else { "B" });
        for bad in [&middle, &altered, &text[..text.len() - 4], &text[..27]] {
            let bad = Sealed::from_ciphertext(bad.to_owned());
            let opened = keys.open(PersonalField::Contact, &bad).await;
            assert!(
                matches!(opened, Err(KeyStoreError::Tampered { .. } | KeyStoreError::NotSealed)),
                "{opened:?}"
            );
        }
        let other = keys.seal(person(2), PersonalField::Contact, "Bob").await.unwrap();
        let moved = format!("{}{}", &other.ciphertext()[..25], &text[25..]);
        assert_eq!(
            keys.open(PersonalField::Contact, &Sealed::from_ciphertext(moved)).await,
            Err(KeyStoreError::Tampered { person: person(2) })
        );
        for bad in ["", "v1", "v1.", "v1..", "v2.x.y", "v1.AA.AA", "Ada"] {
            let bad = Sealed::from_ciphertext(bad.to_owned());
            let opened = keys.open(PersonalField::Contact, &bad).await;
            assert_eq!(opened, Err(KeyStoreError::NotSealed));
        }
    }
}

#[tokio::test]
async fn the_erased_stay_erased() {
    for (keys, _dir) in adapters() {
        let erased = KeyStoreError::Erased { person: person(1) };
        let sealed = keys.seal(person(1), PersonalField::Contact, "Ada").await.unwrap();
        let other = keys.seal(person(2), PersonalField::Contact, "Bob").await.unwrap();
        assert!(!keys.is_erased(person(1)).await.unwrap());
        for _ in 0..2 {
            keys.erase(person(1)).await.unwrap();
            assert_eq!(keys.open(PersonalField::Contact, &sealed).await, Err(erased.clone()));
            assert_eq!(keys.ensure(person(1)).await, Err(erased.clone()));
            assert_eq!(
                keys.seal(person(1), PersonalField::Contact, "Ada").await,
                Err(erased.clone())
            );
            assert!(keys.is_erased(person(1)).await.unwrap());
        }
        assert_eq!(keys.open(PersonalField::Contact, &other).await.unwrap(), "Bob");
        keys.erase(person(3)).await.unwrap();
        assert!(keys.ensure(person(3)).await.is_err(), "a person without a key can be erased");
    }
}

#[tokio::test]
async fn opening_makes_no_key() {
    for (keys, _dir) in adapters() {
        let other = MemoryKeyStore::default();
        let sealed = other.seal(person(9), PersonalField::Note, "hello").await.unwrap();
        let unknown = Err(KeyStoreError::UnknownPerson { person: person(9) });
        assert_eq!(keys.open(PersonalField::Note, &sealed).await, unknown);
        keys.ensure(person(9)).await.unwrap();
        let tampered = Err(KeyStoreError::Tampered { person: person(9) });
        assert_eq!(keys.open(PersonalField::Note, &sealed).await, tampered);
    }
}

#[tokio::test]
async fn many_at_once_for_one_person_share_one_key() {
    for (keys, _dir) in adapters() {
        let seals = (0..200).map(|n| keys.seal(person(n % 5), PersonalField::Note, "hello"));
        for sealed in join_all(seals).await {
            let opened = keys.open(PersonalField::Note, &sealed.unwrap()).await;
            assert_eq!(opened.unwrap(), "hello");
        }
    }
}
