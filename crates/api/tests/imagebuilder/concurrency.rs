//! Many clients at once: nothing is lost, nothing is doubled, nothing breaks.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::component::create;
use crate::server::{OWN, Server};

const CLIENTS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_lose_and_double_nothing() {
    let server = Arc::new(Server::new().await);
    let tasks = (0..CLIENTS).map(|n| {
        let server = server.clone();
        tokio::spawn(async move {
            // Each makes one of its own and one build of what all share.
            let own = create(&format!("own-{n:02}"), "1.0.0", "one");
            let own = server.get(Operation::CreateComponent, own, ARN).await;
            let shared = create("shared", "1.0.0", &n.to_string());
            let shared = server.get(Operation::CreateComponent, shared, ARN).await;
            let pages = server.pages(Operation::ListComponents, json!({}), 25, LIST).await.concat();
            let name = format!("{OWN}:component/own-{n:02}/1.0.0");
            assert!(pages.iter().any(|one| one["arn"] == name), "{name} is not listed");
            if n % 2 == 0 {
                let delete = json!({"componentBuildVersionArn": own});
                server.get(Operation::DeleteComponent, delete, "").await;
            }
            shared
        })
    });
    let mut shared = BTreeSet::new();
    for task in tasks.collect::<Vec<_>>() {
        shared.insert(task.await.unwrap().as_str().unwrap().to_owned());
    }
    assert_eq!(shared.len(), CLIENTS);
    let listed = server.pages(Operation::ListComponents, json!({}), 7, LIST).await.concat();
    assert_eq!(listed.len(), CLIENTS / 2 + 1);
    let of = json!({"componentVersionArn": format!("{OWN}:component/shared/1.0.0")});
    let list = "componentSummaryList";
    let builds = server.pages(Operation::ListComponentBuildVersions, of, 25, list).await.concat();
    let builds: Vec<&Value> = builds.iter().map(|one| &one["arn"]).collect();
    let expected = (1..=CLIENTS).map(|n| format!("{OWN}:component/shared/1.0.0/{n}"));
    assert_eq!(builds, expected.map(Value::from).collect::<Vec<_>>().iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_equal_requests_is_carried_out() {
    let server = Arc::new(Server::new().await);
    let call = |input: Value| {
        let server = server.clone();
        tokio::spawn(async move { server.call(Operation::CreateComponent, input).await })
    };
    // The same token: all get one answer.
    let tasks: Vec<_> = (0..CLIENTS).map(|_| call(create("web", "1.0.0", "one"))).collect();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.body["componentBuildVersionArn"], format!("{OWN}:component/web/1.0.0/1"));
    }
    // The same document under other tokens: one is made, the others are refused.
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let mut input = create("web", "2.0.0", "one");
            input["clientToken"] = n.to_string().into();
            call(input)
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        made += usize::from(answer.status == StatusCode::OK);
        let refused = answer.error.as_deref() == Some("ResourceAlreadyExistsException");
        assert!(answer.status == StatusCode::OK || refused, "{answer:?}");
    }
    assert_eq!(made, 1);
}

const ARN: &str = "/componentBuildVersionArn";
const LIST: &str = "componentVersionList";
