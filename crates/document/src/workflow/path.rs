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
pub(super) struct Scope<'a> {
    parameters: BTreeSet<&'a str>,
    /// The steps before, with their actions if these are known.
    steps: HashMap<&'a str, Option<&'static Action>>,
    /// Whether there is nothing else that a path may mean.
    pub(super) is_whole: bool,
}

impl<'a> Scope<'a> {
    /// Returns what the first step may refer to: these parameters, `None` for
    /// one whose name cannot be read.
    pub(super) fn of(parameters: impl Iterator<Item = Option<&'a str>>) -> Self {
        let parameters: Vec<_> = parameters.collect();
        Self {
            is_whole: parameters.iter().all(Option::is_some),
            parameters: parameters.into_iter().flatten().collect(),
            steps: HashMap::new(),
        }
    }

    /// Adds a step, as far as it can be read.
    pub(super) fn add(&mut self, name: Option<&'a str>, action: Option<&'static Action>) {
        self.is_whole &= name.is_some();
        self.steps.extend(name.map(|name| (name, action)));
    }

    /// Reports what is wrong with the path `text`.
    pub(super) fn check(&self, text: &str, span: Span, problems: &mut Problems) {
        let refuse = |message| Problem::error("unknown-path", span, message);
        let mut parts = text.trim_start_matches("$.").split('.');
        let (root, name, rest) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
        match root {
            Some("parameters") if self.is_whole && !self.parameters.contains(name) => {
                let declared = list(self.parameters.iter().copied());
                let help = format!("the document declares {declared}");
                problems.push(refuse(format!("there is no parameter `{name}`")).help(help));
            }
            Some("stepOutputs") => match self.steps.get(name) {
                None if self.is_whole => {
                    problems.push(refuse(format!("no step before this one is `{name}`")));
                }
                None | Some(None) => {}
                Some(Some(action)) => {
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
