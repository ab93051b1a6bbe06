//! Distribution configurations: where images go.

use wire::imagebuilder::{
    CreateDistributionConfigurationRequest, CreateDistributionConfigurationResponse,
    DeleteDistributionConfigurationRequest, DeleteDistributionConfigurationResponse,
    DistributionConfigurations, Error, GetDistributionConfigurationRequest,
    GetDistributionConfigurationResponse, ListDistributionConfigurationsRequest,
    ListDistributionConfigurationsResponse, Operation, UpdateDistributionConfigurationRequest,
    UpdateDistributionConfigurationResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl DistributionConfigurations<Caller> for Api {
    async fn create_distribution_configuration(
        &self,
        _: &Caller,
        _: CreateDistributionConfigurationRequest,
    ) -> Result<CreateDistributionConfigurationResponse, Error> {
        Err(not_yet(Operation::CreateDistributionConfiguration))
    }

    async fn delete_distribution_configuration(
        &self,
        _: &Caller,
        _: DeleteDistributionConfigurationRequest,
    ) -> Result<DeleteDistributionConfigurationResponse, Error> {
        Err(not_yet(Operation::DeleteDistributionConfiguration))
    }

    async fn get_distribution_configuration(
        &self,
        _: &Caller,
        _: GetDistributionConfigurationRequest,
    ) -> Result<GetDistributionConfigurationResponse, Error> {
        Err(not_yet(Operation::GetDistributionConfiguration))
    }

    async fn list_distribution_configurations(
        &self,
        _: &Caller,
        _: ListDistributionConfigurationsRequest,
    ) -> Result<ListDistributionConfigurationsResponse, Error> {
        Err(not_yet(Operation::ListDistributionConfigurations))
    }

    async fn update_distribution_configuration(
        &self,
        _: &Caller,
        _: UpdateDistributionConfigurationRequest,
    ) -> Result<UpdateDistributionConfigurationResponse, Error> {
        Err(not_yet(Operation::UpdateDistributionConfiguration))
    }
}
