//! What a recipe starts from.

use std::fmt;

use name::{AmiId, Arn, Digest, Kind, Owner};

/// A parent image as a recipe names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParentImage {
    /// An image of ours or a managed one, by ARN at any level.
    Arn(Arn),
    /// A managed image by its short name, as in `debian-server-12`.
    Name(String),
    /// An AMI of a region's catalogue.
    Ami(AmiId),
    /// A disk image, raw or qcow2.
    Disk {
        /// Where it is.
        location: DiskLocation,
        /// What it must be.
        digest: Digest,
    },
}

/// Where a disk image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskLocation {
    /// A file, relative to the project.
    Path(String),
    /// A web address.
    Url(String),
}

/// A text names no parent image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseParentError {
    /// It is the ARN of something else, or none of Image Builder's.
    #[error(
        "`{0}` is not an image's ARN: expected `arn:aws:imagebuilder:<region>:<account>:image/…`"
    )]
    NotAnImage(String),
    /// It is a disk image without the digest that it must have.
    #[error("the disk image `{0}` needs its SHA-256 beside it")]
    NoDigest(String),
    /// A digest is given for something that is not downloaded.
    #[error("`{0}` is not a disk image: a SHA-256 means nothing for it")]
    NeedlessDigest(String),
    /// Its form is known but there is nothing behind it here.
    #[error("`{text}` is not supported yet: {reason}")]
    Unsupported {
        /// The text.
        text: String,
        /// What is missing.
        reason: &'static str,
    },
    /// It is nothing of this.
    #[error(
        "`{0}` is not a parent image: expected an image's ARN, a managed image's name \
         as in `debian-server-12`, or a disk image as in `./base.qcow2`"
    )]
    BadForm(String),
}

impl ParentImage {
    /// Parses a `parentImage`, with the digest given beside it.
    pub fn parse(text: &str, digest: Option<Digest>) -> Result<Self, ParseParentError> {
        let own = || text.to_owned();
        if let Some(location) = DiskLocation::parse(text) {
            let digest = digest.ok_or_else(|| ParseParentError::NoDigest(own()))?;
            return Ok(Self::Disk { location, digest });
        }
        let parent = if text.starts_with("arn:") {
            match text.parse::<Arn>() {
                Ok(arn) if arn.kind() == Kind::Image => Self::Arn(arn),
                Ok(_) | Err(_) => return Err(ParseParentError::NotAnImage(own())),
            }
        } else if text.starts_with("ami-") {
            Self::Ami(text.parse().map_err(|_| ParseParentError::BadForm(own()))?)
        } else if text.starts_with("ssm:") {
            let reason = "parents are not looked up in the parameter store";
            return Err(ParseParentError::Unsupported { text: own(), reason });
        } else if is_name(text) {
            Self::Name(own())
        } else {
            return Err(ParseParentError::BadForm(own()));
        };
        if digest.is_some() {
            return Err(ParseParentError::NeedlessDigest(own()));
        }
        Ok(parent)
    }

    /// Says whether it is one that the factory makes itself.
    pub fn is_managed(&self) -> bool {
        match self {
            Self::Name(_) => true,
            Self::Arn(arn) => matches!(arn.owner(), Owner::Managed(_)),
            Self::Ami(_) | Self::Disk { .. } => false,
        }
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.chars().all(allowed)
}

impl DiskLocation {
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with("https://") || text.starts_with("http://") {
            return Some(Self::Url(text.to_owned()));
        }
        let ending = [".qcow2", ".raw", ".img"].iter().any(|ending| text.ends_with(ending));
        let is_path = text.starts_with(['/', '.']) || ending;
        is_path.then(|| Self::Path(text.to_owned()))
    }
}

impl fmt::Display for ParentImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Ami(id) => id.fmt(f),
            Self::Disk { location: DiskLocation::Path(text) | DiskLocation::Url(text), .. } => {
                f.write_str(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_told_apart_by_form() {
        let digest = Digest::of(b"disk");
        let parse = |text: &str| ParentImage::parse(text, None);
        let arn = "arn:aws:imagebuilder:local-1:aws:image/debian-server-12-x86/x.x.x";
        assert!(matches!(parse(arn), Ok(ParentImage::Arn(_))));
        assert!(matches!(parse("debian-server-12"), Ok(ParentImage::Name(_))));
        assert!(matches!(parse("ami-00123456789abcdef"), Ok(ParentImage::Ami(_))));
        for disk in ["./base.qcow2", "base.img", "/srv/disk", "https://mirror.example/a.qcow2"] {
            assert_eq!(parse(disk), Err(ParseParentError::NoDigest(disk.to_owned())));
            let parent = ParentImage::parse(disk, Some(digest)).unwrap();
            assert!(matches!(&parent, ParentImage::Disk { .. }), "{disk}");
            assert_eq!(parent.to_string(), disk);
        }
    }

    #[test]
    fn other_parents_are_refused() {
        for bad in ["", "Debian 12", "ami-1", "ssm:/base", "arn:aws:ec2:x::image/ami-1"] {
            assert!(ParentImage::parse(bad, None).is_err(), "{bad}");
        }
        let needless = ParentImage::parse("debian-server-12", Some(Digest::of(b"")));
        assert!(matches!(needless, Err(ParseParentError::NeedlessDigest(_))));
    }
}
