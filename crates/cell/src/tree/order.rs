//! The order in which a tree's files go onto a disk: layer by layer.
//!
//! Two images on the same lower layers then begin with the same files in the
//! same order, and share the blocks that hold them.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::leave_out::Rules;
use crate::job::LeaveOut;

/// Returns the paths of the merged tree at `merged`, relative to it, the root
/// left out: those that the lowest layer brings first, each folder before what
/// it holds, names in the order of their bytes.
pub(super) fn order(
    layers: &[PathBuf],
    merged: &Path,
    rules: &[LeaveOut],
) -> io::Result<Vec<PathBuf>> {
    let rules = Rules::new(rules, |flag| exists(&merged.join(flag)));
    let mut order = Order { merged, rules, folders: HashSet::new(), paths: Vec::new() };
    for (n, layer) in layers.iter().enumerate() {
        order.visit(layer, &layers[n + 1..], Path::new(""))?;
    }
    Ok(order.paths)
}

struct Order<'a> {
    merged: &'a Path,
    rules: Rules<'a>,
    /// The folders so far. Another file is met only once, in the highest layer
    /// that has it.
    folders: HashSet<PathBuf>,
    paths: Vec<PathBuf>,
}

impl Order<'_> {
    fn visit(&mut self, layer: &Path, above: &[PathBuf], folder: &Path) -> io::Result<()> {
        let mut names = fs::read_dir(layer.join(folder))?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        for name in names {
            let path = folder.join(name);
            let here = fs::symlink_metadata(layer.join(&path))?;
            if here.file_type().is_char_device() && here.rdev() == 0 {
                // A whiteout: the layer takes away what lower ones brought.
                continue;
            }
            // Gone from, or changed into something else by, a layer above.
            let Ok(merged) = fs::symlink_metadata(self.merged.join(&path)) else { continue };
            let is_folder = merged.is_dir();
            if is_folder != here.is_dir()
                || !is_folder && above.iter().any(|layer| exists(&layer.join(&path)))
                || self.rules.leave_out(&path, is_folder)
            {
                continue;
            }
            if !is_folder {
                self.paths.push(path);
                continue;
            }
            if self.folders.insert(path.clone()) {
                self.paths.push(path.clone());
            }
            self.visit(layer, above, &path)?;
        }
        Ok(())
    }
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_layers_come_first() {
        let dir = tempfile::tempdir().unwrap();
        let make = |root: &str, paths: &[&str]| {
            for path in paths {
                let path = dir.path().join(root).join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, root).unwrap();
            }
        };
        make("low", &["b/one", "b/two", "a", "gone", "var/log/x"]);
        make("high", &["b/two", "b/a-new"]);
        make("merged", &["b/one", "b/two", "b/a-new", "a", "var/log/x"]);
        let layers = ["low", "high"].map(|layer| dir.path().join(layer));
        let rules = [LeaveOut { paths: vec!["var/log/**".to_owned()], unless: None }];
        let order = order(&layers, &dir.path().join("merged"), &rules).unwrap();
        let order: Vec<_> = order.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(order, ["a", "b", "b/one", "var", "var/log", "b/a-new", "b/two"]);
    }
}
