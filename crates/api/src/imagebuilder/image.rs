//! Images: builds of recipes, asked for, shown, cancelled, retired.

mod list;
mod order;
mod pipeline;
mod shown;

use factory::{BuildError, StartError, Started, installed};
use name::{Arn, Kind, Level, Owner};
use store::client_token::{self, Claim};
use store::image::{self, Builds};
use store::{StoreError, StoreErrorKind, ami};
use wire::imagebuilder::{
    CancelImageCreationRequest, CancelImageCreationResponse, CreateImageRequest,
    CreateImageResponse, DeleteImageRequest, DeleteImageResponse, DistributeImageRequest,
    DistributeImageResponse, Error, ErrorKind, GetImagePolicyRequest, GetImagePolicyResponse,
    GetImageRequest, GetImageResponse, ImagePackage, Images, ImportDiskImageRequest,
    ImportDiskImageResponse, ImportVmImageRequest, ImportVmImageResponse,
    ListImageBuildVersionsRequest, ListImageBuildVersionsResponse, ListImagePackagesRequest,
    ListImagePackagesResponse, ListImagesRequest, ListImagesResponse, Operation,
    PutImagePolicyRequest, PutImagePolicyResponse, RetryImageRequest, RetryImageResponse,
};
use wire::sigv4::Caller;

use super::component::exact;
use super::error::{arn, invalid, not_found, refusal, told, unsupported};
use super::latest::latest;
use super::own::own;
use super::page::{Tokens, size};
use super::policy;
use crate::Api;

pub(crate) use list::scope;
pub(crate) use order::Wish;
pub(crate) use shown::{arn_of, status, time};

/// What the ARN of an image build version is called in requests.
const BUILD: &str = "imageBuildVersionArn";

impl Images<Caller> for Api {
    async fn cancel_image_creation(
        &self,
        caller: &Caller,
        input: CancelImageCreationRequest,
    ) -> Result<CancelImageCreationResponse, Error> {
        let operation = Operation::CancelImageCreation;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let cancel = self.cancel(caller, &input.image_build_version_arn, &claim);
                self.once(&claim, cancel).await?
            }
        };
        Ok(CancelImageCreationResponse {
            client_token: Some(input.client_token),
            image_build_version_arn: Some(answer),
            request_id: None,
        })
    }

    async fn create_image(
        &self,
        caller: &Caller,
        input: CreateImageRequest,
    ) -> Result<CreateImageResponse, Error> {
        let operation = Operation::CreateImage;
        let token = input.client_token.clone();
        let (claim, before) = self.claim(caller, operation, &token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => self.start(caller, &input.into(), &claim).await?,
        };
        Ok(CreateImageResponse {
            client_token: Some(token),
            latest_version_references: latest(&arn(BUILD, &answer)?),
            image_build_version_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_image(
        &self,
        caller: &Caller,
        input: DeleteImageRequest,
    ) -> Result<DeleteImageResponse, Error> {
        let image = self.build(caller, BUILD, &input.image_build_version_arn).await?;
        image::forget(self.db(), image.run, self.now()).await.map_err(moved)?;
        Ok(DeleteImageResponse {
            image_build_version_arn: Some(input.image_build_version_arn),
            request_id: None,
        })
    }

    async fn distribute_image(
        &self,
        caller: &Caller,
        input: DistributeImageRequest,
    ) -> Result<DistributeImageResponse, Error> {
        let parameter = "distributionConfigurationArn";
        self.find(caller, parameter, &input.distribution_configuration_arn).await?;
        Err(unsupported(
            "DistributeImage cannot be carried out yet: images are distributed as they are built.",
        ))
    }

    async fn get_image(
        &self,
        caller: &Caller,
        input: GetImageRequest,
    ) -> Result<GetImageResponse, Error> {
        let text = &input.image_build_version_arn;
        let arn = arn(BUILD, text)?;
        if arn.kind() != Kind::Image {
            return Err(not_found(text));
        }
        if let Owner::Managed(_) = arn.owner() {
            let entry = self.find(caller, BUILD, text).await?;
            return Ok(GetImageResponse {
                latest_version_references: latest(&entry.arn),
                image: Some(shown::managed(&entry)?),
                request_id: None,
            });
        }
        let image = self.newest(caller, BUILD, text, Builds::Any).await?;
        let amis = ami::of_run(self.db(), image.run).await.map_err(refusal)?;
        Ok(GetImageResponse {
            latest_version_references: latest(&arn_of(&image)?),
            image: Some(shown::image(&image, &amis)?),
            request_id: None,
        })
    }

    async fn get_image_policy(
        &self,
        caller: &Caller,
        input: GetImagePolicyRequest,
    ) -> Result<GetImagePolicyResponse, Error> {
        let image = self.read(caller, "imageArn", &input.image_arn, "resource policy").await?;
        let policy = image.policy.ok_or_else(|| {
            let message = format!("'{}' has no resource policy.", input.image_arn);
            Error::new(ErrorKind::ResourceNotFound, message)
        })?;
        Ok(GetImagePolicyResponse { policy: Some(policy), request_id: None })
    }

    async fn import_disk_image(
        &self,
        _: &Caller,
        input: ImportDiskImageRequest,
    ) -> Result<ImportDiskImageResponse, Error> {
        exact(&input.semantic_version)
            .map_err(|error| Error::new(ErrorKind::Client, error.message))?;
        Err(Error::new(
            ErrorKind::Client,
            "ImportDiskImage cannot be carried out yet: nothing here installs an operating system \
             from an ISO file.",
        ))
    }

    async fn import_vm_image(
        &self,
        _: &Caller,
        input: ImportVmImageRequest,
    ) -> Result<ImportVmImageResponse, Error> {
        exact(&input.semantic_version)
            .map_err(|error| Error::new(ErrorKind::Client, error.message))?;
        Err(Error::new(
            ErrorKind::Client,
            "ImportVmImage cannot be carried out yet: there are no VM import tasks here. \
             A disk image can be the parent image of a project instead.",
        ))
    }

    async fn list_image_build_versions(
        &self,
        caller: &Caller,
        input: ListImageBuildVersionsRequest,
    ) -> Result<ListImageBuildVersionsResponse, Error> {
        self.image_builds(caller, input).await
    }

    async fn list_image_packages(
        &self,
        caller: &Caller,
        input: ListImagePackagesRequest,
    ) -> Result<ListImagePackagesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImagePackages, &input)?;
        let image = self.read(caller, BUILD, &input.image_build_version_arn, "packages").await?;
        let kept = image::packages(self.db(), image.run).await.map_err(refusal)?;
        let kept = kept.ok_or_else(|| no_packages(&image, &input.image_build_version_arn))?;
        let packages = installed(&kept);
        // The list of an image never changes, so a place in it is enough.
        let from = tokens.read(input.next_token.as_deref())?;
        let from = from.and_then(|from| from.parse().ok()).unwrap_or(0_usize);
        let to = packages.len().min(from.saturating_add(size(input.max_results)));
        let page = packages.get(from..to).unwrap_or_default().iter().map(|package| ImagePackage {
            package_name: Some(package.name.clone()),
            package_version: Some(package.version.clone()),
        });
        Ok(ListImagePackagesResponse {
            image_package_list: Some(page.collect()),
            next_token: (to < packages.len()).then(|| tokens.after(&to.to_string())),
            request_id: None,
        })
    }

    async fn list_images(
        &self,
        caller: &Caller,
        input: ListImagesRequest,
    ) -> Result<ListImagesResponse, Error> {
        self.image_versions(caller, input).await
    }

    async fn put_image_policy(
        &self,
        caller: &Caller,
        input: PutImagePolicyRequest,
    ) -> Result<PutImagePolicyResponse, Error> {
        let image = self.build(caller, "imageArn", &input.image_arn).await?;
        policy::check(&input.policy)?;
        image::set_policy(self.db(), image.run, &input.policy).await.map_err(refusal)?;
        Ok(PutImagePolicyResponse { image_arn: Some(input.image_arn), request_id: None })
    }

    async fn retry_image(
        &self,
        caller: &Caller,
        input: RetryImageRequest,
    ) -> Result<RetryImageResponse, Error> {
        let operation = Operation::RetryImage;
        let token = input.client_token.clone();
        let (claim, before) = self.claim(caller, operation, &token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let retry = self.retry(caller, &input.image_build_version_arn, &claim);
                self.once(&claim, retry).await?
            }
        };
        Ok(RetryImageResponse { client_token: Some(token), image_build_version_arn: Some(answer) })
    }
}

impl Api {
    /// Starts the run of an image and returns its ARN.
    pub(crate) async fn start(
        &self,
        caller: &Caller,
        wish: &Wish,
        claim: &Claim,
    ) -> Result<String, Error> {
        let builder = self.builder()?;
        let (order, shown) = self.order(caller, wish).await?;
        let Started { image } = builder.start(order, shown, claim).await.map_err(not_started)?;
        Ok(image)
    }

    /// Starts another attempt at an image that came to nothing, and returns its ARN.
    async fn retry(&self, caller: &Caller, text: &str, claim: &Claim) -> Result<String, Error> {
        let image = self.build(caller, BUILD, text).await?;
        if image.state.is_in_progress() {
            let message = format!("The image is {}: it is still being built.", image.state);
            return Err(Error::new(ErrorKind::ResourceInUse, message));
        }
        if image.state.retry().is_err() {
            let state = image.state;
            let message =
                format!("'{text}' is {state}: only FAILED and CANCELLED images are retried.");
            return Err(unsupported(message));
        }
        let builder = self.builder()?;
        let order = self.order_again(caller, &image).await?;
        let Started { image } = builder.retry(order, &image, claim).await.map_err(not_started)?;
        Ok(image)
    }

    /// Ends the run of an image and returns its ARN.
    async fn cancel(&self, caller: &Caller, text: &str, claim: &Claim) -> Result<String, Error> {
        let image = self.build(caller, BUILD, text).await?;
        if !image.state.is_in_progress() {
            let message =
                format!("The image is {}: only one that is being built is cancelled.", image.state);
            return Err(unsupported(message));
        }
        if !self.builder()?.cancel(image.run) {
            let message = "The image is being built by another process, or has just ended.";
            return Err(Error::new(ErrorKind::ResourceInUse, message));
        }
        client_token::keep(self.db(), claim, text).await.map_err(refusal)?;
        Ok(text.to_owned())
    }

    /// Returns the caller's image with exactly the ARN in `parameter`.
    pub(crate) async fn build(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
    ) -> Result<image::Image, Error> {
        let arn = own_image(caller, parameter, text)?;
        let Level::Build(build) = arn.level() else { return Err(not_found(text)) };
        let found = image::get(self.db(), scope(caller), arn.name(), build).await;
        found.map_err(refusal)?.ok_or_else(|| not_found(text))
    }

    /// Returns the caller's image with exactly the ARN in `parameter`, to read `what` of it.
    ///
    /// Managed images have nothing of what builds leave behind.
    pub(crate) async fn read(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
        what: &str,
    ) -> Result<image::Image, Error> {
        if let Owner::Managed(_) = arn(parameter, text)?.owner() {
            self.find(caller, parameter, text).await?;
            let message = format!("The managed image '{text}' has no {what}.");
            return Err(Error::new(ErrorKind::ResourceNotFound, message));
        }
        self.build(caller, parameter, text).await
    }

    /// Returns the caller's newest image that the ARN in `parameter` stands for: with a build the
    /// one with the ARN, otherwise one of `builds`.
    pub(crate) async fn newest(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
        builds: Builds,
    ) -> Result<image::Image, Error> {
        let arn = own_image(caller, parameter, text)?;
        if let Level::Build(_) = arn.level() {
            return self.build(caller, parameter, text).await;
        }
        let versions = arn.versions();
        let found = image::latest(self.db(), scope(caller), arn.name(), versions, builds);
        found.await.map_err(refusal)?.ok_or_else(|| not_found(text))
    }

    /// Returns the caller's image if `text` is an image's ARN.
    pub(crate) async fn tagged_image(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<Option<image::Image>, Error> {
        match text.parse::<Arn>() {
            Ok(arn) if arn.kind() == Kind::Image && matches!(arn.owner(), Owner::Account(_)) => {
                self.build(caller, "resourceArn", text).await.map(Some)
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

fn own_image(caller: &Caller, parameter: &str, text: &str) -> Result<Arn, Error> {
    let arn = own(caller, parameter, text)?;
    if arn.kind() == Kind::Image { Ok(arn) } else { Err(invalid(parameter, "It is no image.")) }
}

fn no_packages(image: &image::Image, text: &str) -> Error {
    let why = if image.state.is_in_progress() {
        "they are not known before the image is made"
    } else {
        "the image has no package database that can be read; dpkg's is the only one so far"
    };
    let message = format!("The packages of '{text}' cannot be listed: {why}.");
    Error::new(ErrorKind::ResourceNotFound, message)
}

/// Returns why an image's state could not be changed.
pub(crate) fn moved(error: StoreError) -> Error {
    match error.kind() {
        StoreErrorKind::Transition { source, .. } => {
            unsupported(format!("The image's state cannot be changed: {}.", told(source)))
        }
        _ => refusal(error),
    }
}

/// Returns why a run could not be started.
fn not_started(error: StartError) -> Error {
    let kind = match error {
        StartError::Store(error) | StartError::Record(BuildError::Store(error)) => {
            return moved(error);
        }
        StartError::Full { .. } => ErrorKind::CallRateLimitExceeded,
        StartError::Closed => ErrorKind::ServiceUnavailable,
        StartError::TakenName { .. } => ErrorKind::InvalidRequest,
        _ => ErrorKind::Service,
    };
    Error::new(kind, told(&error))
}
