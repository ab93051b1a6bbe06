//! The example that `make demo` builds, and that building it again gives the
//! same bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::setting::{Setting, Traces, text};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

#[test]
fn the_web_server_is_built_tested_and_published() {
    let setting = Setting::new();
    let before = Traces::now(&setting);
    let junit = setting.write("junit.xml", "");
    let project = format!("{EXAMPLES}/web-server");
    let (report, memory) =
        setting.json_and_memory(&["build", &project, "--junit", junit.to_str().unwrap()]);
    assert_eq!(Traces::now(&setting), before);
    // Whatever the image's size: everything is streamed.
    assert!(memory < 150 << 20, "goldsmith itself took {memory} bytes");

    assert_eq!(report["state"], "AVAILABLE");
    let amis = report["amis"].as_array().unwrap();
    let regions: Vec<_> = amis.iter().map(|ami| ami["region"].as_str().unwrap()).collect();
    assert_eq!(regions, ["local-1", "local-2"]);
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().all(|case| case["status"] != "failed"));
    for phase in ["build", "validate", "test"] {
        assert!(cases.iter().any(|case| case["phase"] == phase), "no {phase} phase ran");
    }
    assert!(report["bootSeconds"].as_f64().unwrap() > 1.0);
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("<testsuite") && xml.contains("nginx"), "{xml}");

    let image = report["image"].as_str().unwrap();
    let shown = setting.json(&["show", image]).to_string();
    assert!(shown.contains(report["digest"].as_str().unwrap()), "{shown}");
    let log = setting.run(&["logs", image]);
    assert!(log.status.success() && text(&log).contains("nginx"));

    exports_are_the_image(&setting, amis[1]["ami"].as_str().unwrap());
    the_image_runs(&setting, amis[0]["ami"].as_str().unwrap());
    Traces::check_settled(&setting, &before);
    let deleted = setting.run(&["delete", image, "--yes"]);
    assert!(deleted.status.success(), "{}", text(&deleted));
    assert!(!setting.amis().iter().any(|id| id == amis[0]["ami"].as_str().unwrap()));
    assert!(setting.run(&["gc"]).status.success());
}

/// Boots the AMI with `goldsmith run` until its page is served through a
/// forwarded port, then ends it as Ctrl-C does.
fn the_image_runs(setting: &Setting, ami: &str) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut command = setting.command();
    command.args(["run", ami, "--forward", &format!("{port}:80")]);
    let mut machine = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let served = (0..600).any(|_| {
        thread::sleep(Duration::from_secs(1));
        assert_eq!(machine.try_wait().unwrap(), None, "the machine ended by itself");
        page(port).is_some_and(|page| page.starts_with("HTTP/1.1 200"))
    });
    assert!(served, "no page came through port {port}");
    let pid = machine.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(machine.wait().unwrap().code(), Some(130));
}

fn page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    Some(page)
}

/// Exports the AMI in every format; all hold the same disk, whose file
/// systems are sound.
fn exports_are_the_image(setting: &Setting, ami: &str) {
    let raw = setting.write("disk.raw", "");
    let raw = raw.to_str().unwrap();
    let exported = setting.run(&["export", ami, "--format", "raw", "--force", raw]);
    assert!(exported.status.success(), "{}", text(&exported));
    for (format, name) in [("qcow2", "qcow2"), ("vmdk", "vmdk"), ("vhd", "vpc")] {
        let file = format!("{raw}.{format}");
        let exported = setting.run(&["export", ami, "--format", format, &file]);
        assert!(exported.status.success(), "{}", text(&exported));
        let mut compare = Command::new("qemu-img");
        compare.args(["compare", "-f", "raw", "-F", name, raw, &file]);
        let same = compare.output().unwrap();
        assert!(same.status.success(), "{format}: {}", text(&same));
        std::fs::remove_file(&file).unwrap();
    }
    // The root file system begins after 1 MiB and an ESP of 64.
    let offset = 65 << 20;
    let sound = Command::new("e2fsck").arg("-fn").arg(format!("{raw}?offset={offset}")).output();
    let sound = sound.unwrap();
    assert!(sound.status.success(), "{}", text(&sound));
    let table = Command::new("sfdisk").args(["--verify", raw]).output().unwrap();
    assert!(table.status.success(), "{}", text(&table));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let setting = Setting::new();
    let phases = "  - name: build\n    steps:\n      - name: User\n        action: ExecuteBash\n        \
                  inputs:\n          commands:\n            - useradd --create-home ann\n            \
                  - date >/var/log/when; echo x >/tmp/y; ldconfig\n";
    let project =
        setting.project("same", phases, "imageTestsConfiguration:\n  imageTestsEnabled: false\n");
    let build = || setting.json(&["build", project.to_str().unwrap()])["digest"].clone();
    assert_eq!(build(), build());
}
