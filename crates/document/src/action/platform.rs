//! Which modules, and which of their inputs, work on which operating system.

use std::fmt;

use crate::yaml::Node;
use crate::{Component, Phase, Problem, Problems, Span, Step};

/// An operating system that components are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
        })
    }
}

impl Step {
    /// Returns the platforms on which the step's module works (reference §2.6).
    pub fn platforms(&self) -> &'static [Platform] {
        platforms(&self.module)
    }

    /// Returns why the step cannot work on `platform`.
    fn problems_on(&self, phase: &Phase, platform: Platform) -> Problems {
        let mut problems = Problems::default();
        if !self.platforms().contains(&platform) {
            let message = format!(
                "step `{}` of phase `{}`: {} does not work on {platform}",
                self.name, phase.name, self.module
            );
            let names: Vec<String> = self.platforms().iter().map(Platform::to_string).collect();
            let help = format!("it works on {}", names.join(" and "));
            problems.push(Problem::error("wrong-platform", self.span, message).help(help));
        }
        for (span, message) in misfits(&self.module, self.action.tree(), platform) {
            problems.push(Problem::error("wrong-platform", span, message));
        }
        problems
    }
}

impl Component {
    /// Returns what keeps the document from working on `platform`.
    ///
    /// A step may be guarded by an `if` that holds elsewhere only, so this is
    /// asked by whoever knows which platform is meant, not by
    /// [`Component::parse`].
    pub fn problems_on(&self, platform: Platform) -> Problems {
        let mut problems = Problems::default();
        for phase in &self.phases {
            for step in &phase.steps {
                problems.extend(step.problems_on(phase, platform));
            }
        }
        problems
    }
}

fn platforms(module: &str) -> &'static [Platform] {
    match module {
        "ExecutePowerShell" | "InstallMSI" | "UninstallMSI" | "SetRegistry" => &[Platform::Windows],
        "ExecuteBash"
        | "CreateSymlink"
        | "SetFileOwner"
        | "SetFolderOwner"
        | "SetFilePermissions"
        | "SetFolderPermissions" => &[Platform::Linux, Platform::MacOs],
        "UpdateOS" => &[Platform::Linux, Platform::Windows],
        _ => &[Platform::Linux, Platform::Windows, Platform::MacOs],
    }
}

/// Returns the inputs that mean nothing on `platform`.
fn misfits(module: &str, inputs: &Node, platform: Platform) -> Vec<(Span, String)> {
    match (module, platform) {
        ("CreateFile" | "CreateFolder", Platform::Windows) => {
            let members = inputs.items().iter().flat_map(Node::members).map(|(key, _)| key);
            let posix = ["owner", "group", "permissions"];
            members
                .filter(|key| posix.contains(&key.value.as_str()))
                .map(|key| (key.span, format!("`{}` does not exist on Windows", key.value)))
                .collect()
        }
        ("UpdateOS", Platform::Linux) => {
            let lists = ["include", "exclude"].map(|list| inputs.member(list));
            let entries = lists.into_iter().flatten().flat_map(Node::items);
            entries
                .filter_map(|entry| Some((entry.span, entry.text()?)))
                .filter(|(_, name)| is_windows_update(name))
                .map(|(span, name)| (span, format!("`{name}` is an update of Windows")))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn is_windows_update(name: &str) -> bool {
    let number = name.strip_prefix("KB").or_else(|| name.strip_prefix("kb"));
    number
        .is_some_and(|number| number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const DOCUMENT: &str = "schemaVersion: 1.0
phases:
  - name: build
    steps:
      - {name: Shell, action: ExecuteBash, inputs: {commands: [id]}}
      - {name: Power, action: ExecutePowerShell, inputs: {file: 'C:\\a.ps1'}}
      - {name: File, action: CreateFile, inputs: [{path: /a, owner: root}]}
      - {name: Update, action: UpdateOS, inputs: {include: [KB4500000, bash, KBit]}}
";

    #[track_caller]
    fn check(platform: Platform, expected: Expect) {
        let component = Component::parse(DOCUMENT).unwrap().value;
        let problems = component.problems_on(platform);
        let told = problems.iter().map(|problem| {
            let at = &DOCUMENT[problem.span.start..problem.span.end];
            format!("{at}: {} ({})\n", problem.message, problem.help.as_deref().unwrap_or("-"))
        });
        expected.assert_eq(&told.collect::<String>());
    }

    #[test]
    fn platforms_differ_in_modules_and_inputs() {
        check(
            Platform::Linux,
            expect![[r#"
                Power: step `Power` of phase `build`: ExecutePowerShell does not work on Linux (it works on Windows)
                KB4500000: `KB4500000` is an update of Windows (-)
            "#]],
        );
        check(
            Platform::Windows,
            expect![[r#"
                Shell: step `Shell` of phase `build`: ExecuteBash does not work on Windows (it works on Linux and macOS)
                owner: `owner` does not exist on Windows (-)
            "#]],
        );
        check(
            Platform::MacOs,
            expect![[r#"
                Power: step `Power` of phase `build`: ExecutePowerShell does not work on macOS (it works on Windows)
                Update: step `Update` of phase `build`: UpdateOS does not work on macOS (it works on Linux and Windows)
            "#]],
        );
    }
}
