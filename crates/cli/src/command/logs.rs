//! `goldsmith logs`: what a build's components said.

use std::collections::VecDeque;

use factory::Line;
use jiff::tz::TimeZone;
use model::ImageState;

use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::output::Output;
use crate::reference::{self, Among, ImageReference, title};
use crate::text;

/// Show the log of a build
///
/// Each line has its time and the step it belongs to before it. With
/// `--output json` each line is a JSON object.
#[derive(Debug, clap::Args)]
#[command(after_help = reference::FORMS)]
pub(crate) struct Logs {
    /// The image or the run that made it
    build: ImageReference,
    /// Show only the last N lines
    #[arg(long, short = 'n', value_name = "N")]
    lines: Option<usize>,
}

impl Logs {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let db = home.catalogue().await?;
        let run = reference::find(db.as_ref(), &self.build, Among::All).await??;
        let lines = factory::read_log(home.data(), &run.work)
            .map_err(|source| CliError::Log { run: title(&run), source })?;
        if run.state == ImageState::Pending {
            out.note(format_args!("{} waits for its turn", title(&run)));
        }
        match self.lines {
            Some(n) => print(last(n, lines), out)?,
            None => print(lines, out)?,
        }
        Ok(Exit::Done)
    }
}

fn last(n: usize, lines: impl Iterator<Item = Line>) -> impl Iterator<Item = Line> {
    let mut kept = VecDeque::new();
    for line in lines {
        kept.push_back(line);
        if kept.len() > n {
            kept.pop_front();
        }
    }
    kept.into_iter()
}

fn print(lines: impl Iterator<Item = Line>, out: &mut Output) -> Result<(), CliError> {
    let zone = TimeZone::system();
    // Written in pieces: a log may be longer than memory is large, and a
    // system call a line would be slow.
    let mut piece = String::new();
    for line in lines {
        if out.is_json() {
            let json = serde_json::to_string(&line).expect("lines hold only what JSON can");
            piece.push_str(&json);
        } else {
            piece.push_str(&shown(&line, &zone));
        }
        piece.push('\n');
        if piece.len() > 1 << 16 {
            out.text(&piece)?;
            piece.clear();
        }
    }
    out.text(&piece)
}

fn shown(line: &Line, zone: &TimeZone) -> String {
    let time = text::time_of_day(line.at, zone);
    let place = match &line.place {
        Some((phase, step)) => format!("{}, {phase}, {step}", line.label),
        None => line.label.clone(),
    };
    format!("{time} {place} | {}", line.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line {
            at: 1_700_000_000_000_000,
            label: "build nginx".to_owned(),
            place: Some(("build".to_owned(), "Install".to_owned())),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_line_has_its_time_and_place() {
        let zone = TimeZone::UTC;
        assert_eq!(shown(&line("ok"), &zone), "22:13:20 build nginx, build, Install | ok");
        let line = Line { place: None, ..line("ok") };
        assert_eq!(shown(&line, &zone), "22:13:20 build nginx | ok");
    }

    #[test]
    fn the_last_lines_are_the_last() {
        let lines = || ["a", "b", "c"].into_iter().map(line);
        let texts = |n| last(n, lines()).map(|line| line.text).collect::<String>();
        assert_eq!([0, 2, 9].map(texts), ["", "bc", "abc"]);
    }
}
