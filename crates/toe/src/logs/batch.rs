//! Lines as CloudWatch Logs takes them: how large an event is, and how many go
//! into one request ("PutLogEvents", Amazon CloudWatch Logs API Reference).

use serde::Serialize;

/// The most events of one request.
const EVENTS_LIMIT: usize = 10_000;

/// The largest request, in bytes of its messages and what each counts besides.
const SIZE_LIMIT: usize = 1_048_576;

/// What an event counts besides its message, in bytes.
const OVERHEAD: usize = 26;

/// The largest event, in bytes.
const EVENT_LIMIT: usize = 256 << 10;

/// The longest time between the events of one request, in milliseconds.
const SPAN_LIMIT: i64 = 24 * 60 * 60 * 1000;

/// One line, or a part of a very long one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LogEvent {
    /// In milliseconds since 1970.
    timestamp: i64,
    message: String,
}

impl LogEvent {
    /// Returns the events that make a line, written at `at`, in microseconds
    /// since 1970.
    pub(super) fn of_line(at: i64, mut line: String) -> Vec<Self> {
        if line.is_empty() {
            // An event has to say something.
            line.push(' ');
        }
        let timestamp = at.div_euclid(1000);
        let mut events = Vec::new();
        while line.len() > EVENT_LIMIT - OVERHEAD {
            let rest = line.split_off(line.floor_char_boundary(EVENT_LIMIT - OVERHEAD));
            events.push(Self { timestamp, message: std::mem::replace(&mut line, rest) });
        }
        events.push(Self { timestamp, message: line });
        events
    }

    fn size(&self) -> usize {
        self.message.len() + OVERHEAD
    }
}

/// The events of one request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    events: Vec<LogEvent>,
    size: usize,
}

impl Batch {
    /// Says whether `event` may go with the others.
    pub(super) fn takes(&self, event: &LogEvent) -> bool {
        let (Some(first), Some(last)) = (self.events.first(), self.events.last()) else {
            return true;
        };
        self.events.len() < EVENTS_LIMIT
            && self.size + event.size() <= SIZE_LIMIT
            // The events of a request are in order, even where clocks are set back.
            && last.timestamp <= event.timestamp
            && event.timestamp - first.timestamp < SPAN_LIMIT
    }

    /// Adds an event that it [takes](Self::takes).
    pub(super) fn push(&mut self, event: LogEvent) {
        self.size += event.size();
        self.events.push(event);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn events(&self) -> &[LogEvent] {
        &self.events
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(timestamp: i64, length: usize) -> LogEvent {
        LogEvent { timestamp, message: "x".repeat(length) }
    }

    /// Returns how many of `events` go into the first request.
    fn first(events: impl IntoIterator<Item = LogEvent>) -> usize {
        let mut batch = Batch::default();
        for event in events {
            if !batch.takes(&event) {
                break;
            }
            batch.push(event);
        }
        batch.events().len()
    }

    #[test]
    fn requests_have_limits() {
        assert_eq!(first((0..10_001).map(|_| event(5, 1))), 10_000);
        let (whole, largest) = (262_144 - 26, [262_144 - 26; 4]);
        assert_eq!(first(largest.map(|size| event(5, size))), 4, "1,048,576 bytes");
        assert_eq!(first([1, whole, whole, whole, whole].map(|size| event(5, size))), 4);
        assert_eq!(first([0, 86_399_999, 86_400_000].map(|at| event(at, 1))), 2, "a day");
        assert_eq!(first([5, 5, 4, 6].map(|at| event(at, 1))), 2, "in order");
    }

    #[test]
    fn lines_become_events_of_their_time() {
        let check = |at, line: &str, expected: &[(i64, &str)]| {
            let events = LogEvent::of_line(at, line.to_owned());
            let events: Vec<_> = events.iter().map(|it| (it.timestamp, &*it.message)).collect();
            assert_eq!(events, expected);
        };
        check(1_700_000_000_123_999, "one", &[(1_700_000_000_123, "one")]);
        check(0, "", &[(0, " ")]);
        let whole = "x".repeat(262_144 - 26);
        check(0, &whole, &[(0, &whole)]);
        check(0, &format!("{whole}é"), &[(0, &whole), (0, "é")]);
        let odd = &whole[1..];
        check(0, &format!("{odd}é"), &[(0, odd), (0, "é")]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_large(
            lines in proptest::collection::vec(("[aé\u{1f980}]{0,9}", 0..40_000_usize), 0..20),
        ) {
            let lines: Vec<String> = lines.iter().map(|(text, n)| text.repeat(*n)).collect();
            for line in lines {
                let events = LogEvent::of_line(0, line.clone());
                prop_assert!(events.iter().all(|event| event.size() <= EVENT_LIMIT));
                prop_assert!(events.iter().all(|event| !event.message.is_empty()));
                let text: String = events.into_iter().map(|event| event.message).collect();
                prop_assert_eq!(text, if line.is_empty() { " ".to_owned() } else { line });
            }
        }
    }
}
