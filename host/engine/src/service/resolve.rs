//! Puts together what a worker is handed: a pipeline as it was at a revision, its connection, the connection's secrets, and what the
//! operator lends.

use serde_json::Value;
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::offers::Offers;
use sluice_core::pipeline::{Definition, Grants, Pipeline, SourceSpec};
use sluice_core::secret::{Redactor, Secrets, join};
use sluice_store::{AuditEntry, OpenSecret, Scope, Store, Vault};

/// Opens connections and pipelines for workers.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// Where they are.
    pub store: Store,
    /// Opens secrets.
    pub vault: Vault,
    /// What the operator lends.
    pub offers: Offers,
}

/// Something with its secrets filled in. Never to be stored, logged or returned.
#[derive(Clone, Debug)]
pub struct Resolved<T> {
    /// What a worker gets.
    pub it: T,
    /// Finds its secrets in texts.
    pub redactor: Redactor,
}

/// For whom secrets are opened, in the words of the audit log.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// Who: `user ID`, `token ID`, `schedule`, `host`.
    pub actor: &'a str,
    /// What for: `run ID`, `check`, `discover`, `preview`.
    pub object: &'a str,
    /// From where.
    pub address: Option<&'a str>,
    /// When.
    pub now_us: i64,
}

impl Resolver {
    /// A connection. That its secrets were opened is in the audit log before they are.
    ///
    /// # Errors
    /// If there is no such connection, it asks for what is not offered any more, or a secret cannot be opened.
    pub async fn source(
        &self,
        scope: Scope<'_>,
        connection: &str,
        purpose: Purpose<'_>,
    ) -> Result<Resolved<SourceSpec>, RunError> {
        let found = self.store.connection(scope, connection).await?;
        let found = found.ok_or_else(|| missing("connection", "it was deleted"))?;
        let grants = serde_json::from_value::<Grants>(found.grants.clone());
        let mut grants = grants.map_err(|e| RunError::internal(format!("the grants of a connection: {e}")))?;
        self.offers.lend(&found.connector, &mut grants)?;
        let secrets = self.secrets(scope, connection, purpose).await?;
        let config = join(&found.config, &secrets);
        let redactor = Redactor::new(&secrets);
        Ok(Resolved { it: SourceSpec { connector: found.connector, config, grants }, redactor })
    }

    /// A pipeline as it was at a revision, with its connection as it is now: a password that was changed since is the one to use.
    /// Its name is its id, which is what states and leases are kept under.
    ///
    /// # Errors
    /// If there is no such revision or connection, they ask for what is not offered any more, or a secret cannot be opened.
    pub async fn pipeline(
        &self,
        scope: Scope<'_>,
        id: &str,
        revision: u64,
        purpose: Purpose<'_>,
    ) -> Result<Resolved<Pipeline>, RunError> {
        let found = self.store.pipeline_revision(scope, id, revision).await?;
        let found = found.ok_or_else(|| missing("pipeline", "it was deleted"))?.was;
        let definition = serde_json::from_value::<Definition>(found.definition);
        let mut definition = definition.map_err(|e| {
            let message = format!("this version of Sluice cannot read the pipeline ({e}); save it again");
            RunError::new(Kind::Config, Actor::User, message)
        })?;
        self.offers.place(scope.tenant, &mut definition.sink)?;
        self.offers.allow(&definition.limits)?;
        let source = self.source(scope, &found.connection, purpose).await?;
        Ok(Resolved { it: definition.into_pipeline(id.to_owned(), source.it), redactor: source.redactor })
    }

    /// The secrets of a connection. That they were opened is in the audit log before they are.
    ///
    /// # Errors
    /// If one cannot be opened, or the store cannot be read.
    pub async fn secrets(&self, scope: Scope<'_>, connection: &str, purpose: Purpose<'_>) -> Result<Secrets, RunError> {
        let fields = self.store.secret_fields(scope, connection).await?;
        if fields.is_empty() {
            return Ok(Secrets::new());
        }
        let entry = AuditEntry {
            actor: purpose.actor.to_owned(),
            action: "secret.use".to_owned(),
            object: format!("connection {connection}"),
            address: purpose.address.map(str::to_owned),
            detail: serde_json::json!({"for": purpose.object, "fields": fields}),
        };
        self.store.audit(scope, &entry, purpose.now_us).await?;
        let opened = self.store.open_secrets(scope, &self.vault, connection).await?;
        opened.into_iter().map(|(field, secret)| Ok((field.clone(), plain(&field, &secret)?))).collect()
    }
}

/// A secret as the configuration has it: it was sealed as JSON.
fn plain(field: &str, secret: &OpenSecret) -> Result<Value, RunError> {
    match secret {
        OpenSecret::Plain(plain) => serde_json::from_slice(plain.expose())
            .map_err(|_| RunError::internal(format!("the secret of {field} was not stored as JSON"))),
        OpenSecret::Reference(_) => {
            let message = "this version of Sluice does not read secrets that are kept elsewhere; set the secret itself";
            Err(RunError::new(Kind::Unsupported, Actor::User, message).with_field(field))
        }
    }
}

fn missing(what: &str, why: &str) -> RunError {
    RunError::new(Kind::NotFound, Actor::User, format!("there is no such {what} any more: {why}"))
}
