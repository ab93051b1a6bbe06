//! Dates in templates: `{{imagebuilder:buildDate:<pattern>}}`.
//!
//! Patterns are Java's, reduced to numbers: months and days have no names.

use std::str::FromStr;

use super::TemplateError;

/// A moment in UTC, as a calendar and a clock show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what they are called")]
pub struct BuildTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub millisecond: u16,
}

/// A date pattern, as runs of equal letters and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatePattern(Vec<Field>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Literal(char),
    Number(Unit, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl DatePattern {
    /// Returns `time` in this form.
    pub(super) fn format(&self, time: &BuildTime) -> String {
        self.0.iter().map(|field| field.format(time)).collect()
    }

    /// Returns how many characters a date in this form has at most.
    pub(super) fn length(&self) -> usize {
        let length = |field: &Field| match field {
            Field::Literal(_) => 1,
            Field::Number(Unit::Year, width) => *width.max(&4),
            Field::Number(Unit::Millisecond, width) => *width.max(&3),
            Field::Number(_, width) => *width.max(&2),
        };
        self.0.iter().map(length).sum()
    }

    /// Returns the characters that are not replaced.
    pub(super) fn literals(&self) -> impl Iterator<Item = char> {
        self.0.iter().filter_map(|field| match field {
            Field::Literal(literal) => Some(*literal),
            Field::Number(..) => None,
        })
    }
}

impl Default for DatePattern {
    /// The form `2022-07-28T01-14-17.416Z`, whose `T` and `Z` are literal.
    fn default() -> Self {
        use Field::{Literal, Number};
        Self(vec![
            Number(Unit::Year, 4),
            Literal('-'),
            Number(Unit::Month, 2),
            Literal('-'),
            Number(Unit::Day, 2),
            Literal('T'),
            Number(Unit::Hour, 2),
            Literal('-'),
            Number(Unit::Minute, 2),
            Literal('-'),
            Number(Unit::Second, 2),
            Literal('.'),
            Number(Unit::Millisecond, 3),
            Literal('Z'),
        ])
    }
}

impl Field {
    fn format(self, time: &BuildTime) -> String {
        let (unit, width) = match self {
            Self::Literal(literal) => return literal.to_string(),
            Self::Number(unit, width) => (unit, width),
        };
        let value = match unit {
            Unit::Year if width == 2 => time.year % 100,
            Unit::Year => time.year,
            Unit::Month => time.month.into(),
            Unit::Day => time.day.into(),
            Unit::Hour => time.hour.into(),
            Unit::Minute => time.minute.into(),
            Unit::Second => time.second.into(),
            Unit::Millisecond => time.millisecond,
        };
        format!("{value:0width$}")
    }
}

impl FromStr for DatePattern {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut fields = Vec::new();
        for letter in text.chars() {
            let unit = match letter {
                'y' => Unit::Year,
                'M' => Unit::Month,
                'd' => Unit::Day,
                'H' => Unit::Hour,
                'm' => Unit::Minute,
                's' => Unit::Second,
                'S' => Unit::Millisecond,
                letter if letter.is_alphanumeric() => {
                    let pattern = text.to_owned();
                    return Err(TemplateError::BadDatePattern { pattern, letter });
                }
                literal => {
                    fields.push(Field::Literal(literal));
                    continue;
                }
            };
            match fields.last_mut() {
                Some(Field::Number(last, width)) if *last == unit => *width += 1,
                Some(Field::Number(..) | Field::Literal(_)) | None => {
                    fields.push(Field::Number(unit, 1));
                }
            }
        }
        Ok(Self(fields))
    }
}
