//! Marketplace resources: there is no marketplace, so there is nothing to get.

use wire::imagebuilder::{
    Error, GetMarketplaceResourceRequest, GetMarketplaceResourceResponse, MarketplaceResources,
    Operation,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl MarketplaceResources<Caller> for Api {
    async fn get_marketplace_resource(
        &self,
        _: &Caller,
        _: GetMarketplaceResourceRequest,
    ) -> Result<GetMarketplaceResourceResponse, Error> {
        Err(not_yet(Operation::GetMarketplaceResource))
    }
}
