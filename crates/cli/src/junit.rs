//! A build's results for CI systems: JUnit XML as Jenkins and GitLab read it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use channel::Status;
use factory::{Case, Cause, Failure, Report};

use crate::command::component::DocumentProblems;
use crate::error::CliError;
use crate::text;

/// Results of steps, to be told as test cases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Results<'a> {
    /// What they are results of.
    pub(crate) title: &'a str,
    /// The steps, those of a phase side by side.
    pub(crate) cases: &'a [Case],
    /// The first failure.
    pub(crate) failure: Option<&'a Failure>,
    /// How long all took.
    pub(crate) seconds: f64,
}

impl<'a> Results<'a> {
    /// Returns the results of a build.
    pub(crate) fn of_build(report: &'a Report) -> Self {
        Self {
            title: &report.image,
            cases: &report.cases,
            failure: report.failure.as_ref(),
            seconds: report.seconds,
        }
    }
}

/// Writes results of work that ended at `at` to `path`; the file appears
/// whole or not at all.
pub(crate) fn write(path: &Path, results: &Results<'_>, at: i64) -> Result<(), CliError> {
    replace(path, &render(results, at))
        .map_err(|source| CliError::Write { path: path.to_owned(), source })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let written = File::create(&partial)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // The error that counts is the one above.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

/// Returns the verdict on documents as one test case for each.
pub(crate) fn of_documents(names: &[String], problems: &DocumentProblems, at: i64) -> String {
    let cases: Vec<Case> = names
        .iter()
        .map(|name| {
            let refused = problems.refused.contains(name);
            let said: Vec<_> = problems.said_of(name).collect();
            Case {
                component: name.clone(),
                phase: "validate".to_owned(),
                step: "document".to_owned(),
                status: if refused { Status::Failed } else { Status::Success },
                message: said.join("\n"),
                seconds: 0.0,
            }
        })
        .collect();
    let results =
        Results { title: "component documents", cases: &cases, failure: None, seconds: 0.0 };
    render(&results, at)
}

/// Returns `error` as a failure that no step of a component stands for, with
/// all that people are shown.
pub(crate) fn failure_of(error: &CliError) -> Failure {
    Failure {
        cause: Cause::Factory,
        component: None,
        phase: None,
        step: None,
        exit_code: None,
        message: error.sentence(),
        last_lines: error.render().lines().map(str::to_owned).collect(),
    }
}

/// Returns results as JUnit XML.
pub(crate) fn render(report: &Results<'_>, at: i64) -> String {
    let mut failure = report.failure;
    let mut suites = String::new();
    let (mut tests, mut failures, mut skips) = (0, 0, 0);
    for cases in report.cases.chunk_by(|a, b| (&a.component, &a.phase) == (&b.component, &b.phase))
    {
        let rendered: String = cases.iter().map(|case| test_case(case, &mut failure)).collect();
        let count = |status| cases.iter().filter(|case| case.status == status).count();
        let (failed, skipped) = (count(Status::Failed), count(Status::Skipped));
        let seconds = cases.iter().map(|case| case.seconds).sum::<f64>();
        suites.push_str(&format!(
            "  <testsuite name=\"{}.{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" \
             skipped=\"{skipped}\" time=\"{seconds:.3}\" timestamp=\"{}\">\n{rendered}  </testsuite>\n",
            escape(&cases[0].component),
            escape(&cases[0].phase),
            cases.len(),
            text::stamp(at),
        ));
        (tests, failures, skips) = (tests + cases.len(), failures + failed, skips + skipped);
    }
    // A failure that no step of a component stands for.
    let errors = usize::from(failure.is_some());
    if let Some(failure) = failure {
        suites.push_str(&format!(
            "  <testsuite name=\"goldsmith\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" \
             time=\"{:.3}\" timestamp=\"{}\">\n    <testcase classname=\"goldsmith\" name=\"build\" \
             time=\"{:.3}\">\n{}    </testcase>\n  </testsuite>\n",
            report.seconds,
            text::stamp(at),
            report.seconds,
            verdict("error", &failure.to_string(), &failure.last_lines),
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"{skips}\" time=\"{:.3}\">\n{suites}</testsuites>\n",
        escape(report.title),
        tests + errors,
        report.seconds,
    )
}

/// Returns a case; the one that failed the build takes the failure's last lines.
fn test_case(case: &Case, failure: &mut Option<&Failure>) -> String {
    let mut text = format!(
        "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
        escape(&case.component),
        escape(&case.phase),
        escape(&case.step),
        case.seconds,
    );
    let result = match case.status {
        Status::Success => String::new(),
        Status::Failed => {
            let lines = failure.take_if(|failure| is_about(failure, case));
            let lines = lines.map_or(&[][..], |failure| &failure.last_lines);
            verdict("failure", &case.message, lines)
        }
        Status::Skipped => verdict("skipped", &case.message, &[]),
        Status::IgnoredFailure => {
            let told = format!("failed, which was ignored: {}", case.message);
            format!("      <system-out>{}</system-out>\n", escape(&told))
        }
    };
    if result.is_empty() {
        text.push_str("/>\n");
    } else {
        write!(text, ">\n{result}    </testcase>\n")
            .expect("writing fails not because a String takes all");
    }
    text
}

fn is_about(failure: &Failure, case: &Case) -> bool {
    failure.cause != Cause::Cancelled
        && failure.component.as_ref() == Some(&case.component)
        && failure.phase.as_ref() == Some(&case.phase)
        && failure.step.as_ref() == Some(&case.step)
}

fn verdict(element: &str, message: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return format!("      <{element} message=\"{}\"/>\n", escape(message));
    }
    format!(
        "      <{element} message=\"{}\">{}</{element}>\n",
        escape(message),
        escape(&lines.join("\n"))
    )
}

/// Returns text for an attribute or an element. XML 1.0 has no way to write
/// most control characters (§2.2), so they become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // In an attribute these would be read as spaces (§3.3.3).
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::command::build::summary::tests as samples;

    const AT: i64 = 1_700_000_000_000_000;

    #[test]
    fn each_phase_of_a_component_is_a_suite() {
        let mut report = samples::report();
        report.cases[3].message = "its `if` is \"false\"".to_owned();
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/2" tests="4" failures="0" errors="0" skipped="1" time="93.600">
              <testsuite name="nginx.build" tests="1" failures="0" errors="0" skipped="0" time="1.500" timestamp="2023-11-14T22:13:20Z">
                <testcase classname="nginx.build" name="Install" time="1.500"/>
              </testsuite>
              <testsuite name="nginx.test" tests="3" failures="0" errors="0" skipped="1" time="4.500" timestamp="2023-11-14T22:13:20Z">
                <testcase classname="nginx.test" name="Version" time="1.500"/>
                <testcase classname="nginx.test" name="Answer" time="1.500"/>
                <testcase classname="nginx.test" name="Proxy" time="1.500">
                  <skipped message="its `if` is &quot;false&quot;"/>
                </testcase>
              </testsuite>
            </testsuites>
        "#]].assert_eq(&render(&Results::of_build(&report), AT));
    }

    #[test]
    fn the_failed_step_has_the_last_lines() {
        let mut report = samples::report();
        report.cases.truncate(1);
        report.cases[0].status = Status::Failed;
        report.cases[0].message = "exit code 100 & <more>\u{1b}[0m".to_owned();
        report.failure = Some(samples::failure(Cause::Component));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/2" tests="1" failures="1" errors="0" skipped="0" time="93.600">
              <testsuite name="nginx.build" tests="1" failures="1" errors="0" skipped="0" time="1.500" timestamp="2023-11-14T22:13:20Z">
                <testcase classname="nginx.build" name="Install" time="1.500">
                  <failure message="exit code 100 &amp; &lt;more&gt;�[0m">Reading package lists...&#10;&#10;E: Unable to locate package ngnix</failure>
                </testcase>
              </testsuite>
            </testsuites>
        "#]].assert_eq(&render(&Results::of_build(&report), AT));
    }

    #[test]
    fn a_failure_of_no_step_is_an_error() {
        let mut report = samples::report();
        report.cases.clear();
        let failure = samples::failure(Cause::Factory);
        report.failure = Some(Failure { component: None, ..failure });
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/2" tests="1" failures="0" errors="1" skipped="0" time="93.600">
              <testsuite name="goldsmith" tests="1" failures="0" errors="1" skipped="0" time="93.600" timestamp="2023-11-14T22:13:20Z">
                <testcase classname="goldsmith" name="build" time="93.600">
                  <error message="phase build: step Install (ExecuteBash) failed with exit code 100">Reading package lists...&#10;&#10;E: Unable to locate package ngnix</error>
                </testcase>
              </testsuite>
            </testsuites>
        "#]].assert_eq(&render(&Results::of_build(&report), AT));
    }

    #[test]
    fn a_file_is_replaced_or_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        for _ in 0..2 {
            write(&path, &Results::of_build(&samples::report()), AT).unwrap();
        }
        let report = samples::report();
        let results = Results::of_build(&report);
        assert!(write(&folder.path().join("no/junit.xml"), &results, AT).is_err());
        assert!(write(folder.path(), &results, AT).is_err());
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
    }
}
