//! Rules for time: steps that can never fit into theirs.
//!
//! Only what a document says in so many words is judged: a literal `sleep`, a
//! counted loop, the waits that a module makes by itself.

use std::time::Duration;

use super::loops::turns;
use crate::component::outline::{Outline, Step};
use crate::yaml::Node;
use crate::{Problem, Problems, Span};

/// How long an image step may take.
const STEP_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// What `WebDownload` waits between its five tries of a file.
const DOWNLOAD_PAUSES: Duration = Duration::from_secs(1 + 2 + 4 + 8);

/// Reports timeouts without effect, and those that are too short or too long.
pub(super) fn lint(outline: &Outline<'_>, problems: &mut Problems) {
    for step in outline.phases.iter().flat_map(|phase| &phase.steps) {
        match step.module.value {
            "Reboot" => {
                if let Some(span) = step.key("timeoutSeconds") {
                    let message = "`timeoutSeconds` has no effect on `Reboot`";
                    problems.push(Problem::warning("no-effect", span, message));
                }
            }
            "ExecuteDocument" => nested(step, problems),
            _ => {
                if let Some(timeout) = step.timeout() {
                    fits(step, timeout, problems);
                }
            }
        }
    }
}

/// A document within a document has timeouts and attempts of its own.
fn nested(step: &Step<'_>, problems: &mut Problems) {
    for (name, only) in [("timeoutSeconds", "-1"), ("maxAttempts", "1")] {
        let written = step.part(name);
        if let Some(node) = written.filter(|node| node.integer().as_deref() != Some(only)) {
            let message = format!("`{name}` of `ExecuteDocument` is always {only}");
            let help = format!("remove `{name}`, and set it on the steps of the other document");
            problems.push(Problem::error("execute-document", node.span, message).help(help));
        }
    }
}

fn fits(step: &Step<'_>, timeout: Duration, problems: &mut Problems) {
    let span = step.part("timeoutSeconds").map_or(step.name.span, |node| node.span);
    let seconds = timeout.as_secs();
    let mut warn = |span: Span, message: String| {
        problems.push(Problem::warning("timeout", span, message));
    };
    if let Some(turns) = turns(step) {
        let slept = slept(step).saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX));
        if slept > timeout {
            let slept = slept.as_secs_f64();
            warn(span, format!("the step sleeps {slept} s, but its timeout is {seconds} s"));
        }
        if u128::from(turns) > timeout.as_millis() {
            warn(span, format!("{turns} turns do not fit into a timeout of {seconds} s"));
        }
    }
    if step.module.value == "WebDownload" && timeout < DOWNLOAD_PAUSES {
        let pauses = DOWNLOAD_PAUSES.as_secs();
        warn(
            span,
            format!(
                "a timeout of {seconds} s cuts off tries: `WebDownload` waits {pauses} s between its five"
            ),
        );
    }
    let attempts = step.attempts();
    let total = timeout.saturating_mul(attempts);
    if total > STEP_LIMIT {
        let limit = STEP_LIMIT.as_secs();
        let total = total.as_secs();
        let message = match attempts {
            1 => format!("a timeout of {seconds} s is beyond the {limit} s an image step may take"),
            _ => format!(
                "{attempts} attempts of {seconds} s are {total} s, beyond the {limit} s an image step may take"
            ),
        };
        let span = step.part("maxAttempts").map_or(span, |node| node.span);
        warn(span, message);
    }
}

/// Returns how long one turn of the step sleeps at least.
fn slept(step: &Step<'_>) -> Duration {
    let Some(inputs) = step.part("inputs") else { return Duration::ZERO };
    let text = |node: &Node| node.text().map(str::to_owned);
    let commands: Vec<String> = match step.module.value {
        "ExecuteBash" => {
            let commands = inputs.member("commands").map_or(&[][..], Node::items);
            commands.iter().filter_map(text).collect()
        }
        "ExecuteBinary" => {
            let program = inputs.member("path").and_then(text);
            let arguments = inputs.member("arguments").map_or(&[][..], Node::items);
            let words = program.into_iter().chain(arguments.iter().filter_map(text));
            vec![words.collect::<Vec<_>>().join(" ")]
        }
        _ => Vec::new(),
    };
    commands.iter().filter_map(|command| sleep(command)).sum()
}

/// Returns how long `command` sleeps if that is all it does.
fn sleep(command: &str) -> Option<Duration> {
    let mut words = command.split_ascii_whitespace();
    let program = words.next()?;
    let (amount, None) = (words.next()?, words.next()) else { return None };
    if program.rsplit('/').next() != Some("sleep") {
        return None;
    }
    let (number, unit) = match amount.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => amount.split_at(at),
        None => (amount, "s"),
    };
    let factor = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_sleeps_are_understood() {
        for (command, seconds) in [("sleep 5", 5), (" /bin/sleep  1.5m ", 90), ("sleep 2h", 7200)] {
            assert_eq!(sleep(command), Some(Duration::from_secs(seconds)), "{command}");
        }
        for other in
            ["", "sleep", "sleep 5 &", "sleep x", "sleep 5w", "sleep -1", "echo 5", "sleep 1e999"]
        {
            assert_eq!(sleep(other), None, "{other}");
        }
    }
}
