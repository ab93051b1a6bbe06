//! Images: builds of recipes.

use wire::imagebuilder::{
    CancelImageCreationRequest, CancelImageCreationResponse, CreateImageRequest,
    CreateImageResponse, DeleteImageRequest, DeleteImageResponse, DistributeImageRequest,
    DistributeImageResponse, Error, GetImagePolicyRequest, GetImagePolicyResponse, GetImageRequest,
    GetImageResponse, Images, ImportDiskImageRequest, ImportDiskImageResponse,
    ImportVmImageRequest, ImportVmImageResponse, ListImageBuildVersionsRequest,
    ListImageBuildVersionsResponse, ListImagePackagesRequest, ListImagePackagesResponse,
    ListImagesRequest, ListImagesResponse, Operation, PutImagePolicyRequest,
    PutImagePolicyResponse, RetryImageRequest, RetryImageResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl Images<Caller> for Api {
    async fn cancel_image_creation(
        &self,
        _: &Caller,
        _: CancelImageCreationRequest,
    ) -> Result<CancelImageCreationResponse, Error> {
        Err(not_yet(Operation::CancelImageCreation))
    }

    async fn create_image(
        &self,
        _: &Caller,
        _: CreateImageRequest,
    ) -> Result<CreateImageResponse, Error> {
        Err(not_yet(Operation::CreateImage))
    }

    async fn delete_image(
        &self,
        _: &Caller,
        _: DeleteImageRequest,
    ) -> Result<DeleteImageResponse, Error> {
        Err(not_yet(Operation::DeleteImage))
    }

    async fn distribute_image(
        &self,
        _: &Caller,
        _: DistributeImageRequest,
    ) -> Result<DistributeImageResponse, Error> {
        Err(not_yet(Operation::DistributeImage))
    }

    async fn get_image(&self, _: &Caller, _: GetImageRequest) -> Result<GetImageResponse, Error> {
        Err(not_yet(Operation::GetImage))
    }

    async fn get_image_policy(
        &self,
        _: &Caller,
        _: GetImagePolicyRequest,
    ) -> Result<GetImagePolicyResponse, Error> {
        Err(not_yet(Operation::GetImagePolicy))
    }

    async fn import_disk_image(
        &self,
        _: &Caller,
        _: ImportDiskImageRequest,
    ) -> Result<ImportDiskImageResponse, Error> {
        Err(not_yet(Operation::ImportDiskImage))
    }

    async fn import_vm_image(
        &self,
        _: &Caller,
        _: ImportVmImageRequest,
    ) -> Result<ImportVmImageResponse, Error> {
        Err(not_yet(Operation::ImportVmImage))
    }

    async fn list_image_build_versions(
        &self,
        _: &Caller,
        _: ListImageBuildVersionsRequest,
    ) -> Result<ListImageBuildVersionsResponse, Error> {
        Err(not_yet(Operation::ListImageBuildVersions))
    }

    async fn list_image_packages(
        &self,
        _: &Caller,
        _: ListImagePackagesRequest,
    ) -> Result<ListImagePackagesResponse, Error> {
        Err(not_yet(Operation::ListImagePackages))
    }

    async fn list_images(
        &self,
        _: &Caller,
        _: ListImagesRequest,
    ) -> Result<ListImagesResponse, Error> {
        Err(not_yet(Operation::ListImages))
    }

    async fn put_image_policy(
        &self,
        _: &Caller,
        _: PutImagePolicyRequest,
    ) -> Result<PutImagePolicyResponse, Error> {
        Err(not_yet(Operation::PutImagePolicy))
    }

    async fn retry_image(
        &self,
        _: &Caller,
        _: RetryImageRequest,
    ) -> Result<RetryImageResponse, Error> {
        Err(not_yet(Operation::RetryImage))
    }
}
