//! The example that `make demo` builds, and that building it again gives the
//! same bytes.

use std::process::Command;

use crate::setting::{Setting, Traces, text};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

#[test]
fn the_web_server_is_built_tested_and_published() {
    let setting = Setting::new();
    let before = Traces::now(&setting);
    let junit = setting.write("junit.xml", "");
    let project = format!("{EXAMPLES}/web-server");
    let report = setting.json(&["build", &project, "--junit", junit.to_str().unwrap()]);
    assert_eq!(Traces::now(&setting), before);

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
    let deleted = setting.run(&["delete", image, "--yes"]);
    assert!(deleted.status.success(), "{}", text(&deleted));
    assert!(!setting.amis().iter().any(|id| id == amis[0]["ami"].as_str().unwrap()));
    assert!(setting.run(&["gc"]).status.success());
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
