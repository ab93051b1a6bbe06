//! What is written is read back, whatever it is; and what is damaged never
//! breaks the reader.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use disk::ext4::{MINIMUM_SIZE, Writer};
use disk::sparse::{Content, whole_grains};
use disk::{Entry, Kind, ReadError, Reader, Time};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::support::{
    Image, Item, MUCH_DATA, directory, file, fsck, options, other, read_data, run_ok, write,
};

/// Reads all entries and what their content has before the first error.
fn read(input: impl Read + std::io::Seek) -> Result<Vec<Item>, ReadError> {
    let Ok(mut reader) = Reader::open(input, 0) else {
        return Ok(Vec::new());
    };
    let mut items = Vec::new();
    reader.walk(|entry, content| {
        let mut bytes = Vec::new();
        // A damaged size or map shows here.
        let _ = match entry.kind {
            Kind::File { size, .. } if size > 1 << 24 => read_data(content).map(drop),
            _ => content.read_to_end(&mut bytes).map(drop),
        };
        items.push((entry.clone(), bytes));
        Ok::<_, ReadError>(())
    })?;
    Ok(items)
}

/// Returns the content of blocks that are zero, one, or alike.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    (vec(0..4u8, 0..12), 0..4096usize).prop_map(|(blocks, tail)| {
        let mut content: Vec<u8> = blocks.iter().flat_map(|byte| vec![*byte; 4096]).collect();
        content.extend(vec![9; tail % 4096]);
        content
    })
}

fn kinds() -> impl Strategy<Value = (Kind, Vec<u8>)> {
    prop_oneof![
        3 => Just((Kind::Directory, Vec::new())),
        4 => (contents(), any::<bool>()).prop_map(|(content, dense)| {
            // Dense is what has no hole: the reader cannot know the intention.
            let hole = content.chunks(4096).any(disk::sparse::is_zero);
            let dense = !content.is_empty() && (dense || !hole);
            (Kind::File { size: content.len() as u64, dense }, content)
        }),
        1 => vec(1..=255u8, 1..200).prop_map(|target| (Kind::Symlink(target), Vec::new())),
        1 => (0..4096u32, 0..1u32 << 20)
            .prop_map(|(major, minor)| (Kind::CharDevice { major, minor }, Vec::new())),
        1 => (0..4096u32, 0..1u32 << 20)
            .prop_map(|(major, minor)| (Kind::BlockDevice { major, minor }, Vec::new())),
        1 => Just((Kind::Fifo, Vec::new())),
        1 => Just((Kind::Socket, Vec::new())),
    ]
}

fn xattrs() -> impl Strategy<Value = BTreeMap<Vec<u8>, Vec<u8>>> {
    let names = "(user|security|trusted)[.][a-z]{1,20}".prop_map(String::into_bytes);
    prop_oneof![
        3 => Just(BTreeMap::new()),
        1 => btree_map(names, vec(any::<u8>(), 0..120), 1..5),
    ]
}

/// Returns an entry named `name` and where its parent stands among others.
fn entries() -> impl Strategy<Value = (Entry, Vec<u8>, usize)> {
    let name = prop_oneof![4 => "[a-c]{1,2}", 1 => "[a-z]{255}"];
    let time = (-0x8000_0000i64..0x3_8000_0000, 0..1_000_000_000u32);
    let owner = (any::<u32>(), any::<u32>(), 0..=0o7777u16);
    (name, kinds(), owner, time, xattrs(), any::<usize>()).prop_map(
        |(name, (kind, content), (uid, gid, mode), (seconds, nanos), xattrs, parent)| {
            let mtime = Time { seconds, nanos };
            let entry = Entry { path: name.into_bytes(), kind, mode, uid, gid, mtime, xattrs };
            (entry, content, parent)
        },
    )
}

/// Puts entries into a tree: each below some earlier directory, the root
/// first, without two of one name, now and then as a link to an earlier one.
fn trees() -> impl Strategy<Value = Vec<Item>> {
    vec((entries(), 0..8u8), 0..60).prop_map(|raw| {
        let mut items = vec![directory("")];
        for ((mut entry, content, parent), link) in raw {
            let below: Vec<&Entry> = items.iter().map(|(entry, _)| entry).collect();
            let directories: Vec<&&Entry> =
                below.iter().filter(|entry| entry.kind == Kind::Directory).collect();
            let parent = &directories[parent % directories.len()].path;
            if !parent.is_empty() {
                entry.path = [&parent[..], b"/", &entry.path].concat();
            }
            if below.iter().any(|other| other.path == entry.path) || entry.path.len() > 4000 {
                continue;
            }
            let target = below.iter().find(|other| {
                link == 0 && !matches!(other.kind, Kind::Directory | Kind::HardLink(_))
            });
            let item = match target {
                Some(target) => {
                    let kind = Kind::HardLink(target.path.clone());
                    (Entry { path: entry.path, kind, ..(**target).clone() }, Vec::new())
                }
                None => (entry, content),
            };
            items.push(item);
        }
        items
    })
}

/// Returns the items in the order of the reader: depth first, by name, the
/// first name of an inode standing for it.
fn in_order(mut items: Vec<Item>) -> Vec<Item> {
    let key = |entry: &Entry| -> Vec<Vec<u8>> {
        entry.path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
    };
    items.sort_by_key(|(entry, _)| if entry.path.is_empty() { Vec::new() } else { key(entry) });
    let mut first: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let originals: BTreeMap<Vec<u8>, Item> =
        items.iter().map(|item| (item.0.path.clone(), item.clone())).collect();
    for (entry, content) in &mut items {
        let name = if let Kind::HardLink(target) = &entry.kind { target } else { &entry.path };
        let name = name.clone();
        let (original, bytes) = &originals[&name];
        match first.get(&name) {
            Some(path) => (entry.kind, *content) = (Kind::HardLink(path.clone()), Vec::new()),
            None => (entry.kind, *content) = (original.kind.clone(), bytes.clone()),
        }
        first.entry(name).or_insert_with(|| entry.path.clone());
    }
    items
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 500, ..Default::default() })]

    #[test]
    fn any_tree_is_valid_and_read_back(items in trees()) {
        let image = Image::new();
        write(&image, 64 << 20, &items);
        fsck(&image.path());
        let found = read(image.open()).unwrap();
        prop_assert_eq!(found, in_order(items));
    }
}

/// The content of a file with data in few places.
struct Holed {
    /// Bytes, and where they lie.
    data: Vec<(u64, u8)>,
    at: u64,
    size: u64,
    read: u64,
}

impl Holed {
    fn new(data: Vec<(u64, u8)>, size: u64) -> Self {
        Self { data, at: 0, size, read: 0 }
    }
}

impl Read for Holed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (buffer.len() as u64).min(self.size - self.at);
        buffer.fill(0);
        let end = self.at + length;
        let here = self.data.iter().filter(|(at, _)| (self.at..end).contains(at));
        here.for_each(|(at, byte)| buffer[(at - self.at) as usize] = *byte);
        self.at = end;
        self.read += length;
        assert!(self.read <= MUCH_DATA, "a hole is read");
        Ok(length as usize)
    }
}

impl Content for Holed {
    fn skip_hole(&mut self) -> io::Result<u64> {
        let next = self.data.iter().map(|(at, _)| *at).find(|at| *at >= self.at);
        let hole = whole_grains(next.unwrap_or(self.size) - self.at);
        self.at += hole;
        Ok(hole)
    }
}

/// To read the holes, byte for byte, would take hours.
#[test]
fn holes_cost_nothing() {
    const TIB: u64 = 1 << 40;
    let image = Image::new();
    let mut writer = Writer::new(image.create(), 0, options(64 << 20)).unwrap();
    let data = vec![(TIB + 4097, 1), (3 * TIB + 4095, 2), (15 * TIB, 3)];
    let size = 15 * TIB + 5000;
    let entry = crate::support::entry("f", Kind::File { size, dense: false });
    writer.add(&entry, &mut Holed::new(data.clone(), size)).unwrap();
    writer.finish().unwrap();
    fsck(&image.path());
    let mut reader = Reader::open(image.open(), 0).unwrap();
    let mut found = Vec::new();
    let walked = reader.walk(|_, content| {
        for (start, bytes) in read_data(content).unwrap() {
            found.extend((start..).zip(bytes).filter(|(_, byte)| *byte != 0));
        }
        Ok::<_, ReadError>(())
    });
    walked.unwrap();
    assert_eq!(found, data);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whether holes are told of or seen makes no difference to an image.
    #[test]
    fn told_holes_are_as_good_as_zeros(
        mut data in vec((0..3u64 << 20, 1..=255u8), 0..8),
        end in 0..5000u64,
        dense: bool,
    ) {
        data.sort_unstable();
        data.dedup_by_key(|(at, _)| *at);
        let size = data.last().map_or(0, |(at, _)| at + 1) + end;
        let mut content = Vec::new();
        Holed::new(data.clone(), size).read_to_end(&mut content).unwrap();
        let written = |content: &mut dyn Content| {
            let mut out = Cursor::new(Vec::new());
            let mut writer = Writer::new(&mut out, 0, options(MINIMUM_SIZE)).unwrap();
            let entry = crate::support::entry("f", Kind::File { size, dense });
            writer.add(&entry, content).unwrap();
            writer.finish().unwrap();
            out.into_inner()
        };
        let told = written(&mut Holed::new(data, size));
        prop_assert!(told == written(&mut &content[..]));
    }
}

#[test]
fn files_that_ext4_could_not_hold_are_refused() {
    let image = Image::new();
    write(&image, 16 << 20, &[file("f", "text")]);
    let check = |size: u64, expected: Result<(), &str>| {
        let request = format!("sif /f size {size}");
        run_ok("debugfs", &["-w", "-R", &request, image.path().to_str().unwrap()]);
        let mut reader = Reader::open(image.open(), 0).unwrap();
        let walked = reader.walk(|_, _| Ok::<_, ReadError>(()));
        let told = walked.map_err(|error| error.kind.to_string());
        assert_eq!(told, expected.map_err(str::to_owned));
    };
    check((1 << 44) - 4096, Ok(()));
    check((1 << 44) - 4095, Err("a file of more than 16 TiB cannot be read"));
}

#[test]
fn who_it_is_is_read() {
    let image = Image::new();
    write(&image, MINIMUM_SIZE, &[]);
    let reader = Reader::open(image.open(), 0).unwrap();
    assert_eq!(reader.label(), "root");
    assert_eq!(reader.uuid(), options(0).uuid);
}

#[test]
fn a_partition_is_read_where_it_lies() {
    let image = Image::new();
    let mut writer = Writer::new(image.create(), 1 << 20, options(MINIMUM_SIZE)).unwrap();
    let (entry, content) = file("f", "found");
    writer.add(&entry, &mut &content[..]).unwrap();
    writer.finish().unwrap();
    let mut reader = Reader::open(image.open(), 1 << 20).unwrap();
    let mut text = String::new();
    reader
        .walk(|_, content| {
            let _ = content.read_to_string(&mut text);
            Ok::<_, ReadError>(())
        })
        .unwrap();
    assert_eq!(text, "found");
}

/// The places of a small file system that are not zero.
fn small() -> (Vec<u8>, Vec<usize>) {
    let comb: Vec<u8> = (0..800).flat_map(|n| vec![if n % 2 == 0 { 1 } else { 0 }; 4096]).collect();
    let mut items = vec![directory("d"), file("d/comb", comb), file("f", "x")];
    items.push(other("l", Kind::HardLink(b"f".to_vec())));
    items.push(other("s", Kind::Symlink(vec![b'x'; 100])));
    items[0].0.xattrs.insert(b"user.a".to_vec(), vec![1; 100]);
    let mut out = Cursor::new(Vec::new());
    let mut writer = Writer::new(&mut out, 0, options(MINIMUM_SIZE)).unwrap();
    for (entry, content) in &items {
        writer.add(entry, &mut &content[..]).unwrap();
    }
    writer.finish().unwrap();
    let bytes = out.into_inner();
    // All metadata lies before the comb's teeth or has mixed bytes.
    let places = (0..bytes.len()).filter(|at| !matches!(bytes[*at], 0 | 1 | 0xff)).collect();
    (bytes, places)
}

#[test]
fn damage_never_breaks_the_reader() {
    let (bytes, places) = small();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let damages = vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    for _ in 0..600 {
        let damage = damages.new_tree(&mut runner).unwrap().current();
        let mut bytes = bytes.clone();
        for (place, byte) in damage {
            bytes[places[place.index(places.len())]] = byte;
        }
        let _ = read(Cursor::new(bytes));
    }
}
