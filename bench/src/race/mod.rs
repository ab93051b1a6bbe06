//! The same image by goldsmith and by the tools a user would pick instead, in one run: from
//! nothing, with one script changed, and with nothing changed.
//!
//! A machine with others on it is slower by the minute, so tools take turns and ratios count,
//! not seconds.

mod ground;
mod image;
mod options;
mod tally;
mod tool;

use std::io;
use std::path::PathBuf;

use ground::Ground;
use image::Image;
use options::{Format, Options};
use tally::Tally;
use tool::{Case, Tool};

/// Races and prints the results: per case and tool the median and how many times as long as
/// ours it took. `GOLDSMITH_BIN` names ours.
///
/// # Errors
/// Fails if our build does. Another tool that is not here or fails is told of instead.
pub(crate) fn bench(arguments: &[&str]) -> io::Result<()> {
    let options = Options::parse(arguments).map_err(io::Error::other)?;
    let goldsmith = variable("GOLDSMITH_BIN")
        .ok_or_else(|| io::Error::other("GOLDSMITH_BIN does not name a goldsmith to race"))?;
    let goldsmith = Tool::Goldsmith(PathBuf::from(goldsmith));
    let tally = race(goldsmith, &options)?;
    match options.format {
        Format::Text => say(tally.text().trim_end()),
        Format::Json => say(&format!("{:#}", tally.json())),
    }
    Ok(())
}

fn race(goldsmith: Tool, options: &Options) -> io::Result<Tally> {
    let ground = Ground::new()?;
    let mut tally = Tally::default();
    let mut tools = vec![goldsmith];
    for peer in [Tool::Mmdebstrap, Tool::Mkosi, Tool::Buildah] {
        match obstacle(&ground, &peer) {
            None => tools.push(peer),
            Some(why) => tally.miss(peer.name(), why),
        }
    }
    let mut image = Image { mirror: options.mirror.clone(), change: 0 };
    for case in Case::ALL {
        let rounds = match case {
            Case::Cold => options.cold,
            Case::Changed | Case::Unchanged => options.warm,
        };
        for _ in 0..rounds {
            if case == Case::Changed {
                image.change += 1;
            }
            let mut running = Vec::new();
            for tool in tools {
                match lap(&ground, &tool, case, &image) {
                    Ok(seconds) => {
                        note(&format!("{} {} {seconds:.2} s", case.name(), tool.name()));
                        tally.add(case, tool.name(), seconds);
                        running.push(tool);
                    }
                    Err(error) if matches!(tool, Tool::Goldsmith(_)) => return Err(error),
                    Err(error) => tally.miss(tool.name(), format!("{}: {error}", case.name())),
                }
            }
            tools = running;
        }
    }
    Ok(tally)
}

/// Makes the image once and returns how many seconds that took.
fn lap(ground: &Ground, tool: &Tool, case: Case, image: &Image) -> io::Result<f64> {
    if case == Case::Cold {
        ground.clear(tool.name())?;
    }
    ground.lay_out(tool.name(), &tool.inputs(image))?;
    let lines = tool.lines(case, image, &ground.of(tool.name()));
    Ok(ground.time(tool.name(), &lines)?.as_secs_f64())
}

/// Returns why `tool` cannot race on this machine, if so.
fn obstacle(ground: &Ground, tool: &Tool) -> Option<String> {
    let path = variable("PATH").unwrap_or_default();
    let is_here =
        |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).exists());
    if let Some((program, package)) = tool.needs().iter().find(|(program, _)| !is_here(program)) {
        return Some(format!("there is no `{program}`; it comes with the package {package}"));
    }
    // Ours does without root; the trees of the others would have no owners.
    (!ground.is_roots()).then(|| "needs root".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads its environment")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// Tells how far the race is, beside its results.
#[expect(clippy::print_stderr, reason = "a benchmark shows that it goes on")]
fn note(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its results")]
fn say(text: &str) {
    println!("{text}");
}
