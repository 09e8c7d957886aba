//! The SDK for Python, by its template.

use serde_json::{Value, json};

use crate::project::Project;

/// Every way to a socket that Python's standard library has, each a step of the check; then a defect.
const SOCKETS: &str = r#"
    def check(self) -> list[CheckStep]:
        ways = {
            "connect": lambda: socket.create_connection(("127.0.0.1", 9), 1),
            "listen": lambda: socket.socket().bind(("127.0.0.1", 0)),
            "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("127.0.0.1", 9)),
            "resolve": lambda: socket.getaddrinfo("localhost", 80),
            "http": lambda: http.client.HTTPConnection("127.0.0.1", 9).request("GET", "/"),
        }
        steps = []
        for name, way in ways.items():
            try:
                way()
                steps.append(CheckStep(name, "passed", "it worked"))
            except OSError as error:
                steps.append(CheckStep(name, "failed", str(error), "use what the contract offers"))
        return steps

    def discover(self, filter: DiscoverFilter, page: str | None) -> DiscoverPage:
        return {}["missing"]

    def plan("#;

#[test]
fn a_new_connector_in_python_builds_and_conforms_as_it_is_written() {
    let project = Project::new("python");
    project.builds("connector.py");
    project.conforms();

    let inspected = project.connector(&["inspect"]);
    assert_eq!(inspected.lines[0]["sockets"], json!("refused"), "{inspected:?}");
    assert_eq!(inspected.lines[0]["permissions"][1], json!(["secrets", "api_key (stays with the host)"]));
}

#[test]
fn python_has_no_sockets_and_its_defects_are_the_connectors() {
    let project = Project::new("python");
    project.edit(
        "connector.py",
        "from sluice_sdk import (",
        "import encodings.idna\nimport http.client\nimport socket\n\nfrom sluice_sdk import (",
    );
    project.edit("connector.py", "    def plan(", SOCKETS.trim_start_matches('\n'));
    project.build();
    let file = "config: {url: \"http://127.0.0.1:9\"}\ngrants: {private_network: true}\n";
    std::fs::write(project.path().join("connection.yaml"), file).unwrap();

    let checked = project.connector(&["check", "--config", "connection.yaml"]);
    let steps: Vec<&Value> = checked.lines.iter().filter(|line| line["outcome"].is_string()).collect();
    assert_eq!(steps.len(), 5, "{checked:?}");
    for step in steps {
        assert_eq!(step["outcome"], "failed", "{step}");
    }
    let said = checked.stderr.matches("wasi:sockets is always refused").count();
    assert!(said > 0, "{}", checked.stderr);

    let listed = project.connector(&["discover", "--config", "connection.yaml"]);
    assert!(listed.error().contains("KeyError: 'missing' (connector.py, line "), "{listed:?}");
}
