//! `goldsmith env`: what AWS clients need to know to talk to the service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::ValueEnum;
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
    /// Whose key, by digits or alias [default: the first account]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
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
        let identities = Identities::open(home).await?;
        let account = identities.account(self.account.as_deref()).await?;
        let (id, secret) = identities.active_key(&account).await?;
        let endpoint = endpoint(self.listen);
        let region = home::region();
        let variables = variables(&endpoint, id.as_str(), &secret, region.as_str());
        if out.is_json() {
            out.json(&serde_json::Map::from_iter(
                variables.map(|(name, value)| (name.to_owned(), value.into())),
            ))?;
        } else {
            out.text(&lines(self.shell, &variables))?;
        }
        Ok(Exit::Done)
    }
}

/// Returns how clients on this machine reach what listens there.
fn endpoint(listen: SocketAddr) -> String {
    let reachable = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(reachable, listen.port()))
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
        lines.push_str(&match shell {
            Shell::Sh => format!("export {name}='{value}'\n"),
            Shell::Fish => format!("set -gx {name} '{value}'\n"),
            Shell::Powershell => format!("$Env:{name} = '{value}'\n"),
        });
    }
    lines.push_str(match shell {
        Shell::Sh => "unset AWS_SESSION_TOKEN\n",
        Shell::Fish => "set -e AWS_SESSION_TOKEN\n",
        Shell::Powershell => "Remove-Item Env:AWS_SESSION_TOKEN -ErrorAction Ignore\n",
    });
    lines
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
    fn endpoints_can_be_reached() {
        for (listen, expected) in [
            ("127.0.0.1:4747", "http://127.0.0.1:4747"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:4747", "http://[::1]:4747"),
            ("192.0.2.7:1", "http://192.0.2.7:1"),
        ] {
            assert_eq!(endpoint(listen.parse().unwrap()), expected);
        }
    }
}
