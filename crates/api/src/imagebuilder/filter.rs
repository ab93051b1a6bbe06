//! Filters of lists: a resource is listed if each filter has a value that is its own (reference §1.4).

use serde_json::Value;

use name::{Version, VersionPattern};
use wire::imagebuilder::{Error, Filter};

use super::error::invalid;

/// A filter's name and the member of the listed resource that it looks at.
pub(crate) type Known = (&'static str, &'static str);

/// The filters of a request.
#[derive(Debug, Default)]
pub(crate) struct Filters(Vec<(&'static str, Vec<String>)>);

/// Returns what each filter of a request stands for in `known`, and its values, if the operation
/// knows all of them.
pub(crate) fn parse<T: Copy>(
    given: Option<Vec<Filter>>,
    known: &[(&'static str, T)],
) -> Result<Vec<(T, Vec<String>)>, Error> {
    let mut filters = Vec::new();
    for (index, filter) in given.into_iter().flatten().enumerate() {
        let at = |member: &str| format!("filters[{index}].{member}");
        let names = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let name = filter.name.ok_or_else(|| invalid(&at("name"), "It must not be null."))?;
        let Some((_, by)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(invalid(&at("name"), format!("It must be one of: {}.", names())));
        };
        let values = filter.values.ok_or_else(|| invalid(&at("values"), "It must not be null."))?;
        filters.push((*by, values));
    }
    Ok(filters)
}

impl Filters {
    /// Returns the filters of a request, if the operation knows all of them.
    pub(crate) fn parse(given: Option<Vec<Filter>>, known: &[Known]) -> Result<Self, Error> {
        parse(given, known).map(Self)
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a resource, in JSON as it is listed, passes all of them.
    pub(crate) fn accept(&self, listed: &Value) -> bool {
        self.0.iter().all(|(member, values)| {
            let value = &listed[*member];
            let own = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            own.iter()
                .filter_map(Value::as_str)
                .any(|own| values.iter().any(|wanted| fits(member, wanted, own)))
        })
    }
}

/// Returns whether a value is the wanted one; versions are found by patterns as in `1.x.x`, too.
fn fits(member: &str, wanted: &str, own: &str) -> bool {
    if wanted == own || member != "version" {
        return wanted == own;
    }
    let (Ok(pattern), Ok(version)) = (wanted.parse::<VersionPattern>(), own.parse::<Version>())
    else {
        return false;
    };
    pattern.matches(version)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wire::imagebuilder::Filter;

    use super::Filters;

    const KNOWN: &[(&str, &str)] = &[
        ("name", "name"),
        ("platform", "platform"),
        ("supportedOsVersion", "supported"),
        ("version", "version"),
    ];

    #[track_caller]
    fn check(filters: &[(&str, &[&str])], accepted: bool) {
        let filters = filters.iter().map(|(name, values)| Filter {
            name: Some((*name).to_owned()),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        });
        let listed = json!({
            "name": "web", "platform": "Linux", "supported": ["Debian 12", "Debian 13"],
            "version": "1.10.0",
        });
        let filters = Filters::parse(Some(filters.collect()), KNOWN).unwrap();
        assert_eq!(filters.accept(&listed), accepted);
    }

    #[test]
    fn each_filter_needs_one_of_its_values() {
        check(&[], true);
        check(&[("name", &["web"])], true);
        check(&[("name", &["Web"])], false);
        check(&[("name", &["db", "web"]), ("platform", &["Linux"])], true);
        check(&[("name", &["web"]), ("platform", &["Windows"])], false);
        check(&[("supportedOsVersion", &["Debian 13"])], true);
        check(&[("supportedOsVersion", &["Debian 11"])], false);
    }

    #[test]
    fn versions_are_found_by_patterns() {
        for (wanted, accepted) in [
            ("1.10.0", true),
            ("1.10.x", true),
            ("1.x.x", true),
            ("x.x.x", true),
            ("1.1.x", false),
            ("1.x.0", false),
            ("1.10", false),
        ] {
            check(&[("version", &[wanted])], accepted);
        }
        check(&[("name", &["x.x.x"])], false);
    }

    #[test]
    fn unknown_filters_are_refused_with_those_there_are() {
        let filter = Filter { name: Some("colour".to_owned()), values: Some(Vec::new()) };
        let error = Filters::parse(Some(vec![filter]), KNOWN).unwrap_err();
        let expected = "The value supplied for parameter 'filters[0].name' is not valid. \
                        It must be one of: name, platform, supportedOsVersion, version.";
        assert_eq!(error.message, expected);
    }
}
