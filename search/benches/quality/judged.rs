//! The judged queries, and how good an answer to one is.

use std::collections::BTreeMap;

/// A query and what answers it.
pub(crate) struct Judged {
    pub(crate) query: String,
    pub(crate) kind: String,
    rules: Vec<(u8, Vec<Part>)>,
}

enum Part {
    /// One word of each choice must be there.
    Has(Vec<Vec<String>>),
    /// None of these may be there.
    HasNot(Vec<String>),
}

/// Reads the file; panics with the line that cannot be read, since it is part of the program.
pub(crate) fn read(text: &str) -> Vec<Judged> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split('|').map(|field| field.trim().to_owned());
            let mut next = || fields.next().unwrap_or_else(|| panic!("judged.txt: `{line}`"));
            let (query, kind, rules) = (next(), next(), next());
            let rules = rules.split(';').map(|rule| {
                let (grade, words) =
                    rule.split_once(':').unwrap_or_else(|| panic!("judged.txt: `{line}`"));
                let grade = grade.trim().parse().unwrap_or_else(|_| panic!("judged.txt: `{line}`"));
                (grade, words.split_whitespace().map(part).collect())
            });
            Judged { query, kind, rules: rules.collect() }
        })
        .collect()
}

fn part(text: &str) -> Part {
    let words = |text: &str| text.split('/').map(str::to_owned).collect();
    match text.strip_prefix('!') {
        Some(text) => Part::HasNot(words(text)),
        None => Part::Has(text.split('+').map(words).collect()),
    }
}

impl Judged {
    /// 0 to 3.
    pub(crate) fn grade(&self, name: &str) -> u8 {
        let name = name.to_lowercase();
        let words: Vec<&str> = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let has = |wanted: &String| match wanted.strip_suffix('*') {
            Some(start) => words.iter().any(|word| word.starts_with(start)),
            None => words.contains(&wanted.as_str()),
        };
        let fits = |part: &Part| match part {
            Part::Has(all) => all.iter().all(|choice| choice.iter().any(has)),
            Part::HasNot(none) => !none.iter().any(has),
        };
        let grades = self.rules.iter().filter(|(_, parts)| parts.iter().all(fits));
        grades.map(|(grade, _)| *grade).max().unwrap_or(0)
    }
}

/// Normalised discounted cumulative gain of the first ten (Järvelin, Kekäläinen 2002; gain
/// 2^grade − 1, discount log2 of the rank + 1). `all` are the grades of everything there is.
pub(crate) fn ndcg_at_10(found: &[u8], all: &[u8]) -> f64 {
    let dcg = |grades: &mut dyn Iterator<Item = u8>| -> f64 {
        let gains = grades.take(10).zip(2_u32..);
        gains.map(|(grade, rank)| f64::from((1_u32 << grade) - 1) / f64::from(rank).log2()).sum()
    };
    let mut best = all.to_vec();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal = dcg(&mut best.into_iter());
    if ideal == 0.0 { 0.0 } else { dcg(&mut found.iter().copied()) / ideal }
}

/// Mean by kind of query and over all.
#[derive(Default)]
pub(crate) struct Means(BTreeMap<String, (f64, usize)>);

impl Means {
    pub(crate) fn add(&mut self, kind: &str, value: f64) {
        for kind in [kind, "all"] {
            let mean = self.0.entry(kind.to_owned()).or_default();
            mean.0 += value;
            mean.1 += 1;
        }
    }

    pub(crate) fn of(&self, kind: &str) -> f64 {
        self.0.get(kind).map_or(0.0, |(sum, count)| sum / *count as f64)
    }
}
