//! The bases that Goldsmith makes itself, by name.

use model::Mirror;
use name::Digest;

use crate::Epoch;

/// A managed base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Managed {
    /// The short name: `debian-server-12`. The ARN's name adds `-x86`.
    pub name: &'static str,
    /// What it is, in a line.
    pub description: &'static str,
    /// Which release of Debian.
    pub release: Release,
    /// How much of it.
    pub variant: Variant,
}

/// A release of Debian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Debian 12.
    Bookworm,
    /// Debian 13.
    Trixie,
}

/// How much a managed base holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// What boots, finds its network and can be configured by cloud-init.
    Minimal,
    /// What an administrator expects of a server as well.
    Server,
}

/// Every managed base.
pub const MANAGED: [Managed; 4] = [
    Managed {
        name: "debian-minimal-12",
        description: "Debian 12 (bookworm): boots, has a network and cloud-init, nothing else",
        release: Release::Bookworm,
        variant: Variant::Minimal,
    },
    Managed {
        name: "debian-minimal-13",
        description: "Debian 13 (trixie): boots, has a network and cloud-init, nothing else",
        release: Release::Trixie,
        variant: Variant::Minimal,
    },
    Managed {
        name: "debian-server-12",
        description: "Debian 12 (bookworm) with SSH, sudo and a server's usual tools",
        release: Release::Bookworm,
        variant: Variant::Server,
    },
    Managed {
        name: "debian-server-13",
        description: "Debian 13 (trixie) with SSH, sudo and a server's usual tools",
        release: Release::Trixie,
        variant: Variant::Server,
    },
];

impl Managed {
    /// Returns the base called `name`, in short or as in its ARN.
    pub fn find(name: &str) -> Option<&'static Self> {
        let short = name.strip_suffix("-x86").unwrap_or(name);
        MANAGED.iter().find(|managed| managed.name == short)
    }

    /// Returns the name as ARNs spell it, with the architecture.
    pub fn arn_name(&self) -> String {
        format!("{}-x86", self.name)
    }

    /// Returns the identity of what would be made: equal keys, equal bases,
    /// as far as the archive is the same.
    pub fn key(&self, mirror: Option<&Mirror>, epoch: Epoch) -> Digest {
        let mut key = Digest::builder("base/1");
        for argument in self.arguments(mirror) {
            key.text(&argument);
        }
        if let Epoch::Given(seconds) = epoch {
            key.text(&format!("SOURCE_DATE_EPOCH={seconds}"));
        }
        key.finish()
    }
}

impl Release {
    /// Returns the archive's name for it.
    pub fn suite(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_for_a_given_time_is_no_other_times_base() {
        let key = |epoch| MANAGED[0].key(None, epoch);
        assert_eq!(key(Epoch::Day(1)), key(Epoch::Day(2)));
        assert_eq!(key(Epoch::Given(1)), key(Epoch::Given(1)));
        assert_ne!(key(Epoch::Given(1)), key(Epoch::Given(2)));
        assert_ne!(key(Epoch::Given(1)), key(Epoch::Day(1)));
    }
}
