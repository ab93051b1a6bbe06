//! The days of a cron expression: of months or of weeks, with `L`, `W` and `#`.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::field::{FieldError, MONTH_DAYS, WEEK_DAYS, values};

/// Some days; one of the terms must have a day.
#[derive(Debug, Clone)]
pub(super) struct Days(Vec<Term>);

#[derive(Debug, Clone)]
enum Term {
    /// These days of the month.
    OfMonth(Vec<u16>),
    /// Its last day.
    Last,
    /// Its last day from Monday to Friday.
    LastWorkday,
    /// The day from Monday to Friday nearest to this one, in the same month.
    Nearest(u16),
    /// These days of the week, counted from Sunday as 1.
    OfWeek(Vec<u16>),
    /// The last such day of the week in the month.
    LastOf(u16),
    /// The first to fifth such day of the week in the month.
    Nth(u16, u16),
}

impl Days {
    /// Returns the days of months that `text` lists.
    pub(super) fn of_month(text: &str) -> Result<Self, FieldError> {
        let term = |part: &str| {
            let upper = part.to_ascii_uppercase();
            Ok(match upper.as_str() {
                "L" => Term::Last,
                "LW" | "WL" => Term::LastWorkday,
                _ => match upper.strip_suffix('W') {
                    Some(day) => {
                        Term::Nearest(MONTH_DAYS.value(day).ok_or_else(|| MONTH_DAYS.refuse(part))?)
                    }
                    None => Term::OfMonth(values(part, &MONTH_DAYS)?),
                },
            })
        };
        Ok(Self(text.split(',').map(term).collect::<Result<_, _>>()?))
    }

    /// Returns the days of weeks that `text` lists.
    pub(super) fn of_week(text: &str) -> Result<Self, FieldError> {
        let term = |part: &str| {
            let day = |text: &str| WEEK_DAYS.value(text).ok_or_else(|| WEEK_DAYS.refuse(part));
            if let Some((name, nth)) = part.split_once('#') {
                let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
                return Ok(Term::Nth(day(name)?, nth.ok_or_else(|| WEEK_DAYS.refuse(part))?));
            }
            Ok(match part.strip_suffix(['L', 'l']) {
                // The last day of the week.
                Some("") => Term::OfWeek(vec![WEEK_DAYS.last]),
                Some(name) => Term::LastOf(day(name)?),
                // Other crons call Sunday 0, and nothing here is called so.
                None if part == "0" => Term::OfWeek(vec![WEEK_DAYS.first]),
                None => Term::OfWeek(values(part, &WEEK_DAYS)?),
            })
        };
        Ok(Self(text.split(',').map(term).collect::<Result<_, _>>()?))
    }

    /// Returns whether `date` is one of them.
    pub(super) fn has(&self, date: Date) -> bool {
        let day = date.day().unsigned_abs().into();
        let weekday = date.weekday().to_sunday_one_offset().unsigned_abs().into();
        self.0.iter().any(|term| match term {
            Term::OfMonth(days) => days.contains(&day),
            Term::Last => date == date.last_of_month(),
            Term::LastWorkday => date == workday_near(date.last_of_month()),
            Term::Nearest(day) => nearest(date, *day) == Some(date),
            Term::OfWeek(days) => days.contains(&weekday),
            Term::LastOf(wanted) => weekday == *wanted && day + 7 > days_in_month(date),
            Term::Nth(wanted, nth) => weekday == *wanted && day.div_ceil(7) == *nth,
        })
    }
}

fn days_in_month(date: Date) -> u16 {
    date.days_in_month().unsigned_abs().into()
}

/// Returns the workday nearest to a day of the month of `date`, if it has that day.
fn nearest(date: Date, day: u16) -> Option<Date> {
    let day = i8::try_from(day).ok()?;
    Date::new(date.year(), date.month(), day).ok().map(workday_near)
}

/// Returns the day from Monday to Friday in the same month that is nearest to `date`.
fn workday_near(date: Date) -> Date {
    let days = match date.weekday() {
        Weekday::Saturday if date.day() == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if date == date.last_of_month() => -2,
        Weekday::Sunday => 1,
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => 0,
    };
    date.saturating_add(days.days())
}
