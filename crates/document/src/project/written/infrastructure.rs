//! `infrastructureConfiguration` and `imageTestsConfiguration`: the members of
//! the API's shapes of these names.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ignored, Tags};
use crate::Spanned;

/// The machines that images are built and tested on.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(in super::super) struct Infrastructure {
    /// Instance types to choose from; they set the limits of instances.
    #[serde(default)]
    #[schemars(extend("items" = { "type": "string", "format": "instance-type" }))]
    pub(in super::super) instance_types: Vec<Spanned<String>>,
    /// Whether instances go when a build fails; true when absent.
    pub(in super::super) terminate_instance_on_failure: Option<bool>,
    /// Tags of build and test instances.
    #[serde(default)]
    #[schemars(schema_with = "super::tags")]
    pub(in super::super) resource_tags: Option<Tags>,
    /// The configuration's name.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "a project has one infrastructure configuration"))]
    name: Ignored,
    /// What the configuration is for.
    #[serde(default)]
    description: Ignored,
    /// Tags of the configuration.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "the configuration is no resource of its own"))]
    tags: Ignored,
    /// A request's token.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "nothing is requested twice"))]
    client_token: Ignored,
    /// What instances may do in the cloud.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances run on this machine, without roles"))]
    instance_profile_name: Ignored,
    /// Firewall rules in the cloud.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances run on this machine, in networks of their own"))]
    security_group_ids: Ignored,
    /// The network in the cloud.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances run on this machine, in networks of their own"))]
    subnet_id: Ignored,
    /// Where logs go.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "logs are kept in the data folder"))]
    logging: Ignored,
    /// The key for logging in to instances.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances take no log-ins"))]
    key_pair: Ignored,
    /// Who is told of results.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "no topics are notified"))]
    sns_topic_arn: Ignored,
    /// How instances reach their metadata.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances have no metadata service"))]
    instance_metadata_options: Ignored,
    /// The cloud's machine for instances.
    #[serde(default)]
    #[schemars(extend("x-no-effect" = "instances run on this machine"))]
    placement: Ignored,
}

/// How images are tested.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct Tests {
    /// Whether they are tested; true when absent.
    pub(in super::super) image_tests_enabled: Option<bool>,
    /// How many minutes the tests may take; 720 when absent.
    #[schemars(range(min = 60, max = 1440))]
    pub(in super::super) timeout_minutes: Option<u32>,
}
