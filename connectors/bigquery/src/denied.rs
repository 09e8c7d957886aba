//! From a permission that is missing to the role that has it.

use sluice_sdk::Error;

use crate::config::BigQueryConfig;
use crate::id::TableRef;

/// What was being done, for messages and for the role that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doing<'a> {
    /// Listing the datasets of a project.
    ListDatasets(&'a str),
    /// Listing the tables of a dataset.
    ListTables(&'a str, &'a str),
    /// Looking at a table's schema and size.
    Describe(&'a TableRef),
    /// Running a query job for this stream.
    Query(&'a str),
    /// Opening a read session on a table.
    OpenSession(&'a TableRef),
    /// Reading rows of a table.
    ReadRows(&'a TableRef),
}

/// On what a role is granted.
#[derive(Clone, Copy)]
enum Place {
    Billing,
    Data,
    Results,
}

/// Permissions as Google's messages name them, the role that has them, and where it is granted. The first that a message holds
/// counts.
const ROLES: &[(&str, &str, Place)] = &[
    ("bigquery.readsessions.", "roles/bigquery.readSessionUser", Place::Billing),
    ("bigquery.jobs.", "roles/bigquery.jobUser", Place::Billing),
    ("serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer", Place::Billing),
    ("bigquery.tables.create", "roles/bigquery.dataEditor", Place::Results),
    ("bigquery.tables.update", "roles/bigquery.dataEditor", Place::Results),
    ("datacatalog.categories.fineGrainedGet", "roles/datacatalog.categoryFineGrainedReader", Place::Data),
    ("bigquery.tables.getData", "roles/bigquery.dataViewer", Place::Data),
    ("bigquery.tables.get", "roles/bigquery.metadataViewer", Place::Data),
    ("bigquery.tables.list", "roles/bigquery.metadataViewer", Place::Data),
    ("bigquery.datasets.get", "roles/bigquery.metadataViewer", Place::Data),
];

impl Doing<'_> {
    /// What it is, in the words of a message.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::ListDatasets(project) => format!("listing the datasets of project {project}"),
            Self::ListTables(project, dataset) => format!("listing the tables of {project}.{dataset}"),
            Self::Describe(table) => format!("looking up {table}"),
            Self::Query(stream) => format!("running a query for {stream}"),
            Self::OpenSession(table) => format!("opening a read session on {table}"),
            Self::ReadRows(table) => format!("reading {table}"),
        }
    }

    /// The object that holds the data.
    fn data(&self, config: &BigQueryConfig) -> String {
        match self {
            Self::ListDatasets(project) => format!("project {project}"),
            Self::ListTables(project, dataset) => format!("dataset {project}.{dataset}"),
            Self::Describe(table) | Self::OpenSession(table) | Self::ReadRows(table) => format!("table {table}"),
            Self::Query(_) => format!("the tables of project {} that it reads", config.home()),
        }
    }

    /// The roles that it takes, for a message that names no permission.
    fn roles(&self, config: &BigQueryConfig) -> String {
        let (data, billing) = (self.data(config), &config.project);
        match self {
            Self::ListDatasets(_) | Self::ListTables(..) | Self::Describe(_) => {
                format!("roles/bigquery.metadataViewer on {data}")
            }
            Self::Query(_) => {
                format!("roles/bigquery.jobUser on project {billing} and roles/bigquery.dataViewer on {data}")
            }
            Self::OpenSession(_) | Self::ReadRows(_) => {
                format!("roles/bigquery.readSessionUser on project {billing} and roles/bigquery.dataViewer on {data}")
            }
        }
    }
}

/// The error for a refusal, with the role to grant.
pub(crate) fn denied(config: &BigQueryConfig, doing: &Doing<'_>, said: &str) -> Error {
    let words = doing.words();
    let said = said.trim().trim_end_matches('.');
    if said.contains("has not been used in project") || said.contains("is disabled") {
        return Error::permission(format!(
            "{words} is refused: {said}. Enable bigquery.googleapis.com and bigquerystorage.googleapis.com in project {}",
            config.project
        ));
    }
    if said.contains("VPC Service Controls") || said.contains("vpcServiceControls") {
        return Error::permission(format!(
            "{words} is refused: {said}. Let the perimeter's access level include this host, or run Sluice inside the perimeter"
        ));
    }
    let known = ROLES.iter().find(|(permission, ..)| said.contains(permission));
    let grant = match known {
        Some((_, role, Place::Billing)) => format!("{role} on project {}", config.project),
        Some((_, role, Place::Data)) => format!("{role} on {}", doing.data(config)),
        Some((_, role, Place::Results)) => {
            let dataset = config.results_dataset.as_deref().unwrap_or_default();
            format!("{role} on dataset {}.{dataset}", config.project)
        }
        None => doing.roles(config),
    };
    Error::permission(format!("{words} is refused: {said}. Grant {grant} to this connection's account"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_sdk::ErrorKind;

    use super::*;
    use crate::config::tests::config;

    fn table() -> TableRef {
        TableRef { project: "data".into(), dataset: "d".into(), table: "t".into() }
    }

    #[test]
    fn each_permission_has_its_role_and_the_place_to_grant_it() {
        let config = config(json!({"data_project": "data", "results_dataset": "tmp"}));
        let table = table();
        let told = |doing: Doing<'_>, said: &str| {
            let error = denied(&config, &doing, said);
            assert_eq!(error.kind, ErrorKind::Permission);
            error.message.rsplit_once("Grant ").unwrap().1.to_owned()
        };
        let account = "to this connection's account";
        let session =
            "request failed: the user does not have 'bigquery.readsessions.create' permission for 'projects/billing'";
        assert_eq!(
            told(Doing::OpenSession(&table), session),
            format!("roles/bigquery.readSessionUser on project billing {account}")
        );
        let data = "Access Denied: Table data:d.t: Permission bigquery.tables.getData denied on table data:d.t (or it may not exist).";
        assert_eq!(
            told(Doing::OpenSession(&table), data),
            format!("roles/bigquery.dataViewer on table data.d.t {account}")
        );
        let meta = "Access Denied: Permission bigquery.tables.get denied on table data:d.t";
        assert_eq!(
            told(Doing::Describe(&table), meta),
            format!("roles/bigquery.metadataViewer on table data.d.t {account}")
        );
        let jobs =
            "Access Denied: Project billing: User does not have bigquery.jobs.create permission in project billing.";
        assert_eq!(told(Doing::Query("d.v"), jobs), format!("roles/bigquery.jobUser on project billing {account}"));
        let results = "Permission bigquery.tables.create denied on dataset billing:tmp";
        assert_eq!(
            told(Doing::Query("d.v"), results),
            format!("roles/bigquery.dataEditor on dataset billing.tmp {account}")
        );
    }

    #[test]
    fn a_refusal_without_a_permission_names_all_roles_that_the_step_takes() {
        let error = denied(&config(json!({})), &Doing::ReadRows(&table()), "Access Denied");
        assert!(error.message.contains("readSessionUser on project billing and roles/bigquery.dataViewer"), "{error}");
    }

    #[test]
    fn an_api_that_is_off_is_no_matter_of_roles() {
        let said = "BigQuery API has not been used in project 123 before or it is disabled.";
        let error = denied(&config(json!({})), &Doing::ListDatasets("billing"), said);
        assert!(error.message.contains("Enable bigquery.googleapis.com"), "{error}");
    }
}
