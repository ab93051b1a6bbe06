//! Distribution configurations: where images go and under which names.

use std::collections::HashSet;

use model::NameTemplate;
use name::{Kind, Region};
use serde_json::json;
use store::resource::{Entry, New};
use wire::imagebuilder::{
    AmiDistributionConfiguration, CreateDistributionConfigurationRequest,
    CreateDistributionConfigurationResponse, DeleteDistributionConfigurationRequest,
    DeleteDistributionConfigurationResponse, Distribution, DistributionConfiguration,
    DistributionConfigurationSummary, DistributionConfigurations, Error, FastLaunchConfiguration,
    GetDistributionConfigurationRequest, GetDistributionConfigurationResponse,
    ListDistributionConfigurationsRequest, ListDistributionConfigurationsResponse, Operation,
    UpdateDistributionConfigurationRequest, UpdateDistributionConfigurationResponse,
};
use wire::sigv4::Caller;

use super::date::{date, updated};
use super::error::{combination, invalid, told};
use super::filter::Known;
use super::make::plain;
use super::own::{body, own};
use super::page::{Listing, Tokens};
use super::recipe::repository;
use super::tag::some;
use super::templated;
use crate::Api;

const FILTERS: &[Known] = &[("name", "name")];
const ARN: &str = "distributionConfigurationArn";

/// How long a distribution may take, in minutes: requests cannot say it, answers must.
const TIMEOUT: i32 = 720;

impl DistributionConfigurations<Caller> for Api {
    async fn create_distribution_configuration(
        &self,
        caller: &Caller,
        input: CreateDistributionConfigurationRequest,
    ) -> Result<CreateDistributionConfigurationResponse, Error> {
        let operation = Operation::CreateDistributionConfiguration;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let body = checked(caller, input.description, input.distributions)?;
                let kind = Kind::DistributionConfiguration;
                let tags = input.tags.unwrap_or_default();
                let new = New { tags, ..plain(caller, kind, &input.name, json!(body), claim.at) };
                self.make(&new, &claim, input.dry_run).await?
            }
        };
        Ok(CreateDistributionConfigurationResponse {
            client_token: Some(input.client_token),
            distribution_configuration_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_distribution_configuration(
        &self,
        caller: &Caller,
        input: DeleteDistributionConfigurationRequest,
    ) -> Result<DeleteDistributionConfigurationResponse, Error> {
        let arn = input.distribution_configuration_arn;
        self.delete(caller, ARN, &arn).await?;
        Ok(DeleteDistributionConfigurationResponse {
            distribution_configuration_arn: Some(arn),
            request_id: None,
        })
    }

    async fn get_distribution_configuration(
        &self,
        caller: &Caller,
        input: GetDistributionConfigurationRequest,
    ) -> Result<GetDistributionConfigurationResponse, Error> {
        let entry = self.find(caller, ARN, &input.distribution_configuration_arn).await?;
        Ok(GetDistributionConfigurationResponse {
            distribution_configuration: Some(configuration(entry)?),
            request_id: None,
        })
    }

    async fn list_distribution_configurations(
        &self,
        caller: &Caller,
        input: ListDistributionConfigurationsRequest,
    ) -> Result<ListDistributionConfigurationsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListDistributionConfigurations, &input)?;
        let kind = Kind::DistributionConfiguration;
        let mut listing = Listing::of_kind(kind, input.filters, FILTERS)?;
        listing.max_results = input.max_results;
        listing.next_token = input.next_token;
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListDistributionConfigurationsResponse {
            distribution_configuration_summary_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn update_distribution_configuration(
        &self,
        caller: &Caller,
        input: UpdateDistributionConfigurationRequest,
    ) -> Result<UpdateDistributionConfigurationResponse, Error> {
        let operation = Operation::UpdateDistributionConfiguration;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let text = input.distribution_configuration_arn;
        if before.is_none() {
            let arn = own(caller, ARN, &text)?;
            let body = checked(caller, input.description, input.distributions)?;
            self.replace(arn, json!(body), &claim).await?;
        }
        Ok(UpdateDistributionConfigurationResponse {
            client_token: Some(input.client_token),
            distribution_configuration_arn: Some(text),
            request_id: None,
        })
    }
}

/// Returns the configuration as it is kept, if it keeps the rules of reference §5.1.
fn checked(
    caller: &Caller,
    description: Option<String>,
    distributions: Vec<Distribution>,
) -> Result<DistributionConfiguration, Error> {
    if distributions.is_empty() {
        return Err(invalid("distributions", "It must name at least one region."));
    }
    let mut regions = HashSet::new();
    for (index, distribution) in distributions.iter().enumerate() {
        let at = format!("distributions[{index}]");
        let region: Region = distribution
            .region
            .parse()
            .map_err(|error| invalid(&format!("{at}.region"), told(&error)))?;
        if !regions.insert(region) {
            let rule = format!("The region '{}' is there twice.", distribution.region);
            return Err(invalid(&format!("{at}.region"), rule));
        }
        check(caller, &at, distribution)?;
    }
    Ok(DistributionConfiguration {
        description,
        distributions: Some(distributions),
        timeout_minutes: TIMEOUT,
        ..DistributionConfiguration::default()
    })
}

fn check(caller: &Caller, at: &str, distribution: &Distribution) -> Result<(), Error> {
    let ami = distribution.ami_distribution_configuration.as_ref();
    if let Some(ami) = ami {
        check_ami(&format!("{at}.amiDistributionConfiguration"), ami)?;
    }
    if let Some(container) = &distribution.container_distribution_configuration {
        let at = format!("{at}.containerDistributionConfiguration.targetRepository");
        repository(&at, &container.target_repository)?;
    }
    let fast = distribution.fast_launch_configurations.iter().flatten();
    for (index, fast) in fast.enumerate() {
        check_fast_launch(&format!("{at}.fastLaunchConfigurations[{index}]"), fast)?;
    }
    let targets = ami.and_then(|ami| ami.target_account_ids.as_ref());
    let mut names = HashSet::new();
    let parameters = distribution.ssm_parameter_configurations.iter().flatten();
    for (index, parameter) in parameters.enumerate() {
        let at = format!("{at}.ssmParameterConfigurations[{index}]");
        let account = parameter.ami_account_id.as_deref().unwrap_or(caller.account.as_str());
        let is_target = targets.into_iter().flatten().any(|target| target == account);
        if account != caller.account.as_str() && !is_target {
            let rule = "It must be one of the region's target accounts.";
            return Err(invalid(&format!("{at}.amiAccountId"), rule));
        }
        if !names.insert((account, &parameter.parameter_name)) {
            let rule = format!("'{}' is there twice.", parameter.parameter_name);
            return Err(invalid(&format!("{at}.parameterName"), rule));
        }
    }
    Ok(())
}

fn check_ami(at: &str, ami: &AmiDistributionConfiguration) -> Result<(), Error> {
    if let Some(name) = &ami.name {
        name.parse::<NameTemplate>()
            .map_err(|error| invalid(&format!("{at}.name"), told(&error)))?;
    }
    templated::template(&format!("{at}.description"), ami.description.as_deref())?;
    templated::tags(&format!("{at}.amiTags"), ami.ami_tags.as_ref())?;
    let permission = ami.launch_permission.as_ref();
    let groups = permission.and_then(|permission| permission.user_groups.as_ref());
    if groups.into_iter().flatten().any(|group| group != "all") {
        let rule = "The only group that there is is 'all'.";
        return Err(invalid(&format!("{at}.launchPermission.userGroups"), rule));
    }
    Ok(())
}

fn check_fast_launch(at: &str, fast: &FastLaunchConfiguration) -> Result<(), Error> {
    let Some(template) = &fast.launch_template else { return Ok(()) };
    let (id, name) = ("launchTemplateId", "launchTemplateName");
    match (&template.launch_template_id, &template.launch_template_name) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (Some(_), Some(_)) => Err(combination(format!(
            "'{at}.launchTemplate.{id}' and '{at}.launchTemplate.{name}' exclude each other."
        ))),
        (None, None) => Err(combination(format!(
            "Either '{at}.launchTemplate.{id}' or '{at}.launchTemplate.{name}' must be given."
        ))),
    }
}

fn configuration(entry: Entry) -> Result<DistributionConfiguration, Error> {
    Ok(DistributionConfiguration {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        date_updated: updated(&entry).map(date),
        name: Some(entry.name.clone()),
        tags: some(entry.tags.clone()),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<DistributionConfigurationSummary, Error> {
    let configuration = configuration(entry)?;
    let distributions = configuration.distributions.into_iter().flatten();
    Ok(DistributionConfigurationSummary {
        arn: configuration.arn,
        date_created: configuration.date_created,
        date_updated: configuration.date_updated,
        description: configuration.description,
        name: configuration.name,
        regions: Some(distributions.map(|distribution| distribution.region).collect()),
        tags: configuration.tags,
    })
}
