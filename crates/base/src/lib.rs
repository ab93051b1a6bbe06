//! Makes or imports the operating system a recipe starts from.
//!
//! A base is a tree of files under `bases/` in the data folder, named by the
//! digest of what it was made from. It is made once and never changed.

mod debian;
mod download;
mod epoch;
mod format;
mod hashing;
mod import;
mod make;
mod managed;
mod os;
mod receipt;

pub use download::DownloadError;
pub use epoch::Epoch;
pub use import::{ImportError, Origin, import};
pub use make::{MakeError, make};
pub use managed::{MANAGED, Managed, Release, Variant};
pub use os::Os;
pub use receipt::{Boot, FOLDER, MadeOf, Receipt, ReceiptError, Watch};
