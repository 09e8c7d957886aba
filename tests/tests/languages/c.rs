//! The SDK for C, by its template.

use serde_json::json;

use crate::project::Project;

#[test]
fn a_new_connector_in_c_builds_and_conforms_as_it_is_written() {
    let project = Project::new("c");
    assert_eq!(project.build()["warnings"], json!([]));
    project.conforms();
    let inspected = project.connector(&["inspect"]);
    assert_eq!(inspected.lines[0]["sockets"], json!("none"), "{inspected:?}");
    assert_eq!(inspected.lines[0]["permissions"][1], json!(["secrets", "password (enters the sandbox)"]));
}

#[test]
fn code_that_does_not_compile_is_refused_with_its_place() {
    let project = Project::new("c");
    project.edit("connector.c", "sluice_hang_up(link);", "sluice_hang_down(link);");
    let refused = project.connector(&["build"]);
    assert!(refused.error().contains("connector.c failed; clang"), "{refused:?}");
    assert!(refused.stderr.contains("sluice_hang_down"), "{refused:?}");
}
