//! Accounts, their keys, and what AWS clients are told.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use expect_test::expect;
use serde_json::Value;

use super::{fail, prepared, succeed, text};

/// Runs the command with `--output json` and returns what it printed.
#[track_caller]
pub(super) fn json(data: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = [&["--output", "json"], args].concat();
    serde_json::from_str(&succeed(data, &args)).expect("the command prints JSON")
}

fn word<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().expect("the member is a text")
}

#[test]
fn the_first_use_makes_account_and_key() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    assert_eq!(json(data, &["account", "list"]), Value::Array(Vec::new()));
    assert_eq!(json(data, &["key", "list"]), Value::Array(Vec::new()));
    assert_eq!(fs::read_dir(data).unwrap().count(), 0, "looking makes nothing");

    let variables = json(data, &["env"]);
    assert_eq!(word(&variables, "AWS_ENDPOINT_URL"), "http://127.0.0.1:4747");
    assert_eq!(word(&variables, "AWS_REGION"), "local-1");
    assert_eq!(word(&variables, "AWS_DEFAULT_REGION"), "local-1");
    let id = word(&variables, "AWS_ACCESS_KEY_ID");
    let secret = word(&variables, "AWS_SECRET_ACCESS_KEY");
    assert_eq!((id.len(), secret.len()), (20, 40));
    assert_eq!(json(data, &["env"]), variables);

    let accounts = json(data, &["account", "list"]);
    let keys = json(data, &["key", "list"]);
    assert_eq!((accounts.as_array().unwrap().len(), keys.as_array().unwrap().len()), (1, 1));
    assert_eq!(word(&accounts[0], "alias"), "goldsmith");
    assert_eq!(word(&keys[0], "account"), word(&accounts[0], "account"));
    assert_eq!((word(&keys[0], "accessKeyId"), word(&keys[0], "status")), (id, "Active"));
    assert!(!succeed(data, &["key", "list"]).contains(secret));

    let mode = fs::metadata(data.join("keyring")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for file in fs::read_dir(data).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(40).any(|part| part == secret.as_bytes()));
    }
}

#[test]
fn a_shell_takes_what_env_prints() {
    let data = tempfile::tempdir().unwrap();
    let variables = json(data.path(), &["env", "--listen", "[::]:80"]);
    let script = "eval \"$(\"$0\" env --listen '[::]:80')\" && printf '%s\\n' \
        \"$AWS_ENDPOINT_URL\" \"$AWS_ACCESS_KEY_ID\" \"$AWS_SECRET_ACCESS_KEY\" \"$AWS_REGION\" \
        \"${AWS_SESSION_TOKEN-none}\"";
    let output = prepared("sh", data.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_goldsmith")])
        .env("AWS_SESSION_TOKEN", "of another login")
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    let [id, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let [id, secret] = [id, secret].map(|name| word(&variables, name));
    assert_eq!(printed, format!("http://[::1]:80\n{id}\n{secret}\nlocal-1\nnone\n"));
    for (shell, start) in [("fish", "set -gx AWS_"), ("powershell", "$Env:AWS_")] {
        assert!(succeed(data.path(), &["env", "--shell", shell]).starts_with(start));
    }
    fail(data.path(), &["env", "--listen", "4747"], 2);
}

#[test]
fn clients_ask_in_the_region_they_are_given() {
    let data = tempfile::tempdir().unwrap();
    let variables = json(data.path(), &["env", "--region", "us-east-1"]);
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        assert_eq!(word(&variables, name), "us-east-1");
    }
    let said = fail(data.path(), &["env", "--region", "US East"], 2);
    assert!(said.contains("`US East` is not a region"), "{said}");
}

#[test]
fn clients_are_told_of_tls() {
    let data = tempfile::tempdir().unwrap();
    let told = |args: &[&str]| json(data.path(), &[&["env"], args].concat());
    let variables = told(&["--tls"]);
    assert_eq!(word(&variables, "AWS_ENDPOINT_URL"), "https://127.0.0.1:4747");
    assert_eq!(variables.get("AWS_CA_BUNDLE"), None);

    // Wherever clients are started, and whatever the folder is called.
    let folder = data.path().join("it's here");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("ca.pem"), "").unwrap();
    let script = "cd \"$1\" && eval \"$(\"$0\" env --host localhost --tls-ca ca.pem)\" && \
        printf '%s\\n' \"$AWS_ENDPOINT_URL\" \"$AWS_CA_BUNDLE\"";
    let output = prepared("sh", data.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_goldsmith")])
        .arg(&folder)
        .output()
        .unwrap();
    let bundle = folder.join("ca.pem");
    let expected = format!("https://localhost:4747\n{}\n", bundle.display());
    assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));

    let said = fail(data.path(), &["env", "--tls-ca", "/nowhere"], 2);
    assert!(said.starts_with("error: failed to read /nowhere"), "{said}");
    fail(data.path(), &["env", "--host", "a b"], 2);
}

#[test]
fn keys_are_rotated() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let old = json(data, &["key", "create"]);
    let old = word(&old, "accessKeyId").to_owned();
    let created = succeed(data, &["key", "create"]);
    let new = json(data, &["env"]);
    let new = word(&new, "AWS_ACCESS_KEY_ID");
    assert_ne!(old, new, "the newest key is used");
    assert!(created.contains(new), "{created}");
    assert_eq!(json(data, &["account", "list"]).as_array().unwrap().len(), 1);

    assert_eq!(succeed(data, &["key", "disable", new]), format!("disabled the key {new}\n"));
    assert_eq!(word(&json(data, &["env"]), "AWS_ACCESS_KEY_ID"), old);
    assert_eq!(word(&json(data, &["key", "list"])[0], "status"), "Inactive");
    succeed(data, &["key", "enable", new]);
    assert_eq!(
        fail(data, &["key", "delete", &old], 2),
        format!(
            "error: the key {old} is not deleted without being asked: there is no terminal\n\
             hint: add --yes if it shall be deleted\n"
        )
    );
    for id in [&old, new] {
        assert_eq!(
            succeed(data, &["key", "delete", id, "--yes"]),
            format!("deleted the key {id}\n")
        );
    }
    // Somebody wanted it so: no key comes back by itself.
    expect![[r#"
        error: the account `goldsmith` has no key that is active
        hint: `goldsmith key create` makes one, `goldsmith key enable` takes one into use
    "#]]
    .assert_eq(&fail(data, &["env"], 5));
    succeed(data, &["key", "create"]);
    succeed(data, &["env"]);
}

#[test]
fn accounts_have_their_own_keys() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    succeed(data, &["env"]);
    let made = succeed(data, &["account", "create", "team-b"]);
    assert!(made.starts_with("made account ") && made.ends_with(" (team-b)\n"), "{made}");
    expect![[r#"
        error: failed to make the account: the account `team-b` is already there
    "#]]
    .assert_eq(&fail(data, &["account", "create", "team-b"], 2));
    fail(data, &["account", "create", "Team B"], 2);
    fail(data, &["env", "--account", "team-b"], 5);
    let key = json(data, &["key", "create", "--account", "team-b"]);
    let keys = json(data, &["key", "list", "--account", word(&key, "account")]);
    assert_eq!(keys.as_array().unwrap().len(), 1);
    assert_eq!(word(&keys[0], "accessKeyId"), word(&key, "accessKeyId"));
    let variables = json(data, &["env", "--account", "team-b"]);
    assert_eq!(word(&variables, "AWS_SECRET_ACCESS_KEY"), word(&key, "secretAccessKey"));
    expect![[r#"
        error: failed to find the account: there is no account `team-c`
    "#]]
    .assert_eq(&fail(data, &["key", "create", "--account", "team-c"], 5));
    fail(data, &["key", "disable", "AKIAAAAAAAAAAAAAAAAA"], 5);
    fail(data, &["key", "disable", "mine"], 2);
    fail(&data.join("none"), &["key", "delete", "AKIAAAAAAAAAAAAAAAAA", "--yes"], 5);
}

#[test]
fn a_keyring_that_is_open_or_lost_is_told() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    succeed(data, &["env"]);
    let keyring = data.join("keyring");
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o644)).unwrap();
    let said = fail(data, &["env"], 1);
    expect![[r#"
        error: failed to use the keyring `DATA/keyring`: others may use it: its mode is 644, expected 600
        hint: make it yours alone with `chmod 600`, if nobody can have read it
    "#]]
    .assert_eq(&said.replace(data.to_str().unwrap(), "DATA"));
    fs::remove_file(&keyring).unwrap();
    let said = fail(data, &["env"], 1);
    let told = "error: failed to find the access key: failed to unseal column `secret`: \
                the value was sealed with the key ";
    assert!(said.starts_with(told), "{said}");
    assert!(
        said.ends_with("hint: put back the file `keyring` that the data folder had\n"),
        "{said}"
    );
}
