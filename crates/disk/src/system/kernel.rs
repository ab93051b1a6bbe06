//! Whether the installed kernels can mount ext4.

use std::collections::BTreeMap;

/// How a kernel has ext4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ext4 {
    Absent,
    Module,
    BuiltIn,
}

/// The kernels that were met, by their release.
#[derive(Debug, Default)]
pub(super) struct Kernels(BTreeMap<String, Ext4>);

impl Kernels {
    /// Returns the release of the kernel whose list of built-in modules is at
    /// `path`.
    pub(super) fn built_in_list(path: &str) -> Option<&str> {
        modules(path)?.strip_suffix("/modules.builtin").filter(|release| !release.contains('/'))
    }

    /// Takes note of a file's path.
    pub(super) fn meet(&mut self, path: &str) {
        let Some((release, module)) = modules(path).and_then(|path| path.split_once('/')) else {
            return;
        };
        let module = module.strip_prefix("kernel/fs/ext4/");
        let is_ext4 = module.is_some_and(|name| name.starts_with("ext4.ko"));
        self.note(release, if is_ext4 { Ext4::Module } else { Ext4::Absent });
    }

    /// Takes note of a kernel's list of built-in modules.
    pub(super) fn read(&mut self, release: &str, list: &str) {
        let built_in = list.lines().any(|line| line.ends_with("/fs/ext4/ext4.ko"));
        self.note(release, if built_in { Ext4::BuiltIn } else { Ext4::Absent });
    }

    fn note(&mut self, release: &str, ext4: Ext4) {
        let known = self.0.entry(release.to_owned()).or_insert(Ext4::Absent);
        *known = (*known).max(ext4);
    }

    /// Returns the kernels that have no ext4, if not one has it.
    pub(super) fn hopeless(&self) -> Option<Vec<String>> {
        let hopeless = self.0.values().all(|ext4| *ext4 == Ext4::Absent);
        (hopeless && !self.0.is_empty()).then(|| self.0.keys().cloned().collect())
    }

    /// Returns the kernels whose initramfs must bring ext4 along.
    pub(super) fn by_module(&self) -> Vec<String> {
        let modules = self.0.iter().filter(|(_, ext4)| **ext4 == Ext4::Module);
        modules.map(|(release, _)| release.clone()).collect()
    }
}

/// Returns what of `path` lies below the folder of all kernels' modules.
fn modules(path: &str) -> Option<&str> {
    path.strip_prefix("usr/").unwrap_or(path).strip_prefix("lib/modules/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_told_apart() {
        let mut kernels = Kernels::default();
        assert_eq!(kernels.hopeless(), None);
        kernels.meet("usr/lib/modules/6.1/kernel/fs/xfs/xfs.ko.xz");
        kernels.meet("usr/lib/firmware/x");
        assert_eq!(kernels.hopeless(), Some(vec!["6.1".to_owned()]));
        kernels.meet("lib/modules/6.2/kernel/fs/ext4/ext4.ko.zst");
        kernels.meet("lib/modules/6.2/modules.dep");
        assert_eq!(Kernels::built_in_list("lib/modules/6.3/modules.builtin"), Some("6.3"));
        assert_eq!(Kernels::built_in_list("lib/modules/6.3/x/modules.builtin"), None);
        kernels.read("6.3", "kernel/fs/ext4/ext4.ko\nkernel/fs/jbd2/jbd2.ko\n");
        assert_eq!(kernels.hopeless(), None);
        assert_eq!(kernels.by_module(), ["6.2"]);
    }
}
