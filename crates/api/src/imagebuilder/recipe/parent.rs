//! What recipes start from: images and AMIs that are there, and may be used.

use base::Managed;
use model::{ParentImage, ParseParentError};
use name::Owner;
use store::image::Builds;
use store::{AmiStatus, StoreErrorKind, ami};
use wire::imagebuilder::{Error, ErrorKind, ImageType, Platform};
use wire::sigv4::Caller;

use super::platform;
use crate::Api;
use crate::imagebuilder::error::{arn, invalid, refusal, told, unsupported};
use crate::imagebuilder::managed::os_version;

/// What is known of a parent image.
#[derive(Debug)]
pub(in crate::imagebuilder) struct Parent {
    /// The platform that its instances have.
    pub(in crate::imagebuilder) platform: Platform,
    /// Its operating system and version, where they are recorded.
    pub(in crate::imagebuilder) os_version: Option<String>,
}

impl Api {
    /// Returns what is known of the machine image in `parameter`, which must be there.
    pub(in crate::imagebuilder) async fn machine_parent(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
    ) -> Result<Parent, Error> {
        let refuse = |error: ParseParentError| match error {
            ParseParentError::Unsupported { .. } => unsupported(format!(
                "The value supplied for parameter '{parameter}' is not valid. {}",
                told(&error)
            )),
            ParseParentError::NotAnImage(_) => invalid(parameter, told(&error)),
            // Files of whoever asks are not here, unlike those of a project.
            ParseParentError::NoDigest(_) | ParseParentError::NeedlessDigest(_) => {
                invalid(parameter, "It must not be a disk image.")
            }
            ParseParentError::BadForm(_) => invalid(
                parameter,
                "It must be an image's ARN, an AMI's id or the name of a managed image as in \
                 'debian-server-12'.",
            ),
        };
        let linux = Parent { platform: Platform::Linux, os_version: None };
        match ParentImage::parse(text, None).map_err(refuse)? {
            ParentImage::Arn(_) => self.image_parent(caller, parameter, text, ImageType::Ami).await,
            ParentImage::Ami(id) => match ami::get(self.db(), id).await {
                Ok(found) if found.ami.region != caller.region => {
                    let region = found.ami.region;
                    let rule = format!("'{text}' is in {region}, not in {}.", caller.region);
                    Err(invalid(parameter, rule))
                }
                Ok(found)
                    if found.ami.owner != caller.account || found.status == AmiStatus::Disabled =>
                {
                    Err(invalid(parameter, "You are not authorized to use the provided image."))
                }
                Ok(_) => Ok(linux),
                Err(error) if matches!(error.kind(), StoreErrorKind::Missing { .. }) => {
                    Err(invalid(parameter, format!("There is no AMI '{text}'.")))
                }
                Err(error) => Err(refusal(error)),
            },
            ParentImage::Name(name) => match Managed::find(&name) {
                Some(found) => {
                    let os_version = Some(os_version(found.release).to_owned());
                    Ok(Parent { os_version, ..linux })
                }
                None => Err(invalid(parameter, format!("There is no managed image '{name}'."))),
            },
            // Without a digest beside them disks are refused above.
            ParentImage::Disk { .. } => Err(invalid(parameter, "It must not be a disk image.")),
        }
    }

    /// Returns what is known of the image of this type with the ARN in `parameter`.
    pub(in crate::imagebuilder) async fn image_parent(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
        r#type: ImageType,
    ) -> Result<Parent, Error> {
        // Only machine images are built and shipped so far.
        let found = ImageType::Ami;
        let image = arn(parameter, text)?;
        let parent = match image.owner() {
            Owner::Managed(_) => {
                let entry = self.find(caller, parameter, text).await?;
                let os_version = entry.body["osVersion"].as_str().map(str::to_owned);
                Parent { platform: platform(entry.body["platform"].as_str()), os_version }
            }
            Owner::Account(_) => {
                // Builds take the newest available one, which may be there by then only.
                let available = self.newest(caller, parameter, text, Builds::Available).await;
                let image = match available {
                    Err(error) if error.kind == ErrorKind::ResourceNotFound => {
                        self.newest(caller, parameter, text, Builds::Any).await?
                    }
                    found => found?,
                };
                Parent { platform: platform(Some(&image.platform)), os_version: image.os_version }
            }
        };
        if found != r#type {
            let rule = format!("'{text}' is an image of type {found}; it must be {type}.");
            return Err(invalid(parameter, rule));
        }
        Ok(parent)
    }
}
