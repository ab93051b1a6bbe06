//! `goldsmith schema`: JSON Schemas for editors.

use clap::ValueEnum;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Print the JSON Schema of project or component files
///
/// Editors that speak YAML check and complete files with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// The kind of file: a project (goldsmith.yaml) or a component document
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Project,
    Component,
}

impl Schema {
    pub(crate) fn run(self, out: &mut Output) -> Result<Exit, CliError> {
        let schema = match self.kind {
            Kind::Project => document::project_schema(),
            Kind::Component => document::component_schema(),
        };
        out.json(&schema)?;
        Ok(Exit::Done)
    }
}
