//! What is known of an image, as people read it.

use channel::Status;
use factory::Case;
use jiff::tz::TimeZone;
use store::ami;
use store::artefact::Artefact;

use super::{Known, took};
use crate::reference::title;
use crate::{tally, text};

/// Returns it for people; times are told in `zone`.
pub(super) fn page(known: &Known, now: i64, zone: &TimeZone) -> String {
    let Known { run, steps, artefact, amis } = known;
    let mut facts: Vec<[String; 2]> = Vec::new();
    let mut fact = |name: &str, value: String| facts.push([name.to_owned(), value]);
    fact("Image", title(run));
    fact("Run", run.id.to_string());
    fact("State", run.state.to_string());
    if let Some(recipe) = run.recipe.get("name").and_then(|name| name.as_str()) {
        fact("Recipe", recipe.to_owned());
    }
    fact("Project", run.project.clone());
    fact("Begun", text::time(run.started_at, zone));
    let whole = took(run.started_at, run.ended_at.unwrap_or(now));
    fact(if run.ended_at.is_some() { "Took" } else { "Runs for" }, text::duration(whole));
    if let Some(artefact) = artefact {
        fact("Disk", format!("{}, {}", text::size(artefact.size), artefact.digest));
    }
    let tests = artefact.as_ref().and_then(tests).unwrap_or_default();
    if !tests.is_empty() {
        fact("Tests", tally::of(&tests));
    }
    let mut page = text::table(&facts);
    if !run.reason.is_empty() {
        page.push_str("\nReason\n");
        for line in run.reason.lines() {
            page.push_str(&format!("  {line}\n"));
        }
    }
    if !steps.is_empty() {
        let rows = steps.iter().map(|step| {
            [
                format!("  {}", step.label),
                step.state.to_string(),
                text::duration(took(step.started_at, step.ended_at.unwrap_or(now))),
            ]
        });
        page.push_str(&format!("\nSteps\n{}", text::table(&rows.collect::<Vec<_>>())));
    }
    let told = tests.iter().filter(|case| case.status != Status::Success).map(|case| {
        [
            format!("  {}", case.component),
            case.step.clone(),
            verdict(case.status).to_owned(),
            case.message.lines().next().unwrap_or_default().to_owned(),
        ]
    });
    let told = text::table(&told.collect::<Vec<_>>());
    if !told.is_empty() {
        page.push_str(&format!("\nTests that did not pass\n{told}"));
    }
    if !amis.is_empty() {
        let rows = amis.iter().map(|(ami::Entry { ami, .. }, snapshot)| {
            [
                format!("  {}", ami.region),
                ami.id.to_string(),
                snapshot.snapshot.id.to_string(),
                format!("{} blocks", snapshot.blocks),
                ami.name.clone(),
            ]
        });
        page.push_str(&format!("\nAMIs\n{}", text::table(&rows.collect::<Vec<_>>())));
    }
    let tags = amis.iter().flat_map(|(ami::Entry { ami, .. }, _)| {
        let line = |(name, value)| [format!("  {}", ami.region), format!("{name}={value}")];
        ami.tags.iter().map(line)
    });
    let tags = text::table(&tags.collect::<Vec<_>>());
    if !tags.is_empty() {
        page.push_str(&format!("\nTags\n{tags}"));
    }
    page
}

/// Returns the steps of the image's tests, once they are recorded.
fn tests(artefact: &Artefact) -> Option<Vec<Case>> {
    serde_json::from_value(artefact.tests.clone()).ok()
}

fn verdict(status: Status) -> &'static str {
    match status {
        Status::Success => "passed",
        Status::Failed => "FAILED",
        Status::IgnoredFailure => "ignored",
        Status::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use model::{Ami, Architecture, BootMode, ImageState, Snapshot, Tags};
    use name::{AmiId, Digest, RunId, SnapshotId};
    use serde_json::{Value, json};
    use store::run::Run;
    use store::snapshot;

    use super::*;

    const AT: i64 = 1_700_000_000_000_000;

    fn known(tests: Value) -> Known {
        let id = RunId::from_random([0x12; 8]);
        let published = |n: u8, team: &str| {
            let region: name::Region = format!("local-{n}").parse().unwrap();
            let digest = Digest::of(b"disk");
            let snapshot = Snapshot {
                id: SnapshotId::from_random([n; 8]),
                region,
                volume_bytes: 2 << 30,
                digest,
            };
            let ami = Ami {
                id: AmiId::from_random([n; 8]),
                region: snapshot.region.clone(),
                owner: "000000000000".parse().unwrap(),
                name: "web 1".to_owned(),
                description: None,
                architecture: Architecture::X86_64,
                boot_mode: BootMode::Uefi,
                root: snapshot.id,
                tags: Tags::new([("Team".to_owned(), team.to_owned())].into()).unwrap(),
            };
            let snapshot = snapshot::Entry { snapshot, blocks: 1200, created_at: AT };
            (ami::Entry::new(ami, id, AT), snapshot)
        };
        Known {
            run: Run {
                id,
                account: "000000000000".parse().unwrap(),
                region: "local-1".parse().unwrap(),
                image: "web".to_owned(),
                build: "1.0.0/1".parse().unwrap(),
                state: ImageState::Available,
                reason: String::new(),
                project: "examples/web".to_owned(),
                recipe: json!({ "name": "Web" }),
                work: String::new(),
                owner: String::new(),
                started_at: AT,
                ended_at: Some(AT + 12_300_000),
            },
            steps: Vec::new(),
            artefact: Some(Artefact {
                run: id,
                digest: Digest::of(b"disk"),
                size: 2 << 30,
                tests,
                made_at: AT,
            }),
            amis: vec![published(1, "platform"), published(2, "edge")],
        }
    }

    #[test]
    fn tests_are_counted_and_told_unless_they_passed() {
        let case = |step: &str, status: &str, message: &str| {
            json!({ "component": "nginx", "phase": "test", "step": step, "status": status,
                    "message": message, "seconds": 0.5 })
        };
        let tests = json!([
            case("Version", "success", ""),
            case("Answer", "failed", "exit code 1\nmore"),
            case("Proxy", "skipped", "its `if` is false"),
            case("Cache", "ignoredFailure", "exit code 2"),
        ]);
        expect![[r#"
            Image    web/1.0.0/1
            Run      run-01212121212121212
            State    AVAILABLE
            Recipe   Web
            Project  examples/web
            Begun    2023-11-14 22:13:20
            Took     12.3 s
            Disk     2.0 GiB, sha256:1044dec7206e8d7c9fbb4ae8f766668406d2567fc7fc1a160a9d4700fcf8f8e9
            Tests    1 passed, 1 failed, 1 skipped, 1 failed and were ignored

            Tests that did not pass
              nginx  Answer  FAILED   exit code 1
              nginx  Proxy   skipped  its `if` is false
              nginx  Cache   ignored  exit code 2

            AMIs
              local-1  ami-00101010101010101  snap-00101010101010101  1200 blocks  web 1
              local-2  ami-00202020202020202  snap-00202020202020202  1200 blocks  web 1

            Tags
              local-1  Team=platform
              local-2  Team=edge
        "#]].assert_eq(&page(&known(tests), AT, &TimeZone::UTC));
    }

    #[test]
    fn tests_that_are_not_recorded_are_not_told() {
        let shown = page(&known(Value::Null), AT, &TimeZone::UTC);
        assert!(!shown.contains("Tests"), "{shown}");
    }
}
