//! Marketplace resources: there is no marketplace here, so there is nothing to get.

use wire::imagebuilder::{
    Error, GetMarketplaceResourceRequest, GetMarketplaceResourceResponse, MarketplaceResources,
};
use wire::sigv4::Caller;

use super::error::unsupported;
use crate::Api;

impl MarketplaceResources<Caller> for Api {
    async fn get_marketplace_resource(
        &self,
        _: &Caller,
        input: GetMarketplaceResourceRequest,
    ) -> Result<GetMarketplaceResourceResponse, Error> {
        let arn = input.resource_arn;
        Err(unsupported(format!("'{arn}' cannot be had: there is no marketplace here.")))
    }
}
