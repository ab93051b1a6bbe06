//! Generated files hold what would be generated now.

use std::fs;

use crate::root;

#[test]
fn generated_files_are_fresh() {
    for (path, schema) in [
        ("docs/reference/project.schema.json", document::project_schema()),
        ("docs/reference/component.schema.json", document::component_schema()),
        ("docs/reference/workflow.schema.json", document::workflow_schema()),
    ] {
        let kept = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert_eq!(kept, format!("{schema:#}\n"), "{path} is stale: run `cargo xtask codegen`");
    }
}

#[test]
fn the_model_of_image_builder_is_fresh() {
    for file in xtask::imagebuilder(&root()).unwrap() {
        let kept = fs::read_to_string(root().join(&file.path)).unwrap_or_default();
        assert!(kept == file.text, "{} is stale: run `cargo xtask codegen`", file.path);
    }
}

#[test]
fn the_page_of_operations_is_fresh() {
    let table = fs::read_to_string(root().join("crates/api/coverage.json")).unwrap();
    let page = xtask::coverage(&root(), &table).unwrap();
    let kept = fs::read_to_string(root().join(&page.path)).unwrap_or_default();
    assert!(kept == page.text, "{} is stale: run `cargo xtask codegen`", page.path);
}
