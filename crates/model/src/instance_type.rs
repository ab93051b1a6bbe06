//! Instance types: EC2's names for sizes of machines.
//!
//! Only the general families are known, by their rule: the size says how many
//! processors, the family how much memory each has. They set limits here; no
//! catalogue of prices or disks is meant.

use std::fmt;
use std::str::FromStr;

use crate::Architecture;

/// An instance type and what it means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceType {
    name: String,
    vcpus: u32,
    memory_mib: u64,
    architecture: Architecture,
}

impl InstanceType {
    /// Returns EC2's name, as in `t3.medium`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of virtual processors.
    pub fn vcpus(&self) -> u32 {
        self.vcpus
    }

    /// Returns the memory in MiB.
    pub fn memory_mib(&self) -> u64 {
        self.memory_mib
    }

    /// Returns how many processes may exist at once.
    ///
    /// EC2 has no such limit; fork bombs are why we do.
    pub fn process_limit(&self) -> u32 {
        1024 * self.vcpus.min(16)
    }

    /// Returns the instruction set.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }
}

impl Default for InstanceType {
    fn default() -> Self {
        Self {
            name: "t3.medium".to_owned(),
            vcpus: 2,
            memory_mib: 4096,
            architecture: Architecture::X86_64,
        }
    }
}

/// A text is no instance type, or none that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseInstanceTypeError {
    /// The family is unknown.
    #[error("`{name}` is of a family that is not known here: known are {}", families())]
    UnknownFamily {
        /// The name.
        name: String,
    },
    /// The family has no such size.
    #[error("`{name}` does not exist: {family} has {sizes}")]
    UnknownSize {
        /// The name.
        name: String,
        /// The family.
        family: &'static str,
        /// The sizes it has.
        sizes: &'static str,
    },
    /// It is not a family and a size.
    #[error("`{name}` is not an instance type: expected a family and a size, as in `t3.medium`")]
    BadForm {
        /// The name.
        name: String,
    },
}

/// How a family's sizes translate into memory.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// One processor in the small sizes.
    OldBurstable,
    /// Two processors in the small sizes.
    Burstable,
    /// Sizes from `large`, with so many GiB for each processor.
    Fixed(u64),
}

use Architecture::{Arm64, X86_64};
use Class::{Burstable, Fixed, OldBurstable};

const FAMILIES: &[(&str, Class, Architecture)] = &[
    ("t2", OldBurstable, X86_64),
    ("t3", Burstable, X86_64),
    ("t3a", Burstable, X86_64),
    ("t4g", Burstable, Arm64),
    ("m4", Fixed(4), X86_64),
    ("m5", Fixed(4), X86_64),
    ("m5a", Fixed(4), X86_64),
    ("m6a", Fixed(4), X86_64),
    ("m6g", Fixed(4), Arm64),
    ("m6i", Fixed(4), X86_64),
    ("m7a", Fixed(4), X86_64),
    ("m7g", Fixed(4), Arm64),
    ("m7i", Fixed(4), X86_64),
    ("c5", Fixed(2), X86_64),
    ("c5a", Fixed(2), X86_64),
    ("c6a", Fixed(2), X86_64),
    ("c6g", Fixed(2), Arm64),
    ("c6i", Fixed(2), X86_64),
    ("c7a", Fixed(2), X86_64),
    ("c7g", Fixed(2), Arm64),
    ("c7i", Fixed(2), X86_64),
    ("r5", Fixed(8), X86_64),
    ("r5a", Fixed(8), X86_64),
    ("r6a", Fixed(8), X86_64),
    ("r6g", Fixed(8), Arm64),
    ("r6i", Fixed(8), X86_64),
    ("r7g", Fixed(8), Arm64),
    ("r7i", Fixed(8), X86_64),
];

const BURSTABLE_SIZES: &str = "nano, micro, small, medium, large, xlarge and 2xlarge";
const FIXED_SIZES: &str = "large, xlarge and 2xlarge to 48xlarge";

fn families() -> String {
    FAMILIES.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}

impl FromStr for InstanceType {
    type Err = ParseInstanceTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = || text.to_owned();
        let (family, size) =
            text.split_once('.').ok_or_else(|| ParseInstanceTypeError::BadForm { name: name() })?;
        let (family, class, architecture) = FAMILIES
            .iter()
            .copied()
            .find(|(known, ..)| *known == family)
            .ok_or_else(|| ParseInstanceTypeError::UnknownFamily { name: name() })?;
        let (vcpus, memory_mib) = class.size(size).ok_or_else(|| {
            let sizes = match class {
                OldBurstable | Burstable => BURSTABLE_SIZES,
                Fixed(_) => FIXED_SIZES,
            };
            ParseInstanceTypeError::UnknownSize { name: name(), family, sizes }
        })?;
        Ok(Self { name: name(), vcpus, memory_mib, architecture })
    }
}

impl Class {
    /// Returns the processors and MiB of a size.
    fn size(self, size: &str) -> Option<(u32, u64)> {
        let small = if self == OldBurstable { 1 } else { 2 };
        let gib_per_vcpu = match self {
            OldBurstable | Burstable => 4,
            Fixed(gib) => gib,
        };
        match (self, size) {
            (OldBurstable | Burstable, "nano") => Some((small, 512)),
            (OldBurstable | Burstable, "micro") => Some((small, 1024)),
            (OldBurstable | Burstable, "small") => Some((small, 2048)),
            (OldBurstable | Burstable, "medium") => Some((2, 4096)),
            (_, "large") => Some((2, 2 * gib_per_vcpu * 1024)),
            (_, "xlarge") => Some((4, 4 * gib_per_vcpu * 1024)),
            (_, _) => {
                let times: u32 = size.strip_suffix("xlarge")?.parse().ok()?;
                let exists = match self {
                    OldBurstable | Burstable => times == 2,
                    Fixed(_) => [2, 4, 8, 9, 12, 16, 18, 24, 32, 36, 48].contains(&times),
                };
                let vcpus = 4 * times;
                exists.then_some((vcpus, u64::from(vcpus) * gib_per_vcpu * 1024))
            }
        }
    }
}

impl fmt::Display for InstanceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_family_s_rule() {
        for (name, vcpus, mib) in [
            ("t2.micro", 1, 1024),
            ("t3.nano", 2, 512),
            ("t3.medium", 2, 4096),
            ("t3a.2xlarge", 8, 32 * 1024),
            ("m5.large", 2, 8 * 1024),
            ("m7i.48xlarge", 192, 768 * 1024),
            ("c5.9xlarge", 36, 72 * 1024),
            ("c6i.xlarge", 4, 8 * 1024),
            ("r5.large", 2, 16 * 1024),
        ] {
            let found: InstanceType = name.parse().unwrap();
            assert_eq!((found.vcpus(), found.memory_mib()), (vcpus, mib), "{name}");
        }
        assert_eq!("t3.medium".parse(), Ok(InstanceType::default()));
        assert_eq!("m6g.large".parse::<InstanceType>().unwrap().architecture(), Arm64);
    }

    #[test]
    fn unknown_types_are_explained() {
        let explain = |name: &str| name.parse::<InstanceType>().unwrap_err().to_string();
        assert!(explain("t3").contains("expected a family and a size"));
        assert!(explain("z9.large").contains("known are t2, t3"));
        assert!(explain("t3.metal").contains("t3 has nano"));
        assert!(explain("m5.nano").contains("m5 has large"));
        assert!(explain("m5.-2xlarge").contains("m5 has large"));
    }
}
