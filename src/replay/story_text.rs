//! An order's story for a person: its lines, what happened, and how things stand.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::Money;

use super::story::{LineThen, Story, StoryEntry, StorySummary};

/// How much of a story is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// What one command says of many goods is told in one line.
    Summed,
    /// A line for each event.
    EveryEvent,
}

/// From so many events on, a command's words on its goods are summed up.
const SUMMED_FROM: usize = 4;
const NAME_WIDTH_MAX: usize = 44;

impl Story {
    /// The story as text. How things stand comes last, where a terminal shows it.
    #[must_use]
    pub fn to_text(&self, telling: Telling) -> String {
        let summary = &self.summary;
        let reference =
            summary.reference.as_ref().map(|it| format!(", reference {it}")).unwrap_or_default();
        let mut text = format!("Order {}{reference}\n\n", self.order_id);
        summary.write_lines(&mut text);
        text.push('\n');
        let width = self.entries.iter().map(|entry| entry.position.0.to_string().len()).max();
        let mut rest = self.entries.as_slice();
        while let Some(first) = rest.first() {
            let alike = match telling {
                Telling::Summed => alike(rest),
                Telling::EveryEvent => 1,
            };
            let (told, after) = rest.split_at(alike.max(1));
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{}  @{:<width$}  {}  [{}]",
                seconds(first.occurred),
                first.position.0,
                words(told),
                by(first),
                width = width.unwrap_or(0),
            );
            rest = after;
        }
        text.push('\n');
        summary.write(&mut text);
        let late = |entry: &&StoryEntry| entry.recorded - entry.occurred > TimeDelta::hours(1);
        if let Some(entry) = self.entries.iter().find(late) {
            let recorded = seconds(entry.recorded);
            let _ = writeln!(text, "recorded  {recorded}; the times above are when it happened");
        }
        text
    }
}

/// How many entries from the first on say the same of different goods, by one command.
fn alike(entries: &[StoryEntry]) -> usize {
    let Some(first) = entries.first() else { return 0 };
    let same = |entry: &&StoryEntry| {
        entry.command_id == first.command_id
            && entry.of_goods.as_ref().map(|it| it.what)
                == first.of_goods.as_ref().map(|it| it.what)
    };
    if first.command_id.is_none() || first.of_goods.is_none() {
        return 1;
    }
    match entries.iter().take_while(same).count() {
        few if few < SUMMED_FROM => 1,
        many => many,
    }
}

fn words(told: &[StoryEntry]) -> String {
    match told {
        [first, .., last] => {
            let goods = || told.iter().filter_map(|entry| entry.of_goods.as_ref());
            let what = goods().next().map_or("", |it| it.what);
            let units: u64 = goods().map(|it| it.units).sum();
            let (articles, to) = (told.len(), last.position.0);
            debug_assert!(first.position < last.position);
            format!("{what}: {articles} articles, {units} units (to @{to})")
        }
        [only] => only.text.clone(),
        [] => String::new(),
    }
}

fn by(entry: &StoryEntry) -> String {
    match &entry.on_behalf_of {
        Some(whom) => format!("{} for {whom}", entry.actor),
        None => entry.actor.clone(),
    }
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl StorySummary {
    fn money(&self, minor: i64) -> String {
        Money::new(minor, self.currency).to_string()
    }

    fn write_lines(&self, text: &mut String) {
        let short = |name: &str| name.chars().take(NAME_WIDTH_MAX).collect::<String>();
        let name_width = self.lines.iter().map(|line| short(&line.name).chars().count()).max();
        let name_width = name_width.unwrap_or(0).max("goods".len());
        let price = |line: &LineThen| self.money(line.unit_minor);
        let price_width = self.lines.iter().map(|line| price(line).len()).max();
        let price_width = price_width.unwrap_or(0).max("price".len());
        let (goods, head) = ("goods", "price");
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "line  {goods:<name_width$}  {head:>price_width$}  ordered  shipped  delivered  returned",
        );
        for line in &self.lines {
            let LineThen { line: number, ordered, shipped, delivered, returned, .. } = line;
            let (name, price) = (short(&line.name), price(line));
            let number = number.to_string();
            let _ = writeln!(
                text,
                "{number:>4}  {name:<name_width$}  {price:>price_width$}  \
                 {ordered:>7}  {shipped:>7}  {delivered:>9}  {returned:>8}",
            );
        }
    }

    fn write(&self, text: &mut String) {
        let mut say = |what: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:<10}{value}");
        };
        let reason = self.end_reason.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
        say("status", &format!("{}{reason}", self.status));
        match (self.customer_id, &self.contact) {
            (Some(customer_id), _) => say("customer", &customer_id.to_string()),
            (None, Some(contact)) => say("guest", contact),
            (None, None) => say("guest", "no contact"),
        }
        if let Some(ship_to) = &self.ship_to {
            say("ship to", ship_to);
        }
        say("total", &self.money(self.total_minor));
        say("paid", &self.money(self.captured_minor));
        say("refunded", &self.money(self.refunded_minor));
        if !self.waiting_for.is_empty() {
            let calls = self.waiting_for.join(", ");
            say("waiting", &format!("the provider has not answered: {calls}"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failing test panics")]
mod tests {
    use super::*;
    use crate::replay::words_of_goods::OfGoods;

    fn entry(position: u64, command: u128, what: &'static str) -> StoryEntry {
        StoryEntry {
            position: journal::Position(position),
            stream: "inventory-1".to_owned(),
            version: 1,
            event_type: "inventory.held".to_owned(),
            occurred: DateTime::UNIX_EPOCH,
            recorded: DateTime::UNIX_EPOCH,
            actor: "import".to_owned(),
            on_behalf_of: None,
            request: None,
            command_id: Some(uuid::Uuid::from_u128(command)),
            correlation_id: None,
            causation_id: None,
            text: format!("{what}: 2 × Kettle"),
            event: serde_json::Value::Null,
            of_goods: Some(OfGoods { what, units: 2 }),
        }
    }

    #[test]
    fn what_a_command_says_of_many_goods_is_summed_up_and_no_more_than_that() {
        let held = |from: u64, to: u64, command| {
            (from..=to).map(move |position| entry(position, command, "stock held"))
        };
        let entries: Vec<_> = held(1, 5, 7)
            .chain(held(6, 8, 8))
            .chain([entry(9, 8, "stock left the house")])
            .collect();
        let mut rest = entries.as_slice();
        let mut told = Vec::new();
        while !rest.is_empty() {
            let (some, after) = rest.split_at(alike(rest));
            told.push(words(some));
            rest = after;
        }
        assert_eq!(
            told,
            [
                "stock held: 5 articles, 10 units (to @5)",
                "stock held: 2 × Kettle",
                "stock held: 2 × Kettle",
                "stock held: 2 × Kettle",
                "stock left the house: 2 × Kettle",
            ]
        );
    }
}
