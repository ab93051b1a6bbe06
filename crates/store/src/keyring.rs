//! The key that secrets in the database are sealed with, in a file beside it.
//!
//! Whoever has the database alone, a backup or a copy of it, cannot read
//! them; whoever has the data folder can (decision 0013).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::rand::{GetRandomFlags, getrandom};
use seal::{Key, Secret};
use zeroize::Zeroizing;

use crate::StoreErrorKind;

/// The keyring. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Keyring(Arc<Key>);

/// The keyring cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to use the keyring `{}`", path.display())]
pub struct KeyringError {
    path: PathBuf,
    #[source]
    kind: KeyringErrorKind,
}

/// What is wrong with the keyring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringErrorKind {
    /// Others than its owner may read or write it.
    #[error("others may use it: its mode is {mode:03o}, expected 600")]
    Open {
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("it belongs to user {owner}, not to user {user}")]
    Foreign {
        /// Whose it is.
        owner: u32,
        /// Who wants to use it.
        user: u32,
    },
    /// It is no file, or has no key in it.
    #[error("it is not a keyring: expected a file with a line `{FORMAT}` and 64 hex digits")]
    Format,
    /// It could not be read or made.
    #[error("failed to read or make it")]
    Io(#[from] io::Error),
}

impl KeyringError {
    /// Returns what is wrong.
    pub fn kind(&self) -> &KeyringErrorKind {
        &self.kind
    }
}

const FORMAT: &str = "goldsmith-keyring-1";

impl Keyring {
    /// Opens the keyring at `path`; makes it, with a new key, if it is not there.
    ///
    /// It appears whole or not at all, and when several processes make it they
    /// end with the same one. One that others may read is refused.
    pub fn open(path: &Path) -> Result<Self, KeyringError> {
        let opened = match read(path) {
            Err(KeyringErrorKind::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                make(path).and_then(|()| read(path))
            }
            opened => opened,
        };
        let key = opened.map_err(|kind| KeyringError { path: path.to_owned(), kind })?;
        Ok(Self(Arc::new(key)))
    }

    /// Returns a secret as the column of the row that `context` names may hold it.
    pub(crate) fn seal(&self, context: &str, secret: &Secret) -> Result<String, StoreErrorKind> {
        let nonce = draw().map_err(StoreErrorKind::Random)?;
        Ok(self.0.seal(context, secret.expose().as_bytes(), *nonce))
    }

    /// Returns the secret that a column of the row that `context` names holds.
    pub(crate) fn open_column(
        &self,
        column: &'static str,
        context: &str,
        sealed: &str,
    ) -> Result<Secret, StoreErrorKind> {
        let unsealed = |source| StoreErrorKind::Sealed { column, source };
        let plain = self.0.open(context, sealed).map_err(unsealed)?;
        let text = std::str::from_utf8(&plain)
            .expect("what was sealed here was a text, and it is authentic");
        Ok(Secret::new(text.to_owned()))
    }
}

fn read(path: &Path) -> Result<Key, KeyringErrorKind> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = flags.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(KeyringErrorKind::Format);
        }
        opened => opened?,
    };
    require_private(&file)?;
    let mut text = Zeroizing::new(Vec::with_capacity(256));
    file.take(256).read_to_end(&mut text)?;
    parse(&text).map(Key::from_bytes).ok_or(KeyringErrorKind::Format)
}

fn require_private(file: &File) -> Result<(), KeyringErrorKind> {
    let meta = file.metadata()?;
    let user = rustix::process::geteuid().as_raw();
    if !meta.is_file() {
        return Err(KeyringErrorKind::Format);
    }
    if meta.uid() != user {
        return Err(KeyringErrorKind::Foreign { owner: meta.uid(), user });
    }
    match meta.mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(KeyringErrorKind::Open { mode }),
        _ => Ok(()),
    }
}

/// Makes a keyring, unless somebody else just did.
fn make(path: &Path) -> Result<(), KeyringErrorKind> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Made with mode 0600, before the key is in it.
    let mut partial = tempfile::NamedTempFile::new_in(folder)?;
    let bytes: Zeroizing<[u8; 32]> = draw()?;
    let mut text = Zeroizing::new(format!("{FORMAT}\n"));
    for byte in bytes.iter() {
        text.push_str(&format!("{byte:02x}"));
    }
    text.push('\n');
    partial.write_all(text.as_bytes())?;
    partial.as_file().sync_all()?;
    match partial.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error)?,
        // Secrets sealed with a key that a power cut takes back would be lost.
        _ => Ok(File::open(folder)?.sync_all()?),
    }
}

fn parse(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let digits = text.strip_prefix(FORMAT.as_bytes())?.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
    let mut bytes = Zeroizing::new([0; 32]);
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

/// Returns random bytes of the operating system.
fn draw<const N: usize>() -> io::Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    // Up to 256 bytes come at once (getrandom(2)).
    getrandom(&mut bytes[..], GetRandomFlags::empty())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_keyring_is_made_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        let first = Keyring::open(&path).unwrap();
        let sealed = first.seal("here", &Secret::new("secret".to_owned())).unwrap();
        let again = Keyring::open(&path).unwrap();
        assert_eq!(again.open_column("value", "here", &sealed).unwrap().expose(), "secret");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::metadata(&path).unwrap().len(), 85);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = Keyring::open(&folder.path().join("other")).unwrap();
        let error = other.open_column("value", "here", &sealed).unwrap_err();
        assert!(matches!(error, StoreErrorKind::Sealed { column: "value", .. }), "{error:?}");
    }

    #[test]
    fn those_who_make_it_at_once_get_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        let makers: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || Keyring::open(&path).unwrap().0.id())
            })
            .collect();
        let mut ids: Vec<_> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn one_that_others_may_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        Keyring::open(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            set_mode(&path, mode);
            let error = Keyring::open(&path).unwrap_err();
            let KeyringErrorKind::Open { mode: found } = error.kind() else { panic!("{error:?}") };
            assert_eq!(*found, mode);
        }
        set_mode(&path, 0o400);
        Keyring::open(&path).unwrap();
    }

    #[test]
    fn what_is_no_keyring_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        let [digits, other] = ["0".repeat(64), "g".repeat(64)];
        for text in [
            "",
            "goldsmith-keyring-1\n",
            &format!("goldsmith-keyring-2\n{digits}\n"),
            &format!("goldsmith-keyring-1\n{digits}"),
            &format!("goldsmith-keyring-1\n{other}\n"),
            &format!("goldsmith-keyring-1\n{digits}0\n"),
            &"x".repeat(1000),
        ] {
            fs::write(&path, text).unwrap();
            set_mode(&path, 0o600);
            let error = Keyring::open(&path).unwrap_err();
            assert!(matches!(error.kind(), KeyringErrorKind::Format), "{error:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        let error = Keyring::open(&path).unwrap_err();
        assert!(matches!(error.kind(), KeyringErrorKind::Format), "{error:?}");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let error = Keyring::open(&path).unwrap_err();
        assert!(matches!(error.kind(), KeyringErrorKind::Format), "{error:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let error = Keyring::open(Path::new("/nowhere/keyring")).unwrap_err();
        assert_eq!(error.to_string(), "failed to use the keyring `/nowhere/keyring`");
        assert!(matches!(error.kind(), KeyringErrorKind::Io(_)), "{error:?}");
    }
}
