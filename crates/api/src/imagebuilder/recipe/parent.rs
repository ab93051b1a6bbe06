//! What recipes start from: images and AMIs that are there, and may be used.

use base::Managed;
use model::{ParentImage, ParseParentError};
use name::Arn;
use store::{StoreErrorKind, ami};
use wire::imagebuilder::{Error, ImageType, Platform};
use wire::sigv4::Caller;

use super::platform;
use crate::Api;
use crate::imagebuilder::error::{invalid, refusal, told, unsupported};

/// What is known of a parent image.
#[derive(Debug)]
pub(in crate::imagebuilder) struct Parent {
    /// Its ARN as it is given, if it has one.
    pub(in crate::imagebuilder) arn: Option<Arn>,
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
            ParseParentError::NotAnImage(_)
            | ParseParentError::NoDigest(_)
            | ParseParentError::NeedlessDigest(_)
            | ParseParentError::BadForm(_) => invalid(parameter, told(&error)),
        };
        let linux = Parent { arn: None, platform: Platform::Linux, os_version: None };
        match ParentImage::parse(text, None).map_err(refuse)? {
            ParentImage::Arn(_) => self.image_parent(caller, parameter, text, ImageType::Ami).await,
            ParentImage::Ami(id) => match ami::get(self.db(), id).await {
                Ok(found) if found.ami.region != caller.region => {
                    let region = found.ami.region;
                    let rule = format!("'{text}' is in {region}, not in {}.", caller.region);
                    Err(invalid(parameter, rule))
                }
                Ok(found) if found.ami.owner != caller.account => {
                    Err(invalid(parameter, "You are not authorized to use the provided image."))
                }
                Ok(_) => Ok(linux),
                Err(error) if matches!(error.kind(), StoreErrorKind::Missing { .. }) => {
                    Err(invalid(parameter, format!("There is no AMI '{text}'.")))
                }
                Err(error) => Err(refusal(error)),
            },
            ParentImage::Name(name) if Managed::find(&name).is_some() => Ok(linux),
            ParentImage::Name(name) => {
                Err(invalid(parameter, format!("There is no managed image '{name}'.")))
            }
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
        let entry = self.find(caller, parameter, text).await?;
        let found = entry.body["type"].as_str().unwrap_or(ImageType::Ami.as_str());
        if found != r#type.as_str() {
            let rule = format!("'{text}' is an image of type {found}; it must be {type}.");
            return Err(invalid(parameter, rule));
        }
        Ok(Parent {
            arn: Some(super::super::error::arn(parameter, text)?),
            platform: platform(&entry.body),
            os_version: entry.body["osVersion"].as_str().map(str::to_owned),
        })
    }
}
