//! `tillroll migrate`: the tables in databases that several nodes share.

use super::{Exit, Failure, Global, terminal};

pub(super) fn run(global: &Global) -> Result<Exit, Failure> {
    let done = global.stores()?.migrate()?;
    if global.json {
        terminal::say_json(&serde_json::json!({ "up_to_date": done }))?;
        return Ok(Exit::Ok);
    }
    if done.is_empty() {
        terminal::say("everything is in files, which are brought up to date when they are opened")?;
    }
    for what in done {
        terminal::say(&format!("{what}: up to date"))?;
    }
    Ok(Exit::Ok)
}
