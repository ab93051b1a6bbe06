//! Where the values of `{{ aws:ssm:… }}` come from, asked before a document is
//! sent to an instance.
//!
//! Masking them in what a component tells is the agent's business.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use channel::Stored;
use document::StoredUse;
use name::Account;
use store::{Db, Keyring, KeyringError, StoreError, parameter};
use tokio::runtime::Handle;

use crate::order::LoadedComponent;
use crate::{Cause, Failure};

/// A parameter store.
pub trait Parameters: fmt::Debug + Send + Sync {
    /// Returns the parameter that an account's documents call `name`, or `None`
    /// if there is none.
    ///
    /// Called on a thread that may wait.
    fn find(&self, account: &Account, name: &str) -> Result<Option<Stored>, StoreError>;
}

/// A store without parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoParameters;

impl Parameters for NoParameters {
    fn find(&self, _: &Account, _: &str) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }
}

/// The parameters that `goldsmith parameter` keeps in the catalogue.
#[derive(Debug)]
pub struct KeptParameters {
    db: Db,
    keyring: Keyring,
    handle: Handle,
}

impl KeptParameters {
    /// Returns the parameters of a catalogue; opens its keyring beside it in
    /// `data`, and makes it if it is not there.
    ///
    /// To be called within the runtime, which is waited for when a parameter
    /// is asked for.
    pub fn open(db: &Db, data: &Path) -> Result<Self, KeyringError> {
        let keyring = Keyring::open(&data.join("keyring"))?;
        Ok(Self { db: db.clone(), keyring, handle: Handle::current() })
    }
}

impl Parameters for KeptParameters {
    fn find(&self, account: &Account, name: &str) -> Result<Option<Stored>, StoreError> {
        let read = parameter::read(&self.db, &self.keyring, account, name);
        let found = self.handle.block_on(read)?;
        Ok(found.map(|(value, kind)| Stored {
            name: name.to_owned(),
            value: value.expose().to_owned(),
            secure: kind.is_secure(),
        }))
    }
}

/// Finds what `phases` of `component` refer to, each by `find`.
///
/// Fails if a parameter is not there, which names the step that wants it.
pub fn stored_parameters(
    find: &dyn Fn(&str) -> Result<Option<Stored>, StoreError>,
    component: &LoadedComponent,
    phases: &[&str],
    cause: Cause,
) -> Result<Vec<Stored>, Box<Failure>> {
    // Without them the document is refused where it runs, with the reason.
    let Ok(values) = component.component.values(&component.parameters) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<Stored> = Vec::new();
    loop {
        let pairs = found.iter().map(|stored| (stored.name.clone(), stored.value.clone()));
        let known: BTreeMap<String, String> = pairs.collect();
        let uses = component.component.stored(phases, &values, &known);
        let Some(wanted) = uses.into_iter().find(|wanted| !known.contains_key(&wanted.name)) else {
            return Ok(found);
        };
        // A name that is the value of a secure parameter is itself a secret.
        let is_secret = found.iter().any(|it| it.secure && it.value.contains(&wanted.name));
        let shown = if is_secret { "********" } else { &wanted.name };
        let fail = |reason: &str| failure(cause, component, &wanted, shown, reason);
        match find(&wanted.name) {
            Ok(Some(stored)) => found.push(Stored { name: wanted.name.clone(), ..stored }),
            Ok(None) => return Err(fail("there is none")),
            Err(error) => {
                let Failure { message, .. } = *Failure::of(cause, &error);
                return Err(fail(&message));
            }
        }
    }
}

fn failure(
    cause: Cause,
    component: &LoadedComponent,
    wanted: &StoredUse,
    name: &str,
    reason: &str,
) -> Box<Failure> {
    let StoredUse { phase, step, reference, name: _ } = wanted;
    let message = format!(
        "phase {phase}: step {step} needs the stored parameter `{name}` for `{{{{ {reference} }}}}`: {reason}"
    );
    Box::new(Failure {
        component: Some(component.name.clone()),
        phase: Some(phase.clone()),
        step: Some(step.clone()),
        ..*Failure::plain(cause, message)
    })
}

#[cfg(test)]
mod tests {
    use document::Component;

    use super::*;

    type Found = Result<Option<Stored>, StoreError>;

    /// The parameters of these names have these values.
    fn these(known: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Found {
        |wanted| {
            let found = known.iter().find(|(name, _)| *name == wanted);
            Ok(found.map(|(name, value)| Stored {
                name: (*name).to_owned(),
                value: (*value).to_owned(),
                secure: true,
            }))
        }
    }

    fn component() -> LoadedComponent {
        let text = "schemaVersion: 1.0
parameters:
  - Which: {type: string, default: /c}
phases:
  - name: build
    steps:
      - name: Direct
        action: ExecuteBash
        inputs: {commands: ['{{ aws:ssm:/a }} {{ aws:ssm:/a }}']}
      - name: Indirect
        action: ExecuteBash
        if: {stringIsEmpty: '{{ aws:ssm:resolve(aws:ssm:/b) }}'}
        loop: {forEach: ['{{ aws:ssm:resolve(Which) }}']}
        inputs: {commands: [id]}
  - name: test
    steps:
      - name: Later
        action: ExecuteBash
        inputs: {commands: ['{{ aws:ssm:/d }}']}
";
        let component = Component::parse(text).unwrap().value;
        let (name, text) = ("web".to_owned(), text.to_owned());
        LoadedComponent { name, text, component, parameters: Vec::new(), executed: BTreeMap::new() }
    }

    #[test]
    fn what_the_phases_refer_to_is_found() {
        let these = these(&[("/a", "1"), ("/b", "aws:ssm:/e"), ("/c", "3"), ("/e", "5")]);
        let found =
            stored_parameters(&these, &component(), &["build", "validate"], Cause::Component)
                .unwrap();
        let mut names: Vec<&str> = found.iter().map(|stored| stored.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["/a", "/b", "/c", "/e"]);
        assert!(found.iter().all(|stored| stored.secure));
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |these: &dyn Fn(&str) -> Found, phase, expected: &str| {
            let failure =
                stored_parameters(these, &component(), &[phase], Cause::Component).unwrap_err();
            assert_eq!(failure.to_string(), expected);
        };
        check(
            &these(&[]),
            "build",
            "component web: phase build: step Direct needs the stored parameter `/a` for `{{ aws:ssm:/a }}`: there is none",
        );
        check(
            &these(&[("/a", ""), ("/b", "/x"), ("/c", "")]),
            "build",
            "component web: phase build: step Indirect needs the stored parameter `********` for `{{ aws:ssm:resolve(aws:ssm:/b) }}`: there is none",
        );
        check(
            &these(&[]),
            "test",
            "component web: phase test: step Later needs the stored parameter `/d` for `{{ aws:ssm:/d }}`: there is none",
        );
    }
}
