//! Tasks: `cargo xtask codegen` writes generated files, `cargo xtask bench` hands over to the
//! crate `bench`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let task: Vec<String> = std::env::args().skip(1).collect();
    let task: Vec<&str> = task.iter().map(String::as_str).collect();
    let done = match task[..] {
        ["codegen"] => generate().and_then(|()| generate_wire()).and_then(|()| generate_coverage()),
        ["bench", ref arguments @ ..] => bench(arguments),
        _ => Err(std::io::Error::other("expected a task: codegen or bench")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Writes every generated file. A test compares them.
fn generate() -> std::io::Result<()> {
    for (path, schema) in [
        ("docs/reference/project.schema.json", document::project_schema()),
        ("docs/reference/component.schema.json", document::component_schema()),
        ("docs/reference/workflow.schema.json", document::workflow_schema()),
    ] {
        std::fs::write(root().join(path), format!("{schema:#}\n"))?;
    }
    Ok(())
}

/// Writes the pinned model of Image Builder and what it generates.
fn generate_wire() -> std::io::Result<()> {
    let model = xtask::pinned_model(&root()).map_err(std::io::Error::other)?;
    std::fs::write(root().join(model.path), model.text)?;
    for file in xtask::imagebuilder(&root()).map_err(std::io::Error::other)? {
        std::fs::write(root().join(file.path), file.text)?;
    }
    Ok(())
}

/// Writes the page of what each operation does.
fn generate_coverage() -> std::io::Result<()> {
    let table = std::fs::read_to_string(root().join("crates/api/coverage.json"))?;
    let page = xtask::coverage(&root(), &table).map_err(std::io::Error::other)?;
    std::fs::write(root().join(page.path), page.text)
}

/// Measures, in a program of its own: it links what the house rules should not wait for.
#[expect(clippy::disallowed_methods, reason = "tasks run programs")]
fn bench(arguments: &[&str]) -> std::io::Result<()> {
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--locked", "--release", "--package", "bench", "--"])
        .args(arguments)
        .status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other("the benchmark failed")) }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned()
}

#[expect(clippy::print_stderr, reason = "a task reports to whoever runs it")]
fn report(error: &std::io::Error) {
    eprintln!("xtask: {error}");
    let mut cause = error.get_ref().and_then(|inner| inner.source());
    while let Some(inner) = cause {
        eprintln!("  because {inner}");
        cause = inner.source();
    }
}
