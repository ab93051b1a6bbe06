//! A data folder for one test.

use std::io;
use std::path::Path;

use cell::{Cells, Ids, Network, Run, Task};

pub(crate) struct Setting {
    pub(crate) cells: Cells,
    _folder: tempfile::TempDir,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ids = Ids::of_this_user().expect("whoever tests cells has ids for them");
        Self { cells: Cells::new(folder.path(), ids).unwrap(), _folder: folder }
    }

    /// Has a shell in a cell run `script` in the data folder's `tree`.
    pub(crate) fn make_tree(&self, script: &str) {
        self.cells.make_folder(Path::new("tree")).unwrap();
        let script = format!("set -e; cd tree; {script}");
        let task = program(&["bash", "-c", &script]);
        self.cells.run("tree", task, &mut io::empty()).unwrap();
    }
}

/// Returns the task of running a program without a network.
pub(crate) fn program(argv: &[&str]) -> Task {
    Task::Run(Run {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        overlay: None,
        files: Default::default(),
        network: Network::None,
        enter: true,
    })
}
