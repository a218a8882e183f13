//! `tillroll verify`: the data directory against the laws that must always hold.

use clap::Args;

use super::{Exit, Failure, Global, terminal};
use crate::verify::{Options, Phase, VerifyReport, run as check};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Leave out building every read model again to compare its rows; the rest is quicker.
    #[arg(long)]
    quick: bool,
}

pub(super) fn run(global: &Global, args: &VerifyArgs) -> Result<Exit, Failure> {
    let options = Options { read_models: !args.quick, ..Options::default() };
    let mut bar = terminal::Progress::new("verify", "events");
    let report = check(&global.stores()?, options, &mut |progress| {
        let label = match progress.phase {
            Phase::File => "file",
            Phase::Laws => "laws",
            Phase::ReadModels => "read models",
        };
        bar.stage(label, "events");
        bar.at(progress.done, Some(progress.total));
    })?;
    bar.done();
    if global.json {
        terminal::say_json(&report)?;
    } else {
        tell(&report)?;
    }
    Ok(if report.is_clean() { Exit::Ok } else { Exit::Wanting })
}

fn tell(report: &VerifyReport) -> std::io::Result<()> {
    for law in &report.laws {
        let mark = if law.holds() { "holds " } else { "BROKEN" };
        terminal::say(&format!(
            "{mark}  {:<22} {:>10} checked  {}",
            law.name, law.checked, law.says
        ))?;
        for violation in &law.violations {
            terminal::say(&format!(
                "        position {} in {}: expected {}, seen {}",
                violation.position.0, violation.stream, violation.expected, violation.seen,
            ))?;
        }
        let more = law.violation_count.saturating_sub(law.violations.len() as u64);
        if more > 0 {
            terminal::say(&format!("        and {more} more"))?;
        }
        if law.pending_count > 0 {
            terminal::say(&format!("        {} under way, such as:", law.pending_count))?;
            for pending in law.pending.iter().take(3) {
                terminal::say(&format!("        {pending}"))?;
            }
        }
    }
    let verdict = match report.violations() {
        0 => "clean".to_owned(),
        count => format!("{count} violations"),
    };
    terminal::say(&format!(
        "{verdict}: {} events up to position {} in {:.1} s",
        report.events, report.head.0, report.seconds,
    ))
}
