//! `goldsmith doctor`: whether this machine can build images.

mod probe;

use serde::Serialize;

use crate::apt::Apt;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::needs::{self, Need};
use crate::output::Output;
use crate::text;

/// Check what this machine lacks, and tell the commands that mend it
///
/// Looks for the programs that Goldsmith needs, and tries what it does with
/// them: namespaces, layers, networks, resource limits, and which accelerator
/// really runs a virtual machine. The exit status is 6 if something that is
/// needed is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {}

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The thing.
    what: String,
    /// Whether it is as it should be.
    state: State,
    /// What was found, in a few words.
    detail: String,
    /// The command that mends it, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// Whether something is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// It is.
    Ok,
    /// It could be better; images can be built.
    Weak,
    /// It is not there, and images cannot be built without it.
    Missing,
}

impl Finding {
    fn new(what: &str, state: State, detail: impl Into<String>) -> Self {
        Self { what: what.to_owned(), state, detail: detail.into(), mend: None }
    }

    fn mend(self, command: impl Into<String>) -> Self {
        Self { mend: Some(command.into()), ..self }
    }
}

impl Doctor {
    pub(crate) fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let path = home.environment().path.clone().unwrap_or_default();
        let apt = Apt::of_this_machine();
        let needs: Vec<(Need, bool)> = needs::all(home.environment())
            .into_iter()
            .map(|need| (need, need.is_met(&path)))
            .collect();
        let mut findings: Vec<Finding> = needs.iter().map(|need| program(need, &apt)).collect();
        findings.extend(probe::all(home));
        let lacking: Vec<Need> =
            needs.into_iter().filter(|(_, met)| !met).map(|(need, _)| need).collect();
        let printed = if out.is_json() {
            out.json(&findings)
        } else {
            out.text(&page(&findings, &lacking, &apt))
        };
        let missing = findings.iter().any(|finding| finding.state == State::Missing);
        let exit = if missing { Exit::Lacking } else { Exit::Done };
        Ok(out.conclude(exit, [printed]))
    }
}

fn program((need, met): &(Need, bool), apt: &Apt) -> Finding {
    let state = if *met { State::Ok } else { State::Missing };
    let finding = Finding::new(need.what, state, need.purpose);
    if *met { finding } else { finding.mend(apt.installation([need.package]).join(" && ")) }
}

/// Returns the findings as a table, then the commands that mend what is amiss.
fn page(findings: &[Finding], lacking: &[Need], apt: &Apt) -> String {
    let rows = findings.iter().map(|finding| {
        let state = match finding.state {
            State::Ok => "ok",
            State::Weak => "weak",
            State::Missing => "MISSING",
        };
        [finding.what.clone(), state.to_owned(), finding.detail.clone()]
    });
    let mut page = text::table(&rows.collect::<Vec<_>>());
    let installs = |command: &str| command.starts_with("apt-get install");
    let mut commands = apt.installation(lacking.iter().map(|need| need.package));
    for command in findings.iter().filter_map(|finding| finding.mend.as_ref()) {
        if !installs(command) && !commands.contains(command) {
            commands.push(command.clone());
        }
    }
    if findings.iter().all(|finding| finding.state != State::Missing) {
        page.push_str("\nThis machine has all that Goldsmith needs.\n");
    } else if !commands.is_empty() {
        page.push_str("\nRun as root:\n");
        for command in commands {
            page.push_str(&format!("  {command}\n"));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn what_is_amiss_comes_with_its_cure() {
        let need = |what, package| Need { what, package, purpose: "serves" };
        let needs = [
            (need("runc", "runc"), true),
            (need("pasta", "passt"), false),
            (need("qemu-img", "qemu-utils"), false),
        ];
        let apt = Apt::default();
        let mut findings: Vec<_> = needs.iter().map(|need| program(need, &apt)).collect();
        findings.push(
            Finding::new("/dev/net/tun", State::Missing, "permission denied")
                .mend("chmod 0666 /dev/net/tun"),
        );
        findings.push(Finding::new("free space", State::Weak, "1.0 GiB in /data"));
        let lacking = [needs[1].0, needs[2].0];
        expect![[r#"
            runc          ok       serves
            pasta         MISSING  serves
            qemu-img      MISSING  serves
            /dev/net/tun  MISSING  permission denied
            free space    weak     1.0 GiB in /data

            Run as root:
              apt-get install passt qemu-utils
              chmod 0666 /dev/net/tun
        "#]]
        .assert_eq(&page(&findings, &lacking, &apt));
        expect![[r#"{"what":"/dev/net/tun","state":"missing","detail":"permission denied","mend":"chmod 0666 /dev/net/tun"}"#]].assert_eq(&serde_json::to_string(&findings[3]).unwrap());
    }

    #[test]
    fn health_is_told_too() {
        let fine = [Finding::new("runc", State::Ok, "runs containers")];
        expect![[r#"
            runc  ok  runs containers

            This machine has all that Goldsmith needs.
        "#]]
        .assert_eq(&page(&fine, &[], &Apt::default()));
    }
}
