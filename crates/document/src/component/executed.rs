//! The components that a document executes, to be at hand before it runs.

use std::collections::BTreeMap;

use super::Component;
use super::stored::Known;
use crate::{DocumentAddress, ExecuteDocument, ResolvedAction};

impl Component {
    /// Returns the component ARNs that `ExecuteDocument` steps of `phases` name,
    /// with the steps' inputs.
    ///
    /// `values` are those of [`Component::values`]. A step that names its
    /// document by what is known only while it runs is left out.
    pub fn executed(
        &self,
        phases: &[&str],
        values: &BTreeMap<String, String>,
    ) -> Vec<(String, ExecuteDocument)> {
        let known = Known { values, stored: &BTreeMap::new() };
        let phases = self.phases.iter().filter(|phase| phases.contains(&phase.name.as_str()));
        let steps = phases.flat_map(|phase| &phase.steps);
        let executed = steps.filter_map(|step| {
            let Ok(ResolvedAction::ExecuteDocument(inputs)) = step.resolve(&known) else {
                return None;
            };
            let Ok(DocumentAddress::Component(arn)) = inputs.document.parse() else { return None };
            Some((arn, inputs))
        });
        executed.collect()
    }
}
