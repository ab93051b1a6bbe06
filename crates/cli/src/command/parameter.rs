//! `goldsmith parameter`: named values that documents refer to.

use std::io::{self, Read as _};

use clap::Subcommand;
use model::{ParameterName, ParameterType};
use name::Account;
use seal::Secret;
use serde::Serialize;
use store::parameter::{self, Entry, Existing, NewValue};
use store::{Db, Keyring, account};
use zeroize::Zeroizing;

use crate::clock::now_micros;
use crate::confirm::confirm;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::identity::Identities;
use crate::output::Output;
use crate::terminal::Terminal;
use crate::text;

/// Keep values that documents refer to, as in {{ aws:ssm:/web/port }}
///
/// Names and types are those of AWS's Parameter Store. The values of secure
/// ones are encrypted on disk. They belong to an account, and only its builds
/// can refer to them.
#[derive(Debug, clap::Args)]
pub(crate) struct Parameters {
    /// Whose, by digits or alias [default: the first account]
    #[arg(long, global = true)]
    account: Option<String>,
    #[command(subcommand)]
    command: ParameterCommand,
}

#[derive(Debug, Subcommand)]
enum ParameterCommand {
    /// Give a parameter a value
    ///
    /// Without a value on the command line it is read from standard input,
    /// less one line break at its end, so that a secret is not in the shell's
    /// history: pass show web/token | goldsmith parameter put /web/token --secure
    Put {
        /// The name, as in /web/port
        name: ParameterName,
        /// The value [default: from standard input]
        value: Option<String>,
        /// Keep it as a secret (SecureString)
        #[arg(long)]
        secure: bool,
        /// It is a list with commas between its values (StringList)
        #[arg(long, conflicts_with = "secure")]
        list: bool,
        /// Replace the value if there is one
        #[arg(long)]
        overwrite: bool,
    },
    /// Print the value of a parameter
    Get {
        /// The name
        name: ParameterName,
        /// Print it even if it is secure
        #[arg(long)]
        with_decryption: bool,
    },
    /// List parameters, without their values
    List,
    /// Delete a parameter
    Delete {
        /// The name
        name: ParameterName,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A parameter as JSON has it, with SSM's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    version: u64,
    last_modified_date: String,
}

impl Parameters {
    /// Says whether it only lists what there is.
    pub(crate) fn lists(&self) -> bool {
        match self.command {
            ParameterCommand::Get { .. } | ParameterCommand::List => true,
            ParameterCommand::Put { .. } | ParameterCommand::Delete { .. } => false,
        }
    }

    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let account = self.account.as_deref();
        match self.command {
            ParameterCommand::Put { name, value, secure, list, overwrite } => {
                let kind = match (secure, list) {
                    (true, _) => ParameterType::SecureString,
                    (_, true) => ParameterType::StringList,
                    (false, false) => ParameterType::String,
                };
                let value = match value {
                    Some(value) => Secret::new(value),
                    None => read_value(&name, kind, home, out).map_err(CliError::Value)?,
                };
                let existing = if overwrite { Existing::Replace } else { Existing::Keep };
                let new = NewValue { name, kind, value, modified_at: now_micros() };
                put(account, &new, existing, home, out).await
            }
            ParameterCommand::Get { name, with_decryption } => {
                get(account, &name, with_decryption, home, out).await
            }
            ParameterCommand::List => list(account, home, out).await,
            ParameterCommand::Delete { name, yes } => {
                let what = format!("the parameter `{name}`");
                if !yes {
                    confirm(&what, &what, home, out)?;
                }
                delete(account, &name, home, out).await
            }
        }
    }
}

/// Reads a value: a line on a terminal, where a secret is not shown, else all there is.
fn read_value(
    name: &ParameterName,
    kind: ParameterType,
    home: &Home,
    out: &Output,
) -> io::Result<Secret> {
    let mut value = Zeroizing::new(String::new());
    if home.environment().asks {
        out.prompt(&format!("Value of {name}: "));
        let _restored = if kind.is_secure() { Some(Terminal::without_echo()?) } else { None };
        io::stdin().read_line(&mut value)?;
        if kind.is_secure() {
            out.prompt("\n");
        }
    } else {
        io::stdin().read_to_string(&mut value)?;
    }
    let value = value.strip_suffix('\n').unwrap_or(&value);
    Ok(Secret::new(value.strip_suffix('\r').unwrap_or(value).to_owned()))
}

async fn put(
    account: Option<&str>,
    new: &NewValue,
    existing: Existing,
    home: &Home,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let identities = Identities::open(home).await?;
    let account = identities.account(account).await?.id;
    let Identities { db, keyring } = &identities;
    let version = parameter::put(db, keyring, &account, new, existing).await?;
    let (name, kind) = (&new.name, new.kind);
    if out.is_json() {
        out.json(&serde_json::json!({
            "name": name.as_str(), "type": kind.as_str(), "version": version,
        }))?;
    } else {
        out.text(&format!("put {name}, version {version} ({kind})\n"))?;
    }
    Ok(Exit::Done)
}

async fn get(
    account: Option<&str>,
    name: &ParameterName,
    with_decryption: bool,
    home: &Home,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let (db, account) = known(account, home).await?.ok_or_else(|| unknown(name))?;
    let entry = parameter::get(&db, &account, name).await?;
    if entry.kind.is_secure() && !with_decryption {
        return Err(CliError::Secure { name: name.to_string() });
    }
    let keyring = Keyring::open(&home.data().join("keyring"))?;
    let read = parameter::read(&db, &keyring, &account, name.as_str()).await?;
    let (value, _) = read.ok_or_else(|| unknown(name))?;
    if out.is_json() {
        out.json(&Listed { value: Some(value.expose()), ..listed(&entry) })?;
    } else {
        out.text(&Zeroizing::new(format!("{}\n", value.expose())))?;
    }
    Ok(Exit::Done)
}

async fn list(account: Option<&str>, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
    let parameters = match known(account, home).await? {
        Some((db, account)) => parameter::list(&db, &account).await?,
        None => Vec::new(),
    };
    if out.is_json() {
        out.json(&parameters.iter().map(listed).collect::<Vec<_>>())?;
    } else if parameters.is_empty() {
        out.note(format_args!("there are no parameters; `goldsmith parameter put` makes one"));
    } else {
        let now = now_micros();
        let heads = ["NAME", "TYPE", "VERSION", "MODIFIED"].map(str::to_owned);
        let rows = parameters.iter().map(|entry| {
            let modified = text::ago_at(entry.modified_at, now);
            [entry.name.to_string(), entry.kind.to_string(), entry.version.to_string(), modified]
        });
        out.text(&text::table(&std::iter::once(heads).chain(rows).collect::<Vec<_>>()))?;
    }
    Ok(Exit::Done)
}

fn listed(entry: &Entry) -> Listed<'_> {
    Listed {
        name: entry.name.as_str(),
        r#type: entry.kind.as_str(),
        value: None,
        version: entry.version,
        last_modified_date: text::stamp(entry.modified_at),
    }
}

async fn delete(
    account: Option<&str>,
    name: &ParameterName,
    home: &Home,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let (db, account) = known(account, home).await?.ok_or_else(|| unknown(name))?;
    parameter::delete(&db, &account, name).await?;
    if out.is_json() {
        out.json(&serde_json::json!({ "name": name.as_str() }))?;
    } else {
        out.text(&format!("deleted {name}\n"))?;
    }
    Ok(Exit::Done)
}

/// Returns the catalogue and the account that is named, else the first one; makes neither.
async fn known(named: Option<&str>, home: &Home) -> Result<Option<(Db, Account)>, CliError> {
    let Some(db) = home.catalogue().await? else { return Ok(None) };
    let account = match named {
        Some(name) => Some(account::find(&db, name).await?),
        None => account::list(&db).await?.into_iter().next(),
    };
    Ok(account.map(|account| (db, account.id)))
}

fn unknown(name: &ParameterName) -> CliError {
    CliError::Unknown { what: format!("parameter `{name}`") }
}
