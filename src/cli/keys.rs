//! `tillroll keys`: who may use the engine, and what opens its personal data.

use std::sync::Arc;

use api::{ApiKeyRole, ApiKeys, NewApiKey};
use clap::{Args, Subcommand, ValueEnum};
use commands::{Clock, SystemClock};
use domain::{SellerId, Timestamp};
use sagas::key_store::OsEntropy;

use super::{Exit, Failure, Global, terminal};
use crate::compose::API_KEYS_FILE;

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an API key; it is shown this once.
    Create {
        /// What the key may do.
        #[arg(long, value_enum)]
        role: Role,
        /// The seller a seller's key is for.
        #[arg(long)]
        seller: Option<SellerId>,
        /// When it ends, such as 2027-01-31T00:00:00Z; without it, never.
        #[arg(long)]
        expires: Option<Timestamp>,
    },
    /// List the API keys, without their secrets.
    List,
    /// Take an API key out of force.
    Revoke {
        /// The key's id, as `list` shows it.
        id: String,
    },
    /// Put all personal data keys under a new master key. With keys in a file the engine must not
    /// be running; with keys in a database it goes on, and every node needs the new master.key.
    RotateMaster,
    /// Copy the keys to personal data from the data directory into the database that --keys, or
    /// else --journal, names; the engine must not be running.
    Copy,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Storefront,
    Seller,
    Support,
    Admin,
}

impl From<Role> for ApiKeyRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Storefront => Self::Storefront,
            Role::Seller => Self::Seller,
            Role::Support => Self::Support,
            Role::Admin => Self::Admin,
        }
    }
}

pub(super) fn run(global: &Global, args: &KeysArgs) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    if let What::RotateMaster = &args.what {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(global.stores()?.rotate_master())?;
        terminal::say("the master key is a new one; back up master.key")?;
        return Ok(Exit::Ok);
    }
    if let What::Copy = &args.what {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let count = runtime.block_on(global.stores()?.copy_keys())?;
        if global.json {
            terminal::say_json(&serde_json::json!({ "persons": count }))?;
        } else {
            terminal::say(&format!(
                "the keys of {count} persons are in the database; remove keys.db once the nodes use it"
            ))?;
        }
        return Ok(Exit::Ok);
    }
    std::fs::create_dir_all(&global.data)?;
    let keys = ApiKeys::open(&global.data.join(API_KEYS_FILE), Arc::new(OsEntropy))?;
    match &args.what {
        What::Create { role, seller, expires } => {
            let new = NewApiKey { role: (*role).into(), seller_id: *seller, expires_at: *expires };
            let (key, record) = keys.create(new, now)?;
            if global.json {
                terminal::say_json(&serde_json::json!({"id": record.id, "key": key}))?;
            } else {
                terminal::say(&key)?;
            }
        }
        What::List => {
            for key in keys.list()? {
                if global.json {
                    terminal::say_json(&serde_json::json!({
                        "id": key.id, "role": key.role.name(), "seller_id": key.seller_id,
                        "created_at": key.created_at, "expires_at": key.expires_at,
                        "revoked_at": key.revoked_at, "last4": key.last4,
                    }))?;
                    continue;
                }
                let state = match (key.revoked_at, key.expires_at) {
                    (Some(at), _) => format!("revoked {at}"),
                    (None, Some(end)) if end <= now => format!("expired {end}"),
                    (None, Some(end)) => format!("until {end}"),
                    (None, None) => "in force".to_owned(),
                };
                terminal::say(&format!(
                    "{}  {:<10} …{}  made {}  {state}",
                    key.id,
                    key.role.name(),
                    key.last4,
                    key.created_at.format("%Y-%m-%d"),
                ))?;
            }
        }
        What::Revoke { id } => {
            keys.revoke(id, now)?;
            terminal::say(&format!("{id} is revoked"))?;
        }
        What::RotateMaster | What::Copy => {}
    }
    Ok(Exit::Ok)
}
