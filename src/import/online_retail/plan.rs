//! What is to be done, in time order, and the rule each row met. Nothing here writes anything.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ledger::{Invoice, Kind, Ledger, Row};
use super::purchases::{Match, Purchases};
use super::rules::{Place, Rule, is_service};
use crate::import::report::RuleCount;

/// One thing to do. Indexes are into [`Ledger::invoices`] and its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Planned {
    /// The rows of an invoice that become lines, in order.
    Order {
        invoice: u32,
        rows: Vec<u32>,
    },
    /// Units of an earlier order come back: line number and units.
    Return {
        invoice: u32,
        order: u32,
        lines: BTreeMap<u32, u32>,
        refund_minor: i64,
    },
    /// Money back without goods.
    Credit {
        invoice: u32,
        row: u32,
        order: u32,
        amount_minor: i64,
    },
    WriteOff {
        invoice: u32,
        row: u32,
    },
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Planned>,
    tallies: BTreeMap<Rule, Tally>,
    /// Units that must be in stock before the first sale, by code.
    pub(super) units_needed: Vec<u64>,
    /// Value of the orders in pence, below-a-penny prices at nothing.
    pub(super) orders_value_minor: i64,
    pub(super) refunds_minor: i64,
    /// What cancellations ask for beyond what their orders had left, in pence.
    pub(super) not_refunded_minor: i64,
    /// Units of partly matched cancellations that found no purchase.
    pub(super) units_unmatched: u64,
    /// Invoices taken.
    invoices: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    rows: u64,
    units: i64,
    value: i64,
}

impl Plan {
    /// Plans the whole file, or its first `invoices_max` invoices.
    pub(super) fn of(ledger: &Ledger, invoices_max: Option<usize>) -> Self {
        let mut plan = Self { units_needed: vec![0; ledger.codes.all.len()], ..Self::default() };
        let mut purchases = Purchases::default();
        let taken = invoices_max.unwrap_or(usize::MAX);
        plan.invoices = ledger.invoices.len().min(taken);
        for (index, invoice) in (0_u32..).zip(ledger.invoices.iter().take(taken)) {
            match invoice.kind {
                Kind::Invoice | Kind::Adjustment => {
                    plan.invoice(ledger, index, invoice, &mut purchases);
                }
                Kind::Cancellation => plan.cancellation(ledger, index, invoice, &mut purchases),
            }
        }
        plan
    }

    fn tally(&mut self, rule: Rule, row: Row) {
        let tally = self.tallies.entry(rule).or_default();
        tally.rows += 1;
        tally.units += i64::from(row.quantity);
        tally.value += row.value();
    }

    fn invoice(
        &mut self,
        ledger: &Ledger,
        index: u32,
        invoice: &Invoice,
        purchases: &mut Purchases,
    ) {
        let sold = || invoice.rows.iter().filter(|row| row.quantity > 0 && row.price > 0);
        let invoice_totals_nothing = sold().next().is_none();
        let mut seen = HashSet::new();
        let mut lines = Vec::new();
        for (number, row) in (0_u32..).zip(invoice.rows.iter().copied()) {
            let seen_before = !seen.insert((row.code, row.quantity, row.price, row.description));
            let is_service = is_service(ledger.code(row));
            let place = Place { invoice_totals_nothing, seen_before, is_service };
            let rule = Rule::of_row(invoice, row, &place).unwrap_or(Rule::NotUnderstood);
            self.tally(rule, row);
            if rule.becomes_a_line() {
                lines.push(number);
            } else if rule == Rule::WrittenOff {
                self.steps.push(Planned::WriteOff { invoice: index, row: number });
            }
            if (rule.becomes_a_line() || rule == Rule::WrittenOff)
                && let Some(units) = self.units_needed.get_mut(row.code as usize)
            {
                *units += u64::from(row.quantity.unsigned_abs());
            }
        }
        if lines.is_empty() {
            return;
        }
        let bought = lines.iter().filter_map(|row| invoice.rows.get(*row as usize).copied());
        self.orders_value_minor += purchases.bought(index, invoice.customer, bought);
        self.steps.push(Planned::Order { invoice: index, rows: lines });
    }

    fn cancellation(
        &mut self,
        ledger: &Ledger,
        index: u32,
        invoice: &Invoice,
        purchases: &mut Purchases,
    ) {
        // One return for each order that units come back from.
        let mut returns: BTreeMap<u32, (BTreeMap<u32, u32>, i64)> = BTreeMap::new();
        let mut credits = Vec::new();
        for (number, row) in (0_u32..).zip(invoice.rows.iter().copied()) {
            if let Some(rule) = Rule::of_row(invoice, row, &Place::default()) {
                self.tally(rule, row);
                continue;
            }
            let Some(customer) = invoice.customer else {
                self.tally(Rule::CancelledWithoutCustomer, row);
                continue;
            };
            let service = is_service(ledger.code(row));
            let Match { parts, missing } = purchases.take_back(customer, row, service);
            let mut capped = 0;
            for part in &parts {
                let (lines, refund) = returns.entry(part.order).or_default();
                *lines.entry(part.line).or_default() += part.units;
                *refund += part.refund_minor;
                capped += part.not_refunded_minor;
                self.refunds_minor += part.refund_minor;
            }
            self.not_refunded_minor += capped;
            let rule = match (parts.is_empty(), missing, capped) {
                (false, 0, 0) => Rule::Returned,
                (false, 0, _) => Rule::ReturnedRefundCapped,
                (false, _, _) => {
                    self.units_unmatched += u64::from(missing);
                    Rule::ReturnedInPart
                }
                (true, ..) if service => {
                    let amount_minor = i64::from(row.quantity.unsigned_abs()) * row.pence();
                    match purchases.credit(customer, amount_minor) {
                        Some(order) => {
                            self.refunds_minor += amount_minor;
                            let row = number;
                            credits.push(Planned::Credit {
                                invoice: index,
                                row,
                                order,
                                amount_minor,
                            });
                            Rule::Credited
                        }
                        None => Rule::CreditUnmatched,
                    }
                }
                (true, ..) => Rule::CancelledWithoutPurchase,
            };
            self.tally(rule, row);
        }
        self.steps.extend(returns.into_iter().map(|(order, (lines, refund_minor))| {
            Planned::Return { invoice: index, order, lines, refund_minor }
        }));
        self.steps.append(&mut credits);
    }

    /// Rows of the invoices taken: the file's own count when all are.
    pub(super) fn rows_taken(&self, ledger: &Ledger) -> u64 {
        if self.invoices == ledger.invoices.len() {
            return ledger.rows;
        }
        ledger.invoices.iter().take(self.invoices).map(|invoice| invoice.rows.len() as u64).sum()
    }

    /// Every rule, met or not.
    pub(super) fn rule_counts(&self) -> Vec<RuleCount> {
        let count = |rule: &Rule| {
            let Tally { rows, units, value } = self.tallies.get(rule).copied().unwrap_or_default();
            RuleCount {
                rule: rule.name(),
                what_happens: rule.what_happens(),
                became_orders: rule.becomes_a_line(),
                rows,
                units,
                value_thousandths: value,
            }
        };
        Rule::ALL.iter().map(count).collect()
    }
}

/// The name and price a code is sold under: the most frequent among its priced sales, the first
/// of several. A code never sold for money has no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Article {
    pub(super) name: String,
    pub(super) price_minor: Option<i64>,
}

/// The articles of the ledger, by code.
pub(super) fn articles(ledger: &Ledger) -> Vec<Article> {
    // Rows of priced sales count far more than any other, so that a name is taken from others only
    // where there is none.
    const SALE: u64 = 1 << 32;
    let mut names: HashMap<(u32, u32), u64> = HashMap::new();
    let mut prices: HashMap<(u32, i32), u64> = HashMap::new();
    for invoice in &ledger.invoices {
        for row in &invoice.rows {
            let sale = invoice.kind == Kind::Invoice && row.quantity > 0 && row.price > 0;
            if !ledger.description(*row).is_empty() {
                *names.entry((row.code, row.description)).or_default() +=
                    if sale { SALE } else { 1 };
            }
            if sale && row.pence() > 0 {
                *prices.entry((row.code, row.price)).or_default() += 1;
            }
        }
    }
    let mut best_name: Vec<Option<(u64, u32)>> = vec![None; ledger.codes.all.len()];
    for ((code, description), times) in names {
        // Numbers of descriptions grow in file order: among equals the first wins.
        let better = |best: &(u64, u32)| (times, best.1) > (best.0, description);
        if let Some(best) = best_name.get_mut(code as usize)
            && best.as_ref().is_none_or(better)
        {
            *best = Some((times, description));
        }
    }
    let mut best_price: Vec<Option<(u64, i32)>> = vec![None; ledger.codes.all.len()];
    for ((code, price), times) in prices {
        let better = |best: &(u64, i32)| (times, best.1) > (best.0, price);
        if let Some(best) = best_price.get_mut(code as usize)
            && best.as_ref().is_none_or(better)
        {
            *best = Some((times, price));
        }
    }
    let name_of =
        |index: u32| ledger.descriptions.all.get(index as usize).map(|n| n.name.to_string());
    ledger
        .codes
        .all
        .iter()
        .zip(best_name.into_iter().zip(best_price))
        .map(|(code, (name, price))| Article {
            name: name.and_then(|(_, index)| name_of(index)).unwrap_or(code.name.to_string()),
            price_minor: price.map(|(_, price)| i64::from(price) / 10),
        })
        .collect()
}
