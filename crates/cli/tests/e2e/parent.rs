//! An image as the parent of another: by its disk, kept partition for
//! partition; and a machine that upgrades its own kernel boots again.

use crate::setting::{Setting, text};

#[test]
fn a_disk_image_becomes_a_base_and_its_kernel_can_be_upgraded() {
    let setting = Setting::new();
    let phases = "  - name: build\n    steps:\n      - name: Mark\n        action: CreateFile\n        \
                  inputs:\n          - path: /etc/parent\n            content: first\n";
    let project =
        setting.project("parent", phases, "imageTestsConfiguration:\n  imageTestsEnabled: false\n");
    let report = setting.json(&["build", project.to_str().unwrap()]);
    let ami = report["amis"][0]["ami"].as_str().unwrap().to_owned();
    let disk = project.join("parent.qcow2");
    let exported = setting.run(&["export", &ami, "--format", "qcow2", disk.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", text(&exported));
    let digest = name::Digest::of(&std::fs::read(&disk).unwrap()).hex();

    let wrong = child(&setting, &"0".repeat(64));
    let said = setting.fails(&wrong, 1);
    assert!(said.contains(&digest) && said.contains("expected"), "{said}");

    let project = child(&setting, &digest);
    let report = setting.json(&["build", project.to_str().unwrap()]);
    assert_eq!(report["state"], "AVAILABLE");
}

fn child(setting: &Setting, digest: &str) -> std::path::PathBuf {
    setting.write("child.yaml", CHILD);
    setting.write(
        "goldsmith.yaml",
        &format!(
            "recipe:\n  name: child\n  semanticVersion: 1.0.0\n  parentImage: ./parent.qcow2\n  \
             components:\n    - componentArn: ./child.yaml\ngoldsmith:\n  parentImageSha256: \"{digest}\"\n"
        ),
    )
    .parent()
    .unwrap()
    .to_owned()
}

const CHILD: &str = r#"name: child
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Keep
        action: ExecuteBash
        inputs:
          commands:
            - test "$(cat /etc/parent)" = first
            - echo second >/etc/child
  - name: test
    steps:
      - name: Both
        action: ExecuteBash
        inputs:
          commands:
            - test "$(cat /etc/parent /etc/child | tr '\n' ' ')" = "firstsecond "
      - name: Upgrade
        action: ExecuteBash
        inputs:
          commands:
            - set -e
            - cp "$(readlink -f /vmlinuz)" /boot/vmlinuz-99.0-test
            - cp "$(readlink -f /initrd.img)" /boot/initrd.img-99.0-test
            - linux-update-symlinks install 99.0-test /boot/vmlinuz-99.0-test
            - readlink /vmlinuz | grep 99.0-test
            - update-grub
      - name: Restart
        action: Reboot
      - name: Again
        action: ExecuteBash
        inputs:
          commands:
            - grep -q vmlinuz-99.0-test /proc/cmdline
"#;
