//! Carries runs out: base, components, image, tests, distribution.
//!
//! `engine` decides what comes next; here it is done, recorded and told.

mod action;
mod agent;
mod bases;
mod bound;
mod build;
mod clock;
mod executed;
mod factory;
mod failure;
#[cfg(test)]
mod fixture;
mod found;
mod garbage;
mod lock;
mod log;
mod managed;
mod managed_workflow;
mod notice;
mod order;
mod owner;
mod packages;
mod parameters;
mod private;
mod queue;
mod recover;
mod report;
mod shown;
mod story;
mod teller;
mod trial;
mod work;

pub use bases::Bases;
pub use build::BuildError;
pub use executed::{ExecutedComponents, missing_components};
pub use factory::{Factory, OpenError, Settings};
pub use failure::{Cause, Failure};
pub use found::Found;
pub use garbage::GarbageError;
pub use log::{Line, LogError, clean, read_log};
pub use managed::{ManagedComponent, managed_components};
pub use managed_workflow::{ManagedWorkflow, managed_workflows};
pub use notice::{Notice, Observer, PlannedStep};
pub use order::{Document, LoadedComponent, Order, OrderError};
pub use packages::{Package, installed};
pub use parameters::{KeptParameters, NoParameters, Parameters, stored_parameters};
pub use private::make_data_folder;
pub use queue::{Limits, Queue, StartError, Started};
pub use recover::{RecoverError, Recovered, end_dead_runs};
pub use report::{Case, Published, Report, StepReport};
pub use trial::{Kind, Site, Trial};
