//! The action modules: one variant and one file each.
//!
//! The variant's name is the module's name in documents and its type is both
//! the schema of `inputs` and what a runner gets. What a module does is not
//! known here.

mod append_file;
mod copy_file;
mod create_file;
mod create_folder;
mod delete_file;
mod execute_bash;
mod execute_binary;
mod move_file;
mod reboot;
mod set_file_owner;
mod set_file_permissions;
mod update_os;
mod web_download;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Condition;

pub use append_file::AppendFile;
pub use copy_file::CopyFile;
pub use create_file::CreateFile;
pub use create_folder::CreateFolder;
pub use delete_file::DeleteFile;
pub use execute_bash::ExecuteBash;
pub use execute_binary::ExecuteBinary;
pub use move_file::MoveFile;
pub use reboot::Reboot;
pub use set_file_owner::SetFileOwner;
pub use set_file_permissions::SetFilePermissions;
pub use update_os::UpdateOs;
pub use web_download::{Algorithm, WebDownload};

/// An action with concrete inputs, ready to be carried out.
///
/// Modules that work through a list do so in its order.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub enum ResolvedAction {
    /// Fails the step unless a condition holds.
    Assert(Condition),
    /// Runs commands as one bash script.
    ExecuteBash(ExecuteBash),
    /// Runs one program without a shell.
    ExecuteBinary(ExecuteBinary),
    /// Writes files.
    CreateFile(Vec<CreateFile>),
    /// Adds text to files.
    AppendFile(Vec<AppendFile>),
    /// Makes folders.
    CreateFolder(Vec<CreateFolder>),
    /// Copies files.
    CopyFile(Vec<CopyFile>),
    /// Moves files.
    MoveFile(Vec<MoveFile>),
    /// Deletes files.
    DeleteFile(Vec<DeleteFile>),
    /// Changes the mode of files.
    SetFilePermissions(Vec<SetFilePermissions>),
    /// Changes the owner of files.
    SetFileOwner(Vec<SetFileOwner>),
    /// Fetches files over HTTP.
    WebDownload(Vec<WebDownload>),
    /// Updates installed packages.
    #[serde(rename = "UpdateOS")]
    UpdateOs(UpdateOs),
    /// Restarts the machine.
    Reboot(Reboot),
}

/// The modules of the language that are still to come.
pub(crate) const PLANNED: &[&str] = &[
    "CopyFolder",
    "CreateSymlink",
    "DeleteFolder",
    "ExecuteDocument",
    "ExecutePowerShell",
    "InstallMSI",
    "ListFiles",
    "MoveFolder",
    "ReadFile",
    "S3Download",
    "S3Upload",
    "SetFileEncoding",
    "SetFolderOwner",
    "SetFolderPermissions",
    "SetRegistry",
    "UninstallMSI",
];

/// Returns the names of what `module` puts out.
pub(crate) fn outputs(module: &str) -> &'static [&'static str] {
    match module {
        "ExecuteBash" | "ExecuteBinary" => &["stdout"],
        "WebDownload" => &["destination"],
        _ => &[],
    }
}

fn yes() -> bool {
    true
}
