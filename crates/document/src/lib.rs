//! Project, component and workflow YAML: typed, spanned and linted.
//!
//! Parsers take text and return values or every problem at once; no file is
//! read here and no document is run.

mod action;
mod address;
mod component;
mod condition;
mod damage;
mod decode;
mod environment;
mod number;
mod problem;
mod project;
mod reference;
mod repeat;
mod schema;
mod span;
mod templated;
mod text;
mod workflow;
mod yaml;

pub use action::{
    Algorithm, AppendFile, Argument, CopyFile, CopyFolder, CreateFile, CreateFolder, CreateSymlink,
    DeleteFile, DeleteFolder, ExecuteBash, ExecuteBinary, ExecuteDocument, ExecutePowerShell,
    ListFiles, MoveFile, MoveFolder, Msi, MsiReboot, Platform, ReadFile, Reboot, RegistryType,
    RegistryValue, ResolvedAction, S3Download, S3Upload, SetFileEncoding, SetFileOwner,
    SetFilePermissions, SetFolderOwner, SetFolderPermissions, SetRegistry, UpdateOs, WebDownload,
};
pub use address::{DocumentAddress, ParseDocumentAddressError, ParseS3AddressError, S3Address};
pub use component::{
    Component, Constant, Executed, MissingParameter, OnFailure, Parameter, ParameterType,
    ParseParameterTypeError, Phase, RESTART_LIMIT, Step, StoredUse, component_schema,
};
pub use condition::{Comparison, Condition, EvaluateError, Guard, Order, Probe, Verdict};
pub use environment::{Environment, ResolveError};
pub use problem::{Parsed, Problem, Problems, Severity, place};
pub use project::{ComponentPlace, NamedComponent, Places, Project, project_schema};
pub use reference::{LoopPart, ParseReferenceError, Reference, StepValue};
pub use repeat::{Over, Repeat, Turn};
pub use span::{Span, Spanned};
pub use templated::Templated;
pub use text::{DecodeTextError, Encoding, Mode, ParseEncodingError, ParseModeError};
pub use workflow::{Workflow, WorkflowParameter, WorkflowStage, WorkflowStep, workflow_schema};
