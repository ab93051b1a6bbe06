//! Promise 4: component code does not reach the host. Ten ways and more are
//! tried; each must fail, and the component says so line by line.

use std::net::TcpListener;

use crate::setting::Setting;

/// A program whose status is 0 if `socketcall` of 32-bit Linux gives it a
/// socket of AF_VSOCK: an ELF header, one segment, and
///
/// ```text
/// mov $102,%eax; mov $1,%ebx; mov $args,%ecx; int $0x80
/// shr $31,%eax; mov %eax,%ebx; mov $1,%eax; int $0x80
/// args: .long 40,1,0
/// ```
const VSOCK_32: &str = "f0VMRgEBAQAAAAAAAAAAAAIAAwABAAAAVIAECDQAAAAAAAAAAAAAADQAIAABAAAAAAAAAAEA\
    AAAAAAAAAIAECACABAh9AAAAfQAAAAUAAAAAEAAAuGYAAAC7AQAAALlxgAQIzYDB6B+Jw7gBAAAAzYAoAAAAAQAAAAAAAAA=";

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
        // Without --no-map-gw of pasta, it leads to the host's loopback.
        (
            "host-gateway",
            format!(
                "hex=$(awk '$2 == \"00000000\" {{print $3}}' /proc/net/route | head -n 1); \
                 ip=$(printf '%d.%d.%d.%d' 0x${{hex:6:2}} 0x${{hex:4:2}} 0x${{hex:2:2}} 0x${{hex:0:2}}); \
                 timeout 3 bash -c \"</dev/tcp/$ip/{port}\""
            ),
        ),
        ("machine-socket", "perl -e 'exit(syscall(41, 40, 1, 0) < 0)'".to_owned()),
        (
            "machine-socket-32-bit",
            format!("echo {VSOCK_32} | base64 -d >/tmp/v && chmod +x /tmp/v && /tmp/v"),
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
        ("chroot-out", format!("chroot /proc/1/root/../../ cat {}", secret.display())),
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
