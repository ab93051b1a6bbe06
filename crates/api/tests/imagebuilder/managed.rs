//! Managed resources: listed, read, never changed.

use expect_test::expect;
use serde_json::json;
use wire::imagebuilder::Operation;

use crate::server::Server;

const AWS: &str = "arn:aws:imagebuilder:eu-west-1:aws";

#[tokio::test]
async fn managed_components_are_listed_and_read() {
    let server = Server::new().await;
    let input = json!({"owner": "Amazon"});
    let pages = server.pages(Operation::ListComponents, input, 2, "componentVersionList").await;
    let mut names = String::new();
    for component in pages.concat() {
        assert_eq!(component["owner"], "Amazon");
        names += &format!("{} {}\n", component["arn"], component["type"]);
    }
    expect![[r#"
        "arn:aws:imagebuilder:eu-west-1:aws:component/harden-linux/1.0.0" "BUILD"
        "arn:aws:imagebuilder:eu-west-1:aws:component/harden-linux-test/1.0.0" "TEST"
        "arn:aws:imagebuilder:eu-west-1:aws:component/reboot-linux/1.0.0" "BUILD"
        "arn:aws:imagebuilder:eu-west-1:aws:component/simple-boot-test-linux/1.0.0" "TEST"
        "arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/1.0.0" "BUILD"
    "#]]
    .assert_eq(&names);
    let arn = format!("{AWS}:component/simple-boot-test-linux/x.x.x");
    let get = json!({"componentBuildVersionArn": arn});
    let data = server.get(Operation::GetComponent, get, "/component/data").await;
    assert!(data.as_str().unwrap().contains("schemaVersion"));
}

#[tokio::test]
async fn managed_resources_cannot_be_changed() {
    let server = Server::new().await;
    let delete =
        |name: &str| json!({"componentBuildVersionArn": format!("{AWS}:component/{name}/1.0.0/1")});
    server.check(Operation::DeleteComponent, delete("update-linux"), expect!["403 ForbiddenException: 'arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/1.0.0/1' is managed: it can be used and read, not changed or deleted."]).await;
    server.check(Operation::DeleteComponent, delete("none"), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:aws:component/none/1.0.0/1' cannot be found."]).await;
}
