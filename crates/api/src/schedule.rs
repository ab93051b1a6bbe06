//! When pipelines are due: `cron(…)` and `rate(…)` expressions (reference §4.1).
//!
//! Whether something is due now is the caller's question; here is only when it is next.

mod day;
mod field;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use day::Days;
use field::{Field, FieldError, HOURS, MINUTES, MONTHS, YEARS, values};

/// A schedule in a time zone.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    when: When,
    zone: TimeZone,
}

#[derive(Debug, Clone)]
enum When {
    Cron(Cron),
    /// Again and again after so many microseconds.
    Rate(i64),
}

#[derive(Debug, Clone)]
struct Cron {
    minutes: Vec<u16>,
    hours: Vec<u16>,
    months: Vec<u16>,
    years: Vec<u16>,
    days: Days,
}

/// A text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseScheduleError {
    /// It is of no known form.
    #[error("`{0}` is not a schedule: expected `cron(0 0 * * ? *)` or `rate(1 day)`")]
    BadForm(String),
    /// A cron expression has too few fields, or too many.
    #[error("expected six fields, found {0}: minute, hour, day of month, month, day of week, year")]
    FieldCount(usize),
    /// Both kinds of day are given, or neither.
    #[error("one of day of month and day of week must be `?`, and the other must not")]
    TwoDays,
    /// A field is wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A rate is wrong.
    #[error("`{0}` is not a rate: expected a number and a unit, as in `1 day` or `12 hours`")]
    BadRate(String),
}

/// No such time zone is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time zone: expected a name as in `Europe/Rome`")]
pub(crate) struct UnknownZone(String);

/// Returns the time zone called `name`, UTC without one.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, UnknownZone> {
    let name = name.unwrap_or("UTC");
    TimeZone::get(name).map_err(|_| UnknownZone(name.to_owned()))
}

impl Schedule {
    /// Returns the schedule of `expression` in a time zone.
    pub(crate) fn parse(expression: &str, zone: TimeZone) -> Result<Self, ParseScheduleError> {
        let inner = |function: &str| {
            let rest = expression.trim().strip_prefix(function)?;
            rest.strip_prefix('(')?.strip_suffix(')')
        };
        let when = if let Some(fields) = inner("cron") {
            When::Cron(Cron::parse(fields)?)
        } else if let Some(rate) = inner("rate") {
            When::Rate(parse_rate(rate)?)
        } else {
            return Err(ParseScheduleError::BadForm(expression.to_owned()));
        };
        Ok(Self { when, zone })
    }

    /// Returns when it is next due after `now`; rates count from `start`. In microseconds since 1970.
    ///
    /// Times that a change of clocks skips are not made up for; of two equal
    /// times the first counts.
    pub(crate) fn after(&self, start: i64, now: i64) -> Option<i64> {
        match &self.when {
            When::Rate(micros) => {
                let passed = now.checked_sub(start)?.div_euclid(*micros).max(0);
                start.checked_add(micros.checked_mul(passed + 1)?)
            }
            When::Cron(cron) => cron.after(now, &self.zone),
        }
    }
}

fn parse_rate(text: &str) -> Result<i64, ParseScheduleError> {
    const MINUTE: i64 = 60_000_000;
    let refuse = || ParseScheduleError::BadRate(text.to_owned());
    let (number, unit) = text.trim().split_once(' ').ok_or_else(refuse)?;
    let number: i64 = number.parse().ok().filter(|number| *number > 0).ok_or_else(refuse)?;
    let unit = match (number == 1, unit.trim()) {
        (true, "minute") | (false, "minutes") => MINUTE,
        (true, "hour") | (false, "hours") => 60 * MINUTE,
        (true, "day") | (false, "days") => 24 * 60 * MINUTE,
        (_, _) => return Err(refuse()),
    };
    number.checked_mul(unit).ok_or_else(refuse)
}

impl Cron {
    fn parse(text: &str) -> Result<Self, ParseScheduleError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        // Documents of AWS also show expressions without a year.
        let (minute, hour, month_day, month, week_day, year) = match fields[..] {
            [minute, hour, month_day, month, week_day] => {
                (minute, hour, month_day, month, week_day, "*")
            }
            [minute, hour, month_day, month, week_day, year] => {
                (minute, hour, month_day, month, week_day, year)
            }
            _ => return Err(ParseScheduleError::FieldCount(fields.len())),
        };
        let of = |text: &str, field: &Field| values(text, field);
        let days = match (month_day, week_day) {
            ("?", "?") => return Err(ParseScheduleError::TwoDays),
            // Some leave out the `?`; a star then restricts nothing.
            (days, "?" | "*") => Days::of_month(days)?,
            ("?" | "*", days) => Days::of_week(days)?,
            (_, _) => return Err(ParseScheduleError::TwoDays),
        };
        Ok(Self {
            minutes: of(minute, &MINUTES)?,
            hours: of(hour, &HOURS)?,
            months: of(month, &MONTHS)?,
            years: of(year, &YEARS)?,
            days,
        })
    }

    fn after(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let now = Timestamp::from_microsecond(now).ok()?;
        let today = zone.to_datetime(now).date();
        // Months of one length that begin on the same weekday have the same days, so that few are
        // searched for a day that no month has.
        let mut without = Vec::new();
        for first in self.months_from(today) {
            let shape = (first.days_in_month(), first.weekday());
            if without.contains(&shape) {
                continue;
            }
            let days: Vec<Date> = dates(first).filter(|date| self.days.has(*date)).collect();
            if days.is_empty() {
                without.push(shape);
            }
            let coming = days.into_iter().filter(|date| *date >= today);
            let mut due = coming.filter_map(|date| self.on(date, now, zone));
            if let Some(due) = due.next() {
                return Some(due.as_microsecond());
            }
        }
        None
    }

    /// Returns the first days of its months, from that of `date` on.
    fn months_from(&self, date: Date) -> impl Iterator<Item = Date> {
        let past = self.years.partition_point(|year| i32::from(*year) < i32::from(date.year()));
        let months = self.years.iter().skip(past).flat_map(|year| {
            let first = |month: &u16| {
                let (year, month) = (i16::try_from(*year).ok()?, i8::try_from(*month).ok()?);
                Date::new(year, month, 1).ok()
            };
            self.months.iter().filter_map(first)
        });
        months.skip_while(move |first| *first < date.first_of_month())
    }

    /// Returns its first time on `date` that is later than `now`.
    fn on(&self, date: Date, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let due = self.times().filter_map(|time| moment(date.to_datetime(time), zone));
        due.filter(|due| *due > now).min()
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        self.hours.iter().flat_map(|hour| {
            let time = |minute: &u16| {
                let (hour, minute) = (i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?);
                Time::new(hour, minute, 0, 0).ok()
            };
            self.minutes.iter().filter_map(time)
        })
    }
}

/// Returns all days of the month that begins on `first`.
fn dates(first: Date) -> impl Iterator<Item = Date> {
    let days = 1..=first.days_in_month();
    days.filter_map(move |day| Date::new(first.year(), first.month(), day).ok())
}

/// Returns when clocks in `zone` first show `local`, if they do.
fn moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let moment = zone.to_ambiguous_timestamp(local);
    match moment.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            moment.compatible().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::Date;
    use jiff::tz::TimeZone;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::select;

    use super::{Cron, Schedule, zone};

    #[track_caller]
    fn check(expression: &str, zone: &str, from: &str, expected: &[&str]) {
        let schedule = Schedule::parse(expression, super::zone(Some(zone)).unwrap()).unwrap();
        let mut now = from.parse::<Timestamp>().unwrap().as_microsecond();
        let start = now;
        let mut found = Vec::new();
        for _ in expected {
            let Some(next) = schedule.after(start, now) else { break };
            found.push(Timestamp::from_microsecond(next).unwrap().to_string());
            now = next;
        }
        assert_eq!(found, expected, "{expression}");
    }

    #[test]
    fn fields_say_when() {
        let from = "2026-09-09T19:12:23.4Z";
        for (expression, expected) in [
            ("cron(0 0 * * ? *)", ["2026-09-10T00:00:00Z", "2026-09-11T00:00:00Z"]),
            ("cron(*/20 8-9,17 ? * MON-FRI *)", ["2026-09-10T08:00:00Z", "2026-09-10T08:20:00Z"]),
            ("cron(15 10 ? * 6 2026-2028)", ["2026-09-11T10:15:00Z", "2026-09-18T10:15:00Z"]),
            ("cron(0 12 L * ? *)", ["2026-09-30T12:00:00Z", "2026-10-31T12:00:00Z"]),
            ("cron(0 12 LW * ? *)", ["2026-09-30T12:00:00Z", "2026-10-30T12:00:00Z"]),
            ("cron(0 12 3W * ? *)", ["2026-10-02T12:00:00Z", "2026-11-03T12:00:00Z"]),
            ("cron(0 12 1W * ? *)", ["2026-10-01T12:00:00Z", "2026-11-02T12:00:00Z"]),
            ("cron(0 12 31W * ? *)", ["2026-10-30T12:00:00Z", "2026-12-31T12:00:00Z"]),
            ("cron(0 12 ? * fri#2 *)", ["2026-09-11T12:00:00Z", "2026-10-09T12:00:00Z"]),
            ("cron(0 12 ? * 6L *)", ["2026-09-25T12:00:00Z", "2026-10-30T12:00:00Z"]),
            ("cron(0 12 ? * L *)", ["2026-09-12T12:00:00Z", "2026-09-19T12:00:00Z"]),
            ("cron(0 0 29 feb ? *)", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
            ("cron(0 0 1/10 * ? *)", ["2026-09-11T00:00:00Z", "2026-09-21T00:00:00Z"]),
            ("cron(0 0 * * 0)", ["2026-09-13T00:00:00Z", "2026-09-20T00:00:00Z"]),
            ("cron(0 0 * * *)", ["2026-09-10T00:00:00Z", "2026-09-11T00:00:00Z"]),
            ("rate(1 day)", ["2026-09-10T19:12:23.4Z", "2026-09-11T19:12:23.4Z"]),
            ("rate(90 minutes)", ["2026-09-09T20:42:23.4Z", "2026-09-09T22:12:23.4Z"]),
        ] {
            check(expression, "UTC", from, &expected);
        }
        let never = Schedule::parse("cron(0 0 30 2 ? *)", zone(None).unwrap()).unwrap();
        assert_eq!(never.after(0, 0), None);
        let over = Schedule::parse("cron(0 0 1 1 ? 2025)", zone(None).unwrap()).unwrap();
        assert_eq!(over.after(0, 1_788_981_143_418_000), None);
    }

    #[test]
    fn the_hour_that_does_not_exist_is_skipped() {
        check(
            "cron(30 2 * * ? *)",
            "Europe/Rome",
            "2026-03-28T00:00:00Z",
            &["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"],
        );
    }

    #[test]
    fn the_hour_that_comes_twice_counts_once() {
        check(
            "cron(30 2 * * ? *)",
            "Europe/Rome",
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
    }

    #[test]
    fn what_is_no_schedule_is_explained() {
        for (expression, expected) in [
            (
                "every day",
                "`every day` is not a schedule: expected `cron(0 0 * * ? *)` or `rate(1 day)`",
            ),
            (
                "cron(0 0 * *)",
                "expected six fields, found 4: minute, hour, day of month, month, day of week, year",
            ),
            (
                "cron(0 0 ? * ? *)",
                "one of day of month and day of week must be `?`, and the other must not",
            ),
            (
                "cron(0 0 1 * MON *)",
                "one of day of month and day of week must be `?`, and the other must not",
            ),
            ("cron(60 0 * * ? *)", "`60` is not a minute: expected 0 to 59"),
            ("cron(0 24 * * ? *)", "`24` is not an hour: expected 0 to 23"),
            ("cron(0 0 32 * ? *)", "`32` is not a day of month: expected 1 to 31"),
            ("cron(0 0 * 13 ? *)", "`13` is not a month: expected 1 to 12 or jan to dec"),
            ("cron(0 0 ? * 8 *)", "`8` is not a day of week: expected 1 to 7 or sun to sat"),
            ("cron(0 0 ? * 6#6 *)", "`6#6` is not a day of week: expected 1 to 7 or sun to sat"),
            ("cron(0 0 * * ? 2200)", "`2200` is not a year: expected 1970 to 2199"),
            ("cron(5-1 0 * * ? *)", "`5-1` is not a minute: expected 0 to 59"),
            ("cron(*/0 0 * * ? *)", "`*/0` is not a minute: expected 0 to 59"),
            ("cron(, 0 * * ? *)", "`` is not a minute: expected 0 to 59"),
            (
                "rate(1 days)",
                "`1 days` is not a rate: expected a number and a unit, as in `1 day` or `12 hours`",
            ),
            (
                "rate(0 minutes)",
                "`0 minutes` is not a rate: expected a number and a unit, as in `1 day` or `12 hours`",
            ),
            (
                "rate(5 weeks)",
                "`5 weeks` is not a rate: expected a number and a unit, as in `1 day` or `12 hours`",
            ),
        ] {
            let refused = Schedule::parse(expression, zone(None).unwrap()).unwrap_err();
            assert_eq!(refused.to_string(), expected);
        }
        let error = zone(Some("Europe/Atlantis")).unwrap_err();
        let expected = "`Europe/Atlantis` is not a time zone: expected a name as in `Europe/Rome`";
        assert_eq!(error.to_string(), expected);
    }

    /// Returns what `Cron::after` does, and tries every day for it.
    fn walk(cron: &Cron, now: i64, zone: &TimeZone) -> Option<i64> {
        let now = Timestamp::from_microsecond(now).unwrap();
        let is_listed = |date: &Date| {
            cron.years.contains(&date.year().cast_unsigned())
                && cron.months.contains(&date.month().unsigned_abs().into())
                && cron.days.has(*date)
        };
        let today = zone.to_datetime(now).date();
        let dates = std::iter::successors(Some(today), |date| date.tomorrow().ok());
        let mut listed = dates.take_while(|date| date.year() < 2200).filter(is_listed);
        listed.find_map(|date| cron.on(date, now, zone)).map(|due| due.as_microsecond())
    }

    proptest! {
        /// No day is passed over, and none is made up.
        #[test]
        fn the_next_time_is_that_of_a_walk_through_all_days(
            time in select(vec!["0 0", "30 2", "59 23", "*/30 1-3"]),
            days in select(vec![
                "* * ?", "29 2 ?", "30 2 ?", "31 4,6 ?", "31W 1/2 ?", "LW * ?", "1 1 ?", "? * 6#5",
                "? 2 sun#5", "? 3 1L", "? feb,nov MON-FRI", "? * L",
            ]),
            years in select(vec!["*", "2026-2030", "2027,2100", "1970/4", "2096-2104", "1999", "2199"]),
            zone in select(vec!["UTC", "Europe/Rome", "America/St_Johns"]),
            now in 1_500_000_000_000_000_i64..4_300_000_000_000_000,
        ) {
            let zone = super::zone(Some(zone)).unwrap();
            let cron = Cron::parse(&format!("{time} {days} {years}")).unwrap();
            prop_assert_eq!(cron.after(now, &zone), walk(&cron, now, &zone));
        }

        /// Whatever is written, it is a schedule or an error; a schedule is due later than now.
        #[test]
        fn no_expression_panics(
            noise in any::<String>(),
            fields in proptest::collection::vec("[0-9*?,/#LWa-fjmnosu-]{0,6}", 4..8),
            rate in "[-+]?[0-9]{0,20} (minute|hour|day)s?",
            zone in select(vec!["UTC", "Europe/Rome", "America/St_Johns", "../etc/passwd", ""]),
            start in any::<i64>(),
            now in any::<i64>(),
        ) {
            let cron = format!("cron({})", fields.join(" "));
            let rate = format!("rate({rate})");
            for text in [&noise, &format!("cron({noise})"), &format!("rate({noise})"), &cron, &rate] {
                let Ok(zone) = super::zone(Some(zone)) else { continue };
                let Ok(schedule) = Schedule::parse(text, zone) else { continue };
                for now in [now, now % 4_102_444_800_000_000] {
                    let next = schedule.after(start.min(now), now);
                    prop_assert!(next.is_none_or(|next| next > now), "{text}");
                }
            }
        }
    }
}
