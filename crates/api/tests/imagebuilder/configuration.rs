//! Infrastructure and distribution configurations, and lifecycle policies: made, replaced as a whole, deleted.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::server::{OWN, Server, caller};

fn infrastructure() -> Value {
    json!({
        "name": "Small Machines", "instanceProfileName": "profile", "instanceTypes": ["t3.medium"],
        "resourceTags": {"built": "{{ imagebuilder:buildDate }}"}, "tags": {"team": "web"},
        "clientToken": "1",
    })
}

fn distribution() -> Value {
    json!({
        "name": "Everywhere", "clientToken": "1",
        "distributions": [
            {"region": "eu-west-1", "amiDistributionConfiguration": {
                "name": "web {{ imagebuilder:buildDate }}",
                "targetAccountIds": ["999999999999"],
            }},
            {"region": "eu-west-2"},
        ],
    })
}

fn lifecycle() -> Value {
    json!({
        "name": "Keep Ten", "clientToken": "1", "executionRole": "keeper",
        "resourceType": "AMI_IMAGE",
        "policyDetails": [{
            "action": {"type": "DELETE", "includeResources": {"amis": true, "snapshots": true}},
            "filter": {"type": "AGE", "value": 6, "unit": "MONTHS", "retainAtLeast": 10},
        }],
        "resourceSelection": {"recipes": [{"name": "web", "semanticVersion": "1.x.x"}]},
    })
}

/// Returns `input` with the value at a pointer, of which the last part may be new.
fn with(mut input: Value, pointer: &str, value: Value) -> Value {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    input.pointer_mut(parent).unwrap()[member] = value;
    input
}

async fn refused(operation: Operation, good: Value, table: Vec<(&str, Value, Expect)>) {
    let server = Server::new().await;
    for (pointer, value, expected) in table {
        server.check(operation, with(good.clone(), pointer, value), expected).await;
    }
    let rehearsed = server.call(operation, with(good.clone(), "/dryRun", true.into())).await;
    assert_eq!(rehearsed.status.as_u16(), 412);
    assert_eq!(rehearsed.error.as_deref(), Some("DryRunOperationException"));
    assert_eq!(server.call(operation, good).await.error, None);
}

/// What a kind of configuration is called by its operations.
struct Words {
    create: Operation,
    get: Operation,
    list: Operation,
    update: Operation,
    delete: Operation,
    arn: &'static str,
    member: &'static str,
    members: &'static str,
    name_filter: &'static str,
}

const INFRASTRUCTURE: Words = Words {
    create: Operation::CreateInfrastructureConfiguration,
    get: Operation::GetInfrastructureConfiguration,
    list: Operation::ListInfrastructureConfigurations,
    update: Operation::UpdateInfrastructureConfiguration,
    delete: Operation::DeleteInfrastructureConfiguration,
    arn: "infrastructureConfigurationArn",
    member: "infrastructureConfiguration",
    members: "infrastructureConfigurationSummaryList",
    name_filter: "name",
};

const DISTRIBUTION: Words = Words {
    create: Operation::CreateDistributionConfiguration,
    get: Operation::GetDistributionConfiguration,
    list: Operation::ListDistributionConfigurations,
    update: Operation::UpdateDistributionConfiguration,
    delete: Operation::DeleteDistributionConfiguration,
    arn: "distributionConfigurationArn",
    member: "distributionConfiguration",
    members: "distributionConfigurationSummaryList",
    name_filter: "name",
};

const LIFECYCLE: Words = Words {
    create: Operation::CreateLifecyclePolicy,
    get: Operation::GetLifecyclePolicy,
    list: Operation::ListLifecyclePolicies,
    update: Operation::UpdateLifecyclePolicy,
    delete: Operation::DeleteLifecyclePolicy,
    arn: "lifecyclePolicyArn",
    member: "lifecyclePolicy",
    members: "lifecyclePolicySummaryList",
    name_filter: "Name",
};

/// Takes one configuration through its life.
async fn lives(words: Words, good: Value, segment: &str) {
    let server = Server::new().await;
    let good = with(good, "/description", "First".into());
    let arn = server.get(words.create, good.clone(), &format!("/{}", words.arn)).await;
    assert_eq!(arn, format!("{OWN}:{segment}"));
    let again = server.get(words.create, good.clone(), &format!("/{}", words.arn)).await;
    assert_eq!(again, arn);
    let other = with(good.clone(), "/description", "Other".into());
    let mismatch = server.call(words.create, other.clone()).await;
    assert_eq!(mismatch.error.as_deref(), Some("IdempotentParameterMismatchException"));
    let taken = server.call(words.create, with(other, "/clientToken", "2".into())).await;
    assert_eq!(
        taken.told(),
        format!(
            "400 ResourceAlreadyExistsException: The resource '{OWN}:{segment}' already exists."
        )
    );

    let key = json!({words.arn: arn});
    let found = server.get(words.get, key.clone(), &format!("/{}", words.member)).await;
    for (member, value) in good.as_object().unwrap() {
        if member != "clientToken" {
            assert_eq!(found[member], *value, "{member}");
        }
    }
    assert_eq!(found["dateUpdated"], Value::Null);

    // What an update does not say is gone, name and tags aside.
    server.pass(60);
    let mut update = good.clone();
    for member in ["description", "name", "tags"] {
        update.as_object_mut().unwrap().remove(member);
    }
    update[words.arn] = arn.clone();
    assert_eq!(server.get(words.update, update.clone(), &format!("/{}", words.arn)).await, arn);
    assert_eq!(server.get(words.update, update.clone(), &format!("/{}", words.arn)).await, arn);
    let changed = server.get(words.get, key.clone(), &format!("/{}", words.member)).await;
    assert_eq!(changed["description"], Value::Null);
    assert_eq!((&changed["name"], &changed["tags"]), (&found["name"], &found["tags"]));
    assert_ne!(changed["dateUpdated"], Value::Null);
    let update = with(update, "/description", "Other".into());
    let mismatch = server.call(words.update, update.clone()).await;
    assert_eq!(mismatch.error.as_deref(), Some("IdempotentParameterMismatchException"));

    for (name, count) in [(&good["name"], 1), (&json!("none"), 0)] {
        let filters = json!({"filters": [{"name": words.name_filter, "values": [name]}]});
        let list = server.get(words.list, filters, &format!("/{}", words.members)).await;
        assert_eq!(list.as_array().unwrap().len(), count);
    }
    let unknown = json!({"filters": [{"name": "colour", "values": ["red"]}]});
    let unknown = server.call(words.list, unknown).await;
    assert_eq!(unknown.error.as_deref(), Some("InvalidParameterValueException"));
    let page = server.call(words.list, json!({"nextToken": "nonsense"})).await;
    assert_eq!(page.error.as_deref(), Some("InvalidPaginationTokenException"));

    for operation in [words.get, words.delete] {
        let stranger = server.call_as(&caller("999999999999"), operation, key.clone()).await;
        assert_eq!(stranger.error.as_deref(), Some("ResourceNotFoundException"));
    }
    assert_eq!(server.get(words.delete, key.clone(), &format!("/{}", words.arn)).await, arn);
    for operation in [words.get, words.delete] {
        let gone = server.call(operation, key.clone()).await;
        assert_eq!(gone.error.as_deref(), Some("ResourceNotFoundException"));
    }
    let update = with(update, "/clientToken", "3".into());
    let gone = server.call(words.update, update).await;
    assert_eq!(gone.error.as_deref(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn configurations_are_made_read_replaced_and_deleted() {
    lives(INFRASTRUCTURE, infrastructure(), "infrastructure-configuration/small-machines").await;
    lives(DISTRIBUTION, distribution(), "distribution-configuration/everywhere").await;
    lives(LIFECYCLE, lifecycle(), "lifecycle-policy/keep-ten").await;
}

#[tokio::test]
async fn infrastructure_that_cannot_be_is_refused() {
    let operation = Operation::CreateInfrastructureConfiguration;
    refused(
        operation,
        infrastructure(),
        vec![
            ("/instanceTypes", json!(["t3.medium", "z9.large"]), expect!["400 InvalidParameterValueException: The value supplied for parameter 'instanceTypes[1]' is not valid. `z9.large` is of a family that is not known here: known are t2, t3, t3a, t4g, m4, m5, m5a, m6a, m6g, m6i, m7a, m7g, m7i, c5, c5a, c6a, c6g, c6i, c7a, c7g, c7i, r5, r5a, r6a, r6g, r6i, r7g, r7i"]),
            ("/instanceMetadataOptions", json!({"httpTokens": "notrequired"}), expect!["400 InvalidRequestException: The value supplied for parameter 'instanceMetadataOptions.httpTokens' is not valid. instanceMetadataOptions.httpTokens must match pattern optional|required"]),
            ("/placement", json!({"hostId": "h-1", "hostResourceGroupArn": "arn:x"}), expect!["400 InvalidParameterCombinationException: 'placement.hostId' and 'placement.hostResourceGroupArn' exclude each other."]),
            ("/placement", json!({"hostId": "h-1", "tenancy": "default"}), expect!["400 InvalidParameterCombinationException: 'placement.tenancy' must be host where a host is given, not default."]),
            ("/logging", json!({"s3Logs": {"s3KeyPrefix": "a"}}), expect!["400 InvalidParameterCombinationException: 'logging.s3Logs.s3KeyPrefix' needs 'logging.s3Logs.s3BucketName'."]),
            ("/resourceTags", json!({"a": "{{ imagebuilder:none }}"}), expect!["400 InvalidParameterValueException: The value supplied for parameter 'resourceTags.a' is not valid. `imagebuilder:none` is not a variable: expected `imagebuilder:buildDate` or `imagebuilder:buildVersion`"]),
            ("/parentInstance", json!({"autoScalingGroup": {"name": "a"}}), expect!["400 InvalidRequestException: The value supplied for parameter 'parentInstance' is not valid. Parent instances are not supported yet."]),
            ("/terminateInstanceOnCompletion", json!(false), expect!["400 InvalidRequestException: The value supplied for parameter 'terminateInstanceOnCompletion' is not valid. Instances cannot be kept after a build that succeeded yet."]),
        ],
    )
    .await;
}

#[tokio::test]
async fn distributions_that_cannot_be_are_refused() {
    let operation = Operation::CreateDistributionConfiguration;
    let fast = |template: Value| json!([{"enabled": true, "launchTemplate": template}]);
    let id = "lt-0123456789abcdef0";
    refused(
        operation,
        distribution(),
        vec![
            ("/distributions", json!([]), expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions' is not valid. It must name at least one region."]),
            ("/distributions/1/region", json!("eu-west-1"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[1].region' is not valid. The region 'eu-west-1' is there twice."]),
            ("/distributions/1/region", json!("Mars"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[1].region' is not valid. `Mars` is not a region: expected lower-case letters, digits and `-`, as in `local-1`"]),
            (
                "/distributions/0/amiDistributionConfiguration/name",
                json!("web {{ imagebuilder:none }}"),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[0].amiDistributionConfiguration.name' is not valid. `imagebuilder:none` is not a variable: expected `imagebuilder:buildDate` or `imagebuilder:buildVersion`"],
            ),
            (
                "/distributions/0/amiDistributionConfiguration/amiTags",
                json!({"a": "{{ imagebuilder:buildDate"}),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[0].amiDistributionConfiguration.amiTags.a' is not valid. `{{` is not followed by `}}`"],
            ),
            (
                "/distributions/0/amiDistributionConfiguration/launchPermission",
                json!({"userGroups": ["some"]}),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[0].amiDistributionConfiguration.launchPermission.userGroups' is not valid. The only group that there is is 'all'."],
            ),
            ("/distributions/0/fastLaunchConfigurations", fast(json!({})), expect!["400 InvalidParameterCombinationException: Either 'distributions[0].fastLaunchConfigurations[0].launchTemplate.launchTemplateId' or 'distributions[0].fastLaunchConfigurations[0].launchTemplate.launchTemplateName' must be given."]),
            (
                "/distributions/0/fastLaunchConfigurations",
                fast(json!({"launchTemplateId": id, "launchTemplateName": "a"})),
                expect!["400 InvalidParameterCombinationException: 'distributions[0].fastLaunchConfigurations[0].launchTemplate.launchTemplateId' and 'distributions[0].fastLaunchConfigurations[0].launchTemplate.launchTemplateName' exclude each other."],
            ),
            (
                "/distributions/0/ssmParameterConfigurations",
                json!([{"parameterName": "/a", "amiAccountId": "888888888888"}]),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[0].ssmParameterConfigurations[0].amiAccountId' is not valid. It must be one of the region's target accounts."],
            ),
            (
                "/distributions/0/ssmParameterConfigurations",
                json!([{"parameterName": "/a"}, {"parameterName": "/a"}]),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[0].ssmParameterConfigurations[1].parameterName' is not valid. '/a' is there twice."],
            ),
            (
                "/distributions/0/containerDistributionConfiguration",
                json!({"targetRepository": {"service": "ECR", "repositoryName": "Web"}}),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'distributions[0].containerDistributionConfiguration.targetRepository.repositoryName' is not valid. It must be 2 to 256 lower-case letters, digits, '.', '_', '-' and '/'."],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn policies_that_contradict_themselves_are_refused() {
    let operation = Operation::CreateLifecyclePolicy;
    let detail = &lifecycle()["policyDetails"][0];
    refused(
        operation,
        lifecycle(),
        vec![
            ("/policyDetails", json!([detail, detail]), expect!["400 InvalidParameterValueException: The value supplied for parameter 'policyDetails[1].action.type' is not valid. The action DELETE is there twice."]),
            ("/policyDetails/0/filter", json!({"type": "AGE", "value": 1}), expect!["400 InvalidParameterCombinationException: The filter AGE needs 'policyDetails[0].filter.unit'."]),
            (
                "/policyDetails/0/filter",
                json!({"type": "COUNT", "value": 1, "unit": "DAYS"}),
                expect!["400 InvalidParameterCombinationException: The filter COUNT cannot have 'policyDetails[0].filter.unit'."],
            ),
            (
                "/policyDetails/0/filter",
                json!({"type": "COUNT", "value": 1, "retainAtLeast": 1}),
                expect!["400 InvalidParameterCombinationException: 'policyDetails[0].filter.retainAtLeast' is for the action DELETE with the filter AGE."],
            ),
            ("/policyDetails/0/action/type", json!("DISABLE"), expect!["400 InvalidParameterCombinationException: 'policyDetails[0].action.includeResources.snapshots' is for the action DELETE."]),
            ("/policyDetails/0/action/includeResources", json!({"snapshots": true}), expect!["400 InvalidParameterCombinationException: 'policyDetails[0].action.includeResources.snapshots' needs 'policyDetails[0].action.includeResources.amis'."]),
            ("/policyDetails/0/action/includeResources", json!({"containers": true}), expect!["400 InvalidParameterCombinationException: 'policyDetails[0].action.includeResources.containers' cannot be given. The policy's resource type has no such resources."]),
            ("/resourceType", json!("CONTAINER_IMAGE"), expect!["400 InvalidParameterCombinationException: 'policyDetails[0].action.includeResources.amis' cannot be given. The policy's resource type has no such resources."]),
            (
                "/policyDetails/0/exclusionRules",
                json!({"amis": {"regions": ["Mars"]}}),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'policyDetails[0].exclusionRules.amis.regions[0]' is not valid. `Mars` is not a region: expected lower-case letters, digits and `-`, as in `local-1`"],
            ),
            ("/resourceSelection/tagMap", json!({"a": "b"}), expect!["400 InvalidParameterCombinationException: 'resourceSelection.recipes' and 'resourceSelection.tagMap' exclude each other."]),
            ("/resourceSelection", json!({}), expect!["400 InvalidParameterCombinationException: Either 'resourceSelection.recipes' or 'resourceSelection.tagMap' must be given."]),
            ("/resourceSelection/recipes/0/semanticVersion", json!("x.1.x"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'resourceSelection.recipes[0].semanticVersion' is not valid. `x.1.x` has a number to the right of `x`: after the first `x` all nodes must be `x`"]),
        ],
    )
    .await;
}
