//! Names of streams: a category (what kind of thing) and a key (which one).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};

use uuid::Uuid;

/// The kind of thing a stream is about, such as `order`; interned, so copies are cheap.
///
/// Categories are part of the program, never of its input: interning keeps each distinct
/// name for the life of the process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(&'static str);

impl Category {
    /// Interns `name`. Names are lower-case ASCII letters, digits and underscores.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static NAMES: OnceLock<Mutex<BTreeSet<&'static str>>> = OnceLock::new();
        let mut names = match NAMES.get_or_init(Mutex::default).lock() {
            Ok(names) => names,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(known) = names.get(name) {
            return Self(known);
        }
        let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
        names.insert(kept);
        Self(kept)
    }

    /// Wraps a name that already lives for the whole program, without interning.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(name)
    }

    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Which one of its category. Time-ordered UUIDs (version 7) are the rule; text is for
/// the few streams that are named by something else, such as a digest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKey {
    Uuid(Uuid),
    Text(Arc<str>),
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => write!(f, "{}", id.hyphenated()),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Identifies a stream; written `category-key`, for example `order-0190…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    pub category: Category,
    pub key: StreamKey,
}

impl StreamId {
    #[must_use]
    pub fn new(category: Category, key: StreamKey) -> Self {
        Self { category, key }
    }

    #[must_use]
    pub fn of_uuid(category: Category, id: Uuid) -> Self {
        Self { category, key: StreamKey::Uuid(id) }
    }

    #[must_use]
    pub fn of_text(category: Category, key: &str) -> Self {
        // A canonical UUID has one representation only, or two names would be two streams.
        match Uuid::try_parse(key) {
            Ok(id) if id.hyphenated().to_string() == key => Self::of_uuid(category, id),
            _ => Self { category, key: StreamKey::Text(Arc::from(key)) },
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category, self.key)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A stream name without the `category-key` form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stream name: expected `category-key`, such as `order-0190…`")]
pub struct NotAStreamName(String);

impl FromStr for StreamId {
    type Err = NotAStreamName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let valid = |c: &str| {
            !c.is_empty()
                && c.len() <= 40
                && c.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        match name.split_once('-') {
            Some((category, key)) if valid(category) && !key.is_empty() => {
                Ok(Self::of_text(Category::new(category), key))
            }
            _ => Err(NotAStreamName(name.to_owned())),
        }
    }
}
