//! What a component document costs: to parse a large one, and to run a step
//! that does nothing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::time::{Duration, Instant};

use channel::{Execute, Status};
use document::Component;
use toe::{Machine, Outcome};

/// How many steps the documents have.
const STEPS: u32 = 500;

/// The length of the document to parse, in characters: the API's limit.
const LENGTH: usize = 16_000;

const PARSE_LIMIT: Duration = Duration::from_millis(10);
const STEP_LIMIT: Duration = Duration::from_millis(2);

/// Prints one line a case: its name, what it took and what it may take. Fails
/// if one took longer.
pub(crate) fn bench() -> io::Result<()> {
    let large = large()?;
    let parsed = fastest(|| parse(&large).map(drop))?;
    let empty = parse(&document("Assert", "{stringIsEmpty: ''}"))?;
    let ran = fastest(|| run(&empty))? / STEPS;
    let cases = [("parse-component", parsed, PARSE_LIMIT), ("empty-step", ran, STEP_LIMIT)];
    for (name, took, limit) in cases {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        say(&format!("{name} {:.3} ms, limit {} ms", millis(took), millis(limit)));
    }
    match cases.iter().find(|(_, took, limit)| took > limit) {
        Some((name, ..)) => Err(io::Error::other(format!("{name} took longer than its limit"))),
        None => Ok(()),
    }
}

/// Returns the time of the fastest of twenty rounds: others on the machine
/// only ever make one slower.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn fastest(mut work: impl FnMut() -> io::Result<()>) -> io::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let began = Instant::now();
        work()?;
        best = best.min(began.elapsed());
    }
    Ok(best)
}

/// Returns a document of one phase of [`STEPS`] steps.
fn document(action: &str, inputs: &str) -> String {
    let mut text = "schemaVersion: 1\nphases: [{name: build, steps: [\n".to_owned();
    for n in 0..STEPS {
        writeln!(text, "{{name: S{n}, action: {action}, inputs: {inputs}}},")
            .expect("writing fails not because a String takes all");
    }
    text.push_str("]}]\n");
    text
}

/// Returns a document of [`LENGTH`] characters, filled up by a comment.
fn large() -> io::Result<String> {
    let mut text = document("Reboot", "{}").replace(", inputs: {}", "");
    text = text.replace("action: Reboot", "action: UpdateOS");
    let missing = LENGTH.checked_sub(text.len());
    let missing = missing.ok_or_else(|| io::Error::other("the document is too long"))?;
    text.push_str(&format!("#{}", " ".repeat(missing.saturating_sub(1))));
    Ok(text)
}

fn parse(text: &str) -> io::Result<Component> {
    match Component::parse(text) {
        Ok(parsed) => Ok(parsed.value),
        Err(problems) => Err(io::Error::other(problems.render("benchmark", text))),
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark needs a folder")]
fn run(component: &Component) -> io::Result<()> {
    let folder = std::env::temp_dir();
    let scratch = folder.join(format!("goldsmith-bench-{}", std::process::id()));
    let machine = Machine { scratch, folder, ..Machine::default() };
    let request = Execute {
        component: "benchmark".to_owned(),
        document: String::new(),
        phases: vec!["build".to_owned()],
        parameters: Vec::new(),
        stored: Vec::new(),
        components: BTreeMap::new(),
        resume: None,
    };
    match toe::run(component, &request, &machine, &mut drop).map_err(io::Error::other)? {
        Outcome::Ended { status: Status::Success, .. } => Ok(()),
        other => Err(io::Error::other(format!("the benchmark ended otherwise: {other:?}"))),
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
fn say(line: &str) {
    println!("{line}");
}
