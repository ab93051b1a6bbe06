//! A project and all it refers to, read and checked before anything happens.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base::{MANAGED, Managed};
use document::{Component, NamedComponent, Problem, Problems, Project, Severity};
use model::{ComponentReference, DiskLocation, ParentImage};
use name::{Arn, Owner};
use serde_json::Value;

use crate::{ExecutedComponents, Found, ManagedComponent, managed_components};

/// What a build is asked to do, free of problems.
#[derive(Debug, Clone)]
pub struct Order {
    /// The project.
    pub project: Project,
    /// Its components, in the recipe's order.
    pub components: Vec<LoadedComponent>,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    /// What is odd but allowed, as text for people; may be empty.
    pub warnings: String,
}

/// A component with its document at hand.
#[derive(Debug, Clone)]
pub struct LoadedComponent {
    /// What people call it.
    pub name: String,
    /// The document's text.
    pub text: String,
    /// The document.
    pub component: Component,
    /// The recipe's values for its parameters.
    pub parameters: Vec<(String, String)>,
    /// The texts of the components that it executes, by ARN as documents spell it.
    pub executed: BTreeMap<String, String>,
}

/// A project cannot be built as it stands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The project's file cannot be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The project or its documents have problems: all of them, with places.
    #[error("{rendered}")]
    Problems {
        /// As text for people.
        rendered: String,
        /// Each of them, for programs; none of a project that is no file.
        found: Vec<Found>,
    },
}

impl Order {
    /// Reads the project at `path`, a file or a folder with a `goldsmith.yaml`,
    /// and every document it names, and reports all problems of all of them.
    pub fn load(path: &Path) -> Result<Self, OrderError> {
        let file = if path.is_dir() { path.join("goldsmith.yaml") } else { path.to_owned() };
        let text = fs::read_to_string(&file)
            .map_err(|source| OrderError::Read { path: file.clone(), source })?;
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let shown = file.display().to_string();
        let (project, mut own) = match Project::parse(&text) {
            Ok(parsed) => (Some(parsed.value), parsed.warnings),
            Err(problems) => (None, problems),
        };
        let mut findings = Findings::default();
        if let Some(project) = &project {
            check_parent(project, &folder, &mut own);
        }
        // Also those of a project that is refused: all is told in one round.
        let mut components = Vec::new();
        for named in Project::named_components(&text) {
            components.extend(load_component(&named, &folder, &mut own, &mut findings));
        }
        findings.add(&own, &shown, &text);
        match project {
            Some(project) if !findings.refuse => {
                Ok(Self { project, components, folder, warnings: findings.text })
            }
            Some(_) | None => {
                Err(OrderError::Problems { rendered: findings.text, found: findings.found })
            }
        }
    }
}

/// A component's document, as a catalogue of components has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the recipe calls the component: an ARN, at any level.
    pub reference: String,
    /// What people call it.
    pub name: String,
    /// The document's text.
    pub text: String,
}

impl Order {
    /// Takes a project in JSON whose components are in a catalogue, and their documents.
    ///
    /// `documents` are also those that components execute. A project that names
    /// files is refused: whoever sends it has none here.
    pub fn of_catalogue(project: &Value, documents: &[Document]) -> Result<Self, OrderError> {
        let text = project.to_string();
        let mut findings = Messages::default();
        let project = match Project::parse(&text) {
            Ok(parsed) => Some(parsed.value),
            Err(problems) => {
                findings.add(None, &problems);
                None
            }
        };
        let mut components = Vec::new();
        for named in Project::named_components(&text) {
            components.extend(findings.take(&named, documents));
        }
        if let Some(project) = &project {
            let parent = &project.recipe.parent;
            if let ParentImage::Disk { .. } = parent {
                findings.told.push(format!("`{parent}` is not an image's ARN, name or AMI"));
            }
            let mut own = Problems::default();
            check_parent(project, Path::new(""), &mut own);
            findings.add(None, &own);
        }
        match project {
            Some(project) if findings.told.is_empty() => {
                let (folder, warnings) = (PathBuf::new(), String::new());
                Ok(Self { project, components, folder, warnings })
            }
            Some(_) | None => {
                let Messages { told } = findings;
                Err(OrderError::Problems { rendered: told.join("; "), found: Vec::new() })
            }
        }
    }
}

/// The problems of a project without files, in words alone: what it was made
/// from has no lines that anybody knows.
#[derive(Default)]
struct Messages {
    told: Vec<String>,
}

impl Messages {
    fn add(&mut self, of: Option<&str>, problems: &Problems) {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        self.told.extend(errors.map(|problem| match of {
            Some(name) => format!("component {name}: {}", problem.message),
            None => problem.message.clone(),
        }));
    }

    fn take(&mut self, named: &NamedComponent, documents: &[Document]) -> Option<LoadedComponent> {
        let reference = named.used.reference.to_string();
        let Some(document) = documents.iter().find(|document| document.reference == reference)
        else {
            self.told.push(format!("there is no component `{reference}`"));
            return None;
        };
        match Component::parse(&document.text) {
            Ok(parsed) => {
                self.add(Some(&document.name), &named.check_parameters(&parsed.value));
                let executed = ExecutedComponents::of_build(&parsed.value, named, documents);
                self.told.extend(executed.refusals(&document.name));
                Some(LoadedComponent {
                    name: document.name.clone(),
                    text: document.text.clone(),
                    component: parsed.value,
                    parameters: parameters(named),
                    executed: executed.texts,
                })
            }
            Err(problems) => {
                self.add(Some(&document.name), &problems);
                None
            }
        }
    }
}

/// Returns the recipe's values for a component's parameters.
pub(crate) fn parameters(named: &NamedComponent) -> Vec<(String, String)> {
    let parameters = named.used.parameters.iter();
    parameters.map(|(name, values)| (name.clone(), values.join(","))).collect()
}

/// The problems of several files, rendered.
#[derive(Default)]
struct Findings {
    text: String,
    found: Vec<Found>,
    refuse: bool,
}

impl Findings {
    fn add(&mut self, problems: &Problems, file: &str, source: &str) {
        if !problems.is_empty() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(&problems.render(file, source));
        }
        self.found.extend(Found::of(file, source, problems));
        self.refuse |= problems.refuse();
    }
}

fn check_parent(project: &Project, folder: &Path, problems: &mut Problems) {
    let span = project.places.parent;
    let unknown = |name: &str| {
        let known = MANAGED.map(|managed| managed.name).join(", ");
        Problem::error("no-such-image", span, format!("there is no managed image `{name}`"))
            .help(format!("the managed images are {known}"))
    };
    match &project.recipe.parent {
        ParentImage::Name(name) if Managed::find(name).is_none() => problems.push(unknown(name)),
        ParentImage::Arn(arn)
            if matches!(arn.owner(), Owner::Managed(_)) && Managed::find(arn.name()).is_none() =>
        {
            problems.push(unknown(arn.name()));
        }
        ParentImage::Disk { location: DiskLocation::Path(path), .. }
            if !folder.join(path).is_file() =>
        {
            let text = format!("there is no file {}", folder.join(path).display());
            problems.push(Problem::error("no-such-file", span, text));
        }
        ParentImage::Name(_)
        | ParentImage::Arn(_)
        | ParentImage::Ami(_)
        | ParentImage::Disk { .. } => {}
    }
}

/// Loads a component; `None` after adding a problem to `own` or to `findings`.
fn load_component(
    named: &NamedComponent,
    folder: &Path,
    own: &mut Problems,
    findings: &mut Findings,
) -> Option<LoadedComponent> {
    let (wanted, span) = (&named.used, named.place.reference);
    let (name, file, text) = match &wanted.reference {
        ComponentReference::Name(name) => managed(name, None, span, own)?,
        ComponentReference::Arn(arn) => managed(arn.name(), Some(arn), span, own)?,
        ComponentReference::Path(path) => {
            let file = folder.join(path);
            match fs::read_to_string(&file) {
                Ok(text) => {
                    let stem = Path::new(path).file_stem().unwrap_or_default();
                    (stem.to_string_lossy().into_owned(), file.display().to_string(), text)
                }
                Err(error) => {
                    let message = format!("failed to read {}: {error}", file.display());
                    own.push(Problem::error("no-such-file", span, message));
                    return None;
                }
            }
        }
    };
    match Component::parse(&text) {
        Ok(parsed) => {
            findings.add(&parsed.warnings, &file, &text);
            own.extend(named.check_parameters(&parsed.value));
            let executed = ExecutedComponents::of_build(&parsed.value, named, &[]);
            for message in executed.refusals(&name) {
                own.push(Problem::error("no-such-component", span, message));
            }
            Some(LoadedComponent {
                name,
                text,
                component: parsed.value,
                parameters: parameters(named),
                executed: executed.texts,
            })
        }
        Err(problems) => {
            findings.add(&problems, &file, &text);
            None
        }
    }
}

/// Returns the name, a file name for messages and the text of a managed component.
fn managed(
    name: &str,
    arn: Option<&Arn>,
    span: document::Span,
    own: &mut Problems,
) -> Option<(String, String, String)> {
    let found = match arn {
        Some(arn) => ManagedComponent::find(arn),
        None => ManagedComponent::named(name),
    };
    match found {
        Some(managed) => {
            let file = format!("{}/{}.yaml", managed.name, managed.version());
            Some((name.to_owned(), file, managed.text.to_owned()))
        }
        None => {
            let shown = arn.map_or(name.to_owned(), Arn::to_string);
            let known: Vec<_> = managed_components().iter().map(|managed| managed.name).collect();
            let problem = Problem::error(
                "no-such-component",
                span,
                format!("there is no component `{shown}`"),
            );
            own.push(problem.help(format!(
                "the managed components are {}; a document of your own is named by its path",
                known.join(", ")
            )));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_and_documents_are_judged_in_one_round() {
        let folder = tempfile::tempdir().unwrap();
        let project = "recipe:\n  nmae: web\n  components:\n    \
                       - componentArn: ./a.yaml\n    - componentArn: ./b.yaml\n";
        fs::write(folder.path().join("goldsmith.yaml"), project).unwrap();
        fs::write(folder.path().join("a.yaml"), "schemaVersion: 3\n").unwrap();
        let Err(OrderError::Problems { rendered, found }) = Order::load(folder.path()) else {
            panic!("the order was taken");
        };
        assert_eq!(found.len(), rendered.matches("error[").count());
        let member = found.iter().find(|found| found.message.contains("nmae")).unwrap();
        assert!(member.document.ends_with("/goldsmith.yaml"), "{}", member.document);
        assert_eq!((member.line, member.column, member.code), (Some(2), Some(3), "unknown-member"));
        for part in
            ["no member `nmae`", "not a schema version", "lacks `phases`", "b.yaml: No such"]
        {
            assert!(rendered.contains(part), "{part} is not in\n{rendered}");
        }
    }

    fn catalogue(reference: &str, parameters: &Value) -> Value {
        serde_json::json!({
            "recipe": {
                "name": "Web",
                "semanticVersion": "1.0.0",
                "parentImage": "arn:aws:imagebuilder:local-1:aws:image/debian-server-12-x86/x.x.x",
                "components": [{ "componentArn": reference, "parameters": parameters }],
            },
            "distributions": [{ "region": "local-1" }],
        })
    }

    #[test]
    fn projects_of_a_catalogue_name_their_documents() {
        let arn = "arn:aws:imagebuilder:local-1:123456789012:component/nginx/1.x.x";
        let text = "schemaVersion: 1.0\nparameters:\n  - Port:\n      type: string\nphases:\n  \
                    - name: build\n    steps:\n      - name: One\n        action: ExecuteBash\n        \
                    inputs:\n          commands: ['echo {{ Port }}']\n";
        let document =
            Document { reference: arn.to_owned(), name: "nginx".to_owned(), text: text.to_owned() };
        let port = serde_json::json!([{ "name": "Port", "value": ["80"] }]);
        let order =
            Order::of_catalogue(&catalogue(arn, &port), std::slice::from_ref(&document)).unwrap();
        assert_eq!(order.components[0].name, "nginx");
        assert_eq!(order.components[0].parameters, [("Port".to_owned(), "80".to_owned())]);

        let refused = |project: Value, documents: &[Document]| {
            Order::of_catalogue(&project, documents).unwrap_err().to_string()
        };
        let none = serde_json::json!([]);
        assert_eq!(refused(catalogue(arn, &port), &[]), format!("there is no component `{arn}`"));
        assert_eq!(
            refused(catalogue(arn, &none), &[document]),
            format!("component nginx: component `{arn}` needs a value for `Port`")
        );
        assert_eq!(refused(catalogue("./a.yaml", &none), &[]), "there is no component `./a.yaml`");
    }

    #[test]
    fn parents_of_a_catalogue_are_no_files() {
        let of = |parent: &str| {
            let mut project = catalogue("", &Value::Null);
            project["recipe"]["components"] = serde_json::json!([]);
            project["recipe"]["parentImage"] = parent.into();
            Order::of_catalogue(&project, &[]).map_err(|error| error.to_string())
        };
        for parent in ["debian-server-12", "debian-server-12-x86", "ami-00123456789abcdef"] {
            assert_eq!(of(parent).unwrap().project.recipe.parent.to_string(), parent);
        }
        for (parent, expected) in [
            ("debian-server-99", "there is no managed image `debian-server-99`"),
            ("./base.qcow2", "the disk image `./base.qcow2` needs its SHA-256 beside it"),
        ] {
            assert_eq!(of(parent).unwrap_err(), expected);
        }
    }
}
