//! Looks over JSON text without building anything: how deep it is, and where in it a byte lies.

/// Deepest nesting of arrays and objects.
pub(super) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Byte offset of a line and column as `serde_json` counts them: both from 1, columns in bytes.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column).min(text.len())
}

enum Within {
    /// The key the value being read belongs to, and whether a key comes next.
    Object(String, bool),
    Array(usize),
}

/// Path of the value that ends at or holds the byte at `offset`, such as `.lines[2].quantity`;
/// empty at the top.
pub(super) fn path(text: &str, offset: usize) -> String {
    let bytes = &text.as_bytes()[..offset.min(text.len())];
    let mut within: Vec<Within> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if let Some(Within::Object(key, expects @ true)) = within.last_mut() {
                    let end = at.min(bytes.len());
                    *key = String::from_utf8_lossy(&bytes[start.min(end)..end]).into_owned();
                    *expects = false;
                }
            }
            b'{' => within.push(Within::Object(String::new(), true)),
            b'[' => within.push(Within::Array(0)),
            // The value that just ended may be the one that is wrong.
            b'}' | b']' if at + 1 < bytes.len() => drop(within.pop()),
            b',' => match within.last_mut() {
                Some(Within::Object(_, expects)) => *expects = true,
                Some(Within::Array(index)) => *index += 1,
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    within.iter().fold(String::new(), |path, within| match within {
        Within::Object(key, _) if key.is_empty() => path,
        Within::Object(key, _) => format!("{path}.{key}"),
        Within::Array(index) => format!("{path}[{index}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_is_not_text() {
        assert_eq!(depth("1"), 0);
        assert_eq!(depth(r#"{"a":[{}],"b":"{{{{\"[["}"#), 3);
        assert_eq!(depth(&"[".repeat(5_000)), 5_000);
    }

    #[test]
    fn a_byte_has_a_path() {
        let text = r#"[{"line":1},{"line":2,"quantity":"x"}]"#;
        let at = text.find("\"x\"").unwrap() + 3;
        assert_eq!(path(text, at), "[1].quantity");
        assert_eq!(path(r#""x"#, 2), "");
        for end in 0..=text.len() {
            let _ = path(text, end);
        }
    }

    #[test]
    fn offsets_count_lines() {
        assert_eq!(offset("a\nbc\nd", 2, 1), 3);
        assert_eq!(offset("a", 9, 9), 1);
    }
}
