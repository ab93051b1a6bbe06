//! Tags of resources.

use std::collections::BTreeMap;

use expect_test::expect;
use serde_json::json;
use wire::imagebuilder::Operation;

use crate::component::create;
use crate::server::{OWN, Server};

#[tokio::test]
async fn tags_are_added_replaced_and_removed() {
    let server = Server::new().await;
    let mut input = create("web", "1.0.0", "one");
    input["tags"] = json!({"team": "web", "stage": "test"});
    let arn = server.get(Operation::CreateComponent, input, "/componentBuildVersionArn").await;
    let more = json!({"resourceArn": arn, "tags": {"stage": "live", "a b/c": ""}});
    server.check(Operation::TagResource, more, expect!["{}"]).await;
    let list = json!({"resourceArn": arn});
    server
        .check(
            Operation::ListTagsForResource,
            list.clone(),
            expect![[r#"
        {
          "tags": {
            "a b/c": "",
            "stage": "live",
            "team": "web"
          }
        }"#]],
        )
        .await;
    let less = json!({"resourceArn": arn, "tagKeys": ["a b/c", "team", "never"]});
    server.check(Operation::UntagResource, less, expect!["{}"]).await;
    server
        .check(
            Operation::ListTagsForResource,
            list.clone(),
            expect![[r#"
        {
          "tags": {
            "stage": "live"
          }
        }"#]],
        )
        .await;
    let get = json!({"componentBuildVersionArn": arn});
    let tags = server.get(Operation::GetComponent, get, "/component/tags").await;
    assert_eq!(tags, json!({"stage": "live"}));
    let last = json!({"resourceArn": arn, "tagKeys": ["stage"]});
    server.check(Operation::UntagResource, last, expect!["{}"]).await;
    server.check(Operation::ListTagsForResource, list, expect!["{}"]).await;
}

#[tokio::test]
async fn tags_keep_the_rules() {
    let server = Server::new().await;
    let arn = server
        .get(Operation::CreateComponent, create("web", "1.0.0", "one"), "/componentBuildVersionArn")
        .await;
    let many: BTreeMap<_, _> = (0..50).map(|n| (format!("k{n}"), "v")).collect();
    let input = json!({"resourceArn": arn, "tags": many});
    server.check(Operation::TagResource, input, expect!["{}"]).await;
    let nowhere = format!("{OWN}:component/none/1.0.0/1");
    let latest = format!("{OWN}:component/web/x.x.x");
    let managed = "arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/1.0.0/1";
    let tags = json!({"k": "v"});
    for (input, expected) in [
        (
            json!({"resourceArn": arn, "tags": tags}),
            expect!["400 InvalidParameterException: 51 tags; at most 50 are allowed"],
        ),
        (
            json!({"resourceArn": arn, "tags": {"aws:k": "v"}}),
            expect![[
                r#"400 InvalidParameterException: The value supplied for parameter 'tags["aws:k"]' is not valid. tags["aws:k"] has a key that must match pattern ^(?!aws:)[a-zA-Z0-9\s_.:/=+\-@]*$"#
            ]],
        ),
        (
            json!({"resourceArn": nowhere, "tags": tags}),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/none/1.0.0/1' cannot be found."
            ],
        ),
        (
            json!({"resourceArn": latest, "tags": tags}),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/x.x.x' cannot be found."
            ],
        ),
        (
            json!({"resourceArn": managed, "tags": tags}),
            expect![
                "403 ForbiddenException: 'arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/1.0.0/1' is managed: it can be used and read, not changed or deleted."
            ],
        ),
    ] {
        server.check(Operation::TagResource, input, expected).await;
    }
    for arn in [nowhere, latest] {
        let input = json!({"resourceArn": arn, "tagKeys": ["k"]});
        let answer = server.call(Operation::UntagResource, input).await;
        assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
        let input = json!({"resourceArn": arn});
        let answer = server.call(Operation::ListTagsForResource, input).await;
        assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    }
    server
        .check(Operation::ListTagsForResource, json!({"resourceArn": managed}), expect!["{}"])
        .await;
}
