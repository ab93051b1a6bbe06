//! `goldsmith key`: what an account's requests are signed with.

use clap::Subcommand;
use model::KeyStatus;
use name::AccessKeyId;
use serde::Serialize;
use store::access_key::{self, Entry};
use store::account;

use crate::clock::now_micros;
use crate::confirm::confirm;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::identity::Identities;
use crate::output::Output;
use crate::text;

/// Manage access keys, which requests to the service are signed with
///
/// To replace a key: make a new one, give it to whoever used the old one,
/// disable the old one, and delete it when `goldsmith key list` shows that
/// nobody misses it.
#[derive(Debug, clap::Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// List keys, without their secrets
    List {
        /// Only those of this account, by its digits or alias
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
    },
    /// Make a key and show its secret
    ///
    /// The secret is shown this once. `goldsmith env` hands the newest key to
    /// programs on this machine without it being copied.
    Create {
        /// Whose key, by digits or alias [default: the first account]
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
    },
    /// Refuse requests that are signed with a key
    Disable {
        /// The key's id
        id: AccessKeyId,
    },
    /// Take requests that are signed with a key again
    Enable {
        /// The key's id
        id: AccessKeyId,
    },
    /// Delete a key for good
    Delete {
        /// The key's id
        id: AccessKeyId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A key as JSON has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    access_key_id: &'a str,
    account: &'a str,
    status: &'static str,
    date_created: String,
    date_last_used: Option<String>,
}

/// A new key as JSON has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    account: &'a str,
    date_created: String,
}

impl Keys {
    /// Says whether it only lists what there is.
    pub(crate) fn lists(&self) -> bool {
        match self.command {
            KeyCommand::List { .. } => true,
            KeyCommand::Create { .. }
            | KeyCommand::Disable { .. }
            | KeyCommand::Enable { .. }
            | KeyCommand::Delete { .. } => false,
        }
    }

    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        match self.command {
            KeyCommand::List { account } => list(account.as_deref(), home, out).await,
            KeyCommand::Create { account } => create(account.as_deref(), home, out).await,
            KeyCommand::Disable { id } => set_status(&id, KeyStatus::Inactive, home, out).await,
            KeyCommand::Enable { id } => set_status(&id, KeyStatus::Active, home, out).await,
            KeyCommand::Delete { id, yes } => {
                if !yes {
                    confirm(&format!("the key {id}"), &format!("the key {id}"), home, out)?;
                }
                delete(&id, home, out).await
            }
        }
    }
}

async fn list(named: Option<&str>, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
    let mut keys = Vec::new();
    if let Some(db) = home.catalogue().await? {
        keys = access_key::list(&db).await?;
        if let Some(name) = named {
            let account = account::find(&db, name).await?;
            keys.retain(|key| key.account == account.id);
        }
    }
    if out.is_json() {
        out.json(&keys.iter().map(listed).collect::<Vec<_>>())?;
    } else if keys.is_empty() {
        out.note(format_args!("there are no keys; `goldsmith key create` makes one"));
    } else {
        out.text(&table(&keys, now_micros()))?;
    }
    Ok(Exit::Done)
}

fn listed(key: &Entry) -> Listed<'_> {
    Listed {
        access_key_id: key.id.as_str(),
        account: key.account.as_str(),
        status: key.status.as_str(),
        date_created: text::stamp(key.created_at),
        date_last_used: key.used_at.map(text::stamp),
    }
}

fn table(keys: &[Entry], now: i64) -> String {
    let heads = ["KEY", "ACCOUNT", "STATUS", "MADE", "LAST USED"].map(str::to_owned);
    let rows = keys.iter().map(|key| {
        [
            key.id.to_string(),
            key.account.to_string(),
            key.status.as_str().to_owned(),
            text::ago_at(key.created_at, now),
            key.used_at.map_or("never".to_owned(), |at| text::ago_at(at, now)),
        ]
    });
    text::table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}

async fn create(named: Option<&str>, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
    let identities = Identities::open(home).await?;
    let (account, key) = identities.create_key(named).await?;
    if out.is_json() {
        out.json(&Created {
            access_key_id: key.id.as_str(),
            secret_access_key: key.secret.expose(),
            account: account.id.as_str(),
            date_created: text::stamp(key.created_at),
        })?;
    } else {
        let facts = [
            ["Account", account.id.as_str()],
            ["Key", key.id.as_str()],
            ["Secret", key.secret.expose()],
        ];
        out.text(&text::table(&facts.map(|fact| fact.map(str::to_owned))))?;
        out.note(format_args!("the secret is not shown again"));
    }
    Ok(Exit::Done)
}

async fn set_status(
    id: &AccessKeyId,
    status: KeyStatus,
    home: &Home,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let db = home.catalogue().await?.ok_or_else(|| no_key(id))?;
    access_key::set_status(&db, id, status).await?;
    if out.is_json() {
        out.json(&serde_json::json!({ "accessKeyId": id, "status": status.as_str() }))?;
    } else {
        let done = match status {
            KeyStatus::Active => "enabled",
            KeyStatus::Inactive => "disabled",
        };
        out.text(&format!("{done} the key {id}\n"))?;
    }
    Ok(Exit::Done)
}

async fn delete(id: &AccessKeyId, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
    let db = home.catalogue().await?.ok_or_else(|| no_key(id))?;
    access_key::delete(&db, id).await?;
    if out.is_json() {
        out.json(&serde_json::json!({ "accessKeyId": id }))?;
    } else {
        out.text(&format!("deleted the key {id}\n"))?;
    }
    Ok(Exit::Done)
}

fn no_key(id: &AccessKeyId) -> CliError {
    CliError::Unknown { what: format!("access key {id}") }
}
