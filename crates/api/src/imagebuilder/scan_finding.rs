//! Findings of scans: there is no scanner yet, so both operations say so.

use wire::imagebuilder::{
    Error, ImageScanFindings, ListImageScanFindingAggregationsRequest,
    ListImageScanFindingAggregationsResponse, ListImageScanFindingsRequest,
    ListImageScanFindingsResponse, Operation,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl ImageScanFindings<Caller> for Api {
    async fn list_image_scan_finding_aggregations(
        &self,
        _: &Caller,
        _: ListImageScanFindingAggregationsRequest,
    ) -> Result<ListImageScanFindingAggregationsResponse, Error> {
        Err(not_yet(Operation::ListImageScanFindingAggregations))
    }

    async fn list_image_scan_findings(
        &self,
        _: &Caller,
        _: ListImageScanFindingsRequest,
    ) -> Result<ListImageScanFindingsResponse, Error> {
        Err(not_yet(Operation::ListImageScanFindings))
    }
}
