//! Container recipes: what container images are made of.

use wire::imagebuilder::{
    ContainerRecipes, CreateContainerRecipeRequest, CreateContainerRecipeResponse,
    DeleteContainerRecipeRequest, DeleteContainerRecipeResponse, Error,
    GetContainerRecipePolicyRequest, GetContainerRecipePolicyResponse, GetContainerRecipeRequest,
    GetContainerRecipeResponse, ListContainerRecipesRequest, ListContainerRecipesResponse,
    Operation, PutContainerRecipePolicyRequest, PutContainerRecipePolicyResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl ContainerRecipes<Caller> for Api {
    async fn create_container_recipe(
        &self,
        _: &Caller,
        _: CreateContainerRecipeRequest,
    ) -> Result<CreateContainerRecipeResponse, Error> {
        Err(not_yet(Operation::CreateContainerRecipe))
    }

    async fn delete_container_recipe(
        &self,
        _: &Caller,
        _: DeleteContainerRecipeRequest,
    ) -> Result<DeleteContainerRecipeResponse, Error> {
        Err(not_yet(Operation::DeleteContainerRecipe))
    }

    async fn get_container_recipe(
        &self,
        _: &Caller,
        _: GetContainerRecipeRequest,
    ) -> Result<GetContainerRecipeResponse, Error> {
        Err(not_yet(Operation::GetContainerRecipe))
    }

    async fn get_container_recipe_policy(
        &self,
        _: &Caller,
        _: GetContainerRecipePolicyRequest,
    ) -> Result<GetContainerRecipePolicyResponse, Error> {
        Err(not_yet(Operation::GetContainerRecipePolicy))
    }

    async fn list_container_recipes(
        &self,
        _: &Caller,
        _: ListContainerRecipesRequest,
    ) -> Result<ListContainerRecipesResponse, Error> {
        Err(not_yet(Operation::ListContainerRecipes))
    }

    async fn put_container_recipe_policy(
        &self,
        _: &Caller,
        _: PutContainerRecipePolicyRequest,
    ) -> Result<PutContainerRecipePolicyResponse, Error> {
        Err(not_yet(Operation::PutContainerRecipePolicy))
    }
}
