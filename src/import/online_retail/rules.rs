//! The rules: each row of the file meets exactly one.

use super::ledger::{Invoice, Kind, Row};

/// What becomes of a row. Where several could apply, the first in the order of
/// [`Rule::of_row`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    Sold,
    SoldRepeatedLine,
    SoldService,
    SoldBelowAPenny,
    GivenFree,
    NothingToPay,
    WrittenOff,
    Returned,
    ReturnedRefundCapped,
    ReturnedInPart,
    Credited,
    CreditUnmatched,
    CancelledWithoutCustomer,
    CancelledWithoutPurchase,
    BadDebtAdjusted,
    NotUnderstood,
}

impl Rule {
    pub(super) const ALL: [Self; 16] = [
        Self::Sold,
        Self::SoldRepeatedLine,
        Self::SoldService,
        Self::SoldBelowAPenny,
        Self::GivenFree,
        Self::NothingToPay,
        Self::WrittenOff,
        Self::Returned,
        Self::ReturnedRefundCapped,
        Self::ReturnedInPart,
        Self::Credited,
        Self::CreditUnmatched,
        Self::CancelledWithoutCustomer,
        Self::CancelledWithoutPurchase,
        Self::BadDebtAdjusted,
        Self::NotUnderstood,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::SoldRepeatedLine => "sold_repeated_line",
            Self::SoldService => "sold_service",
            Self::SoldBelowAPenny => "sold_below_a_penny",
            Self::GivenFree => "given_free",
            Self::NothingToPay => "nothing_to_pay",
            Self::WrittenOff => "written_off",
            Self::Returned => "returned",
            Self::ReturnedRefundCapped => "returned_refund_capped",
            Self::ReturnedInPart => "returned_in_part",
            Self::Credited => "credited",
            Self::CreditUnmatched => "credit_unmatched",
            Self::CancelledWithoutCustomer => "cancelled_no_customer",
            Self::CancelledWithoutPurchase => "cancelled_no_purchase",
            Self::BadDebtAdjusted => "bad_debt_adjusted",
            Self::NotUnderstood => "not_understood",
        }
    }

    pub(super) fn what_happens(self) -> &'static str {
        match self {
            Self::Sold => "a line of the invoice's order",
            Self::SoldRepeatedLine => "the same row again on its invoice: a line of its own",
            Self::SoldService => "postage, fees and the like: a line of the order",
            Self::SoldBelowAPenny => "a price of less than a penny: a line at nothing",
            Self::GivenFree => "a price of nothing beside lines that cost: a line at nothing",
            Self::NothingToPay => "the invoice totals nothing: a line of an order without payment",
            Self::WrittenOff => "negative, at no price, no cancellation: stock written off",
            Self::Returned => "cancelled after its purchase: returned and refunded",
            Self::ReturnedRefundCapped => "returned; more than the order had left to refund",
            Self::ReturnedInPart => "returned as far as the customer had bought it",
            Self::Credited => "a discount or fee taken back: refund of the latest order",
            Self::CreditUnmatched => "a discount or fee taken back; no order to refund",
            Self::CancelledWithoutCustomer => "cancelled without a customer: nothing to match",
            Self::CancelledWithoutPurchase => "cancelled, not bought in this file: nothing done",
            Self::BadDebtAdjusted => "an entry of the accounts, no trade: nothing done",
            Self::NotUnderstood => "a combination this format does not know: nothing done",
        }
    }

    /// Whether such a row becomes a line of an order.
    pub(super) fn becomes_a_line(self) -> bool {
        matches!(
            self,
            Self::Sold
                | Self::SoldRepeatedLine
                | Self::SoldService
                | Self::SoldBelowAPenny
                | Self::GivenFree
                | Self::NothingToPay
        )
    }

    /// The rule of a row, as far as the row and its invoice decide it; `None` for cancellations,
    /// which depend on what was bought before.
    pub(super) fn of_row(invoice: &Invoice, row: Row, place: &Place) -> Option<Self> {
        let rule = match (invoice.kind, row.quantity > 0) {
            (Kind::Cancellation, false) if row.price >= 0 => return None,
            (Kind::Adjustment, _) => Self::BadDebtAdjusted,
            (Kind::Invoice, false) if row.price == 0 => Self::WrittenOff,
            (Kind::Invoice, true) if row.price >= 0 => match row.price {
                _ if place.invoice_totals_nothing => Self::NothingToPay,
                0 => Self::GivenFree,
                price if price % 10 != 0 => Self::SoldBelowAPenny,
                _ if place.is_service => Self::SoldService,
                _ if place.seen_before => Self::SoldRepeatedLine,
                _ => Self::Sold,
            },
            (Kind::Invoice | Kind::Cancellation, _) => Self::NotUnderstood,
        };
        Some(rule)
    }
}

/// What a row's rule depends on beside the row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// What can be sold on the invoice comes to nothing.
    pub(super) invoice_totals_nothing: bool,
    /// The invoice has an equal row further up.
    pub(super) seen_before: bool,
    pub(super) is_service: bool,
}

/// Codes that name no goods: carriage, postage, entries by hand, discounts, samples, fees,
/// commissions, bad debt.
const SERVICES: [&str; 10] =
    ["POST", "DOT", "C2", "M", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"];

pub(super) fn is_service(code: &str) -> bool {
    SERVICES.contains(&code)
}
