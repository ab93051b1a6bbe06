//! Promise 4: component code does not reach the host. Ten ways are tried; each
//! must fail, and the component says so line by line.

use std::net::TcpListener;

use crate::setting::Setting;

#[test]
fn ten_ways_out_are_shut() {
    let setting = Setting::new();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret = setting.write("secret", "of the host");
    let attempts = [
        ("host-file", format!("cat {}", secret.display())),
        ("host-loopback", format!("timeout 3 bash -c '</dev/tcp/127.0.0.1/{port}'")),
        (
            "host-address",
            format!(
                "for ip in $(ip -4 -o addr show | grep -o 'inet [0-9.]*' | cut -c6-); do \
                 timeout 3 bash -c \"</dev/tcp/$ip/{port}\" && exit 0; done; exit 1"
            ),
        ),
        ("mount", "mount -t tmpfs none /mnt".to_owned()),
        ("namespace", "unshare --user --map-root-user true".to_owned()),
        ("device", "mknod /tmp/disk b 8 0 && head -c 1 /tmp/disk".to_owned()),
        (
            "agent-stream",
            "echo '{\"event\":\"ended\",\"status\":\"success\",\"message\":\"\"}' >/proc/1/fd/1"
                .to_owned(),
        ),
        ("kernel-setting", "echo x >/proc/sys/kernel/core_pattern".to_owned()),
        (
            "host-process",
            "test \"$(ls -d /proc/[0-9]* | wc -l)\" -gt 20 || kill -0 $(($$ + 5000))".to_owned(),
        ),
        ("new-privileges", "! grep -q 'NoNewPrivs:.*1' /proc/self/status".to_owned()),
        (
            "chroot-out",
            "mkdir -p /tmp/o && chroot /proc/1/root/../../ cat /etc/goldsmith-host".to_owned(),
        ),
        ("module", "modprobe dummy".to_owned()),
    ];
    let mut script = String::new();
    for (name, attempt) in &attempts {
        script.push_str(&format!(
            "              if ( {attempt} ) >/dev/null 2>&1; then echo {name} ESCAPED; failed=1; else echo {name} shut; fi\n"
        ));
    }
    let phases = format!(
        "  - name: build\n    steps:\n      - name: Escape\n        action: ExecuteBash\n        \
         inputs:\n          commands:\n            - |\n{script}              exit ${{failed:-0}}\n"
    );
    let more = "imageTestsConfiguration:\n  imageTestsEnabled: false\n";
    let project = setting.project("escape", &phases, more);
    let output = setting.run(&["-v", "build", "--plain", project.to_str().unwrap()]);
    let said = crate::setting::text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for (name, _) in attempts {
        assert!(said.contains(&format!("{name} shut")), "{name}:\n{said}");
    }
}
