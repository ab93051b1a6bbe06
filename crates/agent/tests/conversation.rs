//! Whole conversations with the agent over a pipe.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use channel::{Event, Execute, Lines, Request, Resume, Status, write_line};

/// A running agent.
struct Agent {
    process: Child,
    requests: Option<ChildStdin>,
    events: Lines<BufReader<ChildStdout>>,
}

impl Agent {
    #[expect(clippy::disallowed_methods, reason = "the agent is a program")]
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_goldsmith-agent"))
            .arg("stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = process.stdin.take();
        let events = Lines::new(BufReader::new(process.stdout.take().unwrap()));
        let mut agent = Self { process, requests, events };
        let Event::Ready { uptime_seconds } = agent.hear() else { panic!("not ready") };
        assert!(uptime_seconds > 0.0);
        agent
    }

    fn hear(&mut self) -> Event {
        self.events.read().unwrap().expect("the agent has not ended")
    }

    fn say(&mut self, request: &Request) {
        write_line(self.requests.as_mut().unwrap(), request).unwrap();
    }

    /// Sends a document with one phase; returns its events up to the last one.
    fn execute(&mut self, steps: &str, resume: Option<Resume>) -> Vec<Event> {
        let document = format!(
            "schemaVersion: 1.0\nparameters:\n  - Size: {{type: string, default: \"1\"}}\n\
             phases:\n  - name: build\n    steps:\n{steps}"
        );
        self.say(&Request::Execute(Execute {
            component: "case".into(),
            document,
            phases: vec!["build".into()],
            parameters: Vec::new(),
            stored: Vec::new(),
            components: BTreeMap::new(),
            resume,
        }));
        let mut events = Vec::new();
        loop {
            events.push(self.hear());
            if let Some(Event::Ended { .. } | Event::Refused { .. } | Event::Reboot { .. }) =
                events.last()
            {
                return events;
            }
        }
    }

    /// Executes one script; returns what it wrote and how the document ended.
    fn bash(&mut self, script: &str) -> (Vec<String>, Event) {
        let script = serde_json::to_string(script).unwrap();
        let steps = format!(
            "      - {{name: One, action: ExecuteBash, timeoutSeconds: 20, \
             inputs: {{commands: [{script}]}}}}\n"
        );
        let mut events = self.execute(&steps, None);
        let last = events.pop().unwrap();
        let lines = events.into_iter().filter_map(|event| match event {
            Event::Output { line, .. } => Some(line),
            _ => None,
        });
        (lines.collect(), last)
    }

    /// Waits for the agent to end; returns whether it ended in order.
    fn ends_well(mut self) -> bool {
        drop(self.requests);
        assert_eq!(self.events.read::<Event>().unwrap(), None);
        self.process.wait().unwrap().success()
    }
}

fn ended(status: Status, message: &str) -> Event {
    Event::Ended { status, message: message.into() }
}

#[test]
fn documents_are_executed_one_after_another() {
    let mut agent = Agent::start();
    let good = ended(Status::Success, "");
    assert_eq!(agent.bash("echo one"), (vec!["one".into()], good.clone()));
    let bad = ended(Status::Failed, "phase build: step One (ExecuteBash) failed with exit code 9");
    assert_eq!(agent.bash("echo two >&2; exit 9"), (vec!["two".into()], bad));
    // A step that reads its input must not take the next request.
    assert_eq!(agent.bash("cat; echo three"), (vec!["three".into()], good));
    assert!(agent.ends_well());
}

#[test]
fn nonsense_is_refused_and_the_conversation_goes_on() {
    let mut agent = Agent::start();
    agent.requests.as_mut().unwrap().write_all(b"{\"request\": \"dance\"}\n").unwrap();
    let Event::Refused { message } = agent.hear() else { panic!("nonsense was taken") };
    assert!(message.starts_with("`{\"request\": \"dance\"}` is not a message: "), "{message}");
    let events = agent.execute("      - {name: One, action: ExecuteBush}\n", None);
    let [Event::Refused { message }] = &events[..] else { panic!("{events:?}") };
    assert!(message.contains("ExecuteBush"), "{message}");
    let (lines, _) = agent.bash("echo still here");
    assert_eq!(lines, ["still here"]);
    assert!(agent.ends_well());
}

#[test]
fn the_factory_may_power_off() {
    let mut agent = Agent::start();
    agent.say(&Request::PowerOff);
    assert!(agent.ends_well());
}

#[test]
fn after_a_restart_a_new_agent_goes_on() {
    let steps = "      - {name: One, action: ExecuteBash, inputs: {commands: [echo 'x y']}}\n\
        \x20     - {name: Two, action: Reboot, inputs: {delaySeconds: 2}}\n\
        \x20     - {name: Three, action: ExecuteBash, inputs: {commands: \
        ['echo \"{{ build.One.outputs.stdout }}\"']}}\n";
    let mut agent = Agent::start();
    let mut events = agent.execute(steps, None);
    let Some(Event::Reboot { resume, delay_seconds: 2 }) = events.pop() else {
        panic!("{events:?}")
    };
    assert!(agent.ends_well());
    let mut agent = Agent::start();
    let events = agent.execute(steps, Some(resume));
    let started: Vec<_> =
        events.iter().filter(|event| matches!(event, Event::StepStarted { .. })).collect();
    assert_eq!(started.len(), 1);
    let line = |event: &Event| matches!(event, Event::Output { line, .. } if line == "x y");
    assert!(events.iter().any(line), "{events:?}");
    let nonsense = Some(Resume(serde_json::json!({"phase": "x"})));
    let events = agent.execute(steps, nonsense);
    assert!(matches!(&events[..], [Event::Refused { .. }]), "{events:?}");
    assert!(agent.ends_well());
}

/// Prints how many dead children the parent of the script has not waited for.
const COUNT_DEAD: &str = "dead() { grep -ls '^State:.Z' /proc/[0-9]*/status \
    | xargs -r grep -ls \"^PPid:.$PPID$\" | wc -l; }";

#[test]
fn orphans_are_waited_for() {
    let mut agent = Agent::start();
    let (lines, last) = agent.bash(&format!(
        "{COUNT_DEAD}\nfor n in 1 2 3; do (true &); done\n\
         while [ $(dead) != 0 ]; do :; done; echo gone; exit 5"
    ));
    assert_eq!(lines, ["gone"]);
    let message = "phase build: step One (ExecuteBash) failed with exit code 5";
    assert_eq!(last, ended(Status::Failed, message), "the step's own status is not lost");
    assert!(agent.ends_well());
}

#[test]
fn time_up_ends_even_those_who_left_the_family() {
    let mut agent = Agent::start();
    let (lines, _) = agent.bash("(setsid sleep 300 & echo $!)");
    let [earlier] = &lines[..] else { panic!("{lines:?}") };
    let steps = "      - {name: One, action: ExecuteBash, timeoutSeconds: 2, inputs: \
        {commands: ['(setsid sleep 300 & echo $!)', sleep 300]}}\n";
    let events = agent.execute(steps, None);
    let late = events.iter().find_map(|event| match event {
        Event::Output { line, .. } => Some(line),
        _ => None,
    });
    let message =
        "phase build: step One (ExecuteBash) failed: it took longer than its timeout of 2 s";
    assert_eq!(events.last(), Some(&ended(Status::Failed, message)));
    let script = format!("test -d /proc/{} || echo gone; kill {earlier}", late.unwrap());
    assert_eq!(agent.bash(&script).0, ["gone"], "an earlier step's daemon lives on");
    assert!(agent.ends_well());
}
