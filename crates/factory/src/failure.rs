//! Why a build failed, told so that one can act on it.

use std::fmt;

use serde::Serialize;

/// The first failure of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What kind of thing went wrong.
    pub cause: Cause,
    /// The component, where one was at work.
    pub component: Option<String>,
    /// Its phase.
    pub phase: Option<String>,
    /// Its step.
    pub step: Option<String>,
    /// The exit code of the step's program.
    pub exit_code: Option<i32>,
    /// What went wrong, in a sentence.
    pub message: String,
    /// The last lines of output, at most twenty.
    pub last_lines: Vec<String>,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// A component's build or validate phase failed.
    Component,
    /// A test failed, or the image did not boot.
    Test,
    /// The factory itself failed.
    Factory,
    /// This machine lacks something that the factory needs.
    Lacking,
    /// Somebody cancelled the build.
    Cancelled,
}

/// How many characters the API has for a reason.
const REASON: usize = 1024;

/// How many of them the first line may have where there is more to tell.
const HEAD: usize = 512;

impl Failure {
    /// Returns a failure of the factory itself: `error` and all its causes.
    pub(crate) fn of(cause: Cause, error: &dyn std::error::Error) -> Box<Self> {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        Self::plain(cause, message)
    }

    /// Returns a failure of no component's.
    pub(crate) fn plain(cause: Cause, message: String) -> Box<Self> {
        Box::new(Self {
            cause,
            component: None,
            phase: None,
            step: None,
            exit_code: None,
            message,
            last_lines: Vec::new(),
        })
    }

    /// Returns the reason as the API's `state.reason` has it: component, phase,
    /// step, exit code, message and last lines, at most 1024 characters.
    ///
    /// Where there are more, the oldest lines are left out.
    pub fn reason(&self) -> String {
        let told = self.to_string();
        let lines = told.split('\n').chain(self.last_lines.iter().map(String::as_str));
        let lines: Vec<&str> = lines.collect();
        let whole = lines.join("\n");
        if whole.chars().count() <= REASON {
            return whole;
        }
        let (head, lines) = lines.split_first().expect("a split text has a first line");
        let Some(last) = lines.last() else { return shortened(head, REASON) };
        let mut reason = shortened(head, HEAD) + "\n...";
        let mut room = REASON - reason.chars().count();
        let fits = |line: &&&str| {
            let left = room.checked_sub(line.chars().count() + 1);
            room = left.unwrap_or(room);
            left.is_some()
        };
        let newest = lines.iter().rev().take_while(fits).count();
        for line in &lines[lines.len() - newest..] {
            reason.push('\n');
            reason.push_str(line);
        }
        if newest == 0 {
            reason.extend(last.chars().skip(last.chars().count().saturating_sub(room)));
        }
        reason
    }

    /// Returns what may mend it, where the message tells.
    ///
    /// What failed is often another program, of which there is only its text.
    pub fn help(&self) -> Option<&'static str> {
        let says = |texts: &[&str]| texts.iter().any(|text| self.message.contains(text));
        if self.cause != Cause::Factory {
            None
        } else if says(&["No space left on device", "Disk quota exceeded"]) {
            Some("free some space (`goldsmith gc` may), or name another folder with --data-dir")
        } else if says(&["no space is left in", "inodes are in use"]) {
            Some("give the image a larger `volumeSize` in the recipe's `blockDeviceMappings`")
        } else if says(&["Temporary failure resolving", "Could not connect", "is unreachable"]) {
            Some("check this machine's network, or name a `mirror` that it reaches in the project")
        } else if says(&["does not have a Release file"]) {
            Some(
                "name a `mirror` with the release and its updates, and a `securityMirror` likewise",
            )
        } else if says(&["the blob is corrupt", "there is no such blob"]) {
            Some("build the image that it is of again, which writes anew what comes out the same")
        } else {
            None
        }
    }
}

/// Returns a text of at most so many characters: the beginning, where there are more.
fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters - 3).collect::<String>() + "..."
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(component) = &self.component {
            write!(f, "component {component}: ")?;
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_can_mend_is_told() {
        let help = |cause, message: &str| Failure::plain(cause, message.to_owned()).help();
        let full = "failed to write disk.raw: No space left on device (os error 28)";
        assert!(help(Cause::Factory, full).is_some_and(|help| help.contains("goldsmith gc")));
        let small =
            "failed to add `/x` to the ext4 file system: no space is left in 16777216 bytes";
        assert!(help(Cause::Factory, small).is_some_and(|help| help.contains("volumeSize")));
        let offline = "Err:1 mirror.example: Temporary failure resolving 'mirror.example'";
        assert!(help(Cause::Factory, offline).is_some_and(|help| help.contains("mirror")));
        let partial =
            "E: The repository 'http://m trixie-updates Release' does not have a Release file.";
        assert!(help(Cause::Factory, partial).is_some_and(|help| help.contains("its updates")));
        let rotten = "failed to read block 3: blob store: failed at `/x`: the blob is corrupt: its";
        assert!(help(Cause::Factory, rotten).is_some_and(|help| help.contains("again")));
        assert_eq!(help(Cause::Factory, "it broke"), None);
        assert_eq!(help(Cause::Component, full), None);
    }

    #[track_caller]
    fn check(message: &str, last_lines: &[String], characters: usize, begin: &str, end: &str) {
        let failure = Failure {
            component: Some("nginx".to_owned()),
            last_lines: last_lines.to_vec(),
            ..*Failure::plain(Cause::Component, message.to_owned())
        };
        let reason = failure.reason();
        assert_eq!(reason.chars().count(), characters, "{reason}");
        assert!(reason.starts_with(begin), "{reason}");
        assert!(reason.ends_with(end), "{reason}");
    }

    #[test]
    fn a_reason_fits_the_api_and_keeps_what_was_said_last() {
        let message = "phase build: step Install (ExecuteBash) failed with exit code 100";
        let short = ["E: no such package".to_owned()];
        let whole = format!("component nginx: {message}\nE: no such package");
        check(message, &short, whole.len(), &whole, &whole);

        let long: Vec<String> = (1..=20).map(|n| format!("{n:02} {}", "é".repeat(97))).collect();
        let begin = format!("component nginx: {message}\n...\n12 éé");
        let end = format!("20 {}", "é".repeat(97));
        check(message, &long, 995, &begin, &end);

        // A line that is longer than all there is room for is told by its end.
        let endless = [format!("{}the end", "x".repeat(5000))];
        check(message, &endless, 1024, &format!("component nginx: {message}\n...xxx"), "xthe end");
        check(
            &"m".repeat(5000),
            &short,
            535,
            "component nginx: mmm",
            "...\n...\nE: no such package",
        );
        check(&"m".repeat(5000), &[], 1024, "component nginx: mmm", "mmm...");
        // Other programs' last lines come in the message.
        let said = format!("mmdebstrap failed:\n{}", long.join("\n"));
        check(&said, &[], 948, "component nginx: mmdebstrap failed:\n...\n12 é", &end);
    }
}
