//! Images as the model has them.

use serde::de::DeserializeOwned;

use model::ImageState;
use name::{Arn, Kind, Level, Owner};
use store::resource::{Entry, Grain};
use store::{AmiStatus, BuildType, ami, image};
use wire::Timestamp;
use wire::imagebuilder::{
    Ami, Error, Image, ImageSource, ImageStatus, ImageSummary, ImageType, ImageVersion,
    OutputResources, Platform,
};

use super::super::date::date;
use super::super::error::broken;
use super::super::latest::{listed_arn, version};
use super::super::own::{body, owner};
use super::super::tag::some;

/// The most characters that a reason has on the wire.
const REASON: usize = 1024;

/// Returns the ARN of an image build version.
pub(crate) fn arn_of(image: &image::Image) -> Result<Arn, Error> {
    let owner = Owner::Account(image.account.clone());
    let level = Level::Build(image.build);
    Arn::new(image.region.clone(), owner, Kind::Image, &image.name, level)
        .map_err(|error| super::super::error::invalid("imageBuildVersionArn", error))
}

/// Returns an image with all that is known of it.
pub(crate) fn image(image: &image::Image, amis: &[ami::Entry]) -> Result<Image, Error> {
    let arn = arn_of(image)?;
    let copies: Image = copies(image, &arn)?;
    Ok(Image {
        version: Some(image.build.version.to_string()),
        name: Some(image.title.clone()),
        r#type: Some(ImageType::Ami),
        platform: Platform::parse(&image.platform),
        os_version: image.os_version.clone(),
        state: Some(state(image)),
        source_pipeline_arn: image.pipeline.clone(),
        date_created: Some(date(image.created_at)),
        output_resources: outputs(image, amis),
        tags: tags(image),
        build_type: wire::imagebuilder::BuildType::parse(image.build_type.as_str()),
        image_source: Some(source(image.build_type)),
        deprecation_time: deprecation_time(image, amis),
        lifecycle_execution_id: image.lifecycle.clone(),
        arn: Some(arn.to_string()),
        ..copies
    })
}

/// Returns an image as lists of builds have it.
pub(crate) fn summary(image: &image::Image, amis: &[ami::Entry]) -> Result<ImageSummary, Error> {
    let arn = arn_of(image)?;
    let copies: Image = copies(image, &arn)?;
    Ok(ImageSummary {
        name: Some(image.title.clone()),
        r#type: Some(ImageType::Ami),
        version: Some(image.build.version.to_string()),
        platform: Platform::parse(&image.platform),
        os_version: image.os_version.clone(),
        state: Some(state(image)),
        owner: Some(owner(&arn)),
        date_created: Some(date(image.created_at)),
        output_resources: outputs(image, amis),
        tags: tags(image),
        build_type: wire::imagebuilder::BuildType::parse(image.build_type.as_str()),
        image_source: Some(source(image.build_type)),
        deprecation_time: deprecation_time(image, amis),
        lifecycle_execution_id: image.lifecycle.clone(),
        logging_configuration: copies.logging_configuration,
        arn: Some(arn.to_string()),
    })
}

/// Returns an image as lists of versions, or of names, have it.
pub(crate) fn version_level(image: &image::Image, grain: Grain) -> Result<ImageVersion, Error> {
    let arn = arn_of(image)?;
    Ok(ImageVersion {
        arn: Some(listed_arn(&arn, grain).to_string()),
        name: Some(image.title.clone()),
        r#type: Some(ImageType::Ami),
        version: Some(image.build.version.to_string()),
        platform: Platform::parse(&image.platform),
        os_version: image.os_version.clone(),
        owner: Some(owner(&arn)),
        date_created: Some(date(image.created_at)),
        build_type: wire::imagebuilder::BuildType::parse(image.build_type.as_str()),
        image_source: Some(source(image.build_type)),
    })
}

/// Returns a managed image.
pub(crate) fn managed(entry: &Entry) -> Result<Image, Error> {
    Ok(Image {
        version: Some(version(&entry.arn)),
        name: Some(entry.name.clone()),
        date_created: Some(date(entry.created_at)),
        tags: some(entry.tags.clone()),
        arn: Some(entry.arn.to_string()),
        ..body(entry)?
    })
}

/// Returns a managed image as lists of builds have it.
pub(crate) fn managed_summary(entry: &Entry) -> Result<ImageSummary, Error> {
    let image = managed(entry)?;
    Ok(ImageSummary {
        arn: image.arn,
        name: image.name,
        r#type: image.r#type,
        version: image.version,
        platform: image.platform,
        os_version: image.os_version,
        state: image.state,
        owner: Some(owner(&entry.arn)),
        date_created: image.date_created,
        tags: image.tags,
        build_type: image.build_type,
        image_source: image.image_source,
        ..ImageSummary::default()
    })
}

/// Returns a managed image as lists of versions, or of names, have it.
pub(crate) fn managed_version(entry: &Entry, grain: Grain) -> Result<ImageVersion, Error> {
    let image = managed(entry)?;
    Ok(ImageVersion {
        arn: Some(listed_arn(&entry.arn, grain).to_string()),
        name: image.name,
        r#type: image.r#type,
        version: image.version,
        platform: image.platform,
        os_version: image.os_version,
        owner: Some(owner(&entry.arn)),
        date_created: image.date_created,
        build_type: image.build_type,
        image_source: image.image_source,
    })
}

fn copies<T: DeserializeOwned>(image: &image::Image, arn: &Arn) -> Result<T, Error> {
    T::deserialize(&image.body).map_err(|error| broken(arn, &error))
}

fn state(image: &image::Image) -> wire::imagebuilder::ImageState {
    let reason: String = image.reason.chars().take(REASON).collect();
    wire::imagebuilder::ImageState {
        status: Some(status(image.state)),
        reason: some(reason),
        failure_context: None,
    }
}

/// Returns the API's word for a state.
pub(crate) fn status(state: ImageState) -> ImageStatus {
    match state {
        ImageState::Pending => ImageStatus::Pending,
        ImageState::Creating => ImageStatus::Creating,
        ImageState::Building => ImageStatus::Building,
        ImageState::Testing => ImageStatus::Testing,
        ImageState::Distributing => ImageStatus::Distributing,
        ImageState::Integrating => ImageStatus::Integrating,
        ImageState::Available => ImageStatus::Available,
        ImageState::Failed => ImageStatus::Failed,
        ImageState::Cancelled => ImageStatus::Cancelled,
        ImageState::Deprecated => ImageStatus::Deprecated,
        ImageState::Disabled => ImageStatus::Disabled,
        ImageState::Deleted => ImageStatus::Deleted,
    }
}

/// Returns the API's word for the state of an AMI, which is registered once it is whole.
fn ami_status(status: AmiStatus) -> ImageStatus {
    match status {
        AmiStatus::Available => ImageStatus::Available,
        AmiStatus::Disabled => ImageStatus::Disabled,
    }
}

fn source(build_type: BuildType) -> ImageSource {
    match build_type {
        BuildType::UserInitiated | BuildType::Scheduled => ImageSource::Custom,
        BuildType::Import => ImageSource::Imported,
    }
}

fn outputs(image: &image::Image, amis: &[ami::Entry]) -> Option<OutputResources> {
    let amis: Vec<Ami> = amis
        .iter()
        .filter(|entry| entry.run == image.run)
        .map(|ami::Entry { ami, status, .. }| Ami {
            region: Some(ami.region.to_string()),
            image: Some(ami.id.to_string()),
            name: Some(ami.name.clone()),
            description: ami.description.clone().filter(|text| !text.is_empty()),
            state: Some(wire::imagebuilder::ImageState {
                status: Some(ami_status(*status)),
                ..Default::default()
            }),
            account_id: Some(ami.owner.to_string()),
        })
        .collect();
    some(amis).map(|amis| OutputResources { amis: Some(amis), containers: None })
}

fn deprecation_time(image: &image::Image, amis: &[ami::Entry]) -> Option<Timestamp> {
    let own = amis.iter().filter(|entry| entry.run == image.run);
    own.filter_map(|entry| entry.deprecated_at).min().map(time)
}

/// Returns microseconds since 1970 as the wire has points in time.
pub(crate) fn time(at: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(at / 1000).unwrap_or_default())
}

fn tags(image: &image::Image) -> Option<std::collections::BTreeMap<String, String>> {
    some(image.tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};
    use proptest::sample::select;

    use super::*;

    proptest! {
        /// The API's word for a state is the word the model has.
        #[test]
        fn states_have_the_models_words(state in select(ImageState::ALL.to_vec())) {
            prop_assert_eq!(status(state).as_str(), state.as_str());
        }
    }
}
