//! Many clients at once: nothing is lost, nothing is doubled, nothing breaks.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::bench;
use crate::component::create;
use crate::server::{OWN, Server};
use crate::workflow;

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

/// Of equal requests that change an image one does, and all are answered so, although the state
/// that it leaves would refuse the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn equal_changes_of_an_image_are_one() {
    let server = Arc::new(bench::bench().await);
    let arn = bench::start(&server, "one").await;
    let change = async |operation, input: Value, answer: &str| {
        let tasks = (0..CLIENTS).map(|_| {
            let (server, input) = (server.clone(), input.clone());
            tokio::spawn(async move { server.call(operation, input).await })
        });
        let mut answers = BTreeSet::new();
        for task in tasks.collect::<Vec<_>>() {
            let told = task.await.unwrap();
            answers.insert(told.body[answer].as_str().unwrap_or(&told.told()).to_owned());
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
    };
    for n in 0..8 {
        bench::carry_out(&server, &arn, 2).await;
        let retry = json!({"imageBuildVersionArn": arn, "clientToken": n.to_string()});
        change(Operation::RetryImage, retry, "imageBuildVersionArn").await;
    }
    bench::carry_out(&server, &arn, 4).await;
    let delete = json!({
        "resourceArn": arn, "state": {"status": "DELETED"}, "includeResources": {"amis": true},
        "clientToken": "delete",
    });
    change(Operation::StartResourceStateUpdate, delete, "lifecycleExecutionId").await;
}

/// A kind of resource: how it is made, listed and deleted.
struct Way {
    make: Operation,
    list: Operation,
    delete: Operation,
    /// What its ARN is called in answers, and by those that delete it.
    arn: &'static str,
    members: &'static str,
    input: fn(&str) -> Value,
}

/// Every kind of which a client may have its own, each after those that it needs.
const WAYS: [Way; 8] = [
    Way {
        make: Operation::CreateComponent,
        list: Operation::ListComponents,
        delete: Operation::DeleteComponent,
        arn: "componentBuildVersionArn",
        members: "componentVersionList",
        input: |name| create(name, "1.0.0", "one"),
    },
    Way {
        make: Operation::CreateWorkflow,
        list: Operation::ListWorkflows,
        delete: Operation::DeleteWorkflow,
        arn: "workflowBuildVersionArn",
        members: "workflowVersionList",
        input: |name| workflow::create(name, "TEST", "one"),
    },
    Way {
        make: Operation::CreateInfrastructureConfiguration,
        list: Operation::ListInfrastructureConfigurations,
        delete: Operation::DeleteInfrastructureConfiguration,
        arn: "infrastructureConfigurationArn",
        members: "infrastructureConfigurationSummaryList",
        input: |name| json!({"name": name, "instanceProfileName": "none", "clientToken": name}),
    },
    Way {
        make: Operation::CreateDistributionConfiguration,
        list: Operation::ListDistributionConfigurations,
        delete: Operation::DeleteDistributionConfiguration,
        arn: "distributionConfigurationArn",
        members: "distributionConfigurationSummaryList",
        input: |name| {
            let distributions = [json!({"region": "eu-west-1"})];
            json!({"name": name, "distributions": distributions, "clientToken": name})
        },
    },
    Way {
        make: Operation::CreateLifecyclePolicy,
        list: Operation::ListLifecyclePolicies,
        delete: Operation::DeleteLifecyclePolicy,
        arn: "lifecyclePolicyArn",
        members: "lifecyclePolicySummaryList",
        input: |name| {
            json!({
                "name": name, "clientToken": name, "executionRole": "keeper",
                "resourceType": "AMI_IMAGE",
                "policyDetails": [{
                    "action": {"type": "DELETE"},
                    "filter": {"type": "AGE", "value": 6, "unit": "MONTHS"},
                }],
                "resourceSelection": {"recipes": [{"name": name, "semanticVersion": "1.x.x"}]},
            })
        },
    },
    Way {
        make: Operation::CreateImageRecipe,
        list: Operation::ListImageRecipes,
        delete: Operation::DeleteImageRecipe,
        arn: "imageRecipeArn",
        members: "imageRecipeSummaryList",
        input: |name| {
            json!({
                "name": name, "semanticVersion": "1.0.0", "parentImage": PARENT,
                "components": [{"componentArn": format!("{OWN}:component/{name}/1.0.0/1")}],
                "clientToken": name,
            })
        },
    },
    Way {
        make: Operation::CreateContainerRecipe,
        list: Operation::ListContainerRecipes,
        delete: Operation::DeleteContainerRecipe,
        arn: "containerRecipeArn",
        members: "containerRecipeSummaryList",
        input: |name| {
            json!({
                "name": name, "semanticVersion": "1.0.0", "parentImage": "debian:12",
                "containerType": "DOCKER", "clientToken": name,
                "components": [{"componentArn": format!("{OWN}:component/{name}/1.0.0/1")}],
                "targetRepository": {"service": "ECR", "repositoryName": "team/web"},
            })
        },
    },
    Way {
        make: Operation::CreateImagePipeline,
        list: Operation::ListImagePipelines,
        delete: Operation::DeleteImagePipeline,
        arn: "imagePipelineArn",
        members: "imagePipelineList",
        input: |name| {
            let infrastructure = format!("{OWN}:infrastructure-configuration/{name}");
            json!({
                "name": name, "imageRecipeArn": format!("{OWN}:image-recipe/{name}/1.0.0"),
                "infrastructureConfigurationArn": infrastructure, "clientToken": name,
            })
        },
    },
];

const PARENT: &str = "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x";

/// Makes one of each kind; returns their ARNs.
async fn make(server: &Server, name: &str) -> Vec<Value> {
    let mut made = Vec::new();
    for way in &WAYS {
        let pointer = format!("/{}", way.arn);
        made.push(server.get(way.make, (way.input)(name), &pointer).await);
    }
    made
}

/// Returns the names on all pages of a list, each as often as it is there.
async fn names(server: &Server, way: &Way) -> Vec<String> {
    let pages = server.pages(way.list, json!({}), 5, way.members).await.concat();
    pages.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// What is there all the time is on every client's pages once, whatever others make and delete
/// meanwhile; in the end there is what was made and not deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_kind_is_lost_or_doubled() {
    const STEADY: usize = 12;
    let server = Arc::new(Server::new().await);
    let steady: Vec<String> = (0..STEADY).map(|n| format!("m{n:02}-steady")).collect();
    for name in &steady {
        make(&server, name).await;
    }
    let tasks = (0..CLIENTS).map(|n| {
        let (server, steady) = (server.clone(), steady.clone());
        tokio::spawn(async move {
            // Before, between and after those that stay.
            let name = format!("{}{n:02}-own", ["a", "m", "z"][n % 3]);
            let made = make(&server, &name).await;
            let way = &WAYS[n % WAYS.len()];
            let listed = names(&server, way).await;
            let once: BTreeSet<&String> = listed.iter().collect();
            assert_eq!(once.len(), listed.len(), "doubled: {listed:?}");
            assert!(steady.iter().all(|name| once.contains(name)), "lost: {listed:?}");
            assert!(once.contains(&name), "{name} is lost: {listed:?}");
            if n % 2 == 0 {
                for (way, arn) in WAYS.iter().zip(made).rev() {
                    server.get(way.delete, json!({ way.arn: arn }), "").await;
                }
            }
            name
        })
    });
    let mut left: BTreeSet<String> = steady.iter().cloned().collect();
    for (n, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
        let name = task.await.unwrap();
        if n % 2 == 1 {
            left.insert(name);
        }
    }
    for way in &WAYS {
        assert_eq!(names(&server, way).await, left.iter().cloned().collect::<Vec<_>>());
    }
}

/// Of clients that delete the same, one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_deleted_at_once_is_deleted_once() {
    let server = Arc::new(Server::new().await);
    let made = make(&server, "web").await;
    for (way, arn) in WAYS.iter().zip(made).rev() {
        let delete = json!({ way.arn: arn });
        let tasks: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (server, delete) = (server.clone(), delete.clone());
                tokio::spawn(async move { server.call(way.delete, delete).await })
            })
            .collect();
        let mut deleted = 0;
        for task in tasks {
            let answer = task.await.unwrap();
            deleted += usize::from(answer.status == StatusCode::OK);
            let gone = answer.error.as_deref() == Some("ResourceNotFoundException");
            assert!(answer.status == StatusCode::OK || gone, "{answer:?}");
        }
        assert_eq!(deleted, 1, "{:?}", way.delete);
    }
}

/// All tags that are given at once are there afterwards, and none that was taken away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tags_given_at_once_are_all_kept() {
    const TAGS: usize = 40;
    let server = Arc::new(bench::bench().await);
    let pipeline = json!(format!("{OWN}:image-pipeline/web"));
    let image = bench::start(&server, "one").await;
    for arn in [pipeline, image] {
        let tag = |operation, member: &'static str, value: Value| {
            let (server, mut input) = (server.clone(), json!({ "resourceArn": arn }));
            input[member] = value;
            tokio::spawn(async move { server.get(operation, input, "").await })
        };
        let tasks: Vec<_> = (0..TAGS)
            .map(|n| tag(Operation::TagResource, "tags", json!({format!("t{n}"): "yes"})))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let tasks: Vec<_> = (0..TAGS)
            .filter(|n| n % 2 == 0)
            .map(|n| tag(Operation::UntagResource, "tagKeys", json!([format!("t{n}")])))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let of = json!({ "resourceArn": arn });
        let tags = server.get(Operation::ListTagsForResource, of, "/tags").await;
        let kept: BTreeSet<String> = tags.as_object().unwrap().keys().cloned().collect();
        let expected = (0..TAGS).filter(|n| n % 2 == 1).map(|n| format!("t{n}"));
        assert_eq!(kept, expected.collect::<BTreeSet<_>>());
    }
}

const ARN: &str = "/componentBuildVersionArn";
const LIST: &str = "componentVersionList";
