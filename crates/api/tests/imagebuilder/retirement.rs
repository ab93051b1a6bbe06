//! Images retired by hand, and the lifecycle executions that tell of it.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::bench::{bench, carry_out, start};
use crate::server::Server;

fn to(arn: &Value, status: &str, token: &str) -> Value {
    json!({
        "resourceArn": arn,
        "state": {"status": status},
        "includeResources": {"amis": true},
        "clientToken": token,
    })
}

async fn retire(server: &Server, input: Value) -> Value {
    let id = "/lifecycleExecutionId";
    server.get(Operation::StartResourceStateUpdate, input, id).await
}

async fn image(server: &Server, arn: &Value) -> Value {
    server.get(Operation::GetImage, json!({"imageBuildVersionArn": arn}), "/image").await
}

async fn resources(server: &Server, id: &Value, parent: Option<&Value>) -> Vec<Value> {
    let mut of = json!({"lifecycleExecutionId": id});
    if let Some(parent) = parent {
        of["parentResourceId"] = parent.clone();
    }
    server.pages(Operation::ListLifecycleExecutionResources, of, 1, "resources").await.concat()
}

#[tokio::test]
async fn an_image_is_retired_and_brought_back() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    carry_out(&server, &arn, 4).await;
    let first = retire(&server, to(&arn, "DEPRECATED", "1")).await;
    // The request again is answered again.
    assert_eq!(retire(&server, to(&arn, "DEPRECATED", "1")).await, first);
    let shown = image(&server, &arn).await;
    assert_eq!(shown["state"]["status"], "DEPRECATED");
    assert_eq!(shown["lifecycleExecutionId"], first);
    assert_eq!(shown["deprecationTime"], json!(1_788_981_143.418));
    let listed = async |input: Value| {
        let list = server.get(Operation::ListImages, input, "/imageVersionList").await;
        list.as_array().unwrap().len()
    };
    assert_eq!(listed(json!({})).await, 0);
    assert_eq!(listed(json!({"includeDeprecated": true})).await, 1);

    server.pass(1);
    let second = retire(&server, to(&arn, "AVAILABLE", "2")).await;
    assert_eq!(image(&server, &arn).await["state"]["status"], "AVAILABLE");
    let of = json!({"resourceArn": arn});
    let list = "lifecycleExecutions";
    let pages = server.pages(Operation::ListLifecycleExecutions, of, 1, list).await.concat();
    let ids: Vec<&Value> = pages.iter().map(|one| &one["lifecycleExecutionId"]).collect();
    assert_eq!(ids, [&second, &first]);
}

#[tokio::test]
async fn a_deletion_tells_what_went() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    carry_out(&server, &arn, 4).await;
    let mut input = to(&arn, "DELETED", "1");
    input["includeResources"]["snapshots"] = true.into();
    let id = retire(&server, input).await;
    let of = json!({"lifecycleExecutionId": id});
    let execution = server.get(Operation::GetLifecycleExecution, of, "/lifecycleExecution").await;
    assert_eq!(execution["state"], json!({"status": "SUCCESS"}));
    let whole = resources(&server, &id, None).await;
    assert_eq!((whole.len(), &whole[0]["resourceId"]), (1, &arn));
    let parts = resources(&server, &id, Some(&arn)).await;
    expect![[r#"
        [
          {
            "accountId": "123456789012",
            "action": {
              "name": "DELETE"
            },
            "endTime": 1788981143.418,
            "region": "eu-west-1",
            "resourceId": "ami-00101010101010101",
            "snapshots": [
              {
                "snapshotId": "snap-00101010101010101",
                "state": {
                  "status": "SUCCESS"
                }
              }
            ],
            "startTime": 1788981143.418,
            "state": {
              "status": "SUCCESS"
            }
          }
        ]"#]]
    .assert_eq(&format!("{:#}", Value::from(parts)));
    assert!(store::ami::list(&server.db).await.unwrap().is_empty());
    assert!(store::snapshot::list(&server.db).await.unwrap().is_empty());
}

#[tokio::test]
async fn excluded_amis_are_left_alone() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    carry_out(&server, &arn, 4).await;
    let mut input = to(&arn, "DISABLED", "1");
    input["exclusionRules"] = json!({"amis": {"regions": ["eu-west-1"]}});
    let id = retire(&server, input).await;
    let parts = resources(&server, &id, Some(&arn)).await;
    let reason = "The region eu-west-1 is excluded.";
    assert_eq!(parts[0]["state"], json!({"status": "SKIPPED", "reason": reason}));
    let ami = store::ami::list(&server.db).await.unwrap().remove(0);
    assert_eq!(ami.status, store::AmiStatus::Available);
    let shown = async || image(&server, &arn).await["outputResources"]["amis"][0]["state"].clone();
    assert_eq!(shown().await, json!({"status": "AVAILABLE"}));
    retire(&server, to(&arn, "AVAILABLE", "2")).await;
    retire(&server, to(&arn, "DISABLED", "3")).await;
    assert_eq!(shown().await, json!({"status": "DISABLED"}));
}

#[tokio::test]
async fn states_that_cannot_be_are_refused() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let check = async |input: Value, expect: Expect| {
        server.check(Operation::StartResourceStateUpdate, input, expect).await;
    };
    check(
        to(&arn, "DEPRECATED", "1"),
        expect!["400 ResourceInUseException: The image is PENDING: it is still being built."],
    )
    .await;
    carry_out(&server, &arn, 4).await;
    check(
        to(&arn, "AVAILABLE", "1"),
        expect!["400 InvalidRequestException: The image's state cannot be changed: an image that is AVAILABLE cannot become AVAILABLE."],
    )
    .await;
    let mut bare = to(&arn, "DELETED", "1");
    bare["includeResources"] = json!({});
    check(bare, expect!["400 InvalidRequestException: A deletion must include the AMIs, the snapshots or the containers of the image."]).await;
    let mut later = to(&arn, "DEPRECATED", "1");
    later["updateAt"] = json!(1_800_000_000);
    check(
        later,
        expect![
            "400 InvalidRequestException: updateAt: a state cannot be changed at a later time yet."
        ],
    )
    .await;
    let none = json!({"lifecycleExecutionId": "lce-00000000-0000-0000-0000-000000000000"});
    server.check(Operation::GetLifecycleExecution, none, expect!["404 ResourceNotFoundException: The resource 'lce-00000000-0000-0000-0000-000000000000' cannot be found."]).await;
}
