//! Tags of resources (reference §1.9).

use wire::imagebuilder::{
    Error, ListTagsForResourceRequest, ListTagsForResourceResponse, TagResourceRequest,
    TagResourceResponse, Tags, UntagResourceRequest, UntagResourceResponse,
};
use wire::sigv4::Caller;

use store::{TagChange, image, resource};

use super::error::{not_found, refusal};
use super::own::own;
use crate::Api;

impl Tags<Caller> for Api {
    async fn list_tags_for_resource(
        &self,
        caller: &Caller,
        input: ListTagsForResourceRequest,
    ) -> Result<ListTagsForResourceResponse, Error> {
        let text = &input.resource_arn;
        if let Some(image) = self.tagged_image(caller, text).await? {
            let tags = image.tags.iter();
            let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            return Ok(ListTagsForResourceResponse { tags: some(tags) });
        }
        let entry = self.find(caller, "resourceArn", text).await?;
        // Tags belong to what an ARN names, never to what it resolves to.
        if entry.arn.to_string() != *text {
            return Err(not_found(text));
        }
        Ok(ListTagsForResourceResponse { tags: some(entry.tags) })
    }

    async fn tag_resource(
        &self,
        caller: &Caller,
        input: TagResourceRequest,
    ) -> Result<TagResourceResponse, Error> {
        self.change_tags(caller, &input.resource_arn, TagChange::Set(input.tags)).await?;
        Ok(TagResourceResponse {})
    }

    async fn untag_resource(
        &self,
        caller: &Caller,
        input: UntagResourceRequest,
    ) -> Result<UntagResourceResponse, Error> {
        let change = TagChange::Remove(input.tag_keys);
        self.change_tags(caller, &input.resource_arn, change).await?;
        Ok(UntagResourceResponse {})
    }
}

impl Api {
    async fn change_tags(
        &self,
        caller: &Caller,
        text: &str,
        change: TagChange,
    ) -> Result<(), Error> {
        let changed = match self.tagged_image(caller, text).await? {
            Some(image) => image::change_tags(self.db(), image.run, change).await,
            None => {
                let arn = own(caller, "resourceArn", text)?;
                resource::change_tags(self.db(), &arn, change).await
            }
        };
        changed.map_err(refusal)
    }
}

/// Returns the tags as answers have them: not at all if there are none, as the model asks.
pub(crate) fn some<M: Default + PartialEq>(tags: M) -> Option<M> {
    if tags == M::default() { None } else { Some(tags) }
}
