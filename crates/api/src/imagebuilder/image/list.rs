//! Lists of images: keys of the store's pages in tokens, and the API's filters in the store's words.

use name::{Kind, RunId, VersionPattern};
use store::ami;
use store::image::{self, Deprecated, Entries, Filters, Image, Key, Scope};
use store::resource::Grain;
use wire::imagebuilder::{
    Error, Filter, ImageSummary, ImageVersion, ListImageBuildVersionsRequest,
    ListImageBuildVersionsResponse, ListImagePipelineImagesRequest,
    ListImagePipelineImagesResponse, ListImagesRequest, ListImagesResponse, Operation, Ownership,
};
use wire::sigv4::Caller;

use super::super::error::refusal;
use super::super::filter::{self, Known};
use super::super::own::listed;
use super::super::page::{Listing, Tokens, bad_token, size};
use super::shown;
use crate::Api;

/// What images are filtered by.
#[derive(Debug, Clone, Copy)]
enum By {
    Name,
    OsVersion,
    Platform,
    Type,
    Version,
}

const FILTERS: [(&str, By); 5] = [
    ("name", By::Name),
    ("osVersion", By::OsVersion),
    ("platform", By::Platform),
    ("type", By::Type),
    ("version", By::Version),
];

/// The same for managed images, whose members have the filters' names.
const MANAGED_FILTERS: [Known; 5] = [
    ("name", "name"),
    ("osVersion", "osVersion"),
    ("platform", "platform"),
    ("type", "type"),
    ("version", "version"),
];

impl Api {
    /// Returns a page of the versions, or of the names, of images.
    pub(crate) async fn image_versions(
        &self,
        caller: &Caller,
        input: ListImagesRequest,
    ) -> Result<ListImagesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImages, &input)?;
        let by_name = input.by_name == Some(true);
        let grain = if by_name { Grain::Names } else { Grain::Versions };
        if input.owner.is_some_and(|owner| owner != Ownership::Self_) {
            let listing = Listing {
                owner: input.owner,
                grain,
                max_results: input.max_results,
                next_token: input.next_token,
                ..Listing::of_kind(Kind::Image, input.filters, &MANAGED_FILTERS)?
            };
            let tell = |entry| shown::managed_version(&entry, grain);
            let (list, next_token) = self.page(caller, &tokens, listing, tell).await?;
            return Ok(answer(list, next_token));
        }
        let after = key(&tokens, input.next_token.as_deref())?;
        let Some(filters) = filters(input.filters, &FILTERS)? else {
            return Ok(answer(Vec::new(), None));
        };
        let deprecated = match input.include_deprecated {
            Some(true) => Deprecated::Shown,
            Some(false) | None => Deprecated::Hidden,
        };
        let entries = if by_name { Entries::Name } else { Entries::Version };
        let size = size(input.max_results);
        // One more than the page holds tells whether there is another.
        let limit = size as u32 + 1;
        let scope = scope(caller);
        let found =
            image::versions(self.db(), scope, entries, deprecated, &filters, after.as_ref(), limit);
        let mut images = found.await.map_err(refusal)?;
        let next_token = cut(&mut images, size).map(|last| tokens.after(&key_of(last).to_string()));
        let list: Result<Vec<ImageVersion>, Error> =
            images.iter().map(|image| shown::version_level(image, grain)).collect();
        Ok(answer(list?, next_token))
    }

    /// Returns a page of the builds of images.
    pub(crate) async fn image_builds(
        &self,
        caller: &Caller,
        input: ListImageBuildVersionsRequest,
    ) -> Result<ListImageBuildVersionsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImageBuildVersions, &input)?;
        let of = match &input.image_version_arn {
            Some(text) => Some(listed(caller, "imageVersionArn", text)?),
            None => None,
        };
        if let Some(of) = of.as_ref().filter(|of| matches!(of.owner(), name::Owner::Managed(_))) {
            let listing = Listing {
                owner: Some(Ownership::Amazon),
                of: Some(of.clone()),
                max_results: input.max_results,
                next_token: input.next_token,
                ..Listing::of_kind(Kind::Image, input.filters, &MANAGED_FILTERS)?
            };
            let tell = |entry| shown::managed_summary(&entry);
            let (list, next_token) = self.page(caller, &tokens, listing, tell).await?;
            return Ok(ListImageBuildVersionsResponse {
                image_summary_list: Some(list),
                next_token,
                request_id: None,
            });
        }
        let after = key(&tokens, input.next_token.as_deref())?;
        let pattern = of.as_ref().map(|of| (of.name(), of.versions()));
        let (mut images, mut next_token) = (Vec::new(), None);
        if let Some(filters) = filters(input.filters, &FILTERS)? {
            let size = size(input.max_results);
            let limit = size as u32 + 1;
            let after = after.as_ref();
            let found = image::builds(self.db(), scope(caller), pattern, &filters, after, limit);
            images = found.await.map_err(refusal)?;
            next_token = cut(&mut images, size).map(|last| tokens.after(&key_of(last).to_string()));
        }
        Ok(ListImageBuildVersionsResponse {
            image_summary_list: Some(self.summaries(&images).await?),
            next_token,
            request_id: None,
        })
    }

    /// Returns a page of the images that a pipeline made, the newest first.
    pub(crate) async fn pipeline_images(
        &self,
        caller: &Caller,
        input: ListImagePipelineImagesRequest,
    ) -> Result<ListImagePipelineImagesResponse, Error> {
        const PIPELINE_FILTERS: [(&str, By); 2] = [("name", By::Name), ("version", By::Version)];
        let tokens = Tokens::of(caller, Operation::ListImagePipelineImages, &input)?;
        let pipeline = self.find(caller, "imagePipelineArn", &input.image_pipeline_arn).await?;
        let after = match tokens.read(input.next_token.as_deref())? {
            Some(text) => Some(moment(&text)?),
            None => None,
        };
        let (mut images, mut next_token) = (Vec::new(), None);
        if let Some(filters) = filters(input.filters, &PIPELINE_FILTERS)? {
            let size = size(input.max_results);
            let limit = size as u32 + 1;
            let pipeline = pipeline.arn.to_string();
            let found = image::of_pipeline(self.db(), &pipeline, &filters, after, limit);
            images = found.await.map_err(refusal)?;
            next_token = cut(&mut images, size)
                .map(|last| tokens.after(&format!("{} {}", last.created_at, last.run)));
        }
        Ok(ListImagePipelineImagesResponse {
            image_summary_list: Some(self.summaries(&images).await?),
            next_token,
            request_id: None,
        })
    }

    async fn summaries(&self, images: &[Image]) -> Result<Vec<ImageSummary>, Error> {
        let runs: Vec<RunId> = images.iter().map(|image| image.run).collect();
        let amis = ami::of_runs(self.db(), &runs).await.map_err(refusal)?;
        images.iter().map(|image| shown::summary(image, &amis)).collect()
    }
}

fn answer(list: Vec<ImageVersion>, next_token: Option<String>) -> ListImagesResponse {
    ListImagesResponse { image_version_list: Some(list), next_token, request_id: None }
}

pub(crate) fn scope(caller: &Caller) -> Scope<'_> {
    Scope { account: &caller.account, region: &caller.region }
}

/// Cuts a list down to `size` and returns its last entry if something was cut off.
fn cut(images: &mut Vec<Image>, size: usize) -> Option<&Image> {
    let is_more = images.len() > size;
    images.truncate(size);
    images.last().filter(|_| is_more)
}

fn key_of(image: &Image) -> Key {
    Key { name: image.name.clone(), build: image.build }
}

/// Returns the key in a token.
fn key(tokens: &Tokens, token: Option<&str>) -> Result<Option<Key>, Error> {
    let Some(text) = tokens.read(token)? else { return Ok(None) };
    let key = text
        .split_once('/')
        .and_then(|(name, build)| Some(Key { name: name.to_owned(), build: build.parse().ok()? }));
    key.map(Some).ok_or_else(bad_token)
}

/// Returns the time and the run in a token.
fn moment(text: &str) -> Result<(i64, RunId), Error> {
    let moment =
        text.split_once(' ').and_then(|(at, run)| Some((at.parse().ok()?, run.parse().ok()?)));
    moment.ok_or_else(bad_token)
}

/// Returns the store's filters, or `None` if nothing can pass them.
fn filters(
    given: Option<Vec<Filter>>,
    known: &[(&'static str, By)],
) -> Result<Option<Filters>, Error> {
    let mut filters = Filters::default();
    for (by, values) in filter::parse(given, known)? {
        let is_any_left = match by {
            By::Name => meet(&mut filters.titles, values, same),
            By::OsVersion => meet(&mut filters.os_versions, values, same),
            By::Platform => meet(&mut filters.platforms, values, same),
            // Images are AMIs, all of them.
            By::Type => values.iter().any(|value| value == "AMI"),
            By::Version => {
                let versions = values.iter().filter_map(|value| value.parse().ok());
                meet(&mut filters.versions, versions.collect(), |one: &VersionPattern, other| {
                    one.common(*other)
                })
            }
        };
        if !is_any_left {
            return Ok(None);
        }
    }
    Ok(Some(filters))
}

fn same(one: &String, other: &String) -> Option<String> {
    (one == other).then(|| one.clone())
}

/// Narrows `list` to what it has in `common` with `values`; of an empty list, which stands for
/// all, makes `values`. Returns whether anything is left.
fn meet<T>(list: &mut Vec<T>, values: Vec<T>, common: impl Fn(&T, &T) -> Option<T>) -> bool {
    *list = if list.is_empty() {
        values
    } else {
        let of_one = |one| values.iter().filter_map(|other| common(one, other)).collect::<Vec<_>>();
        list.iter().flat_map(of_one).collect()
    };
    !list.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &[(&str, &[&str])], expected: Option<Filters>) {
        let given = given.iter().map(|(name, values)| Filter {
            name: Some((*name).to_owned()),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        });
        assert_eq!(filters(Some(given.collect()), &FILTERS).unwrap(), expected);
    }

    #[test]
    fn filters_narrow_each_other() {
        let titles = |titles: &[&str]| {
            let titles = titles.iter().map(|title| (*title).to_owned()).collect();
            Some(Filters { titles, ..Filters::default() })
        };
        check(&[], Some(Filters::default()));
        check(&[("name", &["web", "db"])], titles(&["web", "db"]));
        check(&[("name", &["web", "db"]), ("name", &["db"])], titles(&["db"]));
        check(&[("name", &["web"]), ("name", &["db"])], None);
        check(&[("type", &["AMI"]), ("name", &["web"])], titles(&["web"]));
        check(&[("type", &["DOCKER"])], None);
        let versions = |versions: &[&str]| {
            let versions = versions.iter().map(|version| version.parse().unwrap()).collect();
            Some(Filters { versions, ..Filters::default() })
        };
        check(&[("version", &["1.0.0", "x"])], versions(&["1.0.0"]));
        check(&[("version", &["1.x.x", "2.0.x"])], versions(&["1.x.x", "2.0.x"]));
        check(&[("version", &["1.x.x"]), ("version", &["1.0.0", "2.0.0"])], versions(&["1.0.0"]));
        check(&[("version", &["1.x.x"]), ("version", &["2.0.0"])], None);
        check(&[("version", &["x"])], None);
    }

    #[test]
    fn unknown_filters_are_refused() {
        let filter = Filter { name: Some("colour".to_owned()), values: Some(Vec::new()) };
        assert!(filters(Some(vec![filter]), &FILTERS).is_err());
    }
}
