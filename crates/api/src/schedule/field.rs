//! The fields of a cron expression: lists of numbers, names, ranges and steps.

/// What a field may hold.
#[derive(Debug)]
pub(super) struct Field {
    /// What it is, with its article.
    pub(super) what: &'static str,
    pub(super) first: u16,
    pub(super) last: u16,
    /// Names of the values, from the first on.
    pub(super) names: &'static [&'static str],
}

/// A field holds something that it may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: expected {expected}")]
pub(crate) struct FieldError {
    text: String,
    what: &'static str,
    expected: String,
}

pub(super) const MINUTES: Field = Field { what: "a minute", first: 0, last: 59, names: &[] };
pub(super) const HOURS: Field = Field { what: "an hour", first: 0, last: 23, names: &[] };
pub(super) const MONTH_DAYS: Field =
    Field { what: "a day of month", first: 1, last: 31, names: &[] };
pub(super) const MONTHS: Field = Field {
    what: "a month",
    first: 1,
    last: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const WEEK_DAYS: Field = Field {
    what: "a day of week",
    first: 1,
    last: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
pub(super) const YEARS: Field = Field { what: "a year", first: 1970, last: 2199, names: &[] };

/// Returns the values that `text` lists, in order, each once.
pub(super) fn values(text: &str, field: &Field) -> Result<Vec<u16>, FieldError> {
    let mut values = Vec::new();
    for part in text.split(',') {
        values.extend(part_of(part, field).ok_or_else(|| field.refuse(part))?);
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

/// Returns the values of `*`, `5`, `1-5`, `*/5`, `1/5` or `1-30/5`.
fn part_of(text: &str, field: &Field) -> Option<Vec<u16>> {
    let (range, step) = match text.split_once('/') {
        None => (text, None),
        Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0)?)),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (field.first, field.last),
        Some((first, last)) => (field.value(first)?, field.value(last)?),
        // A step without an end goes on to the greatest.
        None if step.is_some() => (field.value(range)?, field.last),
        None => (field.value(range)?, field.value(range)?),
    };
    (first <= last).then(|| (first..=last).step_by(step.unwrap_or(1)).collect())
}

impl Field {
    /// Returns the value that is spelt `text`.
    pub(super) fn value(&self, text: &str) -> Option<u16> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(index) = named {
            return Some(self.first + u16::try_from(index).ok()?);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().filter(|value| (self.first..=self.last).contains(value))
    }

    /// Returns the error for `text`, which is no such value.
    pub(super) fn refuse(&self, text: &str) -> FieldError {
        let Self { what, first, last, names } = self;
        let names = match names {
            [first, .., last] => format!(" or {first} to {last}"),
            [] | [_] => String::new(),
        };
        let expected = format!("{first} to {last}{names}");
        FieldError { text: text.to_owned(), what, expected }
    }
}
