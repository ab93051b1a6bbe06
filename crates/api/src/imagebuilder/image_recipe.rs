//! Image recipes: what images are made of.

use wire::imagebuilder::{
    CreateImageRecipeRequest, CreateImageRecipeResponse, DeleteImageRecipeRequest,
    DeleteImageRecipeResponse, Error, GetImageRecipePolicyRequest, GetImageRecipePolicyResponse,
    GetImageRecipeRequest, GetImageRecipeResponse, ImageRecipes, ListImageRecipesRequest,
    ListImageRecipesResponse, Operation, PutImageRecipePolicyRequest, PutImageRecipePolicyResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl ImageRecipes<Caller> for Api {
    async fn create_image_recipe(
        &self,
        _: &Caller,
        _: CreateImageRecipeRequest,
    ) -> Result<CreateImageRecipeResponse, Error> {
        Err(not_yet(Operation::CreateImageRecipe))
    }

    async fn delete_image_recipe(
        &self,
        _: &Caller,
        _: DeleteImageRecipeRequest,
    ) -> Result<DeleteImageRecipeResponse, Error> {
        Err(not_yet(Operation::DeleteImageRecipe))
    }

    async fn get_image_recipe(
        &self,
        _: &Caller,
        _: GetImageRecipeRequest,
    ) -> Result<GetImageRecipeResponse, Error> {
        Err(not_yet(Operation::GetImageRecipe))
    }

    async fn get_image_recipe_policy(
        &self,
        _: &Caller,
        _: GetImageRecipePolicyRequest,
    ) -> Result<GetImageRecipePolicyResponse, Error> {
        Err(not_yet(Operation::GetImageRecipePolicy))
    }

    async fn list_image_recipes(
        &self,
        _: &Caller,
        _: ListImageRecipesRequest,
    ) -> Result<ListImageRecipesResponse, Error> {
        Err(not_yet(Operation::ListImageRecipes))
    }

    async fn put_image_recipe_policy(
        &self,
        _: &Caller,
        _: PutImageRecipePolicyRequest,
    ) -> Result<PutImageRecipePolicyResponse, Error> {
        Err(not_yet(Operation::PutImageRecipePolicy))
    }
}
