//! The languages whose words are reduced to stems.

use std::fmt;
use std::str::FromStr;

use tantivy::tokenizer::Language as Algorithm;

/// What language the catalogue is written in; decides the stemmer (Snowball's, for each language).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Arabic,
    Danish,
    Dutch,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
    /// Words are found as they are written only.
    None,
}

/// A language that there is no stemmer for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("language: `{0}` is not one of {names}", names = names())]
pub struct UnknownLanguage(String);

const ALL: [(Language, &str); 19] = [
    (Language::English, "english"),
    (Language::Arabic, "arabic"),
    (Language::Danish, "danish"),
    (Language::Dutch, "dutch"),
    (Language::Finnish, "finnish"),
    (Language::French, "french"),
    (Language::German, "german"),
    (Language::Greek, "greek"),
    (Language::Hungarian, "hungarian"),
    (Language::Italian, "italian"),
    (Language::Norwegian, "norwegian"),
    (Language::Portuguese, "portuguese"),
    (Language::Romanian, "romanian"),
    (Language::Russian, "russian"),
    (Language::Spanish, "spanish"),
    (Language::Swedish, "swedish"),
    (Language::Tamil, "tamil"),
    (Language::Turkish, "turkish"),
    (Language::None, "none"),
];

fn names() -> String {
    ALL.map(|(_, name)| name).join(", ")
}

impl Language {
    pub(super) fn algorithm(self) -> Option<Algorithm> {
        Some(match self {
            Self::English => Algorithm::English,
            Self::Arabic => Algorithm::Arabic,
            Self::Danish => Algorithm::Danish,
            Self::Dutch => Algorithm::Dutch,
            Self::Finnish => Algorithm::Finnish,
            Self::French => Algorithm::French,
            Self::German => Algorithm::German,
            Self::Greek => Algorithm::Greek,
            Self::Hungarian => Algorithm::Hungarian,
            Self::Italian => Algorithm::Italian,
            Self::Norwegian => Algorithm::Norwegian,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Romanian => Algorithm::Romanian,
            Self::Russian => Algorithm::Russian,
            Self::Spanish => Algorithm::Spanish,
            Self::Swedish => Algorithm::Swedish,
            Self::Tamil => Algorithm::Tamil,
            Self::Turkish => Algorithm::Turkish,
            Self::None => return None,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALL.iter().find(|(language, _)| language == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let wanted = text.trim().to_lowercase();
        ALL.iter()
            .find(|(_, name)| *name == wanted)
            .map(|(language, _)| *language)
            .ok_or_else(|| UnknownLanguage(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_read_as_it_is_written() {
        for (language, _) in ALL {
            assert_eq!(language.to_string().parse(), Ok(language));
        }
        assert_eq!(" German".parse(), Ok(Language::German));
    }

    #[test]
    fn an_unknown_language_is_refused_with_those_there_are() {
        let error = "klingon".parse::<Language>().unwrap_err().to_string();
        assert!(error.contains("`klingon`") && error.contains("swedish"), "{error}");
    }
}
