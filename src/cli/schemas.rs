//! `tillroll schemas`: the promise the events are held to.

use clap::Args;

use super::{Exit, Failure, Global, terminal};

// `--version` is the event's here.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(super) struct SchemasArgs {
    /// An event type, such as `order.placed`; without one, all are listed.
    event_type: Option<String>,
    /// A version of it; without one, the current.
    #[arg(long)]
    version: Option<u16>,
    /// Print a sample instead of the schema.
    #[arg(long)]
    sample: bool,
}

pub(super) fn run(global: &Global, args: &SchemasArgs) -> Result<Exit, Failure> {
    let catalogue = ::schemas::catalogue();
    let Some(wanted) = &args.event_type else {
        for entry in &catalogue {
            if global.json {
                terminal::say_json(&serde_json::json!({
                    "event_type": entry.event_type,
                    "category": entry.category,
                    "version": entry.current_version,
                    "versions": entry.versions.iter().map(|v| v.version).collect::<Vec<_>>(),
                    "doc": entry.doc,
                }))?;
            } else {
                let (event_type, version) = (entry.event_type, entry.current_version);
                terminal::say(&format!("{event_type:<36} v{version}  {}", entry.doc))?;
            }
        }
        return Ok(Exit::Ok);
    };
    let entry = catalogue
        .iter()
        .find(|entry| entry.event_type == wanted)
        .ok_or_else(|| format!("no event type `{wanted}`; `tillroll schemas` lists them"))?;
    let version = args.version.unwrap_or(entry.current_version);
    let found = entry
        .versions
        .iter()
        .find(|known| known.version == version)
        .ok_or_else(|| format!("`{wanted}` has no version {version}"))?;
    terminal::say(if args.sample { found.full_sample } else { found.schema }.trim_end())?;
    Ok(Exit::Ok)
}
