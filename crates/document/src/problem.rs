//! What is wrong with a document, told so that it can be put right.
//!
//! Problems are collected, sorted and shown together; colours are left to
//! whoever prints them.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use crate::Span;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is taken; its author should know.
    Warning,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// Whether the document can still be used.
    pub severity: Severity,
    /// The rule's name, as in `unknown-member`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Problem {
    /// Returns an error without help.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { span, severity: Severity::Error, code, message: message.into(), help: None }
    }

    /// Returns a warning without help.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Returns the problem with what would be right.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Problems of one document, by place, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(BTreeSet<Problem>);

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.insert(problem);
    }

    /// Adds all problems of `other`.
    pub fn extend(&mut self, other: Problems) {
        self.0.extend(other.0);
    }

    /// Returns the problems by place.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether one of them refuses the document.
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Returns the problems as shown to a person: each with its code, its
    /// place in `file`, the line it is on in `source`, and help.
    pub fn render(&self, file: &str, source: &str) -> String {
        let mut out = String::new();
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            let excerpt = Excerpt::of(source, problem.span);
            write!(out, "{}", Shown { problem, file, excerpt })
                .expect("writing fails not because a String takes all");
        }
        out
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(BTreeSet::from([problem]))
    }
}

/// A value that was taken, and what its author should know.
#[derive(Debug, Clone)]
pub struct Parsed<T> {
    /// The value.
    pub value: T,
    /// Warnings only; errors would have refused it.
    pub warnings: Problems,
}

/// Returns the line and column, both from 1, of a byte of `source`.
///
/// Columns count characters, as editors do.
pub fn place(source: &str, byte: usize) -> (usize, usize) {
    let before = &source[..source.floor_char_boundary(byte)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The longest part of a line that is shown, in characters.
const WIDTH: usize = 120;

/// The line a span starts on and what to underline there.
struct Excerpt {
    line: usize,
    column: usize,
    text: String,
    indent: usize,
    carets: usize,
}

impl Excerpt {
    fn of(source: &str, span: Span) -> Self {
        let (line, column) = place(source, span.start);
        let start = source.floor_char_boundary(span.start);
        let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |end| start + end);
        let end = source.floor_char_boundary(span.end).clamp(start, line_end);
        let marked = source[start..end].trim_end().chars().count().max(1);

        // Minified JSON is one long line: show a window of it.
        let skipped = if column > WIDTH { column - WIDTH / 2 } else { 0 };
        let shown = source[line_start..line_end].trim_end().chars().skip(skipped).take(WIDTH);
        // Control characters would move the carets, or the terminal's cursor.
        let text: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let indent = column - 1 - skipped;
        Self { line, column, text, indent, carets: marked.min(WIDTH.saturating_sub(indent).max(1)) }
    }
}

struct Shown<'a> {
    problem: &'a Problem,
    file: &'a str,
    excerpt: Excerpt,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, file, excerpt } = self;
        let Excerpt { line, column, text, indent, carets } = excerpt;
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let gutter = line.to_string().len();
        writeln!(f, "{severity}[{}]: {}", problem.code, problem.message)?;
        writeln!(f, "{:gutter$}--> {file}:{line}:{column}", "")?;
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{}", format!("{line} | {text}").trim_end())?;
        writeln!(f, "{:gutter$} | {:indent$}{:^<carets$}", "", "", "")?;
        if let Some(help) = &problem.help {
            writeln!(f, "{:gutter$} = help: {help}", "")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(source: &str, span: Span, expected: Expect) {
        let problem = Problem::error("rule", span, "it is wrong").help("put it right");
        expected.assert_eq(&Problems::from(problem).render("a.yaml", source));
    }

    #[test]
    fn a_problem_shows_its_line() {
        check(
            "recipe:\n  nmae: é\n",
            Span::new(10, 14),
            expect![[r#"
                error[rule]: it is wrong
                 --> a.yaml:2:3
                  |
                2 |   nmae: é
                  |   ^^^^
                  = help: put it right
            "#]],
        );
    }

    #[test]
    fn a_span_of_several_lines_is_marked_on_the_first() {
        check(
            "a: |\n  one\n  two\n",
            Span::new(3, 16),
            expect![[r#"
                error[rule]: it is wrong
                 --> a.yaml:1:4
                  |
                1 | a: |
                  |    ^
                  = help: put it right
            "#]],
        );
    }

    #[test]
    fn the_end_of_the_text_is_a_place() {
        check(
            "",
            Span::at(0),
            expect![[r#"
                error[rule]: it is wrong
                 --> a.yaml:1:1
                  |
                1 |
                  | ^
                  = help: put it right
            "#]],
        );
    }

    #[test]
    fn long_lines_are_shown_in_part() {
        let source = format!("{}wrong{}", " ".repeat(500), "x".repeat(500));
        let shown = Problems::from(Problem::error("rule", Span::new(500, 505), "it is wrong"))
            .render("a.json", &source);
        assert!(shown.lines().all(|line| line.chars().count() < 140), "{shown}");
        assert!(shown.contains("a.json:1:501") && shown.contains("wrongxxx"), "{shown}");
    }

    #[test]
    fn problems_come_by_place_and_once() {
        let mut problems = Problems::default();
        for start in [9, 3, 9] {
            problems.push(Problem::warning("rule", Span::at(start), "it is odd"));
        }
        let starts: Vec<usize> = problems.iter().map(|problem| problem.span.start).collect();
        assert_eq!(starts, [3, 9]);
        assert!(!problems.refuse());
    }
}
