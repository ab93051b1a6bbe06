//! A small client of S3: reads, lists and stores objects, signed or anonymous.
//!
//! Knows nothing of files and folders on this machine beyond the file that is
//! sent; where objects go is the actions' to say. An object larger than one
//! request may hold (5 GiB) is refused when it is stored.

mod answer;
mod client;
mod content;
#[cfg(test)]
pub(crate) mod server;
mod transfer;

pub use transfer::{TransferError, read_object, store_folder};

pub(crate) use client::{Client, S3Error};
