//! The SDK for JavaScript and TypeScript, by its template.

use serde_json::json;

use crate::project::Project;

#[test]
fn a_new_connector_in_typescript_builds_and_conforms_as_it_is_written() {
    let project = Project::new("js");
    project.builds("connector.ts");
    project.conforms();

    let inspected = project.connector(&["inspect"]);
    assert_eq!(inspected.lines[0]["sockets"], json!("none"), "{inspected:?}");
}

#[test]
fn what_is_wrong_with_a_project_is_said_before_anything_is_made_of_it() {
    let project = Project::new("js");
    project.edit("sluice.yaml", "entry: connector.ts", "entry: absent.ts");
    let refused = project.connector(&["build"]);
    assert!(refused.error().contains("absent.ts, named in sluice.yaml, is not there"), "{refused:?}");
    project.edit("sluice.yaml", "entry: absent.ts", "entry: connector.ts\nentri: twice");
    assert!(project.connector(&["build"]).error().contains("entri"), "a misspelt field is named");
}
