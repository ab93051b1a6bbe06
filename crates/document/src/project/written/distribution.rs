//! `distributions`: the members of the API's Distribution.

use name::Region;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ignored, Tags};
use crate::Spanned;

/// What is published in one region.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(in super::super) struct Distribution {
    /// The region, as in `local-1`.
    #[schemars(with = "String", extend("format" = "region"))]
    pub(in super::super) region: Spanned<Region>,
    /// How the AMI is registered.
    #[serde(default)]
    pub(in super::super) ami_distribution_configuration: AmiDistribution,
    /// How a container image is registered.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "images are AMIs, not containers"))]
    container_distribution_configuration: Ignored,
    /// Licences the AMI needs.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "there is no licence manager"))]
    license_configuration_arns: Ignored,
    /// Launch templates that get the AMI.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "there are no launch templates"))]
    launch_template_configurations: Ignored,
    /// Where the disk is exported to.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "use `goldsmith export` once the image is built"))]
    s3_export_configuration: Ignored,
    /// Snapshots that make Windows start faster.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "it is for Windows images"))]
    fast_launch_configurations: Ignored,
    /// Parameters that get the AMI's id.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "AMIs are not written to the parameter store"))]
    ssm_parameter_configurations: Ignored,
}

/// How an AMI is registered.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(in super::super) struct AmiDistribution {
    /// The AMI's name; the recipe's name and the date when absent.
    #[schemars(length(min = 1, max = 127), extend("format" = "ami-name"))]
    pub(in super::super) name: Option<Spanned<String>>,
    /// What the AMI is for.
    #[schemars(length(min = 1, max = 1024), extend("format" = "build-template"))]
    pub(in super::super) description: Option<String>,
    /// Tags of the AMI.
    #[serde(default)]
    #[schemars(schema_with = "super::tag_templates")]
    pub(in super::super) ami_tags: Option<Tags>,
    /// Accounts that get a copy.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "AMIs belong to one account"))]
    target_account_ids: Ignored,
    /// The key that encrypts copies.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "snapshots are not encrypted"))]
    kms_key_id: Ignored,
    /// Who may launch the AMI besides its owner.
    #[serde(default)]
    launch_permission: LaunchPermission,
}

/// Who may launch an AMI besides its owner.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
struct LaunchPermission {
    /// Accounts.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "only the owner launches an AMI"))]
    user_ids: Ignored,
    /// Everyone.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "only the owner launches an AMI"))]
    user_groups: Ignored,
    /// Organizations.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "only the owner launches an AMI"))]
    organization_arns: Ignored,
    /// Units of organizations.
    #[serde(default)]
    #[schemars(extend("x-unsupported" = "only the owner launches an AMI"))]
    organizational_unit_arns: Ignored,
}
