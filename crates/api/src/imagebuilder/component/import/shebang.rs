//! The first line of a script: which interpreter it is for, and with which options.

use wire::imagebuilder::Error;

use crate::imagebuilder::error::invalid;

/// The interpreters whose scripts `ExecuteBash` executes as they mean it.
const SHELLS: [&str; 3] = ["bash", "dash", "sh"];

/// The options of one letter that bash's `set` knows.
const LETTERS: &str = "abefhkmnptuvxBCEHPT";

/// The names that bash's `set -o` knows.
const NAMES: [&str; 27] = [
    "allexport",
    "braceexpand",
    "emacs",
    "errexit",
    "errtrace",
    "functrace",
    "hashall",
    "histexpand",
    "history",
    "ignoreeof",
    "interactive-comments",
    "keyword",
    "monitor",
    "noclobber",
    "noexec",
    "noglob",
    "nolog",
    "notify",
    "nounset",
    "onecmd",
    "physical",
    "pipefail",
    "posix",
    "privileged",
    "verbose",
    "vi",
    "xtrace",
];

/// Returns the options that a script's first line gives its shell, as `set` takes them.
///
/// # Errors
/// Fails on scripts for another interpreter than a shell, and on options that a shell has from
/// its start or not at all.
pub(super) fn options(script: &str) -> Result<Vec<&str>, Error> {
    let Some(rest) = script.strip_prefix("#!") else { return Ok(Vec::new()) };
    let mut words = rest.lines().next().unwrap_or_default().split_whitespace().peekable();
    if words.next_if(|word| program(word) == "env").is_some() {
        // Without it the kernel gives all that follows as one word; it is meant in any case.
        words.next_if_eq(&"-S");
    }
    let interpreter = program(words.next().unwrap_or_default());
    if !SHELLS.contains(&interpreter) {
        let rule = format!("It is a script for '{interpreter}', and must be one for a shell.");
        return Err(invalid("data", rule));
    }
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        // The end of the options, as in `#!/bin/sh -`.
        if ["-", "--"].contains(&word) {
            break;
        }
        options.push(word);
        let letters = word.strip_prefix(['-', '+']).unwrap_or_default();
        let plain = letters.strip_suffix('o').unwrap_or(letters);
        let named = (plain != letters).then(|| words.next().unwrap_or_default());
        options.extend(named);
        let is_known = !letters.is_empty()
            && plain.chars().all(|letter| LETTERS.contains(letter))
            && named.is_none_or(|name| NAMES.contains(&name));
        if !is_known {
            let shown = named.map_or(word.to_owned(), |name| format!("{word} {name}"));
            let rule = format!(
                "The first line gives the shell '{shown}', which no script can set for itself."
            );
            return Err(invalid("data", rule));
        }
    }
    Ok(options)
}

/// Returns the last part of a path.
fn program(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn options_of_shells_are_kept() {
        for (script, expected) in [
            ("echo", ""),
            ("#!/bin/sh\nset -e\n", ""),
            ("#! /usr/bin/env bash\n", ""),
            ("#!/bin/bash -e\nfalse\n", "-e"),
            ("#!/bin/dash -eu", "-eu"),
            ("#!/bin/sh -\n", ""),
            ("#!/bin/bash -x --\n", "-x"),
            ("#!/bin/bash +e -euo pipefail\r\n", "+e -euo pipefail"),
            ("#!/usr/bin/env -S bash -e\n", "-e"),
            ("#!/usr/bin/env bash -e -o nounset\n", "-e -o nounset"),
        ] {
            assert_eq!(options(script).unwrap().join(" "), expected, "{script}");
        }
    }

    #[test]
    fn what_no_shell_can_set_is_refused_by_name() {
        let other =
            |name: &str| format!("It is a script for '{name}', and must be one for a shell.");
        let option = |option: &str| {
            format!(
                "The first line gives the shell '{option}', which no script can set for itself."
            )
        };
        for (script, expected) in [
            ("#!/usr/bin/python3\n", other("python3")),
            ("#!/usr/bin/env perl\n", other("perl")),
            ("#!/usr/bin/env -S python3 -u\n", other("python3")),
            ("#!/usr/bin/env -i bash\n", other("-i")),
            ("#!/usr/bin/env\n", other("")),
            ("#!", other("")),
            ("#!/bin/bash -l\n", option("-l")),
            ("#!/bin/bash --login\n", option("--login")),
            ("#!/bin/bash script\n", option("script")),
            ("#!/bin/bash -e -o loud\n", option("-o loud")),
            ("#!/bin/bash -eo\n", option("-eo ")),
        ] {
            let message = options(script).unwrap_err().message;
            let told = "The value supplied for parameter 'data' is not valid. ";
            assert_eq!(message.strip_prefix(told), Some(&*expected), "{script}");
        }
    }
}
