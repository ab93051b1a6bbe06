//! The real server as its own process, and requests signed for it.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use ureq::http::Request;

use super::load::Call;

/// Who asks.
#[derive(Debug)]
pub(super) struct Identity {
    /// Twelve digits.
    pub(super) account: String,
    /// Where.
    pub(super) region: String,
    key: String,
    secret: String,
}

/// A running server, killed when it is dropped.
#[derive(Debug)]
pub(super) struct Served {
    child: Child,
    endpoint: String,
    identity: Identity,
}

/// Makes the first account of a data folder and its key.
pub(super) fn identity(data: &Path) -> io::Result<Identity> {
    let told = |args: &[&str]| -> io::Result<Value> {
        let output = goldsmith(data)?.args(["--output", "json"]).args(args).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(format!("`goldsmith {}`: {said}", args.join(" "))));
        }
        serde_json::from_slice(&output.stdout).map_err(io::Error::other)
    };
    let environment = told(&["env"])?;
    let accounts = told(&["account", "list"])?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Identity {
        account: text(&accounts[0]["account"]),
        region: text(&environment["AWS_REGION"]),
        key: text(&environment["AWS_ACCESS_KEY_ID"]),
        secret: text(&environment["AWS_SECRET_ACCESS_KEY"]),
    })
}

impl Served {
    /// Starts `goldsmith serve` on a free port.
    pub(super) fn start(data: &Path, identity: Identity) -> io::Result<Self> {
        let mut command = goldsmith(data)?;
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        // The access log is written, as it always is, and thrown away.
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut served = Self { child: command.spawn()?, endpoint: String::new(), identity };
        let mut line = String::new();
        if let Some(stdout) = served.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let endpoint = line.trim().strip_prefix("listening on ");
        served.endpoint =
            endpoint.ok_or_else(|| io::Error::other("the server did not start"))?.to_owned();
        Ok(served)
    }

    /// Returns the one request that needs neither a signature nor the store.
    pub(super) fn health(&self) -> Call {
        let head = Request::get(format!("{}/health", self.endpoint)).body(());
        Call { head: head.expect("the request is valid because its parts are fixed"), body: None }
    }

    /// Returns a request for the versions of each image, by its name.
    pub(super) fn named(&self, names: u32) -> io::Result<Vec<Call>> {
        let input = |n| {
            let name = super::catalogue::title(n);
            serde_json::json!({"filters": [{"name": "name", "values": [name]}]})
        };
        (0..names).map(|n| self.call("POST", "/ListImages", Some(&input(n)))).collect()
    }

    /// Returns a signed request.
    #[expect(clippy::disallowed_methods, reason = "signatures are dated")]
    pub(super) fn call(&self, method: &str, path: &str, input: Option<&Value>) -> io::Result<Call> {
        let uri = format!("{}{path}", self.endpoint);
        let body = input.map(|input| input.to_string().into_bytes());
        let Identity { region, key, secret, .. } = &self.identity;
        let identity = Credentials::new(key, secret, None, None, "benchmark").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("imagebuilder")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(io::Error::other)?
            .into();
        let signable = SignableBody::Bytes(body.as_deref().unwrap_or_default());
        let host = self.endpoint.trim_start_matches("http://");
        let signable =
            SignableRequest::new(method, uri.as_str(), [("host", host)].into_iter(), signable)
                .map_err(io::Error::other)?;
        let (signature, _) = sign(signable, &params).map_err(io::Error::other)?.into_parts();
        let head = Request::builder().method(method).uri(uri).header("host", host);
        let mut head = head.body(()).map_err(io::Error::other)?;
        signature.apply_to_request_http1x(&mut head);
        Ok(Call { head, body })
    }

    /// Returns the most memory that the server ever had, in bytes.
    pub(super) fn peak_memory(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        let kibibytes: Option<u64> = kibibytes;
        kibibytes.map(|count| count << 10).ok_or_else(|| io::Error::other("the server is gone"))
    }

    /// Ends the server.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Only fails where it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs the program it measures")]
fn goldsmith(data: &Path) -> io::Result<Command> {
    let program = std::env::var("GOLDSMITH_BIN").map_err(io::Error::other)?;
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(data);
    Ok(command)
}
