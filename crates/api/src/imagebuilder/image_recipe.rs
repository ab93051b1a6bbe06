//! Image recipes: what images are made of, never changed once made.

use name::Kind;
use serde_json::json;
use store::resource::{Entry, New};
use wire::imagebuilder::{
    CreateImageRecipeRequest, CreateImageRecipeResponse, DeleteImageRecipeRequest,
    DeleteImageRecipeResponse, Error, GetImageRecipePolicyRequest, GetImageRecipePolicyResponse,
    GetImageRecipeRequest, GetImageRecipeResponse, ImageRecipe, ImageRecipeSummary, ImageRecipes,
    ImageType, ListImageRecipesRequest, ListImageRecipesResponse, Operation,
    PutImageRecipePolicyRequest, PutImageRecipePolicyResponse,
};
use wire::sigv4::Caller;

use super::date::date;
use super::error::{arn, unsupported};
use super::filter::Known;
use super::latest::{latest, version};
use super::make::plain;
use super::own::{body, owner};
use super::page::{Listing, Tokens};
use super::recipe::{check_devices, check_folder, numbering, of_accounts};
use super::tag::some;
use super::templated;
use crate::Api;

const FILTERS: &[Known] =
    &[("name", "name"), ("parentImage", "parentImage"), ("platform", "platform")];
const ARN: &str = "imageRecipeArn";

impl ImageRecipes<Caller> for Api {
    async fn create_image_recipe(
        &self,
        caller: &Caller,
        input: CreateImageRecipeRequest,
    ) -> Result<CreateImageRecipeResponse, Error> {
        let operation = Operation::CreateImageRecipe;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let (token, is_dry_run) = (input.client_token.clone(), input.dry_run);
        let answer = match before {
            Some(answer) => answer,
            None => {
                let new = self.image_recipe(caller, input, claim.at).await?;
                self.make(&new, &claim, is_dry_run).await?
            }
        };
        Ok(CreateImageRecipeResponse {
            client_token: Some(token),
            latest_version_references: latest(&arn(ARN, &answer)?),
            image_recipe_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_image_recipe(
        &self,
        caller: &Caller,
        input: DeleteImageRecipeRequest,
    ) -> Result<DeleteImageRecipeResponse, Error> {
        let arn = input.image_recipe_arn;
        self.delete(caller, ARN, &arn).await?;
        Ok(DeleteImageRecipeResponse { image_recipe_arn: Some(arn), request_id: None })
    }

    async fn get_image_recipe(
        &self,
        caller: &Caller,
        input: GetImageRecipeRequest,
    ) -> Result<GetImageRecipeResponse, Error> {
        let entry = self.find(caller, ARN, &input.image_recipe_arn).await?;
        Ok(GetImageRecipeResponse {
            latest_version_references: latest(&entry.arn),
            image_recipe: Some(recipe(entry)?),
            request_id: None,
        })
    }

    async fn get_image_recipe_policy(
        &self,
        caller: &Caller,
        input: GetImageRecipePolicyRequest,
    ) -> Result<GetImageRecipePolicyResponse, Error> {
        let policy = self.policy(caller, ARN, &input.image_recipe_arn).await?;
        Ok(GetImageRecipePolicyResponse { policy: Some(policy), request_id: None })
    }

    async fn list_image_recipes(
        &self,
        caller: &Caller,
        input: ListImageRecipesRequest,
    ) -> Result<ListImageRecipesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImageRecipes, &input)?;
        let mut listing = Listing::of_kind(Kind::ImageRecipe, input.filters, FILTERS)?;
        listing.owner = input.owner;
        listing.max_results = input.max_results;
        listing.next_token = input.next_token;
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListImageRecipesResponse {
            image_recipe_summary_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn put_image_recipe_policy(
        &self,
        caller: &Caller,
        input: PutImageRecipePolicyRequest,
    ) -> Result<PutImageRecipePolicyResponse, Error> {
        let arn = input.image_recipe_arn;
        self.set_policy(caller, ARN, &arn, &input.policy).await?;
        Ok(PutImageRecipePolicyResponse { image_recipe_arn: Some(arn), request_id: None })
    }
}

impl Api {
    /// Returns the recipe that a request asks for, if all that it names is there.
    async fn image_recipe(
        &self,
        caller: &Caller,
        input: CreateImageRecipeRequest,
        at: i64,
    ) -> Result<New, Error> {
        if input.ami_watermarks.is_some() {
            return Err(unsupported(
                "The value supplied for parameter 'amiWatermarks' is not valid. \
                 Watermarks of AMIs are not supported yet.",
            ));
        }
        let numbering = numbering(&input.semantic_version)?;
        check_folder(input.working_directory.as_deref())?;
        check_devices("blockDeviceMappings", input.block_device_mappings.as_ref())?;
        templated::tags("amiTags", input.ami_tags.as_ref())?;
        let parent = self.machine_parent(caller, "parentImage", &input.parent_image).await?;
        let components = input.components.as_deref().unwrap_or_default();
        let arns = self.components(caller, &parent, components).await?;
        let body = ImageRecipe {
            additional_instance_configuration: input.additional_instance_configuration,
            ami_tags: input.ami_tags,
            block_device_mappings: input.block_device_mappings,
            components: input.components,
            description: input.description,
            parent_image: Some(input.parent_image),
            platform: Some(parent.platform),
            r#type: Some(ImageType::Ami),
            working_directory: input.working_directory,
            ..ImageRecipe::default()
        };
        Ok(New {
            numbering,
            tags: input.tags.unwrap_or_default(),
            references: of_accounts(arns),
            ..plain(caller, Kind::ImageRecipe, &input.name, json!(body), at)
        })
    }
}

fn recipe(entry: Entry) -> Result<ImageRecipe, Error> {
    Ok(ImageRecipe {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        name: Some(entry.name.clone()),
        owner: Some(owner(&entry.arn)),
        tags: some(entry.tags.clone()),
        version: Some(version(&entry.arn)),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<ImageRecipeSummary, Error> {
    let recipe = recipe(entry)?;
    Ok(ImageRecipeSummary {
        arn: recipe.arn,
        date_created: recipe.date_created,
        name: recipe.name,
        owner: recipe.owner,
        parent_image: recipe.parent_image,
        platform: recipe.platform,
        tags: recipe.tags,
    })
}
