//! Where the command finds its data folder and its agent, and how it opens them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cell::{Cells, Ids};
use factory::{Factory, KeptParameters, Settings};
use name::Region;
use store::Db;

use crate::environment::Environment;
use crate::error::CliError;
use crate::machines;
use crate::output::Output;

/// The data folder and what else the factory works with.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    data: PathBuf,
    environment: Environment,
}

impl Home {
    /// Returns the home at `given`, or at the usual place.
    pub(crate) fn new(given: Option<PathBuf>, environment: Environment) -> Result<Self, CliError> {
        let data = match given {
            Some(data) => data,
            None => usual_data(&environment).ok_or(CliError::NoHome)?,
        };
        Ok(Self { data, environment })
    }

    /// Returns the data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the surroundings of the process.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Opens the catalogue and ends the runs in it whose factory was killed;
    /// `None` if nothing was ever built here.
    pub(crate) async fn catalogue(&self) -> Result<Option<Db>, CliError> {
        let path = self.data.join("goldsmith.db");
        if !path.exists() {
            return Ok(None);
        }
        let db = Db::open(&path).await?;
        factory::end_dead_runs(&db, &self.data).await?;
        Ok(Some(db))
    }

    /// Opens the catalogue; makes it and the data folder if they are not there.
    pub(crate) async fn new_catalogue(&self) -> Result<Db, CliError> {
        factory::make_data_folder(&self.data)
            .map_err(|source| CliError::Data { path: self.data.clone(), source })?;
        Ok(Db::open(&self.data.join("goldsmith.db")).await?)
    }

    /// Opens the factory, removes what earlier, killed ones left and tells of
    /// their builds.
    pub(crate) async fn factory(&self, out: &Output) -> Result<Factory, CliError> {
        let settings = Settings { data: self.data.clone(), agent: self.agent()?, region: region() };
        let (factory, recovered) = Factory::open(settings).await?;
        for image in &recovered.failed {
            out.note(format_args!("the build of {image} had been cut short and is now failed"));
        }
        if let Some(why) = &recovered.left {
            out.note(format_args!("an earlier build's files are still there: {why}"));
        }
        if let Err(error) = machines::tidy(factory.cells()) {
            // What cannot be removed now is found again by the next one.
            let left = self.data.join("machines");
            out.note(format_args!("failed to tidy {}: {error}", left.display()));
        }
        Ok(factory)
    }

    /// Opens the factory as [`Self::factory`] does, with the parameters that documents may refer to.
    pub(crate) async fn building_factory(&self, out: &Output) -> Result<Factory, CliError> {
        let factory = self.factory(out).await?;
        let parameters = self.parameters(factory.db())?;
        Ok(factory.with_parameters(Arc::new(parameters)))
    }

    /// Returns the parameters that documents may refer to.
    pub(crate) fn parameters(&self, db: &Db) -> Result<KeptParameters, CliError> {
        Ok(KeptParameters::open(db, &self.data)?)
    }

    /// Returns what starts cells over the data folder.
    pub(crate) fn cells(&self) -> Result<Cells, CliError> {
        let data = |source| CliError::Data { path: self.data.clone(), source };
        Cells::new(&self.data, Ids::of_this_user()?).map_err(data)
    }

    /// Returns the agent's binary.
    fn agent(&self) -> Result<PathBuf, CliError> {
        let candidates = agent_candidates(&self.environment);
        let found = candidates.iter().find(|path| path.is_file()).cloned();
        found.ok_or(CliError::NoAgent { candidates })
    }
}

/// Where the service listens unless it is told otherwise.
pub(crate) const LISTEN: &str = "127.0.0.1:4747";

/// The region that clients are led to and that the command's own images are in, unless it is told
/// otherwise.
pub(crate) const REGION: &str = "local-1";

/// Returns the region of the command's own image ARNs.
fn region() -> Region {
    REGION.parse().expect("the home region's name is valid")
}

fn usual_data(environment: &Environment) -> Option<PathBuf> {
    if environment.root {
        return Some(PathBuf::from("/var/lib/goldsmith"));
    }
    // The XDG base directory specification: a relative path is ignored.
    let data_home = environment.data_home.clone().filter(|path| path.is_absolute());
    let data_home = data_home.or_else(|| Some(environment.home.as_ref()?.join(".local/share")));
    Some(data_home?.join("goldsmith"))
}

/// Returns where the agent may be: where the user says, else where it is
/// after `cargo build` or in an installation.
fn agent_candidates(environment: &Environment) -> Vec<PathBuf> {
    if let Some(agent) = &environment.agent {
        return vec![agent.clone()];
    }
    let Some(folder) = environment.executable.as_deref().and_then(Path::parent) else {
        return Vec::new();
    };
    let installed = folder.parent().into_iter().flat_map(|prefix| {
        ["libexec", "lib"].map(|part| prefix.join(part).join("goldsmith/goldsmith-agent"))
    });
    std::iter::once(folder.join("goldsmith-agent")).chain(installed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_where_the_system_keeps_data() {
        let user = Environment { home: Some("/home/ann".into()), ..Environment::default() };
        let data = |environment: &Environment| usual_data(environment);
        assert_eq!(data(&user), Some("/home/ann/.local/share/goldsmith".into()));
        let xdg = Environment { data_home: Some("/data/ann".into()), ..user.clone() };
        assert_eq!(data(&xdg), Some("/data/ann/goldsmith".into()));
        let relative = Environment { data_home: Some("data".into()), ..user.clone() };
        assert_eq!(data(&relative), data(&user));
        let root = Environment { root: true, ..xdg };
        assert_eq!(data(&root), Some("/var/lib/goldsmith".into()));
        assert_eq!(data(&Environment::default()), None);
    }

    #[test]
    fn the_agent_is_beside_the_program_or_installed_with_it() {
        let installed =
            Environment { executable: Some("/usr/bin/goldsmith".into()), ..Environment::default() };
        assert_eq!(
            agent_candidates(&installed),
            [
                "/usr/bin/goldsmith-agent",
                "/usr/libexec/goldsmith/goldsmith-agent",
                "/usr/lib/goldsmith/goldsmith-agent"
            ]
            .map(PathBuf::from)
        );
        let told = Environment { agent: Some("/tmp/agent".into()), ..installed };
        assert_eq!(agent_candidates(&told), [PathBuf::from("/tmp/agent")]);
    }

    #[test]
    fn the_region_is_valid() {
        assert_eq!(region().as_str(), "local-1");
    }
}
