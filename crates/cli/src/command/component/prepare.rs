//! What is checked of documents before any of them runs.

use document::{Reference, Step};

use super::document::{Document, load};
use super::object::Objects;
use super::order::{Order, OrderError};
use super::platform::Platform;
use crate::environment::Environment;
use crate::error::CliError;
use crate::output::Output;

/// Returns the documents, unless one of them cannot be used; tells what is odd.
pub(super) fn prepare(
    order: &Order,
    environment: &Environment,
    out: &Output,
) -> Result<Vec<Document>, CliError> {
    let names: Vec<String> = order.documents.iter().map(|(name, _)| name.clone()).collect();
    if order.document_owner.is_some() && !names.iter().any(|name| Objects::is_address(name)) {
        out.note(format_args!("--document-s3-bucket-owner has no document to apply to"));
    }
    let objects = Objects::of(environment, order.document_owner.clone());
    let (documents, problems) = load(&names, Platform::Linux, &objects);
    if !problems.refused.is_empty() {
        return Err(CliError::Documents(problems));
    }
    if !problems.rendered.is_empty() {
        out.warning(&problems.rendered);
    }
    for (document, (_, parameters)) in documents.iter().zip(&order.documents) {
        document
            .component
            .values(parameters)
            .map_err(|source| OrderError::Missing { document: document.path.clone(), source })?;
        let knows = |name: &str| document.component.parameters.iter().any(|one| one.name == name);
        for (name, _) in parameters.iter().filter(|(name, _)| !knows(name)) {
            out.note(format_args!("{} has no parameter {name}", document.path));
        }
    }
    let has = |phase: &String| {
        documents.iter().any(|one| one.component.phases.iter().any(|it| it.name == *phase))
    };
    for phase in order.phases.iter().flatten().filter(|phase| !has(phase)) {
        out.warning(&format!("warning: no document has a phase {phase}\n"));
    }
    Ok(documents)
}

/// Says whether `documents` refer to stored parameters.
pub(super) fn ask_for_parameters(documents: &[Document]) -> bool {
    let phases = documents.iter().flat_map(|document| &document.component.phases);
    let mut references = phases.flat_map(|phase| &phase.steps).flat_map(Step::references);
    references
        .any(|reference| matches!(reference, Reference::Stored(_) | Reference::StoredUnder(_)))
}
