//! `goldsmith serve`: the service, put together from its parts.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use api::Api;
use clap::ValueEnum;
use factory::Queue;
use server::{Gate, ImageBuilderService, Limits, Port, Record, Service, Tls};
use store::Db;
use tokio::sync::Notify;

use crate::cancel;
use crate::clock::now_micros;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::{self, Home};
use crate::identity::Identities;
use crate::keys::StoredKeys;
use crate::output::{self, Output};

/// Serve the API to AWS clients
///
/// Listens until it is told to end by Ctrl-C or SIGTERM, then answers what it
/// has begun; images that are still being built become FAILED. Every request must be signed with an access key of an account;
/// the first account and its key are made if there are none. `goldsmith env`
/// prints what clients need to know. The access log goes to standard error.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = home::LISTEN)]
    listen: SocketAddr,
    /// Speak TLS, with this chain of certificates, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the first certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Write the access log as text or as JSON, a line for each request
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    log_format: LogFormat,
}

/// How the access log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Serve {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(Tls::read(cert, key)?),
            (_, _) => None,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let exposed = tls.is_none() && !self.listen.ip().is_loopback();
        let port = Port::bind(self.listen, tls).await?;
        let factory = home.building_factory(out).await?;
        let identities = Identities::of(home, factory.db().clone())?;
        let account = identities.account(None).await?;

        let end = Arc::new(Notify::new());
        let told = Arc::clone(&end);
        cancel::on_signals(move || told.notify_one())?;
        if exposed {
            out.warning(EXPOSED);
        }
        let address = port.address();
        let endpoint = format!("{scheme}://{address}");
        if out.is_json() {
            out.json(&serde_json::json!({ "endpoint": endpoint, "account": account.id }))?;
        } else {
            out.text(&format!("listening on {endpoint}\n"))?;
            let listen = match address.to_string() {
                usual if usual == home::LISTEN => String::new(),
                other => format!(" --listen {other}"),
            };
            let tls = if scheme == "https" { " --tls" } else { "" };
            out.note(format_args!(
                "for account {} ({}): eval \"$(goldsmith env{listen}{tls})\"",
                account.id, account.alias
            ));
        }
        let format = self.log_format;
        let log = move |record: &Record| write_record(format, record);
        let queue = Queue::new(factory, factory::Limits::of_cores(cores()));
        let services = services(identities.db.clone(), queue.clone());
        let keys = StoredKeys::new(identities);
        let gate = Gate::new(keys, services, log, now_micros, Limits::default());
        port.serve(gate, async move { end.notified().await }).await;
        queue.close().await;
        Ok(Exit::Done)
    }
}

const EXPOSED: &str = "warning: without TLS, whoever is on the way reads what is sent here; \
                       requests stay signed. Use --tls-cert and --tls-key, or listen on 127.0.0.1.\n";

/// Returns what is served.
fn services(db: Db, builder: Queue) -> Vec<Box<dyn Service>> {
    let api = Api::new(db, Arc::new(now_micros)).with_builder(Arc::new(builder));
    vec![Box::new(ImageBuilderService(api))]
}

/// Returns how many cores there are, as far as the kernel tells.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn write_record(format: LogFormat, record: &Record) {
    match format {
        LogFormat::Text => output::say(&format!("{record}\n")),
        LogFormat::Json => {
            let line = serde_json::to_string(record)
                .expect("a record has text keys and plain values because it is a struct");
            output::say(&format!("{line}\n"));
        }
    }
}
