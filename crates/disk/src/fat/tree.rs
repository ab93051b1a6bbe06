//! The directories of a volume and the clusters of everything in it.

use std::io;

use super::geometry::{Geometry, Type};
use super::name::{self, ENTRY, Short};
use crate::bytes::{low_u16, low_u32, put, put_split_u32, put_u16, put_u32};

const DIRECTORY: u8 = 0x10;
const ARCHIVE: u8 = 0x20;
/// 1980-01-01, the first day (section 6).
const FIRST_DATE: u16 = 1 << 5 | 1;
/// The first cluster.
const FIRST: u32 = 2;
/// The most entries that a directory can have.
const MOST_ENTRIES: usize = 65_536;

/// A path cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A component is empty, too long or has a character that FAT lacks.
    #[error("a component of the path is not a FAT name")]
    Name,
    /// There is one already; FAT names differ by more than case.
    #[error("there is such a file already")]
    Exists,
    /// A component is a file.
    #[error("a component of the path is a file")]
    NotADirectory,
    /// The file is too large.
    #[error("a file is smaller than 4 GiB")]
    TooLarge,
    /// The directory is full.
    #[error("its directory is full")]
    Full,
}

/// What is written in one place.
pub(super) enum Content<'a> {
    /// The root's entries, before which the label goes.
    Root(&'a [u8]),
    /// Another directory's entries.
    Directory(&'a [u8]),
    /// A file.
    File(&'a [u8]),
}

/// All files, with their directories.
pub(super) struct Tree<'a> {
    geometry: Geometry,
    root: Vec<Node<'a>>,
    /// The clusters of the root, if it has any.
    root_clusters: Chain,
    /// The clusters of everything, in order.
    chains: Vec<Chain>,
}

/// Clusters in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    first: u32,
    length: u32,
}

struct Node<'a> {
    name: String,
    short: Short,
    /// Whether the short name is all there is.
    exact: bool,
    chain: Chain,
    body: Body<'a>,
}

enum Body<'a> {
    File(&'a [u8]),
    Directory(Vec<Node<'a>>),
}

impl<'a> Tree<'a> {
    /// Starts with an empty root.
    pub(super) fn new(geometry: Geometry) -> Self {
        Self { geometry, root: Vec::new(), root_clusters: Chain::default(), chains: Vec::new() }
    }

    /// Adds a file.
    pub(super) fn add(&mut self, path: &str, content: &'a [u8]) -> Result<(), PathError> {
        if u32::try_from(content.len()).is_err() {
            return Err(PathError::TooLarge);
        }
        let fixed = usize::from(self.geometry.root_entries());
        let mut limit = if fixed == 0 { MOST_ENTRIES } else { fixed };
        let mut nodes = &mut self.root;
        let mut rest = path;
        while let Some((component, below)) = rest.split_once('/') {
            let index = match find(nodes, component) {
                Some(index) => index,
                None => insert(nodes, component, Body::Directory(Vec::new()), limit)?,
            };
            let Body::Directory(inner) = &mut nodes[index].body else {
                return Err(PathError::NotADirectory);
            };
            (nodes, rest, limit) = (inner, below, MOST_ENTRIES);
        }
        if find(nodes, rest).is_some() {
            return Err(PathError::Exists);
        }
        insert(nodes, rest, Body::File(content), limit).map(|_| ())
    }

    /// Gives everything its clusters and returns how many those are.
    pub(super) fn place(&mut self) -> u32 {
        let mut placing =
            Placing { size: self.geometry.cluster_size(), next: FIRST, chains: Vec::new() };
        if self.geometry.kind == Type::Fat32 {
            self.root_clusters = placing.take(directory_size(&self.root, 1));
        }
        placing.place(&mut self.root);
        self.chains = placing.chains;
        placing.next.saturating_sub(FIRST)
    }

    /// Returns one copy of the table, up to the last cluster in use
    /// (section 4).
    pub(super) fn table(&self) -> Vec<u8> {
        let end = 0x0fff_ffff;
        // The first two entries repeat the medium and say "clean".
        let mut entries = vec![0x0fff_fff8, end];
        for chain in &self.chains {
            entries
                .extend((chain.first..chain.first + chain.length - 1).map(|cluster| cluster + 1));
            entries.push(end);
        }
        match self.geometry.kind {
            Type::Fat32 => entries.iter().flat_map(|entry| entry.to_le_bytes()).collect(),
            Type::Fat16 => entries.iter().flat_map(|entry| low_u16(*entry).to_le_bytes()).collect(),
            Type::Fat12 => entries
                .chunks(2)
                .flat_map(|pair| {
                    let second = pair.get(1).copied().unwrap_or_default() & 0xfff;
                    let both = pair[0] & 0xfff | second << 12;
                    let [low, middle, high, _] = both.to_le_bytes();
                    [low, middle, high]
                })
                .collect(),
        }
    }

    /// Calls `write` with the place of each directory and file, in bytes.
    pub(super) fn visit(
        &self,
        write: &mut impl FnMut(u64, Content<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let position = match self.root_clusters.length {
            0 => self.geometry.root_position(),
            _ => self.geometry.position(self.root_clusters.first),
        };
        write(position, Content::Root(&self.entries(&self.root)))?;
        self.visit_nodes(&self.root, 0, write)
    }

    /// Puts the one time that there is into an entry.
    pub(super) fn stamp(&self, entry: &mut [u8]) {
        for at in [16, 18, 24] {
            put_u16(entry, at, FIRST_DATE);
        }
    }

    fn visit_nodes(
        &self,
        nodes: &[Node<'_>],
        parent: u32,
        write: &mut impl FnMut(u64, Content<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        for node in nodes.iter().filter(|node| node.chain.length > 0) {
            let position = self.geometry.position(node.chain.first);
            match &node.body {
                Body::File(content) => write(position, Content::File(content))?,
                Body::Directory(inner) => {
                    let mut entries = Vec::new();
                    entries.extend(self.entry(b".          ", DIRECTORY, node.chain.first, 0));
                    entries.extend(self.entry(b"..         ", DIRECTORY, parent, 0));
                    entries.extend(self.entries(inner));
                    write(position, Content::Directory(&entries))?;
                    self.visit_nodes(inner, node.chain.first, write)?;
                }
            }
        }
        Ok(())
    }

    fn entries(&self, nodes: &[Node<'_>]) -> Vec<u8> {
        let mut entries = Vec::new();
        for node in nodes {
            if !node.exact {
                entries.extend(name::long_entries(&node.name, &node.short));
            }
            let (attributes, size) = match &node.body {
                Body::File(content) => (ARCHIVE, low_u32(content.len() as u64)),
                Body::Directory(_) => (DIRECTORY, 0),
            };
            entries.extend(self.entry(&node.short, attributes, node.chain.first, size));
        }
        entries
    }

    /// Returns an entry (section 6).
    fn entry(&self, short: &Short, attributes: u8, cluster: u32, size: u32) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        put(&mut entry, 0, short);
        entry[11] = attributes;
        self.stamp(&mut entry);
        put_split_u32(&mut entry, 26, 20, cluster);
        put_u32(&mut entry, 28, size);
        entry
    }
}

/// Gives out clusters in order.
struct Placing {
    size: u64,
    next: u32,
    chains: Vec<Chain>,
}

impl Placing {
    fn place(&mut self, nodes: &mut [Node<'_>]) {
        for node in nodes {
            match &mut node.body {
                Body::File(content) => node.chain = self.take(content.len() as u64),
                Body::Directory(inner) => {
                    node.chain = self.take(directory_size(inner, 2));
                    self.place(inner);
                }
            }
        }
    }

    fn take(&mut self, bytes: u64) -> Chain {
        let length = u32::try_from(bytes.div_ceil(self.size)).unwrap_or(u32::MAX);
        let chain = Chain { first: if length == 0 { 0 } else { self.next }, length };
        self.next = self.next.saturating_add(length);
        if length > 0 {
            self.chains.push(chain);
        }
        chain
    }
}

/// Returns the size of a directory in bytes, with so many `more` entries.
fn directory_size(nodes: &[Node<'_>], more: usize) -> u64 {
    ((entry_count(nodes) + more) * ENTRY) as u64
}

fn entry_count(nodes: &[Node<'_>]) -> usize {
    nodes.iter().map(|node| entries_of(&node.name, node.exact)).sum()
}

fn entries_of(name: &str, exact: bool) -> usize {
    if exact { 1 } else { 1 + name.encode_utf16().count().div_ceil(13) }
}

/// Finds a node by its name, in which case does not count.
fn find(nodes: &[Node<'_>], name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    nodes.iter().position(|node| node.name.to_lowercase() == name)
}

fn insert<'a>(
    nodes: &mut Vec<Node<'a>>,
    name: &str,
    body: Body<'a>,
    limit: usize,
) -> Result<usize, PathError> {
    if !name::is_valid(name) {
        return Err(PathError::Name);
    }
    let taken: Vec<Short> = nodes.iter().map(|node| node.short).collect();
    let exact = name::exact(name).filter(|short| !taken.contains(short));
    let short = exact.unwrap_or_else(|| name::alias(name, &taken));
    // One more for the label, two for `.` and `..`.
    if entry_count(nodes) + entries_of(name, exact.is_some()) + 2 > limit {
        return Err(PathError::Full);
    }
    let node = Node {
        name: name.to_owned(),
        short,
        exact: exact.is_some(),
        chain: Chain::default(),
        body,
    };
    nodes.push(node);
    Ok(nodes.len() - 1)
}
