//! Infrastructure configurations: what instances look like.

use model::InstanceType;
use name::Kind;
use serde_json::json;
use store::resource::{Entry, New};
use wire::imagebuilder::{
    CreateInfrastructureConfigurationRequest, CreateInfrastructureConfigurationResponse,
    DeleteInfrastructureConfigurationRequest, DeleteInfrastructureConfigurationResponse, Error,
    GetInfrastructureConfigurationRequest, GetInfrastructureConfigurationResponse,
    InfrastructureConfiguration, InfrastructureConfigurationSummary, InfrastructureConfigurations,
    ListInfrastructureConfigurationsRequest, ListInfrastructureConfigurationsResponse, Logging,
    Operation, Placement, TenancyType, UpdateInfrastructureConfigurationRequest,
    UpdateInfrastructureConfigurationResponse,
};
use wire::sigv4::Caller;

use super::date::{date, updated};
use super::error::{combination, invalid, told, unsupported};
use super::filter::Known;
use super::make::plain;
use super::own::{body, own};
use super::page::{Listing, Tokens};
use super::tag::some;
use super::templated;
use crate::Api;

const FILTERS: &[Known] = &[("name", "name")];
const ARN: &str = "infrastructureConfigurationArn";

impl InfrastructureConfigurations<Caller> for Api {
    async fn create_infrastructure_configuration(
        &self,
        caller: &Caller,
        input: CreateInfrastructureConfigurationRequest,
    ) -> Result<CreateInfrastructureConfigurationResponse, Error> {
        let operation = Operation::CreateInfrastructureConfiguration;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let token = input.client_token.clone();
        let answer = match before {
            Some(answer) => answer,
            None => {
                let is_dry_run = input.dry_run;
                self.make(&draft(caller, input, claim.at)?, &claim, is_dry_run).await?
            }
        };
        Ok(CreateInfrastructureConfigurationResponse {
            client_token: Some(token),
            infrastructure_configuration_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_infrastructure_configuration(
        &self,
        caller: &Caller,
        input: DeleteInfrastructureConfigurationRequest,
    ) -> Result<DeleteInfrastructureConfigurationResponse, Error> {
        let arn = input.infrastructure_configuration_arn;
        self.delete(caller, ARN, &arn).await?;
        Ok(DeleteInfrastructureConfigurationResponse {
            infrastructure_configuration_arn: Some(arn),
            request_id: None,
        })
    }

    async fn get_infrastructure_configuration(
        &self,
        caller: &Caller,
        input: GetInfrastructureConfigurationRequest,
    ) -> Result<GetInfrastructureConfigurationResponse, Error> {
        let entry = self.find(caller, ARN, &input.infrastructure_configuration_arn).await?;
        Ok(GetInfrastructureConfigurationResponse {
            infrastructure_configuration: Some(configuration(entry)?),
            request_id: None,
        })
    }

    async fn list_infrastructure_configurations(
        &self,
        caller: &Caller,
        input: ListInfrastructureConfigurationsRequest,
    ) -> Result<ListInfrastructureConfigurationsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListInfrastructureConfigurations, &input)?;
        let mut listing =
            Listing::of_kind(Kind::InfrastructureConfiguration, input.filters, FILTERS)?;
        listing.max_results = input.max_results;
        listing.next_token = input.next_token;
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListInfrastructureConfigurationsResponse {
            infrastructure_configuration_summary_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn update_infrastructure_configuration(
        &self,
        caller: &Caller,
        input: UpdateInfrastructureConfigurationRequest,
    ) -> Result<UpdateInfrastructureConfigurationResponse, Error> {
        let operation = Operation::UpdateInfrastructureConfiguration;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let token = input.client_token.clone();
        let text = input.infrastructure_configuration_arn.clone();
        if before.is_none() {
            let arn = own(caller, ARN, &text)?;
            self.replace(arn, json!(changed(input)?), &claim).await?;
        }
        Ok(UpdateInfrastructureConfigurationResponse {
            client_token: Some(token),
            infrastructure_configuration_arn: Some(text),
            request_id: None,
        })
    }
}

/// Makes a configuration of the members of a request: those for a new one and those for a change
/// have the same, in types of their own. What a change leaves out is gone.
macro_rules! asked {
    ($input:expr) => {
        InfrastructureConfiguration {
            description: $input.description,
            instance_metadata_options: $input.instance_metadata_options,
            instance_profile_name: Some($input.instance_profile_name),
            instance_types: $input.instance_types,
            key_pair: $input.key_pair,
            logging: $input.logging,
            parent_instance: $input.parent_instance,
            placement: $input.placement,
            resource_tags: $input.resource_tags,
            security_group_ids: $input.security_group_ids,
            sns_topic_arn: $input.sns_topic_arn,
            subnet_id: $input.subnet_id,
            terminate_instance_on_completion: $input.terminate_instance_on_completion,
            terminate_instance_on_failure: $input.terminate_instance_on_failure,
            ..InfrastructureConfiguration::default()
        }
    };
}

fn draft(
    caller: &Caller,
    input: CreateInfrastructureConfigurationRequest,
    at: i64,
) -> Result<New, Error> {
    let body = checked(asked!(input))?;
    let kind = Kind::InfrastructureConfiguration;
    let tags = input.tags.unwrap_or_default();
    Ok(New { tags, ..plain(caller, kind, &input.name, json!(body), at) })
}

fn changed(
    input: UpdateInfrastructureConfigurationRequest,
) -> Result<InfrastructureConfiguration, Error> {
    checked(asked!(input))
}

/// Returns the configuration as it is kept, if it keeps the rules of reference §1.10.
fn checked(given: InfrastructureConfiguration) -> Result<InfrastructureConfiguration, Error> {
    if given.parent_instance.is_some() {
        return Err(unsupported(
            "The value supplied for parameter 'parentInstance' is not valid. \
             Parent instances are not supported yet.",
        ));
    }
    if given.terminate_instance_on_completion == Some(false) {
        return Err(unsupported(
            "The value supplied for parameter 'terminateInstanceOnCompletion' is not valid. \
             Instances cannot be kept after a build that succeeded yet.",
        ));
    }
    for (index, text) in given.instance_types.iter().flatten().enumerate() {
        text.parse::<InstanceType>()
            .map_err(|error| invalid(&format!("instanceTypes[{index}]"), told(&error)))?;
    }
    placement(given.placement.as_ref())?;
    logging(given.logging.as_ref())?;
    templated::tags("resourceTags", given.resource_tags.as_ref())?;
    let terminate = given.terminate_instance_on_failure.unwrap_or(true);
    Ok(InfrastructureConfiguration { terminate_instance_on_failure: Some(terminate), ..given })
}

fn placement(placement: Option<&Placement>) -> Result<(), Error> {
    let Some(placement) = placement else { return Ok(()) };
    if placement.host_id.is_some() && placement.host_resource_group_arn.is_some() {
        return Err(combination(
            "'placement.hostId' and 'placement.hostResourceGroupArn' exclude each other.",
        ));
    }
    let is_on_host = placement.host_id.is_some() || placement.host_resource_group_arn.is_some();
    match placement.tenancy {
        Some(tenancy @ (TenancyType::Default | TenancyType::Dedicated)) if is_on_host => {
            Err(combination(format!(
                "'placement.tenancy' must be host where a host is given, not {tenancy}."
            )))
        }
        Some(TenancyType::Default | TenancyType::Dedicated | TenancyType::Host) | None => Ok(()),
    }
}

fn logging(logging: Option<&Logging>) -> Result<(), Error> {
    let s3 = logging.and_then(|logging| logging.s3_logs.as_ref());
    if s3.is_some_and(|s3| s3.s3_key_prefix.is_some() && s3.s3_bucket_name.is_none()) {
        let message = "'logging.s3Logs.s3KeyPrefix' needs 'logging.s3Logs.s3BucketName'.";
        return Err(combination(message));
    }
    Ok(())
}

fn configuration(entry: Entry) -> Result<InfrastructureConfiguration, Error> {
    Ok(InfrastructureConfiguration {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        date_updated: updated(&entry).map(date),
        name: Some(entry.name.clone()),
        tags: some(entry.tags.clone()),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<InfrastructureConfigurationSummary, Error> {
    let configuration = configuration(entry)?;
    Ok(InfrastructureConfigurationSummary {
        arn: configuration.arn,
        date_created: configuration.date_created,
        date_updated: configuration.date_updated,
        description: configuration.description,
        instance_profile_name: configuration.instance_profile_name,
        instance_types: configuration.instance_types,
        name: configuration.name,
        placement: configuration.placement,
        resource_tags: configuration.resource_tags,
        tags: configuration.tags,
    })
}
