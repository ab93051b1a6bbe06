//! The seed of a machine: the disk from which cloud-init learns what to do
//! (its NoCloud data source).
//!
//! Seeds belong to one launch; nothing of them is in the image.

use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use disk::fat::{self, File, Volume, Width};

use super::console::Login;

/// What cloud-init looks for.
const LABEL: &str = "CIDATA";

/// The host's source of text that nobody can guess: 122 random bits.
const RANDOM: &str = "/proc/sys/kernel/random/uuid";

/// Starts the agent, at every boot.
///
/// It lies on the seed itself, as `/run` may be mounted `noexec`. It is only
/// queued: it starts after `sysinit.target`, which waits for this command.
/// Without `OOMPolicy` the agent would end with a component that uses up the
/// memory. An agent that ends for another reason is started again, and says
/// so at once: nobody could tell its silence from work. With status 3 it says
/// that it could not restart the machine, which being started again would look
/// like. The rest saves work that no test looks at: three more pairs of host
/// keys, and where grub-pc, which UEFI does not use, would be installed.
const AGENT: &str = r#"#cloud-config
bootcmd:
  - - sh
    - -c
    - |
      set -e
      mkdir -p /run/goldsmith-seed
      mount -o ro,nosuid,nodev,exec /dev/disk/by-label/CIDATA /run/goldsmith-seed
      systemd-run --no-block --unit=goldsmith-agent --property=OOMPolicy=continue \
        --property=Restart=on-failure --property=RestartPreventExitStatus=3 \
        /run/goldsmith-seed/agent port /dev/virtio-ports/org.goldsmith.agent
ssh_genkeytypes: [ed25519]
grub_dpkg: {enabled: false}
"#;

/// Returns a seed that starts the agent whose binary is at `agent`.
pub(super) fn for_agent(agent: &Path) -> io::Result<Vec<u8>> {
    seed(AGENT.as_bytes(), Some(&fs::read(agent)?))
}

/// Returns a seed that lets a user log in.
pub(super) fn for_user(login: &Login) -> io::Result<Vec<u8>> {
    match login {
        Login::UserData(text) => seed(text, None),
        Login::Password { password, ssh_keys } => {
            seed(login_data(password, ssh_keys).as_bytes(), None)
        }
    }
}

/// Returns a password of twelve hex digits for a machine on this host.
pub(super) fn password() -> io::Result<String> {
    let random = fs::read_to_string(RANDOM)?;
    let digits: String = random.chars().filter(char::is_ascii_hexdigit).collect();
    // The thirteenth digit of a random UUID is always 4 (RFC 9562 §5.4).
    Ok(format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..12]))
}

/// Returns the user data with which `gold` can log in and become root.
fn login_data(password: &str, ssh_keys: &[String]) -> String {
    let data = serde_json::json!({
        "users": ["default", {
            "name": "gold",
            "plain_text_passwd": password,
            "lock_passwd": false,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "shell": "/bin/bash",
            "ssh_authorized_keys": ssh_keys,
        }],
        "ssh_authorized_keys": ssh_keys,
    });
    // YAML 1.2 reads JSON, and nothing in a string of it can end the string.
    format!("#cloud-config\n{data}\n")
}

fn seed(user_data: &[u8], agent: Option<&[u8]>) -> io::Result<Vec<u8>> {
    // An id that no boot had before makes this boot a first boot.
    let meta = format!("instance-id: {}local-hostname: goldsmith\n", fs::read_to_string(RANDOM)?);
    let mut files = vec![
        File { path: "meta-data", content: meta.as_bytes() },
        File { path: "user-data", content: user_data },
    ];
    files.extend(agent.map(|content| File { path: "agent", content }));
    let content: usize = files.iter().map(|file| file.content.len()).sum();
    let size = (content as u64 + (1 << 20)).next_multiple_of(1 << 20).max(8 << 20);
    let volume = Volume { size, width: Width::Narrow, label: LABEL.to_owned(), id: 0 };
    let mut bytes = Cursor::new(Vec::new());
    fat::write(&mut bytes, 0, &volume, &files).map_err(io::Error::other)?;
    let mut bytes = bytes.into_inner();
    bytes.resize(size as usize, 0);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_seed_is_a_labelled_volume_with_the_agent() {
        let seed = seed(AGENT.as_bytes(), Some(b"\x7fELF")).unwrap();
        assert_eq!(seed.len(), 8 << 20);
        assert_eq!(&seed[43..54], b"CIDATA     ");
        assert_eq!(&seed[510..512], [0x55, 0xaa]);
        let holds = |text: &[u8]| seed.windows(text.len()).any(|bytes| bytes == text);
        assert!(holds(b"\x7fELF") && holds(AGENT.as_bytes()) && holds(b"instance-id: "));
    }

    #[test]
    fn launches_differ() {
        let seed = || seed(AGENT.as_bytes(), None).unwrap();
        assert_ne!(seed(), seed());
        assert_ne!(password().unwrap(), password().unwrap());
    }

    #[test]
    fn keys_cannot_say_more_than_a_key() {
        expect![[r##"
            #cloud-config
            {"users":["default",{"name":"gold","plain_text_passwd":"0123-4567-89ab","lock_passwd":false,"sudo":"ALL=(ALL) NOPASSWD:ALL","shell":"/bin/bash","ssh_authorized_keys":["ssh-ed25519 AAAA me\"]}\nruncmd: [reboot]"]}],"ssh_authorized_keys":["ssh-ed25519 AAAA me\"]}\nruncmd: [reboot]"]}
        "##]].assert_eq(&login_data(
            "0123-4567-89ab",
            &["ssh-ed25519 AAAA me\"]}\nruncmd: [reboot]".to_owned()],
        ));
    }
}
