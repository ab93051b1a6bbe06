//! Shows how a build goes on: in place on a terminal, line by line elsewhere.
//!
//! What is shown is decided by [`board`] alone; here it is timed and written.

mod board;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use factory::{Notice, Observer, PlannedStep};

use crate::clock::instant;
use crate::output::{painted, say};

use board::{Board, Event, Row};

pub(crate) use board::{Detail, Ending};

/// How often lines are redrawn in place.
const TICK: Duration = Duration::from_millis(100);

/// How many events may wait for the terminal before the build waits for it.
const BACKLOG: usize = 256;

/// How progress is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Whether lines are redrawn in place.
    pub(crate) redraws: bool,
    /// Whether colours may be used.
    pub(crate) colours: bool,
    /// How much is told.
    pub(crate) detail: Detail,
}

/// Shows progress; [`Progress::end`] waits until all of it is shown.
pub(crate) struct Progress {
    events: SyncSender<Event>,
    writer: JoinHandle<()>,
}

/// What a build tells, on its way to the writer.
pub(crate) struct Teller {
    events: SyncSender<Event>,
    /// What was said to come.
    labels: std::sync::OnceLock<Vec<String>>,
}

impl Progress {
    /// Starts to show progress.
    pub(crate) fn start(look: Look) -> Self {
        let (events, received) = sync_channel(BACKLOG);
        let writer = std::thread::spawn(move || write(&received, look));
        Self { events, writer }
    }

    /// Returns what passes a build's notices on.
    pub(crate) fn teller(&self) -> Teller {
        Teller { events: self.events.clone(), labels: Default::default() }
    }

    /// Ends the display. Lines that are redrawn in place are gone then.
    pub(crate) fn end(self) {
        // Both fail only if the writer has ended already.
        let _ = self.events.send(Event::End);
        let _ = self.writer.join();
    }
}

impl Teller {
    /// Says something by the way.
    pub(crate) fn note(&self, text: String) {
        self.pass(Event::Note(text));
    }

    /// Tells of work `id` on `title` that is one step, which begins.
    pub(crate) fn begin_alone(&self, title: String, id: String, label: String) {
        let steps = vec![PlannedStep { label, estimate: None }];
        self.pass(Event::Begun { image: title, run: id, steps });
        self.pass(Event::Started { step: 0 });
    }

    /// Tells how far that step is.
    pub(crate) fn progress(&self, done: u64, total: u64) {
        self.pass(Event::Progress { done, total });
    }

    /// Tells that the step ended.
    pub(crate) fn end_alone(&self, took: Duration, ending: Ending) {
        self.pass(Event::Ended { step: 0, took, outcome: String::new(), ending });
    }

    /// Tells of work `id` on `title` whose steps will be those of `labels`.
    pub(crate) fn begin(&self, title: String, id: String, labels: Vec<String>) {
        let steps = labels.iter().cloned();
        let steps = steps.map(|label| PlannedStep { label, estimate: None }).collect();
        self.pass(Event::Begun { image: title, run: id, steps });
        self.labels.get_or_init(|| labels);
    }

    /// Tells that the step of this label began.
    pub(crate) fn started(&self, label: &str) {
        self.pass(Event::Started { step: self.step(label) });
    }

    /// Tells of a line.
    pub(crate) fn line(&self, label: String, text: String) {
        self.pass(Event::Line { label, text });
    }

    /// Tells that the step of this label ended.
    pub(crate) fn ended(&self, label: &str, took: Duration, outcome: String, ending: Ending) {
        self.pass(Event::Ended { step: self.step(label), took, outcome, ending });
    }

    fn step(&self, label: &str) -> usize {
        let labels = self.labels.get().map_or(&[][..], Vec::as_slice);
        labels.iter().position(|known| known == label).unwrap_or(labels.len())
    }

    fn pass(&self, event: Event) {
        // Notices after the end are nobody's loss: the report has it all.
        let _ = self.events.send(event);
    }
}

impl Observer for Teller {
    fn notice(&self, notice: &Notice<'_>) {
        self.pass(Event::of(notice));
    }
}

fn write(events: &Receiver<Event>, look: Look) {
    let began = instant();
    let mut board = Board::new(look.detail);
    let (mut drawn, mut drawn_at) = (0, Duration::ZERO);
    loop {
        let event = match events.recv_timeout(TICK) {
            Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
        };
        let now = began.elapsed();
        let rows = event.map(|event| board.take(event, now, look.redraws)).unwrap_or_default();
        if !look.redraws {
            say(&lines(&rows, look.colours));
        } else if !rows.is_empty() || now.saturating_sub(drawn_at) >= TICK {
            let live = board.live(now);
            say(&frame(drawn, &rows, &live, look.colours));
            (drawn, drawn_at) = (live.len(), now);
        }
    }
    say(&frame(drawn, &[], &[], look.colours));
}

/// Returns what turns `drawn` lines in place into `stay`, which stay, and
/// `live`, which will be redrawn.
fn frame(drawn: usize, stay: &[Row], live: &[Row], colours: bool) -> String {
    let mut text = String::new();
    if drawn > 0 {
        // Up to the first of them, and all below it cleared (ECMA-48 CPL, ED).
        text.push_str(&format!("\u{1b}[{drawn}F\u{1b}[J"));
    }
    text.push_str(&lines(stay, colours));
    if !live.is_empty() {
        // Without line wrap (DECAWM) every row takes one line, however narrow
        // the terminal is.
        text.push_str(&format!("\u{1b}[?7l{}\u{1b}[?7h", lines(live, colours)));
    }
    text
}

fn lines(rows: &[Row], colours: bool) -> String {
    rows.iter().map(|row| painted(&row.text, row.style, colours) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    fn row(text: &str, style: Style) -> Row {
        Row { text: text.to_owned(), style }
    }

    #[test]
    fn a_frame_replaces_what_was_drawn() {
        let (stay, live) = (row("done", Style::Plain), row("at work", Style::Dim));
        assert_eq!(frame(0, &[], &[], true), "");
        assert_eq!(
            frame(2, &[stay], &[live], true),
            "\u{1b}[2F\u{1b}[Jdone\n\u{1b}[?7l\u{1b}[2mat work\u{1b}[0m\n\u{1b}[?7h"
        );
        assert_eq!(frame(2, &[], &[], false), "\u{1b}[2F\u{1b}[J");
    }
}
