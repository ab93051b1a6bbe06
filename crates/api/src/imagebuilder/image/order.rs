//! From a request for an image to an order for the factory: what its ARNs stand for is looked up
//! now, and copied into the image (reference §1.6, §1.8).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use factory::{Document, Order, missing_components};
use model::{ImageState, Tags};
use name::{AmiId, Arn, Kind, Level, Owner, VersionPattern};
use store::image::{self, Builds, New, Scope};
use store::resource::Entry;
use store::{AmiStatus, BuildType, StoreErrorKind, ami};
use wire::imagebuilder::{
    CreateImageRequest, Error, ErrorKind, ImageLoggingConfiguration, ImageScanningConfiguration,
    ImageTestsConfiguration, WorkflowConfiguration,
};
use wire::sigv4::Caller;

use super::super::date::date;
use super::super::error::{combination, invalid, not_found, refusal, unsupported};
use super::super::latest::version;
use crate::Api;

/// What an image is to be made of, whoever asks for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) image_recipe: Option<String>,
    pub(crate) container_recipe: Option<String>,
    pub(crate) infrastructure: String,
    pub(crate) distribution: Option<String>,
    pub(crate) tests: Option<ImageTestsConfiguration>,
    pub(crate) metadata: Option<bool>,
    pub(crate) scanning: Option<ImageScanningConfiguration>,
    pub(crate) workflows: Option<Vec<WorkflowConfiguration>>,
    pub(crate) execution_role: Option<String>,
    pub(crate) logging: Option<ImageLoggingConfiguration>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The pipeline's ARN and name.
    pub(crate) pipeline: Option<(String, String)>,
}

impl From<CreateImageRequest> for Wish {
    fn from(input: CreateImageRequest) -> Self {
        Self {
            image_recipe: input.image_recipe_arn,
            container_recipe: input.container_recipe_arn,
            infrastructure: input.infrastructure_configuration_arn,
            distribution: input.distribution_configuration_arn,
            tests: input.image_tests_configuration,
            metadata: input.enhanced_image_metadata_enabled,
            scanning: input.image_scanning_configuration,
            workflows: input.workflows,
            execution_role: input.execution_role,
            logging: input.logging_configuration,
            tags: input.tags.unwrap_or_default(),
            pipeline: None,
        }
    }
}

impl Api {
    /// Returns the order for an image, and what will be shown of it.
    pub(crate) async fn order(&self, caller: &Caller, wish: &Wish) -> Result<(Order, New), Error> {
        possible(wish)?;
        let recipe = match (&wish.image_recipe, &wish.container_recipe) {
            (Some(recipe), None) => self.of(caller, Kind::ImageRecipe, "imageRecipeArn", recipe),
            (None, Some(_)) => {
                return Err(unsupported(
                    "containerRecipeArn: container images cannot be built yet.",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(combination(
                    "'imageRecipeArn' and 'containerRecipeArn' exclude each other.",
                ));
            }
            (None, None) => {
                return Err(combination(
                    "Either 'imageRecipeArn' or 'containerRecipeArn' must be given.",
                ));
            }
        }
        .await?;
        let kind = Kind::InfrastructureConfiguration;
        let parameter = "infrastructureConfigurationArn";
        let infrastructure = self.of(caller, kind, parameter, &wish.infrastructure).await?;
        let distribution = match &wish.distribution {
            Some(arn) => {
                let (kind, parameter) =
                    (Kind::DistributionConfiguration, "distributionConfigurationArn");
                Some(self.of(caller, kind, parameter, arn).await?)
            }
            None => None,
        };
        let made_of = MadeOf {
            recipe: versioned(caller, &recipe),
            infrastructure: dated(&infrastructure),
            distribution: distribution.as_ref().map(dated),
            tests: as_json(wish.tests.as_ref()),
        };
        let order = self.order_of(caller, &made_of).await?;
        Ok((order, shown(caller, wish, &recipe.name, made_of)?))
    }

    /// Returns the order for an image that is to be made once more, from the copies that it
    /// carries. Components are looked up anew: one with a wildcard may be mended by now.
    pub(crate) async fn order_again(
        &self,
        caller: &Caller,
        image: &image::Image,
    ) -> Result<Order, Error> {
        let part = |name: &str| image.body.get(name).cloned();
        let (Some(recipe), Some(infrastructure)) =
            (part("imageRecipe"), part("infrastructureConfiguration"))
        else {
            return Err(unsupported(
                "The image was built from a project's files: only who has these can build it again.",
            ));
        };
        let distribution = part("distributionConfiguration");
        let tests = part("imageTestsConfiguration");
        self.order_of(caller, &MadeOf { recipe, infrastructure, distribution, tests }).await
    }

    async fn order_of(&self, caller: &Caller, made_of: &MadeOf) -> Result<Order, Error> {
        let parent = made_of.recipe["parentImage"].as_str().unwrap_or_default();
        let parent = self.parent(caller, parent).await?;
        let project = made_of.project(caller, &parent);
        let mut documents = self.documents(caller, &made_of.recipe).await?;
        self.add_executed(caller, &project, &mut documents).await?;
        Order::of_catalogue(&project, &documents)
            .map_err(|error| unsupported(format!("The image cannot be built: {error}")))
    }

    /// Returns the caller's resource of a kind.
    async fn of(
        &self,
        caller: &Caller,
        kind: Kind,
        parameter: &str,
        text: &str,
    ) -> Result<Entry, Error> {
        let entry = self.find(caller, parameter, text).await?;
        if entry.arn.kind() == kind { Ok(entry) } else { Err(not_found(text)) }
    }

    /// Returns the documents of a recipe's components, as their ARNs stand for them now.
    async fn documents(&self, caller: &Caller, recipe: &Value) -> Result<Vec<Document>, Error> {
        let mut documents = Vec::new();
        for component in recipe["components"].as_array().into_iter().flatten() {
            let reference = component["componentArn"].as_str().unwrap_or_default();
            let entry = self.of(caller, Kind::Component, "componentArn", reference).await?;
            documents.push(document(reference.to_owned(), &entry));
        }
        Ok(documents)
    }

    /// Adds the documents of components that others execute, as far as they exist.
    async fn add_executed(
        &self,
        caller: &Caller,
        project: &Value,
        documents: &mut Vec<Document>,
    ) -> Result<(), Error> {
        loop {
            let known = documents.len();
            for reference in missing_components(project, documents) {
                match self.of(caller, Kind::Component, "componentArn", &reference).await {
                    Ok(entry) => documents.push(document(reference, &entry)),
                    // The order tells which of them it cannot do without.
                    Err(error) if error.kind == ErrorKind::ResourceNotFound => {}
                    Err(error) => return Err(error),
                }
            }
            if documents.len() == known {
                return Ok(());
            }
        }
    }

    /// Returns a parent image as the factory is to find it, if the caller may use it.
    ///
    /// An image of the caller's own is fixed to the build it is now.
    async fn parent(&self, caller: &Caller, text: &str) -> Result<String, Error> {
        let unreadable = || {
            Error::new(
                ErrorKind::InvalidRequest,
                format!("You are not authorized to use the provided image: '{text}'."),
            )
        };
        if let Ok(id) = text.parse::<AmiId>() {
            let entry = match ami::get(self.db(), id).await {
                Ok(entry) => entry,
                Err(error) if matches!(error.kind(), StoreErrorKind::Missing { .. }) => {
                    return Err(unreadable());
                }
                Err(error) => return Err(refusal(error)),
            };
            if entry.ami.owner != caller.account || entry.status == AmiStatus::Disabled {
                return Err(unreadable());
            }
            return Ok(text.to_owned());
        }
        // What is no ARN is told by the order, with what it may be.
        let Ok(arn) = text.parse::<Arn>() else { return Ok(text.to_owned()) };
        let Owner::Account(account) = arn.owner() else {
            return self.find(caller, "parentImage", text).await.map(|_| text.to_owned());
        };
        if *account != caller.account {
            return Err(unreadable());
        }
        let scope = Scope { account, region: arn.region() };
        let found = match arn.level() {
            Level::Build(build) => image::get(self.db(), scope, arn.name(), build).await,
            Level::Version(pattern) => {
                image::latest(self.db(), scope, arn.name(), pattern, Builds::Available).await
            }
            Level::Name => {
                let pattern = VersionPattern::Any;
                image::latest(self.db(), scope, arn.name(), pattern, Builds::Available).await
            }
        };
        let found = found.map_err(refusal)?;
        let found = found.filter(|image| image.state == ImageState::Available);
        let found = found.ok_or_else(|| {
            let message = format!("The parent image '{text}' is not available.");
            Error::new(ErrorKind::InvalidRequest, message)
        })?;
        super::shown::arn_of(&found).map(|arn| arn.to_string())
    }
}

fn document(reference: String, component: &Entry) -> Document {
    let text = component.body["data"].as_str().unwrap_or_default().to_owned();
    Document { reference, name: component.arn.name().to_owned(), text }
}

/// Refuses by name what cannot be carried out.
fn possible(wish: &Wish) -> Result<(), Error> {
    let workflows = wish.workflows.as_ref().is_some_and(|workflows| !workflows.is_empty());
    if workflows && wish.execution_role.is_none() {
        return Err(unsupported("An execution role is required to provide workflows"));
    }
    if workflows {
        return Err(unsupported("workflows: images are built by the default workflows so far."));
    }
    let scans = wish.scanning.as_ref().and_then(|scanning| scanning.image_scanning_enabled);
    if scans == Some(true) {
        return Err(unsupported("imageScanningConfiguration: images cannot be scanned yet."));
    }
    Ok(())
}

/// What an image is made of, as the API shows it.
struct MadeOf {
    recipe: Value,
    infrastructure: Value,
    distribution: Option<Value>,
    tests: Option<Value>,
}

impl MadeOf {
    /// Returns the project that this stands for: it has the members of the API's resources.
    fn project(&self, caller: &Caller, parent: &str) -> Value {
        const RECIPE: [&str; 8] = [
            "name",
            "description",
            "components",
            "blockDeviceMappings",
            "workingDirectory",
            "amiTags",
            "additionalInstanceConfiguration",
            "amiWatermarks",
        ];
        const INFRASTRUCTURE: [&str; 3] =
            ["instanceTypes", "terminateInstanceOnFailure", "resourceTags"];
        let mut recipe = members(&self.recipe, &RECIPE);
        recipe.insert("semanticVersion".to_owned(), self.recipe["version"].clone());
        recipe.insert("parentImage".to_owned(), json!(parent));
        let distributions = match &self.distribution {
            Some(distribution) => distribution["distributions"].clone(),
            None => json!([{ "region": caller.region.as_str() }]),
        };
        let mut project = json!({
            "recipe": recipe,
            "infrastructureConfiguration": members(&self.infrastructure, &INFRASTRUCTURE),
            "distributions": distributions,
        });
        if let Some(tests) = &self.tests {
            project["imageTestsConfiguration"] = tests.clone();
        }
        project
    }
}

/// Returns some members of an object, those that say something.
fn members(body: &Value, names: &[&str]) -> Map<String, Value> {
    let says = |value: &&Value| match value {
        Value::Null => false,
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    let member = |name: &&str| Some(((*name).to_owned(), body.get(*name).filter(says)?.clone()));
    names.iter().filter_map(member).collect()
}

/// Returns what is shown of an image: who asked, and copies of what it is made from.
fn shown(caller: &Caller, wish: &Wish, title: &str, made_of: MadeOf) -> Result<New, Error> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        body.extend(value.filter(|value| !value.is_null()).map(|value| (name.to_owned(), value)));
    };
    put("imageRecipe", Some(made_of.recipe));
    put("infrastructureConfiguration", Some(made_of.infrastructure));
    put("distributionConfiguration", made_of.distribution);
    let tests = ImageTestsConfiguration {
        image_tests_enabled: wish
            .tests
            .as_ref()
            .and_then(|it| it.image_tests_enabled)
            .or(Some(true)),
        timeout_minutes: wish.tests.as_ref().and_then(|it| it.timeout_minutes).or(Some(720)),
    };
    put("imageTestsConfiguration", as_json(Some(&tests)));
    put("enhancedImageMetadataEnabled", Some(json!(wish.metadata.unwrap_or(true))));
    put("imageScanningConfiguration", as_json(wish.scanning.as_ref()));
    put("executionRole", as_json(wish.execution_role.as_ref()));
    put("loggingConfiguration", as_json(wish.logging.as_ref()));
    put("sourcePipelineName", as_json(wish.pipeline.as_ref().map(|(_, name)| name)));
    let tags = Tags::new(wish.tags.clone()).map_err(|error| invalid("tags", error))?;
    Ok(New {
        body: Value::Object(body),
        tags,
        pipeline: wish.pipeline.as_ref().map(|(arn, _)| arn.clone()),
        build_type: BuildType::UserInitiated,
        ..New::of(caller.account.clone(), caller.region.clone(), title)
    })
}

fn as_json<T: Serialize>(value: Option<&T>) -> Option<Value> {
    value.map(|value| json!(value))
}

/// Returns a recipe, with its version.
fn versioned(caller: &Caller, recipe: &Entry) -> Value {
    let mut copy = copy(recipe);
    copy["version"] = json!(version(&recipe.arn));
    copy["owner"] = json!(caller.account.as_str());
    copy
}

/// Returns a resource with what is kept apart from its body.
fn copy(entry: &Entry) -> Value {
    let mut copy = entry.body.clone();
    copy["arn"] = json!(entry.arn.to_string());
    copy["name"] = json!(entry.name);
    copy["dateCreated"] = json!(date(entry.created_at));
    if !entry.tags.is_empty() {
        copy["tags"] = json!(entry.tags);
    }
    copy
}

fn dated(entry: &Entry) -> Value {
    let mut copy = copy(entry);
    if entry.updated_at != entry.created_at {
        copy["dateUpdated"] = json!(date(entry.updated_at));
    }
    copy
}
