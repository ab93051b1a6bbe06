//! The tools of the race: what each is given as files and run as commands to make the image.
//!
//! The files and the commands are all there is: each works in a folder of its own.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::image::{Image, SERVER, SUITE, SYSTEM};

/// What is raced, slowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// Nothing is at hand: all packages are downloaded.
    Cold,
    /// The script of the image changed since the build before.
    Changed,
    /// Nothing changed since the build before.
    Unchanged,
}

/// A tool that makes the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tool {
    /// Ours, at this path. Makes more than the others: a disk that boots by itself.
    Goldsmith(PathBuf),
    /// mmdebstrap(1) and mke2fs(8): a bare file system. Remembers nothing, so that every build
    /// is a cold one.
    Mmdebstrap,
    /// mkosi(1): a disk without a boot loader.
    Mkosi,
    /// buildah(1): an OCI layout, without a disk.
    Buildah,
}

/// A file that a tool reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// Its name in the tool's folder.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) text: String,
    /// Its permissions.
    pub(super) mode: u32,
}

/// A program and its arguments.
pub(super) type Line = Vec<String>;

impl Case {
    /// Every case, in the order they are raced.
    pub(super) const ALL: [Self; 3] = [Self::Cold, Self::Changed, Self::Unchanged];

    /// Returns the name that results have.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

impl Tool {
    /// Returns the name that results and folders have.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Goldsmith(_) => "goldsmith",
            Self::Mmdebstrap => "mmdebstrap",
            Self::Mkosi => "mkosi",
            Self::Buildah => "buildah",
        }
    }

    /// Returns the programs it needs, each with what installs it.
    pub(super) fn needs(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Goldsmith(_) => &[],
            Self::Mmdebstrap => &[("mmdebstrap", "mmdebstrap"), ("mkfs.ext4", "e2fsprogs")],
            // Debian 12's own is older than the format of these files.
            Self::Mkosi => &[("mkosi", "mkosi, in Debian 12 from bookworm-backports")],
            Self::Buildah => &[("buildah", "buildah"), ("mmdebstrap", "mmdebstrap")],
        }
    }

    /// Returns the files that tell it what the image is.
    pub(super) fn inputs(&self, image: &Image) -> Vec<Input> {
        let text = |name, text| Input { name, text, mode: 0o644 };
        let script = |name| Input { name, text: image.script(), mode: 0o755 };
        match self {
            Self::Goldsmith(_) => vec![
                text("goldsmith.yaml", project(image)),
                text("install.yaml", component("install", &Image::install())),
                text("harden.yaml", component("harden", &image.script())),
            ],
            Self::Mmdebstrap => vec![script("harden.sh")],
            Self::Mkosi => {
                vec![text("mkosi.conf", configuration(image)), script("mkosi.postinst.chroot")]
            }
            Self::Buildah => vec![text("Containerfile", containerfile()), script("harden.sh")],
        }
    }

    /// Returns what makes the image of the files in `folder`, one line after the other.
    pub(super) fn lines(&self, case: Case, image: &Image, folder: &Path) -> Vec<Line> {
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let folder = folder.to_string_lossy();
        match self {
            Self::Goldsmith(program) => {
                let data = at("data");
                let program = program.to_string_lossy();
                vec![line(&[&program, "--quiet", "--data-dir", &data, "build", &folder])]
            }
            Self::Mmdebstrap => {
                let (root, disk) = (at("root"), at("disk.raw"));
                let hook = format!("--customize-hook=chroot \"$1\" sh -s <'{}'", at("harden.sh"));
                let packages = [&SYSTEM[..], &SERVER].concat();
                vec![
                    line(&["rm", "-rf", &root]),
                    mmdebstrap(&packages, &[&hook], &root, image),
                    line(&["mkfs.ext4", "-q", "-F", "-d", &root, &disk, "2G"]),
                ]
            }
            // A mkosi that cannot read the files refuses the format.
            Self::Mkosi => vec![line(&[
                "mkosi",
                "--directory",
                &folder,
                "--format",
                "disk",
                "--incremental",
                "--force",
                "build",
            ])],
            Self::Buildah => {
                let (storage, run, output) =
                    (at("storage"), at("run"), format!("oci:{}:latest", at("oci")));
                let build = line(&[
                    // What it mounts goes with it.
                    "unshare",
                    "--mount",
                    "buildah",
                    "--root",
                    &storage,
                    "--runroot",
                    &run,
                    "--storage-driver",
                    "overlay",
                    "build",
                    "--isolation",
                    "chroot",
                    "--layers",
                    "--tag",
                    &output,
                    &folder,
                ]);
                match case {
                    Case::Cold => vec![mmdebstrap(&SYSTEM, &[], &at("base.tar"), image), build],
                    Case::Changed | Case::Unchanged => vec![build],
                }
            }
        }
    }
}

fn line(words: &[&str]) -> Line {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn mmdebstrap(packages: &[&str], options: &[&str], output: &str, image: &Image) -> Line {
    let include = format!("--include={}", packages.join(","));
    let first = ["mmdebstrap", "--quiet", "--variant=apt", &include];
    // What we take from a mirror, too.
    let lines = image
        .mirror
        .as_ref()
        .map(|mirror| ["", "-updates"].map(|part| format!("deb {mirror} {SUITE}{part} main")));
    let lines: Vec<&str> = lines.iter().flatten().map(String::as_str).collect();
    line(&[&first, options, &[SUITE, output], &lines].concat())
}

/// Returns a project. Tests are left out, as the others have none.
fn project(image: &Image) -> String {
    let mut project = json!({
        "recipe": {
            "name": "race",
            "semanticVersion": "1.0.0",
            "parentImage": "debian-minimal-12",
            "components": [
                { "componentArn": "./install.yaml" },
                { "componentArn": "./harden.yaml" },
            ],
        },
        "imageTestsConfiguration": { "imageTestsEnabled": false },
    });
    if let Some(mirror) = &image.mirror {
        project["goldsmith"] = json!({ "mirror": mirror });
    }
    format!("{project:#}\n")
}

/// Returns a component whose only step runs `script`.
fn component(name: &str, script: &str) -> String {
    let component = json!({
        "name": name,
        "schemaVersion": 1,
        "phases": [{
            "name": "build",
            "steps": [{
                "name": "Run",
                "action": "ExecuteBash",
                "inputs": { "commands": [format!("set -eu\n{script}")] },
            }],
        }],
    });
    format!("{component:#}\n")
}

fn configuration(image: &Image) -> String {
    let packages = [&SYSTEM[..], &SERVER].concat().join("\n    ");
    let mirror = image.mirror.as_ref().map(|mirror| format!("LocalMirror={mirror}\n"));
    format!(
        "[Distribution]\nDistribution=debian\nRelease={SUITE}\n{}\
         [Content]\nBootable=no\nWithDocs=no\nPackages=\n    {packages}\n",
        mirror.unwrap_or_default()
    )
}

fn containerfile() -> String {
    // The base goes first and the script last, so that its layers can be used again.
    format!(
        "FROM scratch\nADD base.tar /\nRUN {}\nCOPY harden.sh /tmp/harden.sh\n\
         RUN sh /tmp/harden.sh\n",
        Image::install().trim_end().replace('\n', " && ")
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Case, Tool};
    use crate::race::image::Image;

    fn image() -> Image {
        Image { mirror: Some("http://mirror.example/debian".to_owned()), change: 7 }
    }

    #[track_caller]
    fn check(tool: &Tool, case: Case, expected: &[&[&str]]) {
        assert_eq!(tool.lines(case, &image(), Path::new("/w")), expected);
    }

    const SYSTEM: &str = "--include=linux-image-cloud-amd64,initramfs-tools,systemd-sysv,udev,\
                          iproute2,ca-certificates";

    #[test]
    fn every_tool_is_run_exactly_so() {
        let whole = format!("{SYSTEM},openssh-server,nginx-light");
        let build: &[&str] = &[
            "unshare",
            "--mount",
            "buildah",
            "--root",
            "/w/storage",
            "--runroot",
            "/w/run",
            "--storage-driver",
            "overlay",
            "build",
            "--isolation",
            "chroot",
            "--layers",
            "--tag",
            "oci:/w/oci:latest",
            "/w",
        ];
        for case in Case::ALL {
            let goldsmith = Tool::Goldsmith("/bin/goldsmith".into());
            let words = ["/bin/goldsmith", "--quiet", "--data-dir", "/w/data", "build", "/w"];
            check(&goldsmith, case, &[&words]);
            check(
                &Tool::Mmdebstrap,
                case,
                &[
                    &["rm", "-rf", "/w/root"],
                    &[
                        "mmdebstrap",
                        "--quiet",
                        "--variant=apt",
                        &whole,
                        "--customize-hook=chroot \"$1\" sh -s <'/w/harden.sh'",
                        "bookworm",
                        "/w/root",
                        "deb http://mirror.example/debian bookworm main",
                        "deb http://mirror.example/debian bookworm-updates main",
                    ],
                    &["mkfs.ext4", "-q", "-F", "-d", "/w/root", "/w/disk.raw", "2G"],
                ],
            );
            let words = ["--directory", "/w", "--format", "disk", "--incremental", "--force"];
            check(&Tool::Mkosi, case, &[&[&["mkosi"], &words[..], &["build"]].concat()]);
        }
        check(
            &Tool::Buildah,
            Case::Cold,
            &[
                &[
                    "mmdebstrap",
                    "--quiet",
                    "--variant=apt",
                    SYSTEM,
                    "bookworm",
                    "/w/base.tar",
                    "deb http://mirror.example/debian bookworm main",
                    "deb http://mirror.example/debian bookworm-updates main",
                ],
                build,
            ],
        );
        check(&Tool::Buildah, Case::Changed, &[build]);
        check(&Tool::Buildah, Case::Unchanged, &[build]);
    }

    #[test]
    fn every_tool_is_told_of_the_same_image() {
        let packages = "openssh-server nginx-light";
        for tool in [Tool::Goldsmith("g".into()), Tool::Mmdebstrap, Tool::Mkosi, Tool::Buildah] {
            let told = |image: &Image| {
                let inputs = tool.inputs(image).into_iter().map(|input| input.text);
                let lines = tool.lines(Case::Cold, image, Path::new("/w")).concat();
                inputs.chain(lines).collect::<Vec<_>>().join("\n")
            };
            let text = told(&image());
            for word in packages.split(' ').chain(["PermitRootLogin no", "change 7"]) {
                assert!(text.contains(word), "{} is not told of `{word}`", tool.name());
            }
            assert!(text.contains("http://mirror.example/debian"), "{}", tool.name());
            let own = told(&Image { mirror: None, ..image() });
            assert!(!own.to_lowercase().contains("mirror"), "{}", tool.name());
            let changed = told(&Image { change: 8, ..image() });
            assert_eq!(changed, text.replace("change 7", "change 8"));
        }
    }

    #[test]
    fn the_project_is_a_good_one() {
        let inputs = Tool::Goldsmith("g".into()).inputs(&Image { mirror: None, ..image() });
        let project = document::Project::parse(&inputs[0].text);
        assert!(project.is_ok_and(|parsed| parsed.warnings.iter().next().is_none()));
        for input in &inputs[1..] {
            assert!(document::Component::parse(&input.text).is_ok(), "{}", input.name);
        }
    }
}
