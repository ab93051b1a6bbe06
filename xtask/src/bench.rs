//! How long builds take: cold, and with the base at hand.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Builds the smallest example with a fresh data folder, then again, and
/// prints one line a case: its name and its seconds.
#[expect(clippy::disallowed_methods, reason = "a benchmark runs programs and reads the clock")]
pub(crate) fn bench(root: &Path) -> io::Result<()> {
    let goldsmith = std::env::var("GOLDSMITH_BIN").map_err(io::Error::other)?;
    let data = std::env::temp_dir().join(format!("goldsmith-bench-{}", std::process::id()));
    let example = root.join("examples/minimal");
    for name in ["cold", "base-at-hand"] {
        let began = Instant::now();
        let status = Command::new(&goldsmith)
            .args(["--quiet", "--data-dir"])
            .arg(&data)
            .arg("build")
            .arg(&example)
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("the {name} build failed")));
        }
        say(&format!("{name} {:.2}", began.elapsed().as_secs_f64()));
    }
    std::fs::remove_dir_all(&data)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
fn say(line: &str) {
    println!("{line}");
}
