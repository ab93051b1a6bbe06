//! The components of a recipe: there, usable, each once, with the parameters their documents have.

use std::collections::HashSet;

use name::Arn;
use store::resource::Entry;
use wire::imagebuilder::{
    Component, ComponentConfiguration, ComponentStatus, Error, ErrorKind, Platform,
};
use wire::sigv4::Caller;

use super::Parent;
use crate::Api;
use crate::imagebuilder::error::{arn, invalid};
use crate::imagebuilder::own::body;

/// The most components a recipe has (reference §9.7).
const LIMIT: usize = 20;

impl Api {
    /// Returns the ARNs, as they are given, of components that all can be applied to `parent`.
    pub(in crate::imagebuilder) async fn components(
        &self,
        caller: &Caller,
        parent: &Parent,
        components: &[ComponentConfiguration],
    ) -> Result<Vec<Arn>, Error> {
        if components.len() > LIMIT {
            let message = format!("{} components; a recipe has at most {LIMIT}.", components.len());
            return Err(Error::new(ErrorKind::ServiceQuotaExceeded, message));
        }
        let (mut arns, mut names) = (Vec::new(), HashSet::new());
        for (index, component) in components.iter().enumerate() {
            let at = format!("components[{index}]");
            let parameter = format!("{at}.componentArn");
            let text = &component.component_arn;
            let arn = arn(&parameter, text)?;
            if !names.insert(arn.without_version()) {
                let rule = format!("'{}' is there twice.", arn.without_version());
                return Err(invalid(&parameter, rule));
            }
            let entry = self.find(caller, &parameter, text).await?;
            check(&at, parent, &entry, component)?;
            arns.push(arn);
        }
        Ok(arns)
    }
}

fn check(
    at: &str,
    parent: &Parent,
    entry: &Entry,
    component: &ComponentConfiguration,
) -> Result<(), Error> {
    let found: Component = body(entry)?;
    let at_arn = format!("{at}.componentArn");
    match found.state.as_ref().and_then(|state| state.status) {
        Some(ComponentStatus::Active) | None => (),
        Some(status @ (ComponentStatus::Deprecated | ComponentStatus::Disabled)) => {
            let rule = format!("'{}' is {status}: new recipes cannot use it.", entry.arn);
            return Err(invalid(&at_arn, rule));
        }
    }
    let platform = found.platform.unwrap_or(Platform::Linux);
    if platform != parent.platform {
        let rule = format!("It is for {platform}, and the parent image for {}.", parent.platform);
        return Err(invalid(&at_arn, rule));
    }
    if let (Some(supported), Some(os)) = (&found.supported_os_versions, &parent.os_version)
        && !supported.iter().any(|version| os.starts_with(version.as_str()))
    {
        let rule = format!("It supports {}, and the parent image is {os}.", supported.join(", "));
        return Err(invalid(&at_arn, rule));
    }
    check_parameters(at, &found, component)
}

fn check_parameters(
    at: &str,
    found: &Component,
    component: &ComponentConfiguration,
) -> Result<(), Error> {
    let known = found.parameters.as_deref().unwrap_or_default();
    let mut names = HashSet::new();
    for (index, parameter) in component.parameters.iter().flatten().enumerate() {
        let at = format!("{at}.parameters[{index}]");
        let name = &parameter.name;
        if !known.iter().any(|known| known.name == *name) {
            let rule = format!("The component has no parameter '{name}'.");
            return Err(invalid(&format!("{at}.name"), rule));
        }
        if !names.insert(name.as_str()) {
            return Err(invalid(&format!("{at}.name"), format!("'{name}' is there twice.")));
        }
        if parameter.value.len() != 1 {
            let rule = "A parameter of type String has exactly one value.";
            return Err(invalid(&format!("{at}.value"), rule));
        }
    }
    let needs = |name: &str| !names.contains(name);
    match known.iter().find(|known| known.default_value.is_none() && needs(&known.name)) {
        Some(missing) => {
            let rule = format!("'{}' has no default and needs a value.", missing.name);
            Err(invalid(&format!("{at}.parameters"), rule))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use store::resource::Entry;
    use wire::imagebuilder::{ComponentConfiguration, Platform};

    use super::check;
    use crate::imagebuilder::recipe::Parent;

    fn checked(body: Value) -> Result<(), String> {
        let arn = "arn:aws:imagebuilder:local-1:123456789012:component/web/1.0.0/1";
        let entry = Entry {
            arn: arn.parse().unwrap(),
            name: "web".to_owned(),
            body,
            tags: BTreeMap::new(),
            created_at: 0,
            updated_at: 0,
        };
        let component =
            ComponentConfiguration { component_arn: arn.to_owned(), ..Default::default() };
        let os_version = Some("Debian 12".to_owned());
        let parent = Parent { platform: Platform::Linux, os_version };
        check("components[0]", &parent, &entry, &component).map_err(|error| error.message)
    }

    #[test]
    fn components_in_use_are_active() {
        assert_eq!(checked(json!({"state": {"status": "ACTIVE"}})), Ok(()));
        for status in ["DEPRECATED", "DISABLED"] {
            let refused = checked(json!({"state": {"status": status}})).unwrap_err();
            assert!(refused.contains(&format!("is {status}: new recipes")), "{refused}");
        }
    }

    #[test]
    fn components_are_for_the_parent_s_system() {
        assert_eq!(checked(json!({"supportedOsVersions": ["Debian"]})), Ok(()));
        assert_eq!(checked(json!({"supportedOsVersions": ["Ubuntu", "Debian 12"]})), Ok(()));
        assert!(checked(json!({"supportedOsVersions": ["Debian 13"]})).is_err());
        assert!(checked(json!({"platform": "Windows"})).is_err());
    }
}
