//! A state for a person: indented, what is short on one line, long lists cut.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use serde_json::Value;

use super::state::StateThen;

/// Entries of a list or table that are shown; the others are counted.
const SHOWN_MAX: usize = 12;
/// What fits on one line stays on one line.
const LINE_MAX: usize = 90;

impl StateThen {
    /// The state as text; `--json` has all of it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let time =
            |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut text = format!(
            "{} after {} events\nlast change {}, at position {}, recorded {}\n\n",
            self.stream,
            self.events,
            time(self.occurred),
            self.position.0,
            time(self.recorded),
        );
        match &self.state {
            Value::Object(fields) => {
                for (name, value) in fields {
                    write(&mut text, 0, &format!("{name}:"), value);
                }
            }
            other => write(&mut text, 0, "state:", other),
        }
        text
    }
}

fn write(text: &mut String, depth: usize, head: &str, value: &Value) {
    let indent = "  ".repeat(depth);
    // Writing to a string cannot fail.
    if let Some(short) = inline(value) {
        let _ = writeln!(text, "{indent}{head} {short}");
        return;
    }
    let _ = writeln!(text, "{indent}{head}");
    let count = match value {
        Value::Array(items) => {
            for item in items.iter().take(SHOWN_MAX) {
                write(text, depth + 1, "-", item);
            }
            items.len()
        }
        Value::Object(fields) => {
            for (name, value) in fields.iter().take(SHOWN_MAX) {
                write(text, depth + 1, &format!("{name}:"), value);
            }
            fields.len()
        }
        _ => 0,
    };
    if count > SHOWN_MAX {
        let more = count - SHOWN_MAX;
        let _ = writeln!(text, "{indent}  … and {more} more; --json has them all");
    }
}

/// The value on one line, if it is short.
fn inline(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => return Some(text.clone()),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        Value::Array(items) if items.len() <= SHOWN_MAX => {
            let parts: Option<Vec<String>> = items.iter().map(inline).collect();
            format!("[{}]", parts?.join(", "))
        }
        Value::Object(fields) if fields.len() <= SHOWN_MAX => {
            let part = |(name, value): (&String, &Value)| {
                inline(value).map(|value| format!("{name} {value}"))
            };
            let parts: Option<Vec<String>> = fields.iter().map(part).collect();
            parts?.join(", ")
        }
        Value::Array(_) | Value::Object(_) => return None,
    };
    (text.chars().count() <= LINE_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_stay_on_a_line_and_long_lists_are_cut() {
        let holds: Vec<Value> =
            (0..40).map(|n| serde_json::json!([format!("hold-{n}"), null])).collect();
        let state = serde_json::json!({
            "ended": holds, "open": {}, "stock": {"north": {"held": 2, "on_hand": 10}}, "sold_out": false,
        });
        let then = StateThen {
            stream: "inventory-7".to_owned(),
            version: 41,
            events: 41,
            position: journal::Position(99),
            occurred: chrono::DateTime::UNIX_EPOCH,
            recorded: chrono::DateTime::UNIX_EPOCH,
            state,
        };
        let text = then.to_text();
        assert!(
            text.starts_with("inventory-7 after 41 events\nlast change 1970-01-01T00:00:00.000Z, ")
        );
        assert!(text.contains("\nended:\n  - [hold-0, none]\n"), "{text}");
        assert!(
            text.contains("  … and 28 more; --json has them all\nopen: none\nsold_out: no\n"),
            "{text}"
        );
        assert!(text.ends_with("stock: north held 2, on_hand 10\n"), "{text}");
    }
}
