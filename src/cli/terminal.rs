//! What goes to a terminal: lines of output, one line of complaint, progress that is redrawn.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Writes a line to standard output. A reader that has gone (`| head`) ends the program quietly.
pub(super) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

/// Whether whoever read the output wants no more of it, which is no failure.
pub(super) fn reader_has_gone(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Writes a value as one line of JSON.
pub(super) fn say_json(value: &impl serde::Serialize) -> io::Result<()> {
    say(&serde_json::to_string(value)?)
}

/// Writes an error and its causes to standard error: one line, or more where it lists things.
pub(super) fn complain(error: &(dyn Error + 'static)) {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors repeat their cause in their own text.
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    let _ = writeln!(io::stderr().lock(), "tillroll: {line}");
}

/// Progress of long work: a bar on a terminal, a line now and then elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
    label: &'static str,
    unit: &'static str,
    /// When this stage began.
    started: Instant,
    said: Instant,
    redraws: bool,
}

/// How often a line of progress is written where nothing can be redrawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

const BAR: &str = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec}, {eta} left";
/// While nobody knows how much there is.
const COUNTER: &str = "{msg} {spinner} {human_pos} {per_sec}";

impl Progress {
    #[must_use]
    pub(super) fn new(label: &'static str, unit: &'static str) -> Self {
        let redraws = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        bar.set_message(label);
        let now = Instant::now();
        Self { bar, label, unit, started: now, said: now, redraws }
    }

    /// `done` units are done, of so many if that is known.
    pub(super) fn at(&mut self, done: u64, total: Option<u64>) {
        if self.redraws {
            if self.bar.length() != total || self.bar.position() == 0 {
                let form = if total.is_some() { BAR } else { COUNTER };
                if let Ok(style) = ProgressStyle::with_template(form) {
                    self.bar.set_style(style);
                }
            }
            if let Some(total) = total {
                self.bar.set_length(total);
            }
            self.bar.set_position(done);
            return;
        }
        if self.said.elapsed() < LINE_EVERY {
            return;
        }
        self.said = Instant::now();
        let line = self.line(done, total, self.started.elapsed());
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    #[allow(clippy::cast_precision_loss, reason = "shown to a person, rounded")]
    fn line(&self, done: u64, total: Option<u64>, elapsed: Duration) -> String {
        let Self { label, unit, .. } = self;
        let seconds = elapsed.as_secs_f64();
        // A stage that has just begun has no rate yet.
        let rate = if seconds < 0.5 { 0.0 } else { done as f64 / seconds };
        match total {
            Some(total) if rate > 0.0 => {
                let left = total.saturating_sub(done) as f64 / rate;
                format!("{label}: {done}/{total} {unit}, {rate:.0}/s, {left:.0} s left")
            }
            Some(total) => format!("{label}: {done}/{total} {unit}"),
            None if rate > 0.0 => format!("{label}: {done} {unit}, {rate:.0}/s"),
            None => format!("{label} …"),
        }
    }

    /// Names what is going on now and what is counted; a new stage has a rate of its own.
    pub(super) fn stage(&mut self, label: &'static str, unit: &'static str) {
        if self.label == label {
            return;
        }
        (self.label, self.unit) = (label, unit);
        self.started = Instant::now();
        self.bar.reset();
        self.bar.unset_length();
        self.bar.set_message(label);
    }

    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long_still() {
        let mut progress = Progress::new("replaying", "events");
        let second = Duration::from_secs(1);
        assert_eq!(
            progress.line(50, Some(200), second),
            "replaying: 50/200 events, 50/s, 3 s left"
        );
        assert_eq!(progress.line(0, Some(200), second), "replaying: 0/200 events");
        assert_eq!(progress.line(9, Some(200), second / 10), "replaying: 9/200 events");
        progress.stage("reading the file", "rows");
        assert_eq!(progress.line(50, None, second), "reading the file: 50 rows, 50/s");
        assert_eq!(progress.line(0, None, second), "reading the file …");
    }
}
