//! Components: documents under versions, each changed document a new build (reference §1.5).

mod import;

use document::Phase;
use name::{Digest, Kind, ParseVersionError, Version};
use store::resource::{Entry, Grain, New, Numbering};
use wire::imagebuilder::{
    Component, ComponentParameterDetail, ComponentState, ComponentStatus, ComponentSummary,
    ComponentType, ComponentVersion, Components, CreateComponentRequest, CreateComponentResponse,
    DeleteComponentRequest, DeleteComponentResponse, Error, ErrorKind, GetComponentPolicyRequest,
    GetComponentPolicyResponse, GetComponentRequest, GetComponentResponse, ImportComponentRequest,
    ImportComponentResponse, ListComponentBuildVersionsRequest, ListComponentBuildVersionsResponse,
    ListComponentsRequest, ListComponentsResponse, Operation, Platform, PutComponentPolicyRequest,
    PutComponentPolicyResponse,
};
use wire::sigv4::Caller;

use super::date::date;
use super::error::{arn, bad_document, combination, unsupported};
use super::filter::{Filters, Known};
use super::latest::{latest, listed_arn, version};
use super::make::plain;
use super::own::{body, listed, owner};
use super::page::{Listing, Tokens};
use super::tag::some;
use crate::Api;

const FILTERS: &[Known] = &[
    ("description", "description"),
    ("name", "name"),
    ("platform", "platform"),
    ("supportedOsVersion", "supportedOsVersions"),
    ("type", "type"),
    ("version", "version"),
];

impl Components<Caller> for Api {
    async fn create_component(
        &self,
        caller: &Caller,
        input: CreateComponentRequest,
    ) -> Result<CreateComponentResponse, Error> {
        let operation = Operation::CreateComponent;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let new = draft(caller, &input, claim.at)?;
                self.make(&new, &claim, input.dry_run).await?
            }
        };
        Ok(CreateComponentResponse {
            client_token: Some(input.client_token),
            latest_version_references: latest(&arn("componentBuildVersionArn", &answer)?),
            component_build_version_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_component(
        &self,
        caller: &Caller,
        input: DeleteComponentRequest,
    ) -> Result<DeleteComponentResponse, Error> {
        let arn = input.component_build_version_arn;
        self.delete(caller, "componentBuildVersionArn", &arn).await?;
        Ok(DeleteComponentResponse { component_build_version_arn: Some(arn), request_id: None })
    }

    async fn get_component(
        &self,
        caller: &Caller,
        input: GetComponentRequest,
    ) -> Result<GetComponentResponse, Error> {
        let arn = input.component_build_version_arn;
        let entry = self.find(caller, "componentBuildVersionArn", &arn).await?;
        Ok(GetComponentResponse {
            latest_version_references: latest(&entry.arn),
            component: Some(component(entry)?),
            request_id: None,
        })
    }

    async fn get_component_policy(
        &self,
        caller: &Caller,
        input: GetComponentPolicyRequest,
    ) -> Result<GetComponentPolicyResponse, Error> {
        let policy = self.policy(caller, "componentArn", &input.component_arn).await?;
        Ok(GetComponentPolicyResponse { policy: Some(policy), request_id: None })
    }

    async fn import_component(
        &self,
        caller: &Caller,
        input: ImportComponentRequest,
    ) -> Result<ImportComponentResponse, Error> {
        let operation = Operation::ImportComponent;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let new = import::draft(caller, &input, claim.at)?;
                self.make(&new, &claim, None).await?
            }
        };
        Ok(ImportComponentResponse {
            client_token: Some(input.client_token),
            component_build_version_arn: Some(answer),
            request_id: None,
        })
    }

    async fn list_component_build_versions(
        &self,
        caller: &Caller,
        input: ListComponentBuildVersionsRequest,
    ) -> Result<ListComponentBuildVersionsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListComponentBuildVersions, &input)?;
        let mut listing = Listing::of_kind(Kind::Component, None, &[])?;
        if let Some(of) = &input.component_version_arn {
            listing.of = Some(listed(caller, "componentVersionArn", of)?);
        }
        listing.max_results = input.max_results;
        listing.next_token = input.next_token;
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListComponentBuildVersionsResponse {
            component_summary_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn list_components(
        &self,
        caller: &Caller,
        input: ListComponentsRequest,
    ) -> Result<ListComponentsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListComponents, &input)?;
        let by_name = input.by_name == Some(true);
        let grain = if by_name { Grain::Names } else { Grain::Versions };
        let listing = Listing {
            owner: input.owner,
            kinds: [Kind::Component; 2],
            of: None,
            grain,
            filters: Filters::parse(input.filters, FILTERS)?,
            max_results: input.max_results,
            next_token: input.next_token,
        };
        let tell = |entry| version_level(entry, grain);
        let (list, next_token) = self.page(caller, &tokens, listing, tell).await?;
        Ok(ListComponentsResponse {
            component_version_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn put_component_policy(
        &self,
        caller: &Caller,
        input: PutComponentPolicyRequest,
    ) -> Result<PutComponentPolicyResponse, Error> {
        let arn = input.component_arn;
        self.set_policy(caller, "componentArn", &arn, &input.policy).await?;
        Ok(PutComponentPolicyResponse { component_arn: Some(arn), request_id: None })
    }
}

/// Returns the component that a request asks for, if its document is valid.
fn draft(caller: &Caller, input: &CreateComponentRequest, at: i64) -> Result<New, Error> {
    let data = inline(input.data.as_deref(), input.uri.as_deref())?;
    runs_here(input.platform, input.kms_key_id.as_deref())?;
    let document = parse(data)?;
    let body = Component {
        change_description: input.change_description.clone(),
        description: input.description.clone(),
        supported_os_versions: input.supported_os_versions.clone(),
        ..described(&document, data)
    };
    new(caller, &input.name, &input.semantic_version, body, input.tags.clone(), at)
}

/// Returns the text that is given in `data`; one in `uri` cannot be read.
pub(super) fn inline<'a>(data: Option<&'a str>, uri: Option<&str>) -> Result<&'a str, Error> {
    match (data, uri) {
        (Some(data), None) => Ok(data),
        (None, Some(uri)) => Err(unsupported(format!(
            "The value supplied for parameter 'uri' is not valid. '{uri}' cannot be read: \
             there is no object store yet. Give the text in 'data'."
        ))),
        (Some(_), Some(_)) => Err(combination("'data' and 'uri' exclude each other.")),
        (None, None) => Err(combination("Either 'data' or 'uri' must be given.")),
    }
}

/// Fails on what components may ask for and nothing here can do.
fn runs_here(platform: Platform, kms_key: Option<&str>) -> Result<(), Error> {
    if platform != Platform::Linux {
        return Err(unsupported(format!(
            "The value supplied for parameter 'platform' is not valid. \
             Components for {platform} cannot be executed yet: it must be Linux."
        )));
    }
    no_key(kms_key)
}

/// Fails if a text is to be encrypted.
pub(super) fn no_key(kms_key: Option<&str>) -> Result<(), Error> {
    kms_key.map_or(Ok(()), |_| {
        Err(unsupported(
            "The value supplied for parameter 'kmsKeyId' is not valid. \
             Documents cannot be encrypted with keys yet.",
        ))
    })
}

/// Returns the document in `data`, or all that is wrong with it.
fn parse(data: &str) -> Result<document::Component, Error> {
    let parsed = document::Component::parse(data);
    parsed.map(|parsed| parsed.value).map_err(|problems| bad_document(&problems, data))
}

/// Returns what a document says of its component.
pub(super) fn described(document: &document::Component, data: &str) -> Component {
    let is_test = |phase: &Phase| phase.name == "test";
    let is_of_tests = !document.phases.is_empty() && document.phases.iter().all(is_test);
    let parameters = document.parameters.iter().map(|parameter| ComponentParameterDetail {
        name: parameter.name.clone(),
        r#type: "String".to_owned(),
        default_value: parameter.default.clone().map(|value| vec![value]),
        description: parameter.description.clone().filter(|text| !text.is_empty()),
    });
    let parameters: Vec<_> = parameters.collect();
    Component {
        description: document.description.clone().filter(|text| !text.is_empty()),
        data: Some(data.to_owned()),
        encrypted: Some(false),
        parameters: some(parameters),
        platform: Some(Platform::Linux),
        r#type: Some(if is_of_tests { ComponentType::Test } else { ComponentType::Build }),
        ..Component::default()
    }
}

/// Returns the next build of a version, with this body.
fn new(
    caller: &Caller,
    name: &str,
    version: &str,
    body: Component,
    tags: Option<std::collections::BTreeMap<String, String>>,
    at: i64,
) -> Result<New, Error> {
    let contents = Digest::of(body.data.as_deref().unwrap_or_default().as_bytes());
    Ok(New {
        numbering: Numbering::Build { version: exact(version)?, contents },
        tags: tags.unwrap_or_default(),
        ..plain(caller, Kind::Component, name, serde_json::json!(body), at)
    })
}

/// Returns the version in `semanticVersion`.
pub(super) fn exact(text: &str) -> Result<Version, Error> {
    text.parse().map_err(|error: ParseVersionError| {
        let message = format!(
            "The value supplied for parameter 'semanticVersion' is not valid. \
             semanticVersion must match pattern ^[0-9]+\\.[0-9]+\\.[0-9]+$: {error}"
        );
        Error::new(ErrorKind::InvalidVersionNumber, message)
    })
}

fn component(entry: Entry) -> Result<Component, Error> {
    Ok(Component {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        owner: Some(owner(&entry.arn)),
        state: Some(active()),
        version: Some(version(&entry.arn)),
        tags: some(entry.tags.clone()),
        name: Some(entry.name.clone()),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<ComponentSummary, Error> {
    let component = component(entry)?;
    Ok(ComponentSummary {
        arn: component.arn,
        change_description: component.change_description,
        date_created: component.date_created,
        description: component.description,
        name: component.name,
        obfuscate: None,
        owner: component.owner,
        platform: component.platform,
        publisher: None,
        state: component.state,
        supported_os_versions: component.supported_os_versions,
        tags: component.tags,
        r#type: component.r#type,
        version: component.version,
    })
}

fn version_level(entry: Entry, grain: Grain) -> Result<ComponentVersion, Error> {
    let arn = listed_arn(&entry.arn, grain);
    let component = component(entry)?;
    Ok(ComponentVersion {
        arn: Some(arn.to_string()),
        date_created: component.date_created,
        description: component.description,
        name: component.name,
        owner: component.owner,
        platform: component.platform,
        product_codes: None,
        status: Some(ComponentStatus::Active),
        supported_os_versions: component.supported_os_versions,
        r#type: component.r#type,
        version: component.version,
    })
}

fn active() -> ComponentState {
    ComponentState { reason: None, status: Some(ComponentStatus::Active) }
}
