//! `goldsmith account`: who owns images and makes requests.

use clap::Subcommand;
use model::Alias;
use serde::Serialize;
use store::account::{self, Entry};

use crate::clock::now_micros;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::identity::new_account;
use crate::output::Output;
use crate::text;

/// List and make accounts
///
/// An account owns what is made in its name through the service. The first
/// one is made by itself, with an access key, by `goldsmith serve` or
/// `goldsmith env`.
#[derive(Debug, clap::Args)]
pub(crate) struct Accounts {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// List accounts, the oldest first
    List,
    /// Make an account; it has no key until `goldsmith key create` makes one
    Create {
        /// What to call it: lower-case letters, digits and `-`
        alias: Alias,
    },
}

/// An account as JSON has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    account: &'a str,
    alias: &'a str,
    date_created: String,
}

impl Accounts {
    /// Says whether it only lists what there is.
    pub(crate) fn lists(&self) -> bool {
        match self.command {
            AccountCommand::List => true,
            AccountCommand::Create { .. } => false,
        }
    }

    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        match self.command {
            AccountCommand::List => list(home, out).await,
            AccountCommand::Create { alias } => create(alias, home, out).await,
        }
    }
}

async fn list(home: &Home, out: &mut Output) -> Result<Exit, CliError> {
    let accounts = match home.catalogue().await? {
        Some(db) => account::list(&db).await?,
        None => Vec::new(),
    };
    if out.is_json() {
        out.json(&accounts.iter().map(listed).collect::<Vec<_>>())?;
    } else if accounts.is_empty() {
        out.note(format_args!("there are no accounts yet; `goldsmith env` makes the first one"));
    } else {
        let now = now_micros();
        let heads = ["ACCOUNT", "ALIAS", "MADE"].map(str::to_owned);
        let rows = accounts.iter().map(|entry| {
            let made = text::ago_at(entry.created_at, now);
            [entry.id.to_string(), entry.alias.to_string(), made]
        });
        out.text(&text::table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>()))?;
    }
    Ok(Exit::Done)
}

async fn create(alias: Alias, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
    let db = home.new_catalogue().await?;
    let entry = new_account(alias)?;
    account::create(&db, &entry).await?;
    if out.is_json() {
        out.json(&listed(&entry))?;
    } else {
        out.text(&format!("made account {} ({})\n", entry.id, entry.alias))?;
        out.note(format_args!("`goldsmith key create --account {}` makes a key", entry.alias));
    }
    Ok(Exit::Done)
}

fn listed(entry: &Entry) -> Listed<'_> {
    Listed {
        account: entry.id.as_str(),
        alias: entry.alias.as_str(),
        date_created: text::stamp(entry.created_at),
    }
}
