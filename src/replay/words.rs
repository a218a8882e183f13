//! What an event means, in words for somebody who answers a customer.

use std::collections::BTreeMap;

use domain::order::{EndTransition, LineUnits, OrderEndReason, OrderEvent, PlacedOrder};
use domain::payment::PaymentEvent;
use domain::product_return::{ReturnEvent, ReturnReason};
use domain::shipment::ShipmentEvent;
use domain::{Currency, LineNumber, Money, SkuId};
use journal::Recorded;
use schemas::{AnyEvent, RequestEvent, WebhookEvent};

use super::words_of_goods;

/// What names and amounts need: the order's own words for its goods.
#[derive(Debug, Default)]
pub(super) struct Glossary {
    currency: Option<Currency>,
    goods: BTreeMap<SkuId, String>,
    lines: BTreeMap<LineNumber, String>,
}

impl Glossary {
    pub(super) fn of(placed: &PlacedOrder) -> Self {
        let lines = placed.lines.iter();
        Self {
            currency: Some(placed.currency),
            goods: lines.clone().map(|line| (line.sku_id, line.name.clone())).collect(),
            lines: lines.map(|line| (line.line, line.name.clone())).collect(),
        }
    }

    pub(super) fn money(&self, minor: i64) -> String {
        match self.currency {
            Some(currency) => Money::new(minor, currency).to_string(),
            None => format!("{minor} minor units"),
        }
    }

    pub(super) fn goods(&self, sku_id: SkuId) -> String {
        self.goods.get(&sku_id).cloned().unwrap_or_else(|| format!("SKU {sku_id}"))
    }

    /// Few lines by name; of many, how many.
    fn units(&self, units: &[LineUnits]) -> String {
        if units.len() > NAMED_MAX {
            let all = if units.len() == self.lines.len() { "all " } else { "" };
            let sum = units.iter().map(|part| u64::from(part.quantity.get())).sum();
            return format!("{all}{}", lines_and_units(units.len(), sum));
        }
        let part = |part: &LineUnits| {
            let name = self.lines.get(&part.line).cloned();
            let name = name.unwrap_or_else(|| format!("line {}", part.line));
            format!("{} × {name}", part.quantity)
        };
        listed(units.iter().map(part))
    }
}

/// Lines that are named in a sentence; more are counted.
const NAMED_MAX: usize = 6;

fn lines_and_units(lines: usize, units: u64) -> String {
    format!("{lines} lines, {units} units")
}

pub(super) fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// One sentence without a full stop.
pub(super) fn of(recorded: &Recorded, event: &AnyEvent, words: &Glossary) -> String {
    match event {
        AnyEvent::Order(event) => order(event, words),
        AnyEvent::Payment(event) => payment(event, words),
        AnyEvent::Checkout(event) => words_of_goods::checkout(event),
        AnyEvent::Cart(event) => words_of_goods::cart(event, words),
        AnyEvent::Inventory(event) => words_of_goods::inventory(recorded, event, words),
        AnyEvent::Shipment(event) => shipment(event, words),
        AnyEvent::Return(event) => product_return(event, words),
        AnyEvent::Request(RequestEvent::Recorded { caller, key, .. }) => {
            format!("request {key} of {caller} was answered; a repeat gets the same answer")
        }
        AnyEvent::Webhook(event) => webhook(event),
        AnyEvent::Product(_)
        | AnyEvent::Category(_)
        | AnyEvent::Rating(_)
        | AnyEvent::Customer(_)
        | AnyEvent::Seller(_)
        | AnyEvent::Warehouse(_)
        | AnyEvent::Browsing(_) => recorded.event_type.to_string(),
    }
}

fn order(event: &OrderEvent, words: &Glossary) -> String {
    match event {
        OrderEvent::Placed(placed) => {
            let lines = placed.lines.iter();
            let goods = if lines.len() > NAMED_MAX {
                let units = lines.map(|line| u64::from(line.quantity.get())).sum();
                lines_and_units(placed.lines.len(), units)
            } else {
                listed(lines.map(|line| {
                    format!("{} × {} at {}", line.quantity, line.name, words.money(line.unit_minor))
                }))
            };
            let totals = &placed.totals;
            let mut text = format!("order placed: {goods}");
            for (what, minor) in [
                ("tax", totals.tax_minor),
                ("shipping", totals.shipping_minor),
                ("discount", -totals.discount_minor),
            ] {
                if minor != 0 {
                    text.push_str(&format!(", {what} {}", words.money(minor)));
                }
            }
            text.push_str(&format!("; total {}", words.money(totals.total_minor)));
            text
        }
        OrderEvent::Confirmed(_) => "order confirmed".to_owned(),
        OrderEvent::ProcessingStarted(_) => "somebody began to put the order together".to_owned(),
        OrderEvent::LinesShipped { lines, .. } => format!("shipped: {}", words.units(lines)),
        OrderEvent::Shipped(_) => "everything is shipped".to_owned(),
        OrderEvent::LinesDelivered { lines, .. } => format!("delivered: {}", words.units(lines)),
        OrderEvent::Delivered(_) => "everything is delivered".to_owned(),
        OrderEvent::LinesReturned { lines, .. } => format!("came back: {}", words.units(lines)),
        OrderEvent::Returned(_) => "everything came back".to_owned(),
        OrderEvent::Cancelled(EndTransition { reason, .. }) => {
            format!("order cancelled: {}", why(reason))
        }
        OrderEvent::Failed(EndTransition { reason, .. }) => {
            format!("order failed: {}", why(reason))
        }
    }
}

pub(super) fn why(reason: &OrderEndReason) -> String {
    match reason {
        OrderEndReason::PaymentDeclined { decline_code } => {
            format!("payment declined ({decline_code})")
        }
        OrderEndReason::PaymentExpired => "the payment was not certain in time".to_owned(),
        OrderEndReason::OutOfStock => "out of stock".to_owned(),
        OrderEndReason::CaptureFailed { failure_code } => {
            format!("the money could not be taken ({failure_code})")
        }
        OrderEndReason::Requested { note } => format!("on request ({note})"),
        OrderEndReason::Other { note } => note.clone(),
    }
}

fn payment(event: &PaymentEvent, words: &Glossary) -> String {
    use PaymentEvent as E;
    let money = |minor: &i64| words.money(*minor);
    let attempt = |number: &u32| match number {
        0 | 1 => String::new(),
        number => format!(", attempt {number}"),
    };
    match event {
        E::Initiated { provider, amount_minor, .. } => {
            format!("payment of {} through {provider} begun", money(amount_minor))
        }
        E::AuthorizationRequested { attempt: number, amount_minor, .. } => {
            format!("provider asked to reserve {}{}", money(amount_minor), attempt(number))
        }
        E::Authorized { amount_minor, .. } => format!("{} reserved", money(amount_minor)),
        E::AuthorizationDeclined { decline_code, .. } => {
            format!("provider declined the payment ({decline_code})")
        }
        E::AuthorizationExpired {} => "the reservation lapsed at the provider".to_owned(),
        E::CaptureRequested { attempt: number, amount_minor, .. } => {
            format!("provider asked to take {}{}", money(amount_minor), attempt(number))
        }
        E::Captured { amount_minor, .. } => format!("{} taken", money(amount_minor)),
        E::CaptureFailed { failure_code, .. } => {
            format!("provider could not take the money ({failure_code})")
        }
        E::VoidRequested { attempt: number, .. } => {
            format!("provider asked to free the reservation{}", attempt(number))
        }
        E::Voided { amount_minor, .. } => format!("{} free again", money(amount_minor)),
        E::VoidFailed { failure_code, .. } => {
            format!("provider could not free the reservation ({failure_code})")
        }
        E::RefundRequested { attempt: number, amount_minor, reason, .. } => {
            let amount = money(amount_minor);
            format!("provider asked to give back {amount}{} ({reason})", attempt(number))
        }
        E::Refunded { amount_minor: 0, .. } => {
            "provider confirmed a refund that was in the books already".to_owned()
        }
        E::Refunded { amount_minor, .. } => format!("{} given back", money(amount_minor)),
        E::RefundFailed { failure_code, .. } => {
            format!("provider could not give the money back ({failure_code})")
        }
        E::RefundAdopted { amount_minor, .. } => {
            format!("{} given back at the provider itself", money(amount_minor))
        }
    }
}

fn shipment(event: &ShipmentEvent, words: &Glossary) -> String {
    match event {
        ShipmentEvent::Dispatched { lines, carrier, tracking_number, .. } => {
            let with = carrier.as_ref().map(|name| format!(" with {name}")).unwrap_or_default();
            let tracking =
                tracking_number.as_ref().map(|n| format!(", tracking {n}")).unwrap_or_default();
            format!("parcel left{with}: {}{tracking}", words.units(lines))
        }
        ShipmentEvent::Delivered { .. } => "parcel arrived".to_owned(),
    }
}

fn product_return(event: &ReturnEvent, words: &Glossary) -> String {
    match event {
        ReturnEvent::Requested { rma_number, lines, reason, note, .. } => {
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            let reason = reason_of(*reason);
            format!("return {rma_number} asked for: {} ({reason}{note})", words.units(lines))
        }
        ReturnEvent::Received { lines, refund_minor, .. } => {
            let units: u32 = lines.iter().map(|line| line.quantity.get()).sum();
            let resellable: u32 = lines.iter().map(|line| line.resellable).sum();
            format!(
                "return received: {units} {}, {resellable} fit for sale, {} owed",
                if units == 1 { "unit" } else { "units" },
                words.money(*refund_minor)
            )
        }
        ReturnEvent::Rejected { note, .. } => format!("return rejected: {note}"),
    }
}

fn reason_of(reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::Damaged => "damaged",
        ReturnReason::WrongItem => "wrong item",
        ReturnReason::NotAsDescribed => "not as described",
        ReturnReason::TooLate => "too late",
        ReturnReason::ChangedMind => "changed mind",
        ReturnReason::Other => "other",
    }
}

fn webhook(event: &WebhookEvent) -> String {
    match event {
        WebhookEvent::Received { provider, event_type, .. } => {
            format!("{provider} sent word: {event_type}")
        }
        WebhookEvent::Applied {} => "the provider's word is in the books".to_owned(),
        WebhookEvent::Parked { reason } => format!("the provider's word waits: {reason}"),
        WebhookEvent::Ignored { reason } => format!("the provider's word was ignored: {reason}"),
    }
}
