//! The factory: its data folder, its catalogue and its means.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cell::{Cells, Ids, IdsError};
use model::{Distribution, NameTemplate};
use name::{Account, Region};
use store::{Db, StoreError};

use crate::owner::Owner;
use crate::recover::{self, RecoverError, Recovered};
use crate::{NoParameters, Order, Parameters, agent, private};

/// Where the factory works and with what.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder; made if absent.
    pub data: PathBuf,
    /// The agent's binary.
    pub agent: PathBuf,
    /// The region of image ARNs; images are published where a project says.
    pub region: Region,
}

/// Makes images.
#[derive(Debug, Clone)]
pub struct Factory {
    pub(crate) db: Db,
    pub(crate) cells: Cells,
    pub(crate) settings: Settings,
    /// The agent within the data folder.
    pub(crate) agent: PathBuf,
    pub(crate) parameters: Arc<dyn Parameters>,
    /// As whose the runs are recorded.
    pub(crate) owner: Arc<Owner>,
}

/// The factory cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// This user may not have ids of their own.
    #[error("failed to find user ids for instances")]
    Ids(#[from] IdsError),
    /// The data folder cannot be used.
    #[error("failed to use the data folder {}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The agent's binary cannot be used.
    #[error("failed to use the agent {}", path.display())]
    Agent {
        /// The binary.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The catalogue cannot be used.
    #[error("failed to use the catalogue")]
    Store(#[from] StoreError),
    /// What a killed process left cannot be found or ended.
    #[error(transparent)]
    Recover(#[from] RecoverError),
}

impl Factory {
    /// Opens the factory and ends what a killed one left behind.
    pub async fn open(settings: Settings) -> Result<(Self, Recovered), OpenError> {
        let fail = |source| OpenError::Data { path: settings.data.clone(), source };
        private::make_data_folder(&settings.data).map_err(fail)?;
        let cells = Cells::new(&settings.data, Ids::of_this_user()?).map_err(fail)?;
        let db = Db::open(&cells.data().join("goldsmith.db")).await?;
        let owner = Arc::new(Owner::enter(cells.data()).map_err(fail)?);
        let recovered = recover::recover(&db, &cells).await?;
        let agent = agent::keep(cells.data(), &settings.agent)
            .map_err(|source| OpenError::Agent { path: settings.agent.clone(), source })?;
        let parameters = Arc::new(NoParameters);
        Ok((Self { db, cells, settings, agent, parameters, owner }, recovered))
    }

    /// Returns the factory with `parameters` as its parameter store.
    pub fn with_parameters(self, parameters: Arc<dyn Parameters>) -> Self {
        Self { parameters, ..self }
    }

    /// Returns the catalogue.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Returns what starts cells over the data folder.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Returns the AMI names that `order` fixes and that `account` has given away, with their
    /// regions: such a build can only fail, at its very end.
    pub async fn taken_names(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<Vec<(Region, String)>, StoreError> {
        let mut taken = Vec::new();
        for Distribution { region, ami } in order.project.distributions.as_slice() {
            let Some(name) = ami.name.as_ref().and_then(NameTemplate::fixed) else { continue };
            if store::ami::name_is_taken(&self.db, region, account, &name).await? {
                taken.push((region.clone(), name));
            }
        }
        Ok(taken)
    }
}
