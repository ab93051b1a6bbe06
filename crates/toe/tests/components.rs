//! Steps of managed components that this machine alone would not show: they
//! meet programs that only say what those of other systems say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use channel::{Event, Execute, Status};
use document::Component;
use toe::{Machine, Outcome, run};

/// Runs the validate phase of `update-linux` where `program` is the one
/// package manager; returns what the steps wrote, unless one failed.
fn validate_update(program: &str, script: &str) -> Result<String, String> {
    let text = include_str!("../../../components/update-linux/1.0.0.yaml");
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for name in ["bash", "grep"] {
        let known = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
        symlink(known.iter().find(|path| path.exists()).unwrap(), programs.join(name)).unwrap();
    }
    let path = programs.join(program);
    fs::write(&path, format!("#!{}/bash\n{script}\n", programs.display())).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let machine = Machine {
        scratch: folder.path().join("scratch"),
        folder: folder.path().to_owned(),
        variables: BTreeMap::from([("PATH".into(), programs.into())]),
        ..Machine::default()
    };
    let request = Execute {
        component: "update-linux".into(),
        document: text.to_owned(),
        phases: vec!["validate".into()],
        parameters: Vec::new(),
        stored: Vec::new(),
        components: BTreeMap::new(),
        resume: None,
    };
    let mut lines = String::new();
    let component = Component::parse(text).unwrap().value;
    let outcome = run(&component, &request, &machine, &mut |event| {
        if let Event::Output { line, .. } = event {
            lines.push_str(&line);
            lines.push('\n');
        }
    });
    match outcome.unwrap() {
        Outcome::Ended { status: Status::Success, .. } => Ok(lines),
        outcome @ (Outcome::Ended { .. } | Outcome::Reboot { .. }) => {
            assert!(matches!(outcome, Outcome::Ended { status: Status::Failed, .. }));
            Err(lines)
        }
    }
}

#[track_caller]
fn check(program: &str, script: &str, expected: Result<&str, &str>) {
    let result = validate_update(program, script);
    assert_eq!(result.as_deref().map_err(String::as_str), expected, "{program}");
}

#[test]
fn every_package_manager_is_asked_what_is_left_to_update() {
    let none = Ok("");
    let zypper = "[ \"$*\" = '--non-interactive list-updates' ] || exit 2\necho ";
    check("zypper", &format!("{zypper}'No updates found.'"), none);
    let table = "v | Main | bash | 5.1 | 5.2 | x86_64\n";
    check(
        "zypper",
        &format!("{zypper}$'S | Repository | Name\\n--+---\\n{}'", table.trim_end()),
        Err(&format!("not updated:\n{table}")),
    );
    check("zypper", "exit 6", Err(""));
    let apk = "[ \"$*\" = '--quiet version --limit <' ] || exit 2\n";
    check("apk", apk, none);
    check("apk", &format!("{apk}echo busybox"), Err("not updated:\nbusybox\n"));
    check("apk", "exit 1", Err(""));
    for rpm in ["dnf", "yum"] {
        let asked = "[ \"$*\" = '-q check-update' ] || exit 2\n";
        check(rpm, &format!("{asked}echo; exit 0"), none);
        check(rpm, &format!("{asked}echo bash; exit 100"), Err("not updated:\nbash\n"));
        check(rpm, "exit 1", Err(""));
    }
    let apt = "[ \"$*\" = '-s --with-new-pkgs upgrade' ] || exit 2\n";
    check("apt-get", &format!("{apt}echo '0 upgraded'"), none);
    check("apt-get", &format!("{apt}echo 'Inst bash'"), Err("not updated:\nInst bash\n"));
}
