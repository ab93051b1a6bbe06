//! Where values come from: `$.parameters.…`, `$.stepOutputs.…`, `$.imagebuilder.…` (reference §3.3).

use std::collections::{BTreeSet, HashMap};

use super::action::Action;
use crate::{Problem, Problems, Span};

/// The variables of `$.imagebuilder`.
const VARIABLES: [&str; 19] = [
    "cloudWatchLogGroup",
    "cloudWatchLogStream",
    "collectImageMetadata",
    "collectImageScanFindings",
    "dateTime",
    "imageBuildNumber",
    "imageId",
    "imageName",
    "imageType",
    "imageVersionNumber",
    "instanceProfileName",
    "platform",
    "s3Logs",
    "securityGroups",
    "sourceImageARN",
    "subnetId",
    "terminateInstanceOnFailure",
    "workflowPhase",
    "workingDirectory",
];

/// What a path may lead to at some place in a document.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) parameters: BTreeSet<&'a str>,
    /// The steps before, with their actions.
    pub(super) steps: HashMap<&'a str, &'static Action>,
}

impl Scope<'_> {
    /// Reports what is wrong with the path `text`.
    pub(super) fn check(&self, text: &str, span: Span, problems: &mut Problems) {
        let refuse = |message| Problem::error("unknown-path", span, message);
        let mut parts = text.trim_start_matches("$.").split('.');
        let (root, name, rest) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
        match root {
            Some("parameters") if !self.parameters.contains(name) => {
                let declared = list(self.parameters.iter().copied());
                let help = format!("the document declares {declared}");
                problems.push(refuse(format!("there is no parameter `{name}`")).help(help));
            }
            Some("stepOutputs") => match self.steps.get(name) {
                None => problems.push(refuse(format!("no step before this one is `{name}`"))),
                Some(action) => {
                    let output = rest.unwrap_or_default();
                    let output = output.split('[').next().unwrap_or_default();
                    if !action.outputs.contains(&output) {
                        let given = list(action.outputs.iter().copied());
                        let help = format!("`{}` gives {given}", action.name);
                        let message = format!("step `{name}` has no output `{output}`");
                        problems.push(refuse(message).help(help));
                    }
                }
            },
            Some("imagebuilder") if !VARIABLES.contains(&name) => {
                let help = format!("there are {}", list(VARIABLES.iter().copied()));
                problems.push(refuse(format!("there is no variable `{name}`")).help(help));
            }
            Some("parameters" | "imagebuilder" | "workflowOutputs") => {}
            Some(_) | None => {
                let help = "paths begin with $.parameters, $.stepOutputs, $.workflowOutputs \
                            or $.imagebuilder";
                problems.push(refuse(format!("`{text}` leads nowhere")).help(help));
            }
        }
    }

    /// Reports what is wrong with the paths between braces in `text`.
    pub(super) fn check_embedded(&self, text: &str, span: Span, problems: &mut Problems) {
        for part in text.split("{{").skip(1) {
            if let Some((path, _)) = part.split_once("}}")
                && path.trim().starts_with("$.")
            {
                self.check(path.trim(), span, problems);
            }
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
