//! Container recipes: what container images are made of, never changed once made.

mod dockerfile;

use name::Kind;
use serde_json::json;
use store::resource::{Entry, New};
use wire::imagebuilder::{
    ContainerRecipe, ContainerRecipeSummary, ContainerRecipes, CreateContainerRecipeRequest,
    CreateContainerRecipeResponse, DeleteContainerRecipeRequest, DeleteContainerRecipeResponse,
    Error, GetContainerRecipePolicyRequest, GetContainerRecipePolicyResponse,
    GetContainerRecipeRequest, GetContainerRecipeResponse, ImageType, ListContainerRecipesRequest,
    ListContainerRecipesResponse, Operation, Platform, PutContainerRecipePolicyRequest,
    PutContainerRecipePolicyResponse,
};
use wire::sigv4::Caller;

use super::component::no_key;
use super::date::date;
use super::error::{arn, combination, invalid, unsupported};
use super::filter::Known;
use super::latest::{latest, version};
use super::make::plain;
use super::own::{body, owner};
use super::page::{Listing, Tokens};
use super::recipe::{Parent, check_devices, check_folder, numbering, of_accounts, repository};
use super::tag::some;
use crate::Api;

const FILTERS: &[Known] = &[
    ("containerType", "containerType"),
    ("name", "name"),
    ("parentImage", "parentImage"),
    ("platform", "platform"),
];
const ARN: &str = "containerRecipeArn";

impl ContainerRecipes<Caller> for Api {
    async fn create_container_recipe(
        &self,
        caller: &Caller,
        input: CreateContainerRecipeRequest,
    ) -> Result<CreateContainerRecipeResponse, Error> {
        let operation = Operation::CreateContainerRecipe;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let (token, is_dry_run) = (input.client_token.clone(), input.dry_run);
        let answer = match before {
            Some(answer) => answer,
            None => {
                let new = self.container_recipe(caller, input, claim.at).await?;
                self.make(&new, &claim, is_dry_run).await?
            }
        };
        Ok(CreateContainerRecipeResponse {
            client_token: Some(token),
            latest_version_references: latest(&arn(ARN, &answer)?),
            container_recipe_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_container_recipe(
        &self,
        caller: &Caller,
        input: DeleteContainerRecipeRequest,
    ) -> Result<DeleteContainerRecipeResponse, Error> {
        let arn = input.container_recipe_arn;
        self.delete(caller, ARN, &arn).await?;
        Ok(DeleteContainerRecipeResponse { container_recipe_arn: Some(arn), request_id: None })
    }

    async fn get_container_recipe(
        &self,
        caller: &Caller,
        input: GetContainerRecipeRequest,
    ) -> Result<GetContainerRecipeResponse, Error> {
        let entry = self.find(caller, ARN, &input.container_recipe_arn).await?;
        Ok(GetContainerRecipeResponse {
            latest_version_references: latest(&entry.arn),
            container_recipe: Some(recipe(entry)?),
            request_id: None,
        })
    }

    async fn get_container_recipe_policy(
        &self,
        caller: &Caller,
        input: GetContainerRecipePolicyRequest,
    ) -> Result<GetContainerRecipePolicyResponse, Error> {
        let policy = self.policy(caller, ARN, &input.container_recipe_arn).await?;
        Ok(GetContainerRecipePolicyResponse { policy: Some(policy), request_id: None })
    }

    async fn list_container_recipes(
        &self,
        caller: &Caller,
        input: ListContainerRecipesRequest,
    ) -> Result<ListContainerRecipesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListContainerRecipes, &input)?;
        let mut listing = Listing::of_kind(Kind::ContainerRecipe, input.filters, FILTERS)?;
        listing.owner = input.owner;
        listing.max_results = input.max_results;
        listing.next_token = input.next_token;
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListContainerRecipesResponse {
            container_recipe_summary_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn put_container_recipe_policy(
        &self,
        caller: &Caller,
        input: PutContainerRecipePolicyRequest,
    ) -> Result<PutContainerRecipePolicyResponse, Error> {
        let arn = input.container_recipe_arn;
        self.set_policy(caller, ARN, &arn, &input.policy).await?;
        Ok(PutContainerRecipePolicyResponse { container_recipe_arn: Some(arn), request_id: None })
    }
}

impl Api {
    /// Returns the recipe that a request asks for, if all that it names is there.
    async fn container_recipe(
        &self,
        caller: &Caller,
        input: CreateContainerRecipeRequest,
        at: i64,
    ) -> Result<New, Error> {
        let numbering = numbering(&input.semantic_version)?;
        no_key(input.kms_key_id.as_deref())?;
        check_folder(input.working_directory.as_deref())?;
        repository("targetRepository", &input.target_repository)?;
        let template = template(&input)?;
        let parent = self.container_parent(caller, &input).await?;
        let components = input.components.as_deref().unwrap_or_default();
        let arns = self.components(caller, &parent, components).await?;
        if let Some(instance) = &input.instance_configuration {
            let at = "instanceConfiguration";
            let devices = instance.block_device_mappings.as_ref();
            check_devices(&format!("{at}.blockDeviceMappings"), devices)?;
            if let Some(image) = &instance.image {
                self.machine_parent(caller, &format!("{at}.image"), image).await?;
            }
        }
        let mut body = json!(ContainerRecipe {
            components: input.components,
            container_type: Some(input.container_type),
            description: input.description,
            dockerfile_template_data: Some(template),
            encrypted: Some(false),
            instance_configuration: input.instance_configuration,
            parent_image: Some(input.parent_image),
            platform: Some(parent.platform),
            target_repository: Some(input.target_repository),
            working_directory: input.working_directory,
            ..ContainerRecipe::default()
        });
        if let Some(os_version) = input.image_os_version_override {
            // Builds need it; no answer has a member for it.
            body["imageOsVersionOverride"] = os_version.into();
        }
        Ok(New {
            numbering,
            tags: input.tags.unwrap_or_default(),
            references: of_accounts(arns),
            ..plain(caller, Kind::ContainerRecipe, &input.name, body, at)
        })
    }

    /// Returns what is known of the container image that a recipe starts from.
    async fn container_parent(
        &self,
        caller: &Caller,
        input: &CreateContainerRecipeRequest,
    ) -> Result<Parent, Error> {
        let text = &input.parent_image;
        let mut parent = if text.starts_with("arn:") {
            self.image_parent(caller, "parentImage", text, ImageType::Docker).await?
        } else if is_reference(text) {
            Parent { platform: Platform::Linux, os_version: None }
        } else {
            let rule = "It must be an image's ARN or a reference as in 'debian:12'.";
            return Err(invalid("parentImage", rule));
        };
        if let Some(platform) = input.platform_override {
            parent.platform = platform;
        }
        if parent.platform != Platform::Linux {
            return Err(unsupported(format!(
                "The value supplied for parameter 'platformOverride' is not valid. \
                 Containers for {} cannot be built yet: it must be Linux.",
                parent.platform
            )));
        }
        parent.os_version = input.image_os_version_override.clone().or(parent.os_version);
        Ok(parent)
    }
}

/// Returns the Dockerfile template of a request; one in a bucket cannot be read.
fn template(input: &CreateContainerRecipeRequest) -> Result<String, Error> {
    let (data, uri) = ("dockerfileTemplateData", "dockerfileTemplateUri");
    match (&input.dockerfile_template_data, &input.dockerfile_template_uri) {
        (Some(_), Some(_)) => Err(combination(format!("'{data}' and '{uri}' exclude each other."))),
        (None, Some(given)) => Err(unsupported(format!(
            "The value supplied for parameter '{uri}' is not valid. '{given}' cannot be read: \
             there is no object store yet. Give the text in '{data}'."
        ))),
        (Some(text), None) => {
            dockerfile::check(text).map_err(|rule| invalid(data, rule))?;
            Ok(text.clone())
        }
        (None, None) => Ok(dockerfile::DEFAULT.to_owned()),
    }
}

/// Returns whether a text is a container image's reference: a path, maybe a tag and a digest.
fn is_reference(text: &str) -> bool {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let is_hex = |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digest_is_fine =
        digest.is_none_or(|digest| digest.strip_prefix("sha256:").is_some_and(is_hex));
    // A colon before a slash belongs to a registry's port.
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (rest, None),
    };
    let of = |text: &str, others: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
        text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.chars().all(fine)
    };
    let tag_is_fine = tag.is_none_or(|tag| tag.len() <= 128 && of(tag, "._-"));
    digest_is_fine && tag_is_fine && path.split('/').all(|part| of(part, "._-:"))
}

fn recipe(entry: Entry) -> Result<ContainerRecipe, Error> {
    Ok(ContainerRecipe {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        name: Some(entry.name.clone()),
        owner: Some(owner(&entry.arn)),
        tags: some(entry.tags.clone()),
        version: Some(version(&entry.arn)),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<ContainerRecipeSummary, Error> {
    let recipe = recipe(entry)?;
    Ok(ContainerRecipeSummary {
        arn: recipe.arn,
        container_type: recipe.container_type,
        date_created: recipe.date_created,
        instance_image: recipe.instance_configuration.and_then(|instance| instance.image),
        name: recipe.name,
        owner: recipe.owner,
        parent_image: recipe.parent_image,
        platform: recipe.platform,
        tags: recipe.tags,
    })
}

#[cfg(test)]
mod tests {
    use super::is_reference;

    #[test]
    fn references_have_paths_tags_and_digests() {
        let digest = format!("debian@sha256:{}", "a".repeat(64));
        for good in ["debian", "debian:12", "registry.example:5000/team/web:1.0", &digest] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "debian:", "a b", "/debian", "debian@sha256:1", "debian:-1", "a//b"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
