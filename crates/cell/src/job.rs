//! What a cell is asked to do.
//!
//! All paths are relative to the data folder, which is the cell's working
//! folder; the cell has no right to follow its parents.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One task and the room it gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// What to do.
    pub task: Task,
    /// Limits that the cell must hold itself, as it has no control group.
    pub bound_within: Option<Limits>,
}

/// The work of a cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Task {
    /// Run a program.
    Run(Run),
    /// Unpack a tar archive (zstd or plain) from standard input into a new folder.
    Extract {
        /// The folder.
        into: PathBuf,
    },
    /// Remove trees and all they hold; those that do not exist are passed over.
    /// Folders whose parent is not the cells' stay, empty.
    Remove {
        /// The trees.
        paths: Vec<PathBuf>,
    },
    /// Read a file of a tree to standard output, links followed inside the tree
    /// only; nothing if there is no such file.
    Read {
        /// The layers, lowest first.
        layers: Vec<PathBuf>,
        /// The file, relative to the tree's root.
        file: PathBuf,
    },
    /// Write a tree as a disk image.
    WriteDisk(Disk),
    /// Unpack the Linux system of a raw disk image into a new folder; says
    /// what it is on standard output, as [`Unpacked`].
    ReadDisk {
        /// The image.
        disk: PathBuf,
        /// The folder.
        into: PathBuf,
    },
}

/// What a disk held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// The partitions that the tree came from, the root first.
    pub volumes: Vec<Volume>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// When the last change was made to a file, folder or symbolic link, in
    /// seconds since 1970. A disk can say anything, times to come as well.
    pub newest: i64,
}

/// A partition of a disk with a file system that is part of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its place in the tree, without a leading slash; empty for the root.
    pub place: PathBuf,
    /// Where it begins on the disk, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
    /// The file system's UUID.
    pub uuid: [u8; 16],
    /// The file system's label.
    pub label: String,
}

/// A program with its standard streams inherited from the cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// A tree to mount first.
    pub overlay: Option<Overlay>,
    /// Text files to write first, by absolute path under `/tmp`, the cell's own.
    pub files: BTreeMap<PathBuf, String>,
    /// The network the program finds; also bound at `/tmp/net` where it is the cell's own.
    pub network: Network,
    /// Whether the program itself enters the network, or only finds it at `/tmp/net`.
    pub enter: bool,
}

/// A writable view of layers, mounted at `at`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Overlay {
    /// The layers, lowest first.
    pub layers: Vec<PathBuf>,
    /// Where changes go; made if absent.
    pub upper: PathBuf,
    /// Overlayfs's scratch folder, on the file system of `upper`; made if absent.
    pub work: PathBuf,
    /// An absolute path under `/tmp`.
    pub at: PathBuf,
}

/// Which network a program sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// The host's. Only for programs we ship or that Debian signs.
    Host,
    /// A network of its own that reaches what the host reaches, but not the host's loopback.
    Own {
        /// Host ports that lead into it, each to the same port inside.
        forwards: Vec<u16>,
    },
    /// A loopback interface and nothing else.
    None,
}

/// What a cell may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processors.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Processes and threads.
    pub processes: u32,
}

/// A tree to write as a disk image and what else the image holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Disk {
    /// The layers, lowest first. Files of lower layers come first on the disk,
    /// so that images which share layers share blocks.
    pub layers: Vec<PathBuf>,
    /// The image; must not exist.
    pub out: PathBuf,
    /// Where the partitions come from.
    pub source: Source,
    /// Files that the image has beyond the tree's, in the root file system.
    pub extras: Vec<Extra>,
    /// What of the tree stays out. The first of these that names a path
    /// decides.
    pub leave_out: Vec<LeaveOut>,
    /// No file is younger than this, in seconds since 1970.
    pub epoch: i64,
}

/// Where the partitions of a disk come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Source {
    /// A new disk with a partition table, an ESP and a root partition.
    New {
        /// The whole disk's size in bytes; `None` fits the tree with room to work.
        size: Option<u64>,
        /// The GUIDs of the disk, the ESP and the root partition.
        guids: [[u8; 16]; 3],
        /// The ESP's serial number.
        esp_id: u32,
        /// The ESP's files: path in the ESP, and path in the tree or text.
        esp: Vec<(String, Content)>,
        /// The root file system's UUID.
        root_uuid: [u8; 16],
        /// The root file system's label.
        root_label: String,
    },
    /// Another disk, whose partitions and boot loader are kept.
    Copy {
        /// The raw image, relative to the data folder.
        disk: PathBuf,
        /// The new disk's size in bytes, no less than the other's; `None` for
        /// the same. What is new goes to the last partition if it is the root.
        size: Option<u64>,
        /// The partitions that are written anew, the root first.
        volumes: Vec<Volume>,
    },
}

/// Paths of a tree that stay out of an image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeaveOut {
    /// Without a leading slash. `*` stands for any characters within a name;
    /// what lies below a path goes with it. A trailing `/**` stands for
    /// everything below that is not a folder.
    pub paths: Vec<String>,
    /// They stay in if the tree has this file.
    pub unless: Option<PathBuf>,
}

/// What a file on the ESP holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Content {
    /// A file of the tree.
    Tree(PathBuf),
    /// This text.
    Text(String),
}

/// A file beyond the tree's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Extra {
    /// Its path, without a leading slash. Missing parents are made, mode 0755.
    pub path: String,
    /// What it holds.
    pub text: String,
    /// Its mode bits.
    pub mode: u16,
}
