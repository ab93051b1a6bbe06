//! What a build came to, as people read it at its end.

use std::time::Duration;

use factory::{Cause, Failure, Report};

use crate::{tally, text};

/// Returns the story of a build that succeeded.
pub(super) fn success(report: &Report) -> String {
    let mut facts = vec![["Image".to_owned(), report.image.clone()]];
    let mut fact = |name: &str, value: String| facts.push([name.to_owned(), value]);
    if let (Some(disk), Some(data)) = (report.disk_bytes, report.data_bytes) {
        fact("Disk", format!("{}, {} of it data", text::size(disk), text::size(data)));
    }
    if let Some(digest) = &report.digest {
        fact("Digest", digest.clone());
    }
    if let Some(seconds) = report.boot_seconds {
        fact("Boot", seconds_of(seconds));
    }
    fact("Tests", tally::of(&report.cases));
    fact("Time", seconds_of(report.seconds));
    let mut story = format!("\n{}", text::table(&facts));

    let steps = report
        .steps
        .iter()
        .map(|step| [format!("  {}", step.label), format!("{:>11}", seconds_of(step.seconds))]);
    story.push_str(&text::table(&steps.collect::<Vec<_>>()));
    let amis = report.amis.iter().map(|ami| {
        [
            ami.ami.clone(),
            ami.region.clone(),
            format!("{} of {} blocks copied", ami.copied, ami.blocks),
            ami.name.clone(),
        ]
    });
    let amis = text::table(&amis.collect::<Vec<_>>());
    if !amis.is_empty() {
        story.push_str(&format!("\n{amis}"));
    }
    if let Some(ami) = report.amis.first() {
        story.push_str(&format!("\nTry it: goldsmith run {}\n", ami.ami));
    }
    story
}

/// Returns why the build whose run is `run` failed, and what to do next.
pub(super) fn failure(failure: &Failure, run: &str) -> String {
    if failure.cause == Cause::Cancelled {
        return "cancelled: nothing was published\n".to_owned();
    }
    let mut story = format!("error: {failure}");
    let mut place = Vec::new();
    // The message of a document's step names its place already.
    let mut name = |what: &str, value: &Option<String>| {
        if let Some(value) = value.as_ref().filter(|value| !failure.message.contains(*value)) {
            place.push(format!("{what} {value}"));
        }
    };
    name("phase", &failure.phase);
    name("step", &failure.step);
    name("exit code", &failure.exit_code.map(|code| code.to_string()));
    if !place.is_empty() {
        story.push_str(&format!(" ({})", place.join(", ")));
    }
    story.push('\n');
    for line in &failure.last_lines {
        story.push_str(format!("  | {line}").trim_end());
        story.push('\n');
    }
    if let Some(help) = failure.help() {
        story.push_str(&format!("hint: {help}\n"));
    }
    story.push_str(&format!("hint: `goldsmith logs {run}` shows the whole log\n"));
    story
}

fn seconds_of(seconds: f64) -> String {
    text::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

#[cfg(test)]
pub(crate) mod tests {
    use channel::Status;
    use expect_test::expect;
    use factory::{Case, Published, StepReport};

    use super::*;

    pub(crate) fn report() -> Report {
        let case = |phase: &str, step: &str, status| Case {
            component: "nginx".to_owned(),
            phase: phase.to_owned(),
            step: step.to_owned(),
            status,
            message: String::new(),
            seconds: 1.5,
        };
        let ami = |region: &str, ami: &str, copied| Published {
            region: region.to_owned(),
            ami: ami.to_owned(),
            name: "web 2025-11-22T15-51-02.000Z".to_owned(),
            blocks: 1200,
            copied,
        };
        let step = |label: &str, seconds| StepReport { label: label.to_owned(), seconds };
        Report {
            image: "arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/2".to_owned(),
            run: "run-00123456789abcdef".to_owned(),
            state: "AVAILABLE".to_owned(),
            failure: None,
            digest: Some("sha256:12ab".to_owned()),
            disk_bytes: Some(2 << 30),
            data_bytes: Some(600 << 20),
            boot_seconds: Some(7.14),
            amis: vec![
                ami("local-1", "ami-00000000000000001", 1200),
                ami("local-2", "ami-00000000000000002", 7),
            ],
            cases: vec![
                case("build", "Install", Status::Success),
                case("test", "Version", Status::Success),
                case("test", "Answer", Status::Success),
                case("test", "Proxy", Status::Skipped),
            ],
            steps: vec![step("base debian-server-12", 0.02), step("build nginx", 72.4)],
            seconds: 93.6,
        }
    }

    pub(crate) fn failure(cause: Cause) -> Failure {
        Failure {
            cause,
            component: Some("nginx".to_owned()),
            phase: Some("build".to_owned()),
            step: Some("Install".to_owned()),
            exit_code: Some(100),
            message: "phase build: step Install (ExecuteBash) failed with exit code 100".to_owned(),
            last_lines: vec![
                "Reading package lists...".to_owned(),
                String::new(),
                "E: Unable to locate package ngnix".to_owned(),
            ],
        }
    }

    #[test]
    fn a_success_tells_what_there_is_and_what_to_try() {
        expect![[r#"

            Image   arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/2
            Disk    2.0 GiB, 600.0 MiB of it data
            Digest  sha256:12ab
            Boot    7.1 s
            Tests   2 passed, 0 failed, 1 skipped
            Time    1 min 34 s
              base debian-server-12        0.0 s
              build nginx             1 min 12 s

            ami-00000000000000001  local-1  1200 of 1200 blocks copied  web 2025-11-22T15-51-02.000Z
            ami-00000000000000002  local-2  7 of 1200 blocks copied     web 2025-11-22T15-51-02.000Z

            Try it: goldsmith run ami-00000000000000001
        "#]]
        .assert_eq(&success(&report()));
    }

    #[test]
    fn a_failure_tells_where_and_why() {
        let run = "run-00123456789abcdef";
        expect![[r#"
            error: component nginx: phase build: step Install (ExecuteBash) failed with exit code 100
              | Reading package lists...
              |
              | E: Unable to locate package ngnix
            hint: `goldsmith logs run-00123456789abcdef` shows the whole log
        "#]].assert_eq(&super::failure(&failure(Cause::Component), run));
        let died = Failure {
            message: "the instance died".to_owned(),
            last_lines: Vec::new(),
            ..failure(Cause::Component)
        };
        expect![[r#"
            error: component nginx: the instance died (phase build, step Install, exit code 100)
            hint: `goldsmith logs run-00123456789abcdef` shows the whole log
        "#]]
        .assert_eq(&super::failure(&died, run));
        assert_eq!(
            super::failure(&failure(Cause::Cancelled), run),
            "cancelled: nothing was published\n"
        );
    }
}
