//! What whoever operates a service offers its tenants. Without an offer a connection reaches public addresses only, and nothing of the
//! host itself is lent: not its network, its identity, its folders or its disk.
//!
//! Checked when a connection or a pipeline is saved, and again whenever one is used: an offer may have been withdrawn since.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::error::{Actor, Kind, RunError};
use crate::limits::RunLimits;
use crate::pipeline::{Grants, SinkSpec};
use crate::secret::{SecretOffer, SecretRef};

/// What tenants may ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Connections may reach private addresses.
    pub private_network: bool,
    /// Connections may authenticate to Google as the host does.
    pub google_identity: bool,
    /// Sinks and token exchanges may have endpoints of the tenant's choice, and sinks may send no credentials.
    pub endpoints: bool,
    /// Folders that connections may read, by the name under which they are offered.
    pub folders: BTreeMap<String, PathBuf>,
    /// The folder that holds every tenant's local warehouse; none if there are none.
    pub warehouse: Option<PathBuf>,
    /// Where the host's identity may write, and for whom.
    pub bigquery: Vec<DatasetOffer>,
    /// Secrets kept elsewhere that the host's identity may read, and for whom.
    pub secrets: Vec<SecretOffer>,
    /// The most that a pipeline may set.
    pub limits: Option<RunLimits>,
}

/// Tables that tenants may write with the host's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetOffer {
    /// For this tenant; for all of them if there is none.
    pub tenant: Option<String>,
    /// In this project.
    pub project: String,
    /// In this dataset; in any if there is none.
    pub dataset: Option<String>,
}

impl DatasetOffer {
    /// Reads `[TENANT=]PROJECT[.DATASET]`.
    ///
    /// # Errors
    /// In words, if it is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (tenant, place) = match text.split_once('=') {
            Some((tenant, place)) => (Some(tenant), place),
            None => (None, text),
        };
        let (project, dataset) = match place.split_once('.') {
            Some((project, dataset)) => (project, Some(dataset)),
            None => (place, None),
        };
        if project.is_empty() || dataset == Some("") || tenant == Some("") {
            return Err(format!("{text:?} does not read [TENANT=]PROJECT[.DATASET]"));
        }
        let owned = |text: &str| text.to_owned();
        Ok(Self { tenant: tenant.map(owned), project: project.to_owned(), dataset: dataset.map(owned) })
    }

    fn covers(&self, tenant: &str, project: &str, dataset: &str) -> bool {
        self.tenant.as_deref().is_none_or(|only| only == tenant)
            && self.project == project
            && self.dataset.as_deref().is_none_or(|only| only == dataset)
    }
}

impl Offers {
    /// Fills in what a connection asks for: folders by their names. Its connector is a name, never a path.
    ///
    /// # Errors
    /// Names the first field that asks for what is not offered.
    pub fn lend(&self, connector: &str, grants: &mut Grants) -> Result<(), RunError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if connector.is_empty() || !connector.chars().all(plain) {
            return Err(RunError::config("connector", "a connector is named by its name, not by a file"));
        }
        if grants.private_network && !self.private_network {
            return Err(refused("grants.private_network", "reaching private addresses"));
        }
        if grants.google_identity && !self.google_identity {
            return Err(refused("grants.google_identity", "using the service's own Google identity"));
        }
        if grants.google_token_endpoint.is_some() && !self.endpoints {
            return Err(refused("grants.google_token_endpoint", "another token endpoint"));
        }
        for (inside, offered) in &mut grants.folders {
            let place = offered.to_str().and_then(|name| self.folders.get(name));
            let Some(place) = place else {
                return Err(refused(&format!("grants.folders.{inside}"), "a folder of this name"));
            };
            offered.clone_from(place);
        }
        Ok(())
    }

    /// Fills in where a tenant's sink is: a local warehouse lies in the tenant's own folder.
    ///
    /// # Errors
    /// Names the first field that asks for what is not offered.
    pub fn place(&self, tenant: &str, sink: &mut SinkSpec) -> Result<(), RunError> {
        match sink {
            SinkSpec::Null => Ok(()),
            SinkSpec::Local { path, .. } => {
                let warehouse = self.warehouse.as_ref().ok_or_else(|| refused("sink.type", "a local warehouse"))?;
                *path = within(&warehouse.join(tenant), path).ok_or_else(|| {
                    RunError::config("sink.path", "name a folder without `..` and without a leading `/`")
                })?;
                Ok(())
            }
            SinkSpec::Bigquery { project, dataset, rest_endpoint, grpc_endpoint, anonymous, .. } => {
                let custom = [
                    ("sink.rest_endpoint", rest_endpoint.is_some()),
                    ("sink.grpc_endpoint", grpc_endpoint.is_some()),
                    ("sink.anonymous", *anonymous),
                ];
                if let Some((field, _)) = custom.iter().find(|(_, asked)| *asked && !self.endpoints) {
                    return Err(refused(field, "a sink at an endpoint of one's own"));
                }
                // The host's identity must not be sent to an address that a tenant chose.
                let elsewhere = rest_endpoint.is_some() || grpc_endpoint.is_some();
                if elsewhere && !*anonymous {
                    let message = "an endpoint of one's own is used without credentials; set `anonymous: true`";
                    return Err(RunError::config("sink.anonymous", message));
                }
                if *anonymous || self.bigquery.iter().any(|offer| offer.covers(tenant, project, dataset)) {
                    return Ok(());
                }
                Err(refused("sink.dataset", &format!("writing to {project}.{dataset}")))
            }
        }
    }

    /// Checks that a tenant may use a secret that is kept elsewhere.
    ///
    /// # Errors
    /// If it is not offered to it.
    pub fn secret(&self, tenant: &str, reference: &SecretRef) -> Result<(), RunError> {
        if self.secrets.iter().any(|offer| offer.covers(tenant, reference)) {
            return Ok(());
        }
        let message = format!(
            "{reference} is not offered to this tenant ({tenant}); whoever operates the service can (--secret-manager), or send the \
             secret itself"
        );
        Err(RunError::new(Kind::Permission, Actor::User, message))
    }

    /// Checks the bounds that a pipeline sets.
    ///
    /// # Errors
    /// Names the first that is beyond what is offered.
    pub fn allow(&self, limits: &RunLimits) -> Result<(), RunError> {
        let Some(most) = &self.limits else { return Ok(()) };
        let (asked_of, most_of) = (&limits.instance, &most.instance);
        let bounds = [
            ("parallel", u64::from(limits.parallel), u64::from(most.parallel)),
            ("bytes_in_flight", limits.bytes_in_flight, most.bytes_in_flight),
            ("instance.memory_bytes", asked_of.memory_bytes, most_of.memory_bytes),
            ("instance.cpu_ms", asked_of.cpu_ms, most_of.cpu_ms),
            ("instance.wall_ms", asked_of.wall_ms, most_of.wall_ms),
            ("instance.batch_bytes", asked_of.batch_bytes, most_of.batch_bytes),
            ("instance.log_bytes", asked_of.log_bytes, most_of.log_bytes),
            ("instance.connections", u64::from(asked_of.connections), u64::from(most_of.connections)),
            ("instance.hostcall_bytes", asked_of.hostcall_bytes, most_of.hostcall_bytes),
        ];
        match bounds.iter().find(|(_, asked, most)| asked > most) {
            None => Ok(()),
            Some((field, _, most)) => {
                let message = format!("this service allows at most {most}");
                Err(RunError::config(format!("limits.{field}"), message))
            }
        }
    }
}

/// A folder below another; none for a path that leads out of it.
fn within(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut place = root.to_path_buf();
    for part in path.components() {
        match part {
            Component::Normal(name) => place.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}

fn refused(field: &str, what: &str) -> RunError {
    let message = format!("{what} is not offered by this service; whoever operates it can");
    RunError::new(Kind::Permission, Actor::User, message).with_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bigquery(text: serde_json::Value) -> SinkSpec {
        serde_json::from_value(text).unwrap()
    }

    fn field<T: std::fmt::Debug>(refused: Result<T, RunError>) -> String {
        refused.unwrap_err().field.unwrap()
    }

    #[test]
    fn nothing_of_the_host_is_lent_without_an_offer() {
        let offers = Offers::default();
        let lend = |grants: Grants| offers.lend("files", &mut grants.clone());
        lend(Grants::default()).unwrap();
        assert_eq!(field(lend(Grants { private_network: true, ..Grants::default() })), "grants.private_network");
        assert_eq!(field(lend(Grants { google_identity: true, ..Grants::default() })), "grants.google_identity");
        let folders = BTreeMap::from([("/data".to_owned(), PathBuf::from("/etc"))]);
        assert_eq!(field(lend(Grants { folders, ..Grants::default() })), "grants.folders./data");
        assert_eq!(
            field(offers.place("t", &mut SinkSpec::Local { path: "w".into(), dataset: "d".into() })),
            "sink.type"
        );
    }

    #[test]
    fn a_connector_is_not_a_path() {
        for name in ["../x", "/tmp/x.wasm", "x.wasm", ""] {
            assert_eq!(field(Offers::default().lend(name, &mut Grants::default())), "connector", "{name}");
        }
    }

    #[test]
    fn a_folder_is_named_by_its_offer() {
        let offers = Offers { folders: BTreeMap::from([("lake".into(), "/srv/lake".into())]), ..Offers::default() };
        let mut grants = Grants { folders: BTreeMap::from([("/data".into(), "lake".into())]), ..Grants::default() };
        offers.lend("files", &mut grants).unwrap();
        assert_eq!(grants.folders["/data"], PathBuf::from("/srv/lake"));
    }

    #[test]
    fn a_warehouse_lies_in_its_tenants_folder() {
        let offers = Offers { warehouse: Some("/srv/w".into()), ..Offers::default() };
        let placed = |path: &str| {
            let mut sink = SinkSpec::Local { path: path.into(), dataset: "d".into() };
            offers.place("t1", &mut sink).map(|()| match sink {
                SinkSpec::Local { path, .. } => path,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(placed("sales").unwrap(), PathBuf::from("/srv/w/t1/sales"));
        assert_eq!(placed("").unwrap(), PathBuf::from("/srv/w/t1"));
        for path in ["../t2", "/srv/w/t2", "a/../../t2"] {
            assert_eq!(field(placed(path)), "sink.path", "{path}");
        }
    }

    #[test]
    fn a_dataset_is_written_by_whom_it_is_offered_to() {
        let offers = Offers {
            bigquery: vec![DatasetOffer::parse("t1=p.sales").unwrap(), DatasetOffer::parse("open").unwrap()],
            ..Offers::default()
        };
        let place = |tenant: &str, project: &str, dataset: &str| {
            let mut sink = bigquery(serde_json::json!({"type": "bigquery", "project": project, "dataset": dataset}));
            offers.place(tenant, &mut sink)
        };
        place("t1", "p", "sales").unwrap();
        place("t2", "open", "any").unwrap();
        assert_eq!(field(place("t2", "p", "sales")), "sink.dataset");
        assert_eq!(field(place("t1", "p", "hr")), "sink.dataset");
    }

    #[test]
    fn the_hosts_identity_is_not_sent_to_an_address_of_a_tenants_choice() {
        let sink = serde_json::json!({"type": "bigquery", "project": "p", "dataset": "d", "rest_endpoint": "http://x"});
        let offers = Offers { endpoints: true, bigquery: vec![DatasetOffer::parse("p").unwrap()], ..Offers::default() };
        assert_eq!(field(offers.place("t", &mut bigquery(sink.clone()))), "sink.anonymous");
        let mut anonymous = sink.clone();
        anonymous["anonymous"] = true.into();
        offers.place("t", &mut bigquery(anonymous)).unwrap();
        assert_eq!(field(Offers::default().place("t", &mut bigquery(sink))), "sink.rest_endpoint");
    }

    #[test]
    fn bounds_are_the_operators() {
        let offers = Offers { limits: Some(RunLimits::default()), ..Offers::default() };
        offers.allow(&RunLimits::default()).unwrap();
        assert_eq!(field(offers.allow(&RunLimits { parallel: 9, ..RunLimits::default() })), "limits.parallel");
    }

    #[test]
    fn an_offer_of_datasets_that_is_none_is_refused() {
        for text in ["", "t=", "=p", "p.", "t=p."] {
            assert!(DatasetOffer::parse(text).is_err(), "{text}");
        }
    }
}
