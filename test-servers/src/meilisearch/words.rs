//! Words, and what counts as the same one.

/// Without regard to case and accents.
pub fn normal(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|letter| !('\u{300}'..='\u{36f}').contains(letter))
        .map(plain)
        .collect()
}

fn plain(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}

/// Words of a text, with where they begin and how long they are, in bytes.
pub fn tokens(text: &str) -> Vec<(String, usize, usize)> {
    let mut tokens = Vec::new();
    let mut begin = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        // What is neither a letter nor a separator, such as a picture, is a word of its own kind.
        let inside = letter.is_alphanumeric() || u32::from(letter) >= 0x1_f000;
        match (inside, begin) {
            (true, None) => begin = Some(at),
            (false, Some(start)) => {
                tokens.push((normal(&text[start..at]), start, at - start));
                begin = None;
            }
            _ => {}
        }
    }
    tokens
}

/// What is searched for.
#[derive(Debug, Default, PartialEq)]
pub struct Terms {
    pub words: Vec<String>,
    /// The last word may be only begun.
    pub open: bool,
    /// What has one of these is left out.
    pub without: Vec<String>,
}

/// Reads a search as the real server does: at most ten words, a minus before what is left out, and no
/// words at all where there are only signs, which then find everything. Words in quotes are taken one
/// by one.
pub fn terms(text: &str, stop_words: &[String]) -> Terms {
    let mut terms = Terms::default();
    let all = tokens(text);
    let count = all.len();
    for (index, (word, start, length)) in all.into_iter().enumerate() {
        let before = text[..start].trim_end_matches('"');
        let left_out = before.ends_with('-')
            && before[..before.len() - 1].chars().next_back().is_none_or(char::is_whitespace);
        let last = index + 1 == count && start + length == text.len();
        if left_out {
            terms.without.push(word);
        } else if (!stop_words.contains(&word) || last) && terms.words.len() < 10 {
            terms.words.push(word);
            terms.open = last;
        }
    }
    terms
}

/// How many typos a document's word is away from the one searched for, if it is near enough.
pub fn typos(searched: &str, has: &str, open: bool) -> Option<usize> {
    if has == searched || (open && has.starts_with(searched)) {
        return Some(0);
    }
    let letters: Vec<char> = searched.chars().collect();
    let allowed = match letters.len() {
        0..5 => return None,
        5..9 => 1,
        _ => 2,
    };
    let has: Vec<char> = has.chars().collect();
    let row = distances(&letters, &has);
    let mut distance = if open { *row.iter().min()? } else { *row.last()? };
    if has.first() != letters.first() {
        // A wrong first letter counts twice.
        distance += 1;
    }
    (distance <= allowed).then_some(distance)
}

/// Distances from a word to each beginning of another: insertions, deletions, replacements, and
/// neighbours swapped (optimal string alignment).
fn distances(a: &[char], b: &[char]) -> Vec<usize> {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_forgiven_by_length() {
        assert_eq!(typos("lamp", "lump", false), None);
        assert_eq!(typos("lantrn", "lantern", false), Some(1));
        assert_eq!(typos("lantenr", "lantern", false), Some(1));
        assert_eq!(typos("lantxxn", "lantern", false), None);
        assert_eq!(typos("teaspooons", "teaspoons", false), Some(1));
        assert_eq!(typos("xantern", "lantern", false), None);
        assert_eq!(typos("lant", "lantern", true), Some(0));
        assert_eq!(typos("lanet", "lantern", true), Some(1));
    }

    #[test]
    fn signs_have_meanings() {
        assert_eq!(terms("!! - \"", &[]), Terms::default());
        let found = terms("red -lamp", &[]);
        assert_eq!((found.words, found.without), (vec!["red".to_owned()], vec!["lamp".to_owned()]));
        assert!(terms("red", &[]).open && !terms("red!", &[]).open);
    }
}
