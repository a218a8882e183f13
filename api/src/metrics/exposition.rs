//! The Prometheus text format, version 0.0.4.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use search::FoundBy;

use super::{BOUNDS_US, HttpMetrics, RouteMetrics, STATUSES, SearchMetrics};
use crate::services::Services;

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Writing to a string cannot fail; so nothing is lost by not looking at the results.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let _ = writeln!(self.0, "{name}{open}{labels}{close} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "counter", help);
        self.value(name, "", value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.value(name, "", value);
    }
}

/// Payment webhooks that wait to be applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParkedNow {
    pub(crate) count: usize,
    pub(crate) oldest_seconds: i64,
}

/// All metrics as text.
pub(crate) fn exposition(services: &Services, parked: Option<ParkedNow>) -> String {
    let mut text = Text(String::with_capacity(32 * 1024));
    commands(&mut text, services);
    journal(&mut text, services);
    read_models(&mut text, services);
    if let Some(parked) = parked {
        webhooks(&mut text, parked);
    }
    searches(&mut text, &services.searches);
    given(&mut text, services);
    process(&mut text, services);
    http(&mut text, &services.metrics);
    text.0
}

fn commands(text: &mut Text, services: &Services) {
    let bus = services.engine.bus();
    let stats = bus.stats();
    let counters = [
        ("commands_total", "Commands taken in.", &stats.commands),
        ("commands_refused_total", "Commands the business refused.", &stats.refused),
        ("commands_overloaded_total", "Commands not taken in.", &stats.overloaded),
        ("commands_conflicts_total", "Commands decided again after a conflict.", &stats.conflicts),
        ("streams_loaded_total", "Streams read into memory.", &stats.loads),
        ("commits_total", "Appends to the journal.", &stats.commits),
    ];
    for (name, help, counter) in counters {
        text.counter(&format!("tillroll_{name}"), help, read(counter));
    }
    text.gauge("tillroll_commands_waiting", "Commands in the queue.", bus.waiting());
    text.gauge("tillroll_aggregates_cached", "Aggregates in memory.", read(&stats.cached));
    let calls = services.engine.calls_under_way();
    text.gauge("tillroll_payment_calls_under_way", "Calls to payment providers.", calls);
}

fn journal(text: &mut Text, services: &Services) {
    let stats = services.journal.stats();
    let counters = [
        ("commits_total", "Transactions made durable.", stats.commits),
        ("events_total", "Events made durable.", stats.events),
        ("bytes_total", "Bytes of their payloads and metadata.", stats.bytes),
        ("full_total", "Appends refused for lack of disk.", stats.full),
        ("reopens_total", "Times reopened after a failed write.", stats.reopens),
    ];
    for (name, help, value) in counters {
        text.counter(&format!("tillroll_journal_{name}"), help, value);
    }
    let gauges = [
        ("head", "Position of the last event.", services.journal.head().0),
        ("queued_events", "Events waiting to be committed.", stats.queued_events),
        ("log_bytes", "Bytes of the log ahead of the file.", stats.log_bytes),
        (
            "last_commit_us",
            "How long the last commit took, in microseconds.",
            stats.last_commit_micros,
        ),
    ];
    for (name, help, value) in gauges {
        text.gauge(&format!("tillroll_journal_{name}"), help, value);
    }
}

fn read_models(text: &mut Text, services: &Services) {
    let head = services.journal.head().0;
    let reads = &services.reads;
    let name = "tillroll_read_model_position";
    text.head(name, "gauge", "Position each read model has seen.");
    for model in reads.positions().iter() {
        text.value(name, &format!("model=\"{}\"", model.model), model.position.0);
    }
    let name = "tillroll_read_model_lag_events";
    text.head(name, "gauge", "Events each read model has not seen.");
    for model in reads.positions().iter() {
        let lag = head.saturating_sub(model.position.0);
        text.value(name, &format!("model=\"{}\"", model.model), lag);
    }
    let metrics = reads.metrics();
    text.counter("tillroll_events_folded_total", "Events folded.", read(&metrics.events));
    text.counter("tillroll_rows_saved_total", "Rows of read models saved.", read(&metrics.rows));
    let failures = read(&metrics.failures);
    text.counter("tillroll_read_model_failures_total", "Batches tried again.", failures);
    let parked = reads.parked().len();
    text.gauge("tillroll_events_parked", "Events no read model could digest.", parked);
}

fn webhooks(text: &mut Text, parked: ParkedNow) {
    let ParkedNow { count, oldest_seconds } = parked;
    let name = "tillroll_webhooks_parked";
    text.gauge(name, "Payment webhooks that cannot be applied yet.", count);
    let help = "How long the oldest parked webhook has waited; 0 without any.";
    text.gauge(&format!("{name}_oldest_seconds"), help, oldest_seconds);
}

fn searches(text: &mut Text, searches: &SearchMetrics) {
    let name = "tillroll_search_requests_total";
    text.head(name, "counter", "Searches answered, by how products were found.");
    for (by, counter) in FoundBy::ALL.iter().zip(&searches.answered) {
        text.value(name, &format!("mode=\"{}\"", by.name()), read(counter));
    }
    let failed = read(&searches.failed);
    text.counter("tillroll_search_failed_total", "Searches without an answer.", failed);
}

fn given(text: &mut Text, services: &Services) {
    let mut last = "";
    for gauge in &services.gauges {
        let name = format!("tillroll_{}", gauge.name);
        if gauge.name != last {
            text.head(&name, "gauge", gauge.help);
            last = gauge.name;
        }
        let (label, value) = gauge.label;
        text.value(&name, &format!("{label}=\"{value}\""), (gauge.read)());
    }
}

fn process(text: &mut Text, services: &Services) {
    let uptime = services.started.elapsed().as_secs();
    text.gauge("tillroll_uptime_seconds", "Since the process started.", uptime);
    let in_flight = services.in_flight.load(Ordering::Relaxed);
    text.gauge("tillroll_http_requests_in_flight", "Requests under way.", in_flight);
    let full = u8::from(services.disk_is_full());
    text.gauge("tillroll_disk_full", "1 while commands find the disk full.", full);
    if let Some(bytes) = resident_bytes() {
        text.gauge("process_resident_memory_bytes", "Resident memory.", bytes);
    }
    let name = "tillroll_build_info";
    text.head(name, "gauge", "What is running.");
    let commit = services.build.commit.as_deref().unwrap_or("");
    let version = &services.build.version;
    text.value(name, &format!("version=\"{version}\",commit=\"{commit}\""), 1);
}

/// Linux tells in pages of 4 KiB; elsewhere nothing is told.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

fn http(text: &mut Text, metrics: &HttpMetrics) {
    let used: Vec<&RouteMetrics> = metrics.routes.iter().filter(|r| read(&r.count) > 0).collect();
    let labels =
        |route: &RouteMetrics| format!("method=\"{}\",route=\"{}\"", route.method, route.path);
    let name = "tillroll_http_requests_total";
    text.head(name, "counter", "Requests answered.");
    for route in &used {
        for (index, counter) in route.statuses.iter().enumerate().filter(|(_, c)| read(c) > 0) {
            let status = STATUSES.get(index).map_or("other".to_owned(), u16::to_string);
            text.value(name, &format!("{},status=\"{status}\"", labels(route)), read(counter));
        }
    }
    let name = "tillroll_http_request_seconds";
    text.head(name, "histogram", "Time from a request's head to its answer.");
    for route in &used {
        let labels = labels(route);
        let mut so_far = 0;
        for (bound, bucket) in BOUNDS_US.iter().zip(&route.buckets) {
            so_far += read(bucket);
            let le = seconds(*bound);
            text.value(&format!("{name}_bucket"), &format!("{labels},le=\"{le}\""), so_far);
        }
        let count = read(&route.count);
        text.value(&format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), count);
        text.value(&format!("{name}_sum"), &labels, seconds(read(&route.sum_us)));
        text.value(&format!("{name}_count"), &labels, count);
    }
}

/// Microseconds as seconds, exactly.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}
