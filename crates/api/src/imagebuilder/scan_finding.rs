//! Findings of scans: images are not scanned yet, and both operations say so once a request is valid.

use wire::imagebuilder::{
    Error, ErrorKind, Filter, ImageScanFindings, ListImageScanFindingAggregationsRequest,
    ListImageScanFindingAggregationsResponse, ListImageScanFindingsRequest,
    ListImageScanFindingsResponse, Operation,
};
use wire::sigv4::Caller;

use super::filter::{Filters, Known};
use super::page::Tokens;
use crate::Api;

const AGGREGATED: &[Known] = &[
    ("accountId", "accountId"),
    ("imageBuildVersionArn", "imageBuildVersionArn"),
    ("imagePipelineArn", "imagePipelineArn"),
    ("vulnerabilityId", "vulnerabilityId"),
];

const LISTED: &[Known] = &[
    ("imageBuildVersionArn", "imageBuildVersionArn"),
    ("imagePipelineArn", "imagePipelineArn"),
    ("severity", "severity"),
    ("vulnerabilityId", "vulnerabilityId"),
];

impl ImageScanFindings<Caller> for Api {
    async fn list_image_scan_finding_aggregations(
        &self,
        caller: &Caller,
        input: ListImageScanFindingAggregationsRequest,
    ) -> Result<ListImageScanFindingAggregationsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImageScanFindingAggregations, &input)?;
        tokens.read(input.next_token.as_deref())?;
        Filters::parse(input.filter.map(|filter| vec![filter]), AGGREGATED)?;
        Err(no_scanner())
    }

    async fn list_image_scan_findings(
        &self,
        caller: &Caller,
        input: ListImageScanFindingsRequest,
    ) -> Result<ListImageScanFindingsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImageScanFindings, &input)?;
        tokens.read(input.next_token.as_deref())?;
        let filters = input.filters.into_iter().flatten();
        let filters = filters.map(|filter| Filter { name: filter.name, values: filter.values });
        Filters::parse(Some(filters.collect()), LISTED)?;
        Err(no_scanner())
    }
}

fn no_scanner() -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        "There are no findings to list: nothing scans images for vulnerabilities yet.",
    )
}
