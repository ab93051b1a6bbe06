//! Texts with `{{ imagebuilder:… }}` in them (reference §5.2, §4.6).
//!
//! Build times come as plain numbers: no clock is read and no calendar known.

mod date;

use std::str::FromStr;

use name::BuildVersion;

pub use date::BuildTime;
use date::DatePattern;

/// What a build knows that templates ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildFacts {
    /// When the build began, in UTC.
    pub time: BuildTime,
    /// What is built.
    pub version: BuildVersion,
}

/// A text whose variables are filled in by each build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    BuildDate(DatePattern),
    BuildVersion,
}

/// A template for the name of an AMI.
///
/// Whatever is filled in, the result is a name that EC2 takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameTemplate(Template);

/// A text is not a template, or not one for an AMI's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A variable does not exist.
    #[error(
        "`{0}` is not a variable: expected `imagebuilder:buildDate` or `imagebuilder:buildVersion`"
    )]
    UnknownVariable(String),
    /// A variable has no end.
    #[error("`{{{{` is not followed by `}}}}`")]
    Unclosed,
    /// A date pattern has a letter without meaning.
    #[error(
        "`{letter}` in the date pattern `{pattern}` means nothing: expected y, M, d, H, m, s or S"
    )]
    BadDatePattern {
        /// The pattern.
        pattern: String,
        /// Its first letter without meaning.
        letter: char,
    },
    /// An AMI's name has a character it may not have.
    #[error(
        "an AMI's name cannot hold `{0}`: expected letters, digits, spaces, `-`, `_`, `.` and variables"
    )]
    BadCharacter(char),
    /// An AMI's name is too short or, filled in, too long.
    #[error("an AMI's name has 3 to 128 characters, variables filled in; this one has {0}")]
    BadLength(usize),
    /// An AMI's name begins or ends with a space or a dot.
    #[error("an AMI's name cannot begin or end with a space or `.`")]
    BadEdge,
}

impl Template {
    /// Returns the text with its variables filled in.
    pub fn expand(&self, facts: &BuildFacts) -> String {
        let fill = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::BuildDate(pattern) => pattern.format(&facts.time),
            // The slash of `1.0.0/3` would be a folder in exported files.
            Part::BuildVersion => facts.version.to_string().replace('/', "-"),
        };
        self.0.iter().map(fill).collect()
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (variable, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(parse_variable(variable.trim())?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }
}

fn parse_variable(text: &str) -> Result<Part, TemplateError> {
    let unknown = || TemplateError::UnknownVariable(text.to_owned());
    let name = text.strip_prefix("imagebuilder:").ok_or_else(unknown)?;
    match name.split_once(':') {
        None if name == "buildDate" => Ok(Part::BuildDate(DatePattern::default())),
        None if name == "buildVersion" => Ok(Part::BuildVersion),
        Some(("buildDate", pattern)) => Ok(Part::BuildDate(pattern.trim().parse()?)),
        None | Some(_) => Err(unknown()),
    }
}

impl NameTemplate {
    /// Returns the template for AMIs of a recipe that names none (reference §4.6).
    pub fn of_recipe(recipe: &str) -> Result<Self, TemplateError> {
        format!("{recipe} {{{{imagebuilder:buildDate}}}}").parse()
    }

    /// Returns the name with its variables filled in.
    pub fn expand(&self, facts: &BuildFacts) -> String {
        self.0.expand(facts)
    }

    /// Returns the name if every build has the same, so that a second fails.
    pub fn fixed(&self) -> Option<String> {
        let literal = |part: &Part| match part {
            Part::Literal(text) => Some(text.clone()),
            Part::BuildDate(_) | Part::BuildVersion => None,
        };
        self.0.0.iter().map(literal).collect()
    }
}

impl FromStr for NameTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let template: Template = text.parse()?;
        let mut length = 0;
        for part in &template.0 {
            length += match part {
                Part::Literal(literal) => {
                    if let Some(bad) = literal.chars().find(|&c| !may_be_in_name(c)) {
                        return Err(TemplateError::BadCharacter(bad));
                    }
                    literal.len()
                }
                Part::BuildDate(pattern) => {
                    if let Some(bad) = pattern.literals().find(|&c| !may_be_in_name(c)) {
                        return Err(TemplateError::BadCharacter(bad));
                    }
                    pattern.length()
                }
                // Three nodes and a build, of ten digits at most.
                Part::BuildVersion => 4 * 10 + 3,
            };
        }
        if !(3..=128).contains(&length) {
            return Err(TemplateError::BadLength(length));
        }
        // A date's pattern may end with a dot, too.
        let name: String = template.0.iter().map(example).collect();
        if name.starts_with([' ', '.']) || name.ends_with([' ', '.']) {
            return Err(TemplateError::BadEdge);
        }
        Ok(Self(template))
    }
}

/// Returns what a part may be filled in with.
fn example(part: &Part) -> String {
    let time =
        BuildTime { year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 };
    match part {
        Part::Literal(text) => text.clone(),
        Part::BuildDate(pattern) => pattern.format(&time),
        Part::BuildVersion => "1.0.0-1".to_owned(),
    }
}

fn may_be_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_. ".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> BuildFacts {
        let time = BuildTime {
            year: 2022,
            month: 7,
            day: 28,
            hour: 1,
            minute: 14,
            second: 17,
            millisecond: 416,
        };
        BuildFacts { time, version: "1.0.2/3".parse().unwrap() }
    }

    #[track_caller]
    fn check(template: &str, expected: &str) {
        assert_eq!(template.parse::<NameTemplate>().unwrap().expand(&facts()), expected);
    }

    #[test]
    fn variables_are_filled_in() {
        check("web {{ imagebuilder:buildDate }}", "web 2022-07-28T01-14-17.416Z");
        check("{{imagebuilder:buildVersion}}-web", "1.0.2-3-web");
        check("web-{{imagebuilder:buildDate:yyyyMMddHHmmss}}", "web-20220728011417");
        check("web_{{imagebuilder:buildDate:yy-MM.SSS}}", "web_22-07.416");
        let template: Template = "Built: {{imagebuilder:buildDate}} / x".parse().unwrap();
        assert_eq!(template.expand(&facts()), "Built: 2022-07-28T01-14-17.416Z / x");
    }

    #[test]
    fn recipes_name_their_amis() {
        let template = NameTemplate::of_recipe("Web Server").unwrap();
        assert_eq!(template.expand(&facts()), "Web Server 2022-07-28T01-14-17.416Z");
        assert_eq!(template.fixed(), None);
        assert_eq!("web".parse::<NameTemplate>().unwrap().fixed().as_deref(), Some("web"));
    }

    #[test]
    fn bad_names_are_refused() {
        #[track_caller]
        fn refuse(text: &str, expected: TemplateError) {
            assert_eq!(text.parse::<NameTemplate>(), Err(expected));
        }
        refuse(
            "web {{imagebuilder:date}}",
            TemplateError::UnknownVariable("imagebuilder:date".into()),
        );
        refuse("web {{imagebuilder:buildDate", TemplateError::Unclosed);
        refuse("web/one", TemplateError::BadCharacter('/'));
        refuse("ab", TemplateError::BadLength(2));
        refuse(&"a".repeat(129), TemplateError::BadLength(129));
        refuse(" web", TemplateError::BadEdge);
        refuse("web {{imagebuilder:buildDate:yyyy.}}", TemplateError::BadEdge);
        let long = format!("{}{{{{imagebuilder:buildVersion}}}}", "a".repeat(86));
        refuse(&long, TemplateError::BadLength(129));
        refuse("web-{{imagebuilder:buildDate:HH:mm}}", TemplateError::BadCharacter(':'));
        let (pattern, letter) = ("YYYY".to_owned(), 'Y');
        refuse(
            "web-{{imagebuilder:buildDate:YYYY}}",
            TemplateError::BadDatePattern { pattern, letter },
        );
    }
}
