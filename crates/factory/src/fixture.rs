//! What the tests of this crate start from: a factory, and something to build.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::{Factory, Order, Settings};

/// Opens a factory over a data folder in `folder`.
pub(crate) async fn factory(folder: &Path) -> Factory {
    let agent = folder.join("agent");
    fs::write(&agent, "agent").unwrap();
    let data = folder.join("data");
    let settings = Settings { data, agent, region: "local-1".parse().unwrap() };
    Factory::open(settings).await.unwrap().0
}

/// Returns an order for an image that is not tested and goes to two regions.
pub(crate) fn order() -> Order {
    let project = json!({
        "recipe": {
            "name": "Web",
            "semanticVersion": "1.0.0",
            "parentImage": "ami-00000000000000001",
        },
        "imageTestsConfiguration": { "imageTestsEnabled": false },
        "distributions": [{ "region": "local-1" }, { "region": "local-2" }],
    });
    Order::of_catalogue(&project, &[]).unwrap()
}
