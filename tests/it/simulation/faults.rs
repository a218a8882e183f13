//! What goes wrong, drawn by the seed: each run has its own faults and its own rates.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::payment::Operation;
use journal::{JournalError, Unit, Verdict};
use sagas::payment_gateway::{Fault as ProviderFault, SandboxFaults, WebhookManner};

use super::chance::Chance;

/// Rates in a million, unless they say otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rates {
    pub(crate) append_fails_before: u64,
    pub(crate) append_fails_after: u64,
    pub(crate) crash_before: u64,
    pub(crate) crash_after: u64,
    /// At any turn of the executor.
    pub(crate) crash_anywhere: u64,
    pub(crate) ledger_fails: u64,
    pub(crate) request_lost: u64,
    pub(crate) reply_lost: u64,
    pub(crate) provider_slow: u64,
    pub(crate) provider_refuses: u64,
    pub(crate) provider_pending: u64,
    pub(crate) provider_webhook: u64,
    pub(crate) webhook_lost: u64,
    pub(crate) webhook_doubled: u64,
    pub(crate) webhook_ack_lost: u64,
    /// At any turn of the executor.
    pub(crate) clock_jumps: u64,
}

impl Rates {
    /// Each kind of fault is off, rare or frequent.
    pub(crate) fn drawn(chance: &Chance) -> Self {
        let rate = |often: u64| match chance.below(5) {
            0 | 1 => 0,
            2 | 3 => often / 8,
            _ => often,
        };
        Self {
            append_fails_before: rate(60_000),
            append_fails_after: rate(60_000),
            crash_before: rate(15_000),
            crash_after: rate(15_000),
            crash_anywhere: rate(500),
            ledger_fails: rate(40_000),
            request_lost: rate(200_000),
            reply_lost: rate(200_000),
            provider_slow: rate(200_000),
            provider_refuses: rate(100_000),
            provider_pending: rate(150_000),
            provider_webhook: rate(500_000),
            webhook_lost: rate(200_000),
            webhook_doubled: rate(300_000),
            webhook_ack_lost: rate(200_000),
            clock_jumps: rate(150),
        }
    }
}

/// How often each fault struck.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts(pub(crate) BTreeMap<&'static str, u64>);

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        for (name, times) in &other.0 {
            *self.0.entry(name).or_default() += times;
        }
    }
}

/// A fault planned for one place, for runs that enumerate them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planned {
    CrashBefore(u64),
    CrashAfter(u64),
    FailBefore(u64),
    FailAfter(u64),
    LoseRequest(u64),
    LoseReply(u64),
}

/// Draws all faults of a run; clones are the same source.
#[derive(Clone)]
pub(crate) struct Faults(Arc<Source>);

struct Source {
    chance: Chance,
    rates: Rates,
    planned: Option<Planned>,
    on: AtomicBool,
    counts: Mutex<Counts>,
    appends: Mutex<u64>,
    calls: Mutex<u64>,
}

fn next(counter: &Mutex<u64>) -> u64 {
    let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
    *counter += 1;
    *counter
}

impl Faults {
    pub(crate) fn new(chance: Chance, rates: Rates, planned: Option<Planned>) -> Self {
        Self(Arc::new(Source {
            chance,
            rates,
            planned,
            on: AtomicBool::new(false),
            counts: Mutex::default(),
            appends: Mutex::default(),
            calls: Mutex::default(),
        }))
    }

    pub(crate) fn switch(&self, on: bool) {
        self.0.on.store(on, Ordering::Relaxed);
    }

    pub(crate) fn on(&self) -> bool {
        self.0.on.load(Ordering::Relaxed)
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    /// Whether a fault of this rate strikes now; it is counted if it does.
    pub(crate) fn strikes(&self, name: &'static str, rate: u64) -> bool {
        let strikes = self.on() && self.0.chance.per_million(rate);
        if strikes {
            self.count(name);
        }
        strikes
    }

    pub(crate) fn count(&self, name: &'static str) {
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.0.entry(name).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn planned(&self, here: Planned, name: &'static str) -> bool {
        let strikes = self.on() && self.0.planned == Some(here);
        if strikes {
            self.count(name);
        }
        strikes
    }

    fn disk_error(&self) -> JournalError {
        if self.0.chance.percent(50) {
            JournalError::Full
        } else {
            JournalError::Unavailable("the disk is away".to_owned())
        }
    }
}

/// Strikes the engine's journal.
impl journal::Faults for Faults {
    fn before(&self, _: &[Unit]) -> journal::Fault {
        let number = if self.on() { next(&self.0.appends) } else { 0 };
        let rates = &self.0.rates;
        if self.planned(Planned::CrashBefore(number), "crash before an append")
            || self.strikes("crash before an append", rates.crash_before)
        {
            journal::Fault::Crash
        } else if self.planned(Planned::FailBefore(number), "append fails, nothing written")
            || self.strikes("append fails, nothing written", rates.append_fails_before)
        {
            journal::Fault::Fail(self.disk_error())
        } else {
            journal::Fault::None
        }
    }

    fn after(&self, _: &[Verdict]) -> journal::Fault {
        let number = *self.0.appends.lock().unwrap_or_else(PoisonError::into_inner);
        let rates = &self.0.rates;
        if self.planned(Planned::CrashAfter(number), "crash after an append")
            || self.strikes("crash after an append", rates.crash_after)
        {
            journal::Fault::Crash
        } else if self.planned(Planned::FailAfter(number), "append fails, all written")
            || self.strikes("append fails, all written", rates.append_fails_after)
        {
            journal::Fault::Fail(JournalError::Unavailable("no answer from the disk".to_owned()))
        } else {
            journal::Fault::None
        }
    }
}

/// Strikes the provider's own ledger; the provider does not crash.
pub(crate) struct LedgerFaults(pub(crate) Faults);

impl journal::Faults for LedgerFaults {
    fn before(&self, _: &[Unit]) -> journal::Fault {
        if self.0.strikes("provider's ledger fails, nothing written", self.0.rates().ledger_fails) {
            journal::Fault::Fail(self.0.disk_error())
        } else {
            journal::Fault::None
        }
    }

    fn after(&self, _: &[Verdict]) -> journal::Fault {
        if self.0.strikes("provider's ledger fails, all written", self.0.rates().ledger_fails) {
            journal::Fault::Fail(JournalError::Unavailable("no answer".to_owned()))
        } else {
            journal::Fault::None
        }
    }
}

impl SandboxFaults for Faults {
    fn next(&self, operation: Operation, _: &str) -> ProviderFault {
        let number = if self.on() { next(&self.0.calls) } else { 0 };
        let rates = &self.0.rates;
        if self.planned(Planned::LoseRequest(number), "request to the provider lost")
            || self.strikes("request to the provider lost", rates.request_lost)
        {
            ProviderFault::LoseRequest
        } else if self.planned(Planned::LoseReply(number), "reply of the provider lost")
            || self.strikes("reply of the provider lost", rates.reply_lost)
        {
            ProviderFault::LoseReply
        } else if self.strikes("provider slow", rates.provider_slow) {
            ProviderFault::Delay { ms: self.0.chance.within(1, 40_000) }
        } else if self.strikes("provider refuses", rates.provider_refuses) {
            ProviderFault::Refuse { code: format!("{operation}_refused") }
        } else if self.strikes("answer pending", rates.provider_pending) {
            ProviderFault::Pending { ms: self.0.chance.within(1, 60_000) }
        } else if self.strikes("webhook besides the reply", rates.provider_webhook) {
            let manners = [
                WebhookManner::AfterReply,
                WebhookManner::BeforeReply,
                WebhookManner::Twice,
                WebhookManner::OutOfOrder,
            ];
            self.0.chance.one_of(&manners).map_or(ProviderFault::None, ProviderFault::Webhook)
        } else {
            ProviderFault::None
        }
    }
}
