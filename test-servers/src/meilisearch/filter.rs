//! Filter expressions: read as published, and held against documents.

use std::collections::HashSet;

use serde_json::Value;

use super::serve::Refusal;
use super::words::normal;

#[derive(Debug, PartialEq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// Field, its values as they are compared.
    In(String, HashSet<String>),
    Compare(String, Ordering, f64),
    Between(String, f64, f64),
    Exists(String),
    IsNull(String),
    IsEmpty(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ordering {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// A string as facets keep it.
pub fn facet(value: &str) -> String {
    let mut value = normal(value.trim());
    let mut end = value.len().min(468);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.truncate(end);
    value
}

/// A text, or a list of texts that must all hold, of which each may be a list of which one must.
pub fn read(filter: &Value, filterable: &[String]) -> Result<Filter, Refusal> {
    match filter {
        Value::Null => Ok(Filter::And(Vec::new())),
        Value::String(text) if text.trim().is_empty() => Ok(Filter::And(Vec::new())),
        Value::String(text) => parse(text, filterable),
        Value::Array(all) => all
            .iter()
            .map(|one| match one {
                Value::Array(any) => any
                    .iter()
                    .map(|one| read(one, filterable))
                    .collect::<Result<_, _>>()
                    .map(Filter::Or),
                one => read(one, filterable),
            })
            .collect::<Result<_, _>>()
            .map(Filter::And),
        _ => Err(bad("Invalid syntax for the filter parameter".to_owned())),
    }
}

fn bad(message: String) -> Refusal {
    Refusal(400, "invalid_search_filter", message)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Sign(&'static str),
    /// A word without quotes, which may be a keyword.
    Word(String),
    Quoted(String),
}

const SIGNS: &[&str] = &["!=", ">=", "<=", "=", ">", "<", "(", ")", "[", "]", ","];

fn lex(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '"' || first == '\'' {
            let mut value = String::new();
            let mut letters = rest[1..].char_indices();
            let end = loop {
                match letters.next() {
                    Some((_, '\\')) => match letters.next() {
                        Some((_, escaped)) if escaped == first || escaped == '\\' => {
                            value.push(escaped)
                        }
                        Some((_, other)) => value.extend(['\\', other]),
                        None => return Err(bad(format!("Expression `{text}` is missing a quote"))),
                    },
                    Some((at, letter)) if letter == first => break at + 2,
                    Some((_, letter)) => value.push(letter),
                    None => return Err(bad(format!("Expression `{text}` is missing a quote"))),
                }
            };
            tokens.push(Token::Quoted(value));
            rest = &rest[end..];
        } else {
            let is_word = |letter: char| letter.is_alphanumeric() || "_-/.".contains(letter);
            let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            if end == 0 {
                return Err(bad(format!("Found unexpected characters at `{rest}`")));
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn parse(text: &str, filterable: &[String]) -> Result<Filter, Refusal> {
    let tokens = lex(text)?;
    let mut parser = Parser { tokens: &tokens, filterable, depth: 0 };
    let filter = parser.or()?;
    match parser.tokens.first() {
        None => Ok(filter),
        Some(token) => Err(bad(format!("Found unexpected {token:?} in `{text}`"))),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    filterable: &'a [String],
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn took(&mut self, keyword: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(word)) if word == keyword)
            || matches!(self.tokens.first(), Some(Token::Sign(sign)) if *sign == keyword);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn or(&mut self) -> Result<Filter, Refusal> {
        let mut any = vec![self.and()?];
        while self.took("OR") {
            any.push(self.and()?);
        }
        Ok(Filter::Or(any))
    }

    fn and(&mut self) -> Result<Filter, Refusal> {
        let mut all = vec![self.not()?];
        while self.took("AND") {
            all.push(self.not()?);
        }
        Ok(Filter::And(all))
    }

    fn not(&mut self) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > 2_000 {
            return Err(bad("Too many filter conditions, can't process more than 2000".to_owned()));
        }
        if self.took("NOT") {
            return Ok(Filter::Not(Box::new(self.not()?)));
        }
        if self.took("(") {
            let inside = self.or()?;
            return if self.took(")") { Ok(inside) } else { Err(bad("missing `)`".to_owned())) };
        }
        self.condition()
    }

    fn condition(&mut self) -> Result<Filter, Refusal> {
        let field = self.value("an attribute")?;
        if !is_below(&field, self.filterable) {
            return Err(bad(format!("Attribute `{field}` is not filterable.")));
        }
        if self.took("NOT") {
            return Ok(Filter::Not(Box::new(self.named(field)?)));
        }
        let Some(Token::Sign(sign)) = self.tokens.first() else { return self.named(field) };
        self.tokens = &self.tokens[1..];
        let ordering = match *sign {
            "=" => return Ok(Filter::In(field, HashSet::from([facet(&self.value("a value")?)]))),
            "!=" => {
                let value = HashSet::from([facet(&self.value("a value")?)]);
                return Ok(Filter::Not(Box::new(Filter::In(field, value))));
            }
            "<" => Ordering::Less,
            "<=" => Ordering::LessOrEqual,
            ">" => Ordering::More,
            ">=" => Ordering::MoreOrEqual,
            other => return Err(bad(format!("`{other}` is no operator"))),
        };
        Ok(Filter::Compare(field, ordering, self.number()?))
    }

    /// What follows a field and is called by a word.
    fn named(&mut self, field: String) -> Result<Filter, Refusal> {
        if self.took("EXISTS") {
            return Ok(Filter::Exists(field));
        }
        if self.took("IS") {
            let not = self.took("NOT");
            let is = if self.took("NULL") {
                Filter::IsNull(field)
            } else if self.took("EMPTY") {
                Filter::IsEmpty(field)
            } else {
                return Err(bad("IS needs NULL or EMPTY".to_owned()));
            };
            return Ok(if not { Filter::Not(Box::new(is)) } else { is });
        }
        if self.took("IN") {
            if !self.took("[") {
                return Err(bad("Expected `[` after `IN` keyword".to_owned()));
            }
            let mut values = HashSet::new();
            while !self.took("]") {
                values.insert(facet(&self.value("a value in a list")?));
                self.took(",");
            }
            return Ok(Filter::In(field, values));
        }
        let from = self.number()?;
        if self.took("TO") {
            return Ok(Filter::Between(field, from, self.number()?));
        }
        Err(bad(format!("Was expecting an operation after `{field}`")))
    }

    fn value(&mut self, what: &str) -> Result<String, Refusal> {
        match self.next() {
            Some(Token::Word(word)) if KEYWORDS.contains(&word.as_str()) => {
                Err(bad(format!("Was expecting {what} but found the keyword {word}")))
            }
            Some(Token::Word(value) | Token::Quoted(value)) => Ok(value.clone()),
            other => Err(bad(format!("Was expecting {what} but found {other:?}"))),
        }
    }

    fn number(&mut self) -> Result<f64, Refusal> {
        let text = self.value("a number")?;
        text.parse().map_err(|_| bad(format!("`{text}` is not a number")))
    }
}

const KEYWORDS: &[&str] = &["AND", "OR", "NOT", "IN", "TO", "EXISTS", "IS", "NULL", "EMPTY"];

/// Whether a field is one of these or below one.
pub fn is_below(field: &str, fields: &[String]) -> bool {
    fields.iter().any(|has| {
        has == "*"
            || field == has
            || field.strip_prefix(has.as_str()).is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The values of a field, of which an array has many.
pub fn values<'a>(document: &'a Value, field: &str) -> Vec<&'a Value> {
    let value = field.split('.').try_fold(document, |value, name| value.get(name));
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
    }
}

/// A value as it is filtered by and counted.
pub fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(facet(text)),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

impl Filter {
    pub fn passes(&self, document: &Value) -> bool {
        let any_number = |field: &str, holds: &dyn Fn(f64) -> bool| {
            values(document, field).iter().filter_map(|value| value.as_f64()).any(holds)
        };
        match self {
            Self::And(all) => all.iter().all(|one| one.passes(document)),
            Self::Or(any) => any.iter().any(|one| one.passes(document)),
            Self::Not(other) => !other.passes(document),
            Self::In(field, wanted) => {
                let keys = values(document, field).into_iter().filter_map(key);
                keys.into_iter().any(|key| wanted.contains(&key))
            }
            Self::Compare(field, ordering, bound) => any_number(field, &|number| match ordering {
                Ordering::Less => number < *bound,
                Ordering::LessOrEqual => number <= *bound,
                Ordering::More => number > *bound,
                Ordering::MoreOrEqual => number >= *bound,
            }),
            Self::Between(field, from, to) => any_number(field, &|it| *from <= it && it <= *to),
            Self::Exists(field) => {
                field.split('.').try_fold(document, |value, name| value.get(name)).is_some()
            }
            Self::IsNull(field) => values(document, field).iter().any(|value| value.is_null()),
            Self::IsEmpty(field) => values(document, field).iter().any(|value| *value == ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(filter: Value, document: &Value) -> bool {
        read(&filter, &["*".to_owned()]).unwrap().passes(document)
    }

    #[test]
    fn expressions_are_read_as_published() {
        let it = json!({ "a": "X y", "n": 5, "list": ["p", "q"], "deep": { "n": 7 }, "no": null });
        for (filter, wanted) in [
            ("a = \"x Y\"", true),
            ("a = 'X y' AND n > 5", false),
            ("a = 'X y' AND n >= 5", true),
            ("n 1 TO 5", true),
            ("n 6 TO 9 OR list = q", true),
            ("NOT list IN [r, \"s\"]", true),
            ("list NOT IN [p]", false),
            ("(n < 1 OR n != 5) AND a EXISTS", false),
            ("deep.n = 7 AND b NOT EXISTS", true),
            ("no IS NULL AND a IS NOT EMPTY", true),
            (r#"a = "\" OR n = 5""#, false),
        ] {
            assert_eq!(passes(json!(filter), &it), wanted, "{filter}");
        }
        assert!(passes(json!(["n = 5", ["a = no", "list = p"]]), &it));
        for broken in
            ["a = ", "a = \"x", "a OR", "= 5", "a = 1 b = 2", "(a = 1", "a IN p", "a = x \" y"]
        {
            assert!(read(&json!(broken), &["*".to_owned()]).is_err(), "{broken}");
        }
        assert!(read(&json!("b = 1"), &["a".to_owned()]).is_err(), "not filterable");
    }
}
