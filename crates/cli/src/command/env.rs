//! `goldsmith env`: what AWS clients need to know to talk to the service.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use name::Region;
use seal::Secret;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::exit::Exit;
use crate::home::{self, Home};
use crate::identity::Identities;
use crate::output::Output;

/// Print the variables that lead AWS clients to the service
///
/// In a shell: eval "$(goldsmith env)"; then `aws imagebuilder list-images`,
/// boto3 and all that reads these variables talk to `goldsmith serve` here.
/// What is printed has a secret in it. The first account and its key are made
/// if there are none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
fish:        goldsmith env --shell fish | source
PowerShell:  goldsmith env --shell powershell | Out-String | Invoke-Expression")]
pub(crate) struct Env {
    /// Where the service listens
    #[arg(long, value_name = "ADDRESS", default_value = home::LISTEN)]
    listen: SocketAddr,
    /// The name by which clients reach it [default: the address]
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Option<String>,
    /// The service speaks TLS; its certificate has the name, or the address
    #[arg(long)]
    tls: bool,
    /// Trust the authorities in this file instead of everybody's, in PEM; implies --tls
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Whose key, by digits or alias [default: the first account]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The region that clients ask in; any name will do, Terraform wants one of AWS's form
    #[arg(long, value_name = "REGION", default_value = home::REGION)]
    region: Region,
    /// The shell that reads it
    #[arg(long, value_name = "SHELL", default_value = "sh")]
    shell: Shell,
}

/// Whose syntax the lines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// sh, bash, zsh, dash, ksh
    Sh,
    /// fish
    Fish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
}

impl Env {
    pub(crate) async fn run(self, home: &Home, out: &mut Output) -> Result<Exit, CliError> {
        let bundle = self.tls_ca.as_deref().map(bundle).transpose()?;
        let identities = Identities::open(home).await?;
        let account = identities.account(self.account.as_deref()).await?;
        let (id, secret) = identities.active_key(&account).await?;
        let scheme = if self.tls || bundle.is_some() { "https" } else { "http" };
        let endpoint = endpoint(scheme, self.host.as_deref(), self.listen);
        let region = self.region.as_str();
        let mut variables = variables(&endpoint, id.as_str(), &secret, region).to_vec();
        variables.extend(bundle.as_deref().map(|path| ("AWS_CA_BUNDLE", path)));
        if out.is_json() {
            out.json(&serde_json::Map::from_iter(
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())),
            ))?;
        } else {
            out.text(&lines(self.shell, &variables))?;
        }
        Ok(Exit::Done)
    }
}

/// Returns the host's name, if a URL may have it.
fn host(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !text.is_empty() && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("expected a host's name, without a port"),
    }
}

/// Returns where a file of authorities is, wherever clients are started.
fn bundle(path: &Path) -> Result<String, CliError> {
    let found = File::open(path).and_then(|_| std::path::absolute(path));
    let named = found.and_then(|path| {
        let unnamed = |_| io::Error::other("its path is not UTF-8");
        path.into_os_string().into_string().map_err(unnamed)
    });
    named.map_err(|source| CliError::Read { path: path.to_owned(), source })
}

/// Returns how clients reach what listens there: on this machine, unless a host is named.
fn endpoint(scheme: &str, host: Option<&str>, listen: SocketAddr) -> String {
    if let Some(host) = host {
        return format!("{scheme}://{host}:{}", listen.port());
    }
    let reachable = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(reachable, listen.port()))
}

fn variables<'a>(
    endpoint: &'a str,
    id: &'a str,
    secret: &'a Secret,
    region: &'a str,
) -> [(&'static str, &'a str); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret.expose()),
        ("AWS_REGION", region),
        // The only one that boto3 and version 1 of the AWS CLI read.
        ("AWS_DEFAULT_REGION", region),
    ]
}

/// Returns commands for a shell. A session token of another login, which
/// clients would send along, is taken away.
fn lines(shell: Shell, variables: &[(&str, &str)]) -> Zeroizing<String> {
    let mut lines = Zeroizing::new(String::with_capacity(512));
    for (name, value) in variables {
        let value = quoted(shell, value);
        let value = value.as_str();
        lines.push_str(&match shell {
            Shell::Sh => format!("export {name}={value}\n"),
            Shell::Fish => format!("set -gx {name} {value}\n"),
            Shell::Powershell => format!("$Env:{name} = {value}\n"),
        });
    }
    lines.push_str(match shell {
        Shell::Sh => "unset AWS_SESSION_TOKEN\n",
        Shell::Fish => "set -e AWS_SESSION_TOKEN\n",
        Shell::Powershell => "Remove-Item Env:AWS_SESSION_TOKEN -ErrorAction Ignore\n",
    });
    lines
}

/// Returns a text as a shell reads it without finding anything in it.
fn quoted(shell: Shell, text: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(match shell {
        Shell::Sh => text.replace('\'', r"'\''"),
        Shell::Fish => text.replace('\\', r"\\").replace('\'', r"\'"),
        // It takes typographic quotes for quotes.
        Shell::Powershell => text
            .chars()
            .flat_map(|c| std::iter::repeat_n(c, 1 + usize::from("'‘’‚‛".contains(c))))
            .collect(),
    });
    Zeroizing::new(format!("'{}'", *text))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(shell: Shell, expected: Expect) {
        let secret = Secret::new("a+b/c".to_owned());
        let variables = variables("http://[::1]:4747", "AKIAEXAMPLE", &secret, "local-1");
        expected.assert_eq(&lines(shell, &variables));
    }

    #[test]
    fn each_shell_gets_its_own_lines() {
        check(
            Shell::Sh,
            expect![[r#"
            export AWS_ENDPOINT_URL='http://[::1]:4747'
            export AWS_ACCESS_KEY_ID='AKIAEXAMPLE'
            export AWS_SECRET_ACCESS_KEY='a+b/c'
            export AWS_REGION='local-1'
            export AWS_DEFAULT_REGION='local-1'
            unset AWS_SESSION_TOKEN
        "#]],
        );
        check(
            Shell::Fish,
            expect![[r#"
            set -gx AWS_ENDPOINT_URL 'http://[::1]:4747'
            set -gx AWS_ACCESS_KEY_ID 'AKIAEXAMPLE'
            set -gx AWS_SECRET_ACCESS_KEY 'a+b/c'
            set -gx AWS_REGION 'local-1'
            set -gx AWS_DEFAULT_REGION 'local-1'
            set -e AWS_SESSION_TOKEN
        "#]],
        );
        check(
            Shell::Powershell,
            expect![[r#"
            $Env:AWS_ENDPOINT_URL = 'http://[::1]:4747'
            $Env:AWS_ACCESS_KEY_ID = 'AKIAEXAMPLE'
            $Env:AWS_SECRET_ACCESS_KEY = 'a+b/c'
            $Env:AWS_REGION = 'local-1'
            $Env:AWS_DEFAULT_REGION = 'local-1'
            Remove-Item Env:AWS_SESSION_TOKEN -ErrorAction Ignore
        "#]],
        );
    }

    #[test]
    fn a_path_is_a_path_to_every_shell() {
        let path = r"/it's $HOME\a`’b";
        for (shell, expected) in [
            (Shell::Sh, r"'/it'\''s $HOME\a`’b'"),
            (Shell::Fish, r"'/it\'s $HOME\\a`’b'"),
            (Shell::Powershell, r"'/it''s $HOME\a`’’b'"),
        ] {
            assert_eq!(*quoted(shell, path), expected);
        }
    }

    #[test]
    fn endpoints_can_be_reached() {
        for (listen, expected) in [
            ("127.0.0.1:4747", "http://127.0.0.1:4747"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:4747", "http://[::1]:4747"),
            ("192.0.2.7:1", "http://192.0.2.7:1"),
        ] {
            assert_eq!(endpoint("http", None, listen.parse().unwrap()), expected);
        }
        let named = endpoint("https", Some("builder.example"), "0.0.0.0:443".parse().unwrap());
        assert_eq!(named, "https://builder.example:443");
    }

    #[test]
    fn hosts_have_no_more_than_a_name() {
        assert_eq!(host("builder.example").as_deref(), Ok("builder.example"));
        for text in ["", "a:1", "a/b", "user@a", "a b", "[::1]"] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
