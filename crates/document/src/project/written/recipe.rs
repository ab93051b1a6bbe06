//! `recipe`: the members of the API's CreateImageRecipe.

use name::Version;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ignored, Tags};
use crate::Spanned;

/// What an image is made of.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(in super::super) struct Recipe {
    /// The recipe's name, which its images share.
    #[schemars(extend("format" = "resource-name"))]
    pub(in super::super) name: Spanned<String>,
    /// The recipe's version: three numbers.
    #[schemars(with = "String", extend("format" = "semantic-version"))]
    pub(in super::super) semantic_version: Version,
    /// What the recipe is for.
    #[schemars(length(min = 1, max = 1024))]
    pub(in super::super) description: Option<String>,
    /// What the image starts from: an ARN, a managed image's name as in
    /// `debian-server-12`, or a disk image's path or address.
    #[schemars(length(min = 1, max = 1024))]
    pub(in super::super) parent_image: Spanned<String>,
    /// What is applied to the parent, in this order.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub(in super::super) components: Vec<Component>,
    /// The image's volumes.
    #[serde(default)]
    pub(in super::super) block_device_mappings: Vec<Spanned<BlockDevice>>,
    /// Where components work, a folder in the image.
    #[schemars(length(min = 1, max = 1024))]
    pub(in super::super) working_directory: Option<Spanned<String>>,
    /// Tags of the recipe.
    #[serde(default)]
    #[schemars(schema_with = "super::tags")]
    pub(in super::super) tags: Option<Tags>,
    /// Tags of the AMIs.
    #[serde(default)]
    #[schemars(schema_with = "super::tag_templates")]
    pub(in super::super) ami_tags: Option<Tags>,
    /// How build instances are prepared.
    #[serde(default)]
    additional_instance_configuration: Additional,
    /// A request's token.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "nothing is requested twice"))]
    client_token: Ignored,
    /// Marks put on AMIs.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "AMIs carry no watermarks"))]
    ami_watermarks: Ignored,
}

/// A component and the parameters it is given.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct Component {
    /// An ARN, a managed component's name as in `update-linux`, or a file.
    #[schemars(extend("format" = "component-reference"))]
    pub(in super::super) component_arn: Spanned<String>,
    /// Values for the component's parameters.
    #[serde(default)]
    pub(in super::super) parameters: Vec<Parameter>,
}

/// A value for a parameter.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Parameter {
    /// The parameter's name.
    #[schemars(length(min = 1, max = 256))]
    pub(in super::super) name: Spanned<String>,
    /// Its values, mostly one.
    #[schemars(length(min = 1))]
    pub(in super::super) value: Vec<String>,
}

/// A volume of the image.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(in super::super) struct BlockDevice {
    /// The name that instances give the volume.
    #[schemars(length(min = 1, max = 1024))]
    pub(in super::super) device_name: Option<String>,
    /// What the volume is.
    #[serde(default)]
    pub(in super::super) ebs: Ebs,
    /// An instance store's name.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "instances have no instance stores"))]
    virtual_name: Ignored,
    /// Removes the parent's mapping.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "parents have one volume, which is needed"))]
    no_device: Ignored,
}

/// An EBS volume.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(in super::super) struct Ebs {
    /// The size in GiB.
    #[schemars(range(min = 1, max = 16000))]
    pub(in super::super) volume_size: Option<u32>,
    /// Whether the volume is encrypted.
    pub(in super::super) encrypted: Option<Spanned<bool>>,
    /// Whether the volume goes with its instance.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances keep no volumes"))]
    delete_on_termination: Ignored,
    /// Operations per second.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "volumes are files"))]
    iops: Ignored,
    /// Bytes per second.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "volumes are files"))]
    throughput: Ignored,
    /// The kind of volume.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "volumes are files"))]
    volume_type: Ignored,
    /// The key that encrypts the volume.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "volumes are not encrypted"))]
    kms_key_id: Ignored,
    /// The snapshot the volume begins with.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "the volume begins with the parent image"))]
    snapshot_id: Ignored,
}

/// How build instances are prepared.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
struct Additional {
    /// What happens to the Systems Manager agent.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances have no Systems Manager agent"))]
    systems_manager_agent: Ignored,
    /// A script that replaces the service's own.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "build instances run no user data"))]
    user_data_override: Ignored,
}
