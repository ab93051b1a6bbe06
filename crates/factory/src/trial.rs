//! Throw-away instances in which documents are tried out: on a base as a build
//! would find it, and without an image, a run or a record of either.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use base::{Boot, Receipt};
use cell::{Limits, Task};
use channel::{Execute, Status};
use instance::sandbox::{self, Sandbox};
use instance::vm::{self, Firmware, Machine};
use instance::{ExecuteError, Watch};
use model::{InstanceType, ParentImage};
use tokio::runtime::Handle;

use crate::action::{Blueprint, Ground, NoFirmware, description, prepare};
use crate::{Cause, Factory, Failure, bases};

/// How much larger than its base a machine's disk is.
const GROWTH: u64 = 4 << 30;

/// What kind of instance a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sandbox.
    Sandbox,
    /// A virtual machine, booted from a disk that is made of the base.
    Machine,
}

/// What a trial is made of.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The base.
    pub parent: &'a ParentImage,
    /// The folder that the base's path is relative to.
    pub paths: &'a Path,
    /// The kind of instance.
    pub kind: Kind,
    /// A name, unique among the instances that run.
    pub name: &'a str,
    /// A folder of the trial's own, below the data folder.
    pub folder: &'a Path,
}

/// A throw-away instance. Dropping it ends every process in it; the folder is
/// left to whoever gave it.
#[derive(Debug)]
pub struct Trial {
    instance: Instance,
    base: String,
    /// Keeps the base at hand.
    _bases: File,
}

#[derive(Debug)]
enum Instance {
    Sandbox(Sandbox),
    Machine(Machine),
}

impl Factory {
    /// Makes the base, unless it is at hand, and an instance on it. Once
    /// `cancel` is set, whatever fails was cancelled.
    ///
    /// Waits for the catalogue and for tools: call it on a thread that may
    /// block, with the runtime's `handle`.
    pub fn try_out(
        &self,
        site: &Site<'_>,
        handle: &Handle,
        watch: &(impl Watch + base::Watch),
        cancel: &AtomicBool,
    ) -> Result<Trial, Box<Failure>> {
        self.launch_trial(site, handle, watch, cancel).map_err(|failure| {
            if cancel.load(Ordering::Acquire) {
                Failure::plain(Cause::Cancelled, "cancelled".to_owned())
            } else {
                failure
            }
        })
    }

    fn launch_trial(
        &self,
        site: &Site<'_>,
        handle: &Handle,
        watch: &(impl Watch + base::Watch),
        cancel: &AtomicBool,
    ) -> Result<Trial, Box<Failure>> {
        let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
        self.cells.make_folder(site.folder).map_err(|error| fail(&error))?;
        let bases = bases::hold(self.cells.data()).map_err(|error| fail(&error))?;
        let (receipt, base) = prepare(&Ground {
            factory: self,
            handle,
            parent: site.parent,
            paths: site.paths,
            mirror: None,
            epoch: None,
            folder: site.folder,
            watch,
            progress: &|_, _| (),
            cancel,
        })?;
        let kind = InstanceType::default();
        let instance = match site.kind {
            Kind::Sandbox => Instance::Sandbox(self.sandbox(site, &receipt, &kind)?),
            Kind::Machine => Instance::Machine(self.machine(site, &receipt, &kind, watch)?),
        };
        Ok(Trial { instance, base, _bases: bases })
    }

    fn sandbox(
        &self,
        site: &Site<'_>,
        base: &Receipt,
        kind: &InstanceType,
    ) -> Result<Sandbox, Box<Failure>> {
        let launch = sandbox::Launch {
            name: site.name.to_owned(),
            layers: vec![base.tree.clone()],
            work: site.folder.join("sandbox"),
            agent: self.agent.clone(),
            limits: Limits {
                cpus: kind.vcpus(),
                memory_mib: kind.memory_mib(),
                processes: kind.process_limit(),
            },
            source_epoch: base.epoch,
        };
        Sandbox::launch(&self.cells, launch).map_err(|error| Failure::of(Cause::Factory, &error))
    }

    fn machine(
        &self,
        site: &Site<'_>,
        base: &Receipt,
        kind: &InstanceType,
        watch: &dyn Watch,
    ) -> Result<Machine, Box<Failure>> {
        let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
        let firmware = Firmware::find().ok_or_else(|| Failure::of(Cause::Lacking, &NoFirmware))?;
        let disk = self.disk(site, base, watch)?;
        let size =
            std::fs::metadata(self.cells.data().join(&disk)).map_err(|error| fail(&error))?;
        let launch = vm::Launch {
            name: site.name.to_owned(),
            disk,
            size: Some(size.len() + GROWTH),
            work: site.folder.join("machine"),
            agent: self.agent.clone(),
            cpus: kind.vcpus(),
            memory_mib: kind.memory_mib(),
            accelerator: vm::accelerator(&self.cells).accelerator,
            firmware,
            patience: vm::Launch::PATIENCE,
        };
        Machine::launch(&self.cells, &launch, watch).map_err(|error| fail(&error))
    }

    /// Returns a disk that boots the base: its own, or one that is made of it.
    fn disk(
        &self,
        site: &Site<'_>,
        base: &Receipt,
        watch: &dyn Watch,
    ) -> Result<PathBuf, Box<Failure>> {
        if let Boot::Disk { disk, .. } = &base.boot {
            return Ok(disk.clone());
        }
        let disk = site.folder.join("disk.raw");
        let blueprint =
            Blueprint { name: "trial", working_directory: "/tmp", gib: None, relabel: false };
        let task =
            Task::WriteDisk(description(&blueprint, base, vec![base.tree.clone()], disk.clone()));
        let (given_up, name) = (|| watch.cancelled(), format!("{}-disk", site.name));
        let written = self.cells.run_unless(&given_up, &name, task, &mut std::io::empty());
        written.map_err(|error| Failure::of(Cause::Factory, &error))?;
        Ok(disk)
    }
}

impl Trial {
    /// Returns what the base is and where it came from.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Executes a document, through as many restarts as it asks for.
    pub fn execute(
        &mut self,
        request: &Execute,
        watch: &dyn Watch,
    ) -> Result<(Status, String), ExecuteError> {
        match &mut self.instance {
            Instance::Sandbox(sandbox) => sandbox.execute(request, watch),
            Instance::Machine(machine) => machine.execute(request, watch),
        }
    }

    /// Opens a shell on the caller's terminal, with the files as the last
    /// document left them, and waits for its end.
    pub fn open_shell(&mut self) -> Result<(), ExecuteError> {
        match &mut self.instance {
            Instance::Sandbox(sandbox) => sandbox.open_shell(),
            Instance::Machine(machine) => machine.open_shell(),
        }
    }
}

#[cfg(test)]
mod tests {
    use name::Digest;

    use super::*;
    use crate::Settings;

    struct Silent;

    impl Watch for Silent {
        fn event(&self, _: &channel::Event) {}

        fn cancelled(&self) -> bool {
            false
        }
    }

    impl base::Watch for Silent {
        fn line(&self, _: &str) {}

        fn cancelled(&self) -> bool {
            false
        }
    }

    /// The base's disk is not there, so it fails one way or the other.
    #[tokio::test]
    async fn what_fails_after_a_cancel_was_cancelled() {
        let data = tempfile::tempdir().unwrap();
        let agent = data.path().join("agent");
        std::fs::write(&agent, "agent").unwrap();
        let region = "local-1".parse().unwrap();
        let settings = Settings { data: data.path().join("data"), agent, region };
        std::fs::create_dir(&settings.data).unwrap();
        let (factory, _) = Factory::open(settings).await.unwrap();
        let handle = Handle::current();
        let tried = tokio::task::spawn_blocking(move || {
            let parent = ParentImage::parse("./no-such.raw", Some(Digest::of(b""))).unwrap();
            let site = Site {
                parent: &parent,
                paths: data.path(),
                kind: Kind::Sandbox,
                name: "trial-1",
                folder: Path::new("machines/1/trial"),
            };
            [false, true].map(|cancelled| {
                let cancel = AtomicBool::new(cancelled);
                let failure = factory.try_out(&site, &handle, &Silent, &cancel).unwrap_err();
                (failure.cause, failure.message)
            })
        });
        let [failed, cancelled] = tried.await.unwrap();
        assert_eq!(failed.0, Cause::Factory);
        assert!(failed.1.contains("no-such.raw"), "{}", failed.1);
        assert_eq!(cancelled, (Cause::Cancelled, "cancelled".to_owned()));
    }
}
