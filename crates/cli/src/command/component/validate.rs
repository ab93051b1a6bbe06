//! `goldsmith component validate`: every problem of every document.

use factory::Found;
use name::Account;
use serde::Serialize;

use super::document::load;
use super::object::Objects;
use super::platform::Platform;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::{clock, junit};

/// Check component documents
///
/// Tells every problem of every document at once, with its place and what
/// would be right. Standard output gets what awstoe prints; with `--output
/// json` it lists the problems too.
#[derive(Debug, clap::Args)]
#[command(after_help = Exit::help())]
pub(crate) struct Validate {
    /// The documents: paths, addresses in S3 (s3://…), or ARNs of managed
    /// components
    #[arg(value_name = "DOC", required_unless_present = "documents")]
    positional: Vec<String>,
    /// The same, as awstoe takes them
    #[arg(long, short, value_name = "DOC,…", value_delimiter = ',')]
    documents: Vec<String>,
    /// Check for this system; by default the one this machine runs
    #[arg(long, value_enum, value_name = "SYSTEM", default_value_t = Platform::Linux)]
    #[arg(hide_default_value = true)]
    platform: Platform,
    /// The account that must own the buckets of documents in S3
    #[arg(long, value_name = "ACCOUNT")]
    document_s3_bucket_owner: Option<Account>,
    /// Say what is done
    #[arg(long, short)]
    trace: bool,
}

/// What awstoe prints, and what is wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    validation_status: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Vec<Found>>,
}

impl Validate {
    pub(crate) fn run(self, environment: &Environment, out: &mut Output) -> Result<Exit, CliError> {
        let names: Vec<String> = self.positional.into_iter().chain(self.documents).collect();
        if self.document_s3_bucket_owner.is_some()
            && !names.iter().any(|name| Objects::is_address(name))
        {
            out.note(format_args!("--document-s3-bucket-owner has no document to apply to"));
        }
        let objects = Objects::of(environment, self.document_s3_bucket_owner);
        if self.trace {
            out.note(format_args!("checking {} for {:?}", names.join(", "), self.platform));
        }
        let (_, problems) = load(&names, self.platform, &objects);
        if !out.is_json() && !problems.rendered.is_empty() {
            out.warning(&problems.rendered);
        }
        let failed = !problems.refused.is_empty();
        let printed = if out.is_junit() {
            out.text(&junit::of_documents(&names, &problems, clock::now_micros()))
        } else {
            let (validation_status, about, is) = match failed {
                false => ("success", &names, "valid"),
                true => ("failed", &problems.refused, "not valid"),
            };
            let message = format!("Document(s) [{}] is/are {is}.", about.join(", "));
            let problems = out.is_json().then_some(problems.found);
            out.json(&Verdict { validation_status, message, problems })
        };
        let exit = if failed { Exit::Input } else { Exit::Done };
        Ok(out.conclude(exit, [printed]))
    }
}
