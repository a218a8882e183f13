//! How many slips of the fingers lie between two words.

/// Longest word, characters, whose distance is worked out.
pub(super) const LENGTH_MAX: usize = super::words::CHARACTERS_MAX;

/// The Damerau-Levenshtein distance (letters left out, put in, replaced, or two neighbours swapped;
/// nothing is changed twice: "optimal string alignment"), if it is at most `max`.
///
/// Works only on the diagonals that can stay within `max` (Ukkonen 1985).
pub(super) fn distance_within<T: PartialEq>(a: &[T], b: &[T], max: usize) -> Option<usize> {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if b.len() - a.len() > max || b.len() > LENGTH_MAX {
        return None;
    }
    // Everything above is as good as this; small cells, because rows are copied.
    let far = u8::try_from(max + 1).ok()?;
    let mut older = [far; LENGTH_MAX + 1];
    let mut old = [far; LENGTH_MAX + 1];
    for (j, cell) in (0..far).zip(&mut old) {
        *cell = j;
    }
    for i in 1..=a.len() {
        let mut row = [far; LENGTH_MAX + 1];
        row[0] = u8::try_from(i).map_or(far, |i| i.min(far));
        let mut nearest = row[0];
        for j in i.saturating_sub(max).max(1)..=(i + max).min(b.len()) {
            let mut cell = old[j - 1] + u8::from(a[i - 1] != b[j - 1]);
            cell = cell.min(old[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cell = cell.min(older[j - 2] + 1);
            }
            row[j] = cell.min(far);
            nearest = nearest.min(row[j]);
        }
        // A swap reaches back two rows.
        if nearest == far && old.iter().all(|cell| *cell == far) {
            return None;
        }
        older = old;
        old = row;
    }
    Some(old[b.len()]).filter(|distance| *distance < far).map(usize::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, with the whole table.
    fn plain(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(table[i - 2][j - 2] + 1);
                    }
                    least
                };
            }
        }
        table[a.len()][b.len()]
    }

    fn of(a: &str, b: &str, max: usize) -> Option<usize> {
        let characters = |word: &str| word.chars().collect::<Vec<_>>();
        distance_within(&characters(a), &characters(b), max)
    }

    #[test]
    fn slips_are_counted() {
        assert_eq!(of("candle", "candle", 0), Some(0));
        assert_eq!(of("candle", "cnadle", 1), Some(1));
        assert_eq!(of("candle", "candel", 2), Some(1));
        assert_eq!(of("candle", "handles", 2), Some(2));
        assert_eq!(of("candle", "handles", 1), None);
        assert_eq!(of("", "ab", 2), Some(2));
        assert_eq!(of("", "", 0), Some(0));
        assert_eq!(of(&"x".repeat(65), &"x".repeat(65), 2), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn the_distance_is_that_of_the_definition(
            a in "[abc]{0,9}", b in "[abcé]{0,9}", max in 0_usize..4,
        ) {
            let whole = plain(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
            prop_assert_eq!(of(&a, &b, max), Some(whole).filter(|whole| *whole <= max));
            prop_assert_eq!(of(&b, &a, max), of(&a, &b, max));
        }
    }
}
