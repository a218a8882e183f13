//! `tillroll schemas`: the promise that events and public messages are held to.

use clap::Args;
use serde_json::{Value, json};

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
    /// The public messages on the bus instead of the events on record.
    #[arg(long)]
    messages: bool,
    /// Print the AsyncAPI 3.0 document of the public messages.
    #[arg(long, conflicts_with_all = ["event_type", "version", "sample", "messages"])]
    asyncapi: bool,
}

/// One kind of event or message, as it is listed.
struct Kind {
    name: &'static str,
    current: u16,
    versions: Vec<::schemas::CatalogueVersion>,
    doc: &'static str,
    listed: Value,
}

pub(super) fn run(global: &Global, args: &SchemasArgs) -> Result<Exit, Failure> {
    if args.asyncapi {
        let document = ::schemas::public::asyncapi();
        terminal::say(
            &serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?,
        )?;
        return Ok(Exit::Ok);
    }
    let (what, kinds) = if args.messages { ("message", messages()) } else { ("event", events()) };
    let Some(wanted) = &args.event_type else {
        for kind in kinds {
            if global.json {
                terminal::say_json(&kind.listed)?;
            } else {
                terminal::say(&format!("{:<36} v{}  {}", kind.name, kind.current, kind.doc))?;
            }
        }
        return Ok(Exit::Ok);
    };
    let flag = if args.messages { " --messages" } else { "" };
    let kind = kinds
        .into_iter()
        .find(|kind| kind.name == wanted)
        .ok_or_else(|| format!("no {what} type `{wanted}`; `tillroll schemas{flag}` lists them"))?;
    let version = args.version.unwrap_or(kind.current);
    let found = kind
        .versions
        .iter()
        .find(|known| known.version == version)
        .ok_or_else(|| format!("`{wanted}` has no version {version}"))?;
    terminal::say(if args.sample { found.full_sample } else { found.schema }.trim_end())?;
    Ok(Exit::Ok)
}

fn events() -> Vec<Kind> {
    let entries = ::schemas::catalogue().into_iter().map(|entry| Kind {
        name: entry.event_type,
        current: entry.current_version,
        doc: entry.doc,
        listed: json!({
            "event_type": entry.event_type,
            "category": entry.category,
            "version": entry.current_version,
            "versions": entry.versions.iter().map(|v| v.version).collect::<Vec<_>>(),
            "doc": entry.doc,
        }),
        versions: entry.versions,
    });
    entries.collect()
}

fn messages() -> Vec<Kind> {
    let entries = ::schemas::message_catalogue().into_iter().map(|entry| Kind {
        name: entry.message_type,
        current: entry.current_version,
        doc: entry.doc,
        listed: json!({
            "message_type": entry.message_type,
            "topic": entry.topic,
            "version": entry.current_version,
            "versions": entry.versions.iter().map(|v| v.version).collect::<Vec<_>>(),
            "doc": entry.doc,
        }),
        versions: entry.versions,
    });
    entries.collect()
}
