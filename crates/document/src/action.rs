//! The action modules: one variant and one file each.
//!
//! The variant's name is the module's name in documents and its type is both
//! the schema of `inputs` and what a runner gets. What a module does is not
//! known here.

mod append_file;
mod copy_file;
mod copy_folder;
mod create_file;
mod create_folder;
mod create_symlink;
mod delete_file;
mod delete_folder;
mod execute_bash;
mod execute_binary;
mod execute_document;
mod execute_powershell;
mod install_msi;
mod list_files;
mod move_file;
mod move_folder;
mod platform;
mod read_file;
mod reboot;
mod s3_download;
mod s3_upload;
mod set_file_encoding;
mod set_file_owner;
mod set_file_permissions;
mod set_folder_owner;
mod set_folder_permissions;
mod set_registry;
mod update_os;
mod web_download;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Condition;

pub use append_file::AppendFile;
pub use copy_file::CopyFile;
pub use copy_folder::CopyFolder;
pub use create_file::CreateFile;
pub use create_folder::CreateFolder;
pub use create_symlink::CreateSymlink;
pub use delete_file::DeleteFile;
pub use delete_folder::DeleteFolder;
pub use execute_bash::ExecuteBash;
pub use execute_binary::ExecuteBinary;
pub use execute_document::{Argument, ExecuteDocument};
pub use execute_powershell::ExecutePowerShell;
pub use install_msi::{Msi, MsiReboot};
pub use list_files::ListFiles;
pub use move_file::MoveFile;
pub use move_folder::MoveFolder;
pub use platform::Platform;
pub use read_file::ReadFile;
pub use reboot::Reboot;
pub use s3_download::S3Download;
pub use s3_upload::S3Upload;
pub use set_file_encoding::SetFileEncoding;
pub use set_file_owner::SetFileOwner;
pub use set_file_permissions::SetFilePermissions;
pub use set_folder_owner::SetFolderOwner;
pub use set_folder_permissions::SetFolderPermissions;
pub use set_registry::{RegistryType, RegistryValue, SetRegistry};
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
    /// Runs commands or a script with PowerShell.
    ExecutePowerShell(ExecutePowerShell),
    /// Executes another document.
    ExecuteDocument(ExecuteDocument),
    /// Writes files.
    CreateFile(Vec<CreateFile>),
    /// Adds text to files.
    AppendFile(Vec<AppendFile>),
    /// Puts the text of files out.
    ReadFile(Vec<ReadFile>),
    /// Tells which files are in folders.
    ListFiles(Vec<ListFiles>),
    /// Copies files.
    CopyFile(Vec<CopyFile>),
    /// Moves files.
    MoveFile(Vec<MoveFile>),
    /// Deletes files.
    DeleteFile(Vec<DeleteFile>),
    /// Changes the encoding of files.
    SetFileEncoding(Vec<SetFileEncoding>),
    /// Changes the owner of files.
    SetFileOwner(Vec<SetFileOwner>),
    /// Changes the mode of files.
    SetFilePermissions(Vec<SetFilePermissions>),
    /// Makes folders.
    CreateFolder(Vec<CreateFolder>),
    /// Copies folders.
    CopyFolder(Vec<CopyFolder>),
    /// Moves folders.
    MoveFolder(Vec<MoveFolder>),
    /// Deletes folders.
    DeleteFolder(Vec<DeleteFolder>),
    /// Changes the owner of folders.
    SetFolderOwner(Vec<SetFolderOwner>),
    /// Changes the mode of folders.
    SetFolderPermissions(Vec<SetFolderPermissions>),
    /// Makes symbolic links.
    CreateSymlink(Vec<CreateSymlink>),
    /// Fetches files over HTTP.
    WebDownload(Vec<WebDownload>),
    /// Fetches objects from S3.
    S3Download(Vec<S3Download>),
    /// Stores files in S3.
    S3Upload(Vec<S3Upload>),
    /// Installs a Windows package.
    #[serde(rename = "InstallMSI")]
    InstallMsi(Msi),
    /// Removes a Windows package.
    #[serde(rename = "UninstallMSI")]
    UninstallMsi(Msi),
    /// Sets values in the Windows registry.
    SetRegistry(Vec<SetRegistry>),
    /// Updates installed packages.
    #[serde(rename = "UpdateOS")]
    UpdateOs(UpdateOs),
    /// Restarts the machine.
    Reboot(Reboot),
}

/// Returns the names of what `module` puts out.
pub(crate) fn outputs(module: &str) -> &'static [&'static str] {
    match module {
        "ExecuteBash" | "ExecuteBinary" | "ExecutePowerShell" => &["stdout"],
        "ExecuteDocument" => &[
            "executedStepCount",
            "executionId",
            "failedStepCount",
            "failureMessage",
            "ignoredFailedStepCount",
            "logUrl",
            "status",
        ],
        "InstallMSI" | "UninstallMSI" => &["logFile", "msiExitCode", "stdout"],
        "ListFiles" => &["files"],
        "ReadFile" => &["content"],
        "WebDownload" => &["destination"],
        _ => &[],
    }
}

fn yes() -> bool {
    true
}
