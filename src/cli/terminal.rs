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

/// Writes an error and its causes to standard error, in one line.
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
    let line = line.replace('\n', " ");
    let _ = writeln!(io::stderr().lock(), "tillroll: {line}");
}

/// Progress of long work: a bar on a terminal, a line now and then elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
    label: String,
    unit: &'static str,
    started: Instant,
    said: Instant,
    redraws: bool,
}

/// How often a line of progress is written where nothing can be redrawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    #[must_use]
    pub(super) fn new(label: &str, unit: &'static str) -> Self {
        let redraws = io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template(
            "{msg} {wide_bar} {human_pos}/{human_len} {per_sec}, {eta} left",
        ) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        let now = Instant::now();
        Self { bar, label: label.to_owned(), unit, started: now, said: now, redraws }
    }

    /// `done` of `total` units are done.
    pub(super) fn at(&mut self, done: u64, total: u64) {
        if self.redraws {
            self.bar.set_length(total);
            self.bar.set_position(done);
            return;
        }
        if self.said.elapsed() < LINE_EVERY {
            return;
        }
        self.said = Instant::now();
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = done as f64 / seconds;
        let left = if rate > 0.0 { total.saturating_sub(done) as f64 / rate } else { 0.0 };
        let _ = writeln!(
            io::stderr().lock(),
            "{}: {done}/{total} {}, {rate:.0}/s, {left:.0} s left",
            self.label,
            self.unit,
        );
    }

    /// Names what is going on now.
    pub(super) fn label(&mut self, label: &str) {
        if self.label != label {
            label.clone_into(&mut self.label);
            self.bar.set_message(self.label.clone());
        }
    }

    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
