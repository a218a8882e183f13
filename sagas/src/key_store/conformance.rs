//! What a key store promises, as checks every adapter must pass.
//!
//! A check panics with the rule that was broken.

#![allow(clippy::unwrap_used, reason = "a broken rule panics")]

use std::sync::Arc;

use async_trait::async_trait;
use domain::Sealed;
use futures::future::join_all;
use uuid::Uuid;

use super::{KeyStore, KeyStoreError, MemoryKeyStore, PersonalField, person_of};

/// Makes the stores to check.
#[async_trait]
pub trait Factory: Send + Sync {
    /// An empty store which nobody else uses.
    async fn fresh(&self) -> Arc<dyn KeyStore>;
}

/// Runs every check.
///
/// # Panics
/// When the adapter breaks a rule of the port.
pub async fn check_all(factory: &dyn Factory) {
    what_is_sealed_opens_and_shows_nothing(&*factory.fresh().await).await;
    an_altered_moved_or_malformed_value_does_not_open(&*factory.fresh().await).await;
    the_erased_stay_erased(&*factory.fresh().await).await;
    opening_makes_no_key(&*factory.fresh().await).await;
    many_at_once_for_one_person_share_one_key(&*factory.fresh().await).await;
}

fn person(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

async fn what_is_sealed_opens_and_shows_nothing(keys: &dyn KeyStore) {
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

async fn an_altered_moved_or_malformed_value_does_not_open(keys: &dyn KeyStore) {
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

async fn the_erased_stay_erased(keys: &dyn KeyStore) {
    let erased = KeyStoreError::Erased { person: person(1) };
    let sealed = keys.seal(person(1), PersonalField::Contact, "Ada").await.unwrap();
    let other = keys.seal(person(2), PersonalField::Contact, "Bob").await.unwrap();
    assert!(!keys.is_erased(person(1)).await.unwrap());
    for _ in 0..2 {
        keys.erase(person(1)).await.unwrap();
        assert_eq!(keys.open(PersonalField::Contact, &sealed).await, Err(erased.clone()));
        assert_eq!(keys.ensure(person(1)).await, Err(erased.clone()));
        assert_eq!(keys.seal(person(1), PersonalField::Contact, "Ada").await, Err(erased.clone()));
        assert!(keys.is_erased(person(1)).await.unwrap());
    }
    assert_eq!(keys.open(PersonalField::Contact, &other).await.unwrap(), "Bob");
    keys.erase(person(3)).await.unwrap();
    assert!(keys.ensure(person(3)).await.is_err(), "a person without a key can be erased");
}

async fn opening_makes_no_key(keys: &dyn KeyStore) {
    let other = MemoryKeyStore::default();
    let sealed = other.seal(person(9), PersonalField::Note, "hello").await.unwrap();
    let unknown = Err(KeyStoreError::UnknownPerson { person: person(9) });
    assert_eq!(keys.open(PersonalField::Note, &sealed).await, unknown);
    keys.ensure(person(9)).await.unwrap();
    let tampered = Err(KeyStoreError::Tampered { person: person(9) });
    assert_eq!(keys.open(PersonalField::Note, &sealed).await, tampered);
}

async fn many_at_once_for_one_person_share_one_key(keys: &dyn KeyStore) {
    let seals = (0..200).map(|n| keys.seal(person(n % 5), PersonalField::Note, "hello"));
    for sealed in join_all(seals).await {
        let opened = keys.open(PersonalField::Note, &sealed.unwrap()).await;
        assert_eq!(opened.unwrap(), "hello");
    }
}
