//! Infrastructure configurations: what instances look like.

use wire::imagebuilder::{
    CreateInfrastructureConfigurationRequest, CreateInfrastructureConfigurationResponse,
    DeleteInfrastructureConfigurationRequest, DeleteInfrastructureConfigurationResponse, Error,
    GetInfrastructureConfigurationRequest, GetInfrastructureConfigurationResponse,
    InfrastructureConfigurations, ListInfrastructureConfigurationsRequest,
    ListInfrastructureConfigurationsResponse, Operation, UpdateInfrastructureConfigurationRequest,
    UpdateInfrastructureConfigurationResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl InfrastructureConfigurations<Caller> for Api {
    async fn create_infrastructure_configuration(
        &self,
        _: &Caller,
        _: CreateInfrastructureConfigurationRequest,
    ) -> Result<CreateInfrastructureConfigurationResponse, Error> {
        Err(not_yet(Operation::CreateInfrastructureConfiguration))
    }

    async fn delete_infrastructure_configuration(
        &self,
        _: &Caller,
        _: DeleteInfrastructureConfigurationRequest,
    ) -> Result<DeleteInfrastructureConfigurationResponse, Error> {
        Err(not_yet(Operation::DeleteInfrastructureConfiguration))
    }

    async fn get_infrastructure_configuration(
        &self,
        _: &Caller,
        _: GetInfrastructureConfigurationRequest,
    ) -> Result<GetInfrastructureConfigurationResponse, Error> {
        Err(not_yet(Operation::GetInfrastructureConfiguration))
    }

    async fn list_infrastructure_configurations(
        &self,
        _: &Caller,
        _: ListInfrastructureConfigurationsRequest,
    ) -> Result<ListInfrastructureConfigurationsResponse, Error> {
        Err(not_yet(Operation::ListInfrastructureConfigurations))
    }

    async fn update_infrastructure_configuration(
        &self,
        _: &Caller,
        _: UpdateInfrastructureConfigurationRequest,
    ) -> Result<UpdateInfrastructureConfigurationResponse, Error> {
        Err(not_yet(Operation::UpdateInfrastructureConfiguration))
    }
}
