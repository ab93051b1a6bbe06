//! An image as the parent of another: by its disk, kept partition for
//! partition; and a machine that upgrades its own kernel boots again. And a
//! disk with another file system, from the web, and the other Debian.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use disk::gpt::Table;
use disk::{Kind, ReadError, Reader};

use crate::setting::{Setting, text};

#[test]
fn a_disk_image_becomes_a_base_and_its_kernel_can_be_upgraded() {
    let setting = Setting::beside_others();
    let disk = parent(&setting, "qcow2");
    let digest = name::Digest::of(&fs::read(&disk).unwrap()).hex();

    let wrong = child(&setting, "./parent.qcow2", CHILD, &"0".repeat(64));
    let said = setting.fails(&wrong, 1);
    assert!(said.contains(&digest) && said.contains("expected"), "{said}");

    let project = child(&setting, "./parent.qcow2", CHILD, &digest);
    let document = project.join("goldsmith.yaml");
    let roomy = fs::read_to_string(&document).unwrap();
    fs::write(&document, roomy.replace("volumeSize: 6", "volumeSize: 1")).unwrap();
    let said = setting.fails(&project, 1);
    assert!(said.contains("`volumeSize` is 1 GiB, but the parent's disk needs "), "{said}");

    fs::write(&document, roomy).unwrap();
    let report = setting.json(&["build", project.to_str().unwrap()]);
    assert_eq!(report["state"], "AVAILABLE");
    assert_eq!(report["diskBytes"], 6_u64 << 30);
}

/// Builds an image without testing it and returns its disk.
fn parent(setting: &Setting, format: &str) -> PathBuf {
    let phases = "  - name: build\n    steps:\n      - name: Mark\n        action: CreateFile\n        \
                  inputs:\n          - path: /etc/parent\n            content: first\n";
    let project =
        setting.project("parent", phases, "imageTestsConfiguration:\n  imageTestsEnabled: false\n");
    let report = setting.json(&["build", project.to_str().unwrap()]);
    let ami = report["amis"][0]["ami"].as_str().unwrap().to_owned();
    let disk = project.join(format!("parent.{format}"));
    let exported = setting.run(&["export", &ami, "--format", format, disk.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", text(&exported));
    disk
}

fn child(setting: &Setting, parent: &str, component: &str, digest: &str) -> PathBuf {
    setting.write("child.yaml", component);
    setting.write(
        "goldsmith.yaml",
        &format!(
            "recipe:\n  name: child\n  semanticVersion: 1.0.0\n  parentImage: {parent}\n  \
             components:\n    - componentArn: ./child.yaml\n  blockDeviceMappings:\n    \
             - deviceName: /dev/xvda\n      ebs: {{volumeSize: 6}}\ngoldsmith:\n  parentImageSha256: \"{digest}\"\n"
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

/// Debian 13, as 12 in all other tests, with all that is managed.
#[test]
fn the_other_debian_is_hardened_and_boots_too() {
    let setting = Setting::beside_others();
    let phases = "  - name: test\n    steps:\n      - name: Release\n        action: ExecuteBash\n        \
                  inputs:\n          commands:\n            - grep -q trixie /etc/os-release\n";
    let managed = ["update-linux", "harden-linux", "harden-linux-test", "simple-boot-test-linux"];
    let more: String = managed.iter().map(|name| format!("    - componentArn: {name}\n")).collect();
    let project = setting.project("trixie", phases, &more);
    let text = fs::read_to_string(project.join("goldsmith.yaml")).unwrap();
    setting.write("goldsmith.yaml", &text.replace("debian-minimal-12", "debian-server-13"));
    let report = setting.json(&["build", project.to_str().unwrap()]);
    assert_eq!(report["state"], "AVAILABLE");
    assert!(setting.run(&["delete", "trixie", "--yes"]).status.success());
}

/// As Amazon Linux comes: the same partitions, but the root is XFS.
#[test]
fn a_disk_with_xfs_from_the_web_becomes_a_base() {
    let setting = Setting::beside_others();
    let raw = parent(&setting, "raw");
    let folder = raw.parent().unwrap();
    to_xfs(&raw);
    let disk = folder.join("cloud.qcow2");
    run("qemu-img", &["convert", "-O", "qcow2", raw.to_str().unwrap(), disk.to_str().unwrap()]);
    let digest = name::Digest::of(&fs::read(&disk).unwrap()).hex();
    let address = serve(disk);

    let missing = child(&setting, &format!("{address}/absent"), CLOUD_CHILD, &digest);
    let said = setting.fails(&missing, 1);
    assert!(said.contains("http status: 404"), "{said}");
    let wrong = child(&setting, &format!("{address}/disk"), CLOUD_CHILD, &"0".repeat(64));
    let said = setting.fails(&wrong, 1);
    assert!(said.contains(&digest) && said.contains("expected"), "{said}");

    let project = child(&setting, &format!("{address}/disk"), CLOUD_CHILD, &digest);
    let report = setting.json(&["build", project.to_str().unwrap()]);
    assert_eq!(report["state"], "AVAILABLE");
}

/// Serves a file at `/disk`, for as long as the test runs.
fn serve(file: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever gives up early breaks the connection.
            let _ = answer(stream.unwrap(), &file);
        }
    });
    address
}

fn answer(stream: TcpStream, file: &Path) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().unwrap()?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    if request != "GET /disk HTTP/1.1" {
        return write!(&stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    let mut content = File::open(file)?;
    let length = content.metadata()?.len();
    write!(&stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    io::copy(&mut content, &mut &stream).map(drop)
}

/// Makes the root file system of a disk XFS, of the same UUID and with the
/// same files.
fn to_xfs(raw: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::read(File::open(raw).unwrap()).unwrap();
    let root = table.partitions.last().unwrap();
    let mut reader = Reader::open(File::open(raw).unwrap(), root.offset()).unwrap();
    let uuid = uuid::Uuid::from_bytes(reader.uuid());
    let proto = folder.path().join("proto");
    fs::write(
        &proto,
        protofile(&mut reader, folder.path(), &format!("UUID={uuid} / xfs inode64 0 1")),
    )
    .unwrap();
    let image = folder.path().join("image");
    File::create(&image).unwrap().set_len(root.size()).unwrap();
    let uuid = format!("uuid={uuid}");
    run("mkfs.xfs", &["-q", "-m", &uuid, "-p", proto.to_str().unwrap(), image.to_str().unwrap()]);
    let mut out = fs::OpenOptions::new().write(true).open(raw).unwrap();
    out.seek(SeekFrom::Start(root.offset())).unwrap();
    // Zeros too: there was another file system before.
    io::copy(&mut File::open(image).unwrap(), &mut out).unwrap();
}

/// Describes the files of a file system to mkfs.xfs, their content being put
/// into `folder`. Hard links become files of their own.
fn protofile(reader: &mut Reader<File>, folder: &Path, fstab: &str) -> String {
    let mut text = "x\n1 1\n".to_owned();
    let mut depth = 0;
    let mut contents = std::collections::HashMap::new();
    let walked = reader.walk(|entry, content| {
        let path = String::from_utf8(entry.path.clone()).unwrap();
        let components: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
        for _ in components.len()..depth {
            text += "$\n";
        }
        depth = components.len();
        let (name, mode) = (components.last().unwrap_or(&""), entry.mode);
        let bit = |bit, letter| if mode & bit == 0 { '-' } else { letter };
        let mode = format!("{}{}{:03o}", bit(0o4000, 'u'), bit(0o2000, 'g'), mode & 0o777);
        let owner = format!("{} {}", entry.uid, entry.gid);
        let file = |number: &usize| folder.join(number.to_string()).display().to_string();
        let line = match &entry.kind {
            Kind::Directory => {
                depth += 1;
                format!("d{mode} {owner}")
            }
            Kind::File { .. } => {
                let number = contents.len();
                let mut out = File::create(file(&number)).unwrap();
                io::copy(content, &mut out).unwrap();
                if path == "etc/fstab" {
                    out.set_len(0).unwrap();
                    out.rewind().unwrap();
                    writeln!(out, "{fstab}").unwrap();
                }
                contents.insert(entry.path.clone(), number);
                format!("-{mode} {owner} {}", file(&number))
            }
            Kind::HardLink(first) => format!("-{mode} {owner} {}", file(&contents[first])),
            Kind::Symlink(target) => {
                format!("l{mode} {owner} {}", String::from_utf8(target.clone()).unwrap())
            }
            other => panic!("{other:?}"),
        };
        assert!(!path.contains(' '), "{path}");
        text += &format!("{name} {line}\n");
        Ok::<_, ReadError>(())
    });
    walked.unwrap();
    text + &"$\n".repeat(depth)
}

fn run(program: &str, arguments: &[&str]) {
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    let output = Command::new(program).args(arguments).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{program}: {}", text(&output));
}

const CLOUD_CHILD: &str = r#"name: child
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Keep
        action: ExecuteBash
        inputs:
          commands:
            - test "$(cat /etc/parent)" = first
            - grep -x 'UUID=[0-9a-f-]* / ext4 defaults 0 1' /etc/fstab
  - name: test
    steps:
      - name: Mounted
        action: ExecuteBash
        inputs:
          commands:
            - test "$(findmnt -n -o FSTYPE /)" = ext4
            - test "$(cat /etc/parent)" = first
"#;
