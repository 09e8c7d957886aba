//! Puts together what a worker is handed: a pipeline as it was at a revision, its connection, the connection's secrets, and what the
//! operator lends.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::offers::Offers;
use sluice_core::pipeline::{Definition, Grants, Pipeline, SourceSpec};
use sluice_core::secret::{Redactor, SecretRef, Secrets, join};
use sluice_store::{AuditEntry, OpenSecret, Plain, Scope, SecretField, Store, Vault};

use super::catalogue::{Catalogue, Origin};
use super::components::Components;
use super::elsewhere::Elsewhere;

/// Opens connections and pipelines for workers.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// Where they are.
    pub store: Store,
    /// Opens secrets.
    pub vault: Vault,
    /// What the operator lends.
    pub offers: Offers,
    /// Reads secrets that are kept elsewhere.
    pub elsewhere: Elsewhere,
    /// The connectors that tenants have.
    pub catalogue: Catalogue,
    /// The files of those that were uploaded.
    pub components: Components,
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
        let mut opened = self.opened(scope, connection, purpose).await?;
        opened.it.digest = self.component(scope, &opened.it.connector).await?;
        Ok(opened)
    }

    /// A connection of which it is not said yet which component reads it.
    ///
    /// # Errors
    /// As [`Resolver::source`].
    pub async fn opened(
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
        self.catalogue.get(scope, &found.connector).await?.may_have(&grants)?;
        let secrets = self.secrets(scope, connection, purpose).await?;
        let config = join(&found.config, &secrets);
        let redactor = Redactor::new(&secrets);
        Ok(Resolved { it: SourceSpec { connector: found.connector, config, grants, digest: None }, redactor })
    }

    /// The digest of the component that a connector's name stands for, which is in the folder of components then. None for what lies in the
    /// operator's own folder: that is what lies there.
    ///
    /// # Errors
    /// If there is no such connector, it was yanked, or its component cannot be had.
    pub async fn component(&self, scope: Scope<'_>, connector: &str) -> Result<Option<String>, RunError> {
        let installed = self.catalogue.get(scope, connector).await?;
        installed.usable()?;
        match installed.origin {
            Origin::BuiltIn => Ok(None),
            Origin::Operator | Origin::Tenant => {
                self.components.provide(installed.scope(scope), &installed.sha256).await?;
                Ok(Some(installed.sha256))
            }
        }
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
        let definition = self.definition(scope, found.definition)?;
        let source = self.source(scope, &found.connection, purpose).await?;
        Ok(Resolved { it: definition.into_pipeline(id.to_owned(), source.it), redactor: source.redactor })
    }

    /// A pipeline of a definition that is stored and a source that was opened.
    ///
    /// # Errors
    /// If the definition cannot be read, or asks for what is not offered any more.
    pub fn pipeline_of(
        &self,
        scope: Scope<'_>,
        id: &str,
        definition: Value,
        source: SourceSpec,
    ) -> Result<Pipeline, RunError> {
        Ok(self.definition(scope, definition)?.into_pipeline(id.to_owned(), source))
    }

    fn definition(&self, scope: Scope<'_>, stored: Value) -> Result<Definition, RunError> {
        let mut definition = serde_json::from_value::<Definition>(stored).map_err(|e| {
            let message = format!("this version of Sluice cannot read the pipeline ({e}); save it again");
            RunError::new(Kind::Config, Actor::User, message)
        })?;
        self.offers.place(scope.tenant, &mut definition.sink)?;
        self.offers.allow(&definition.limits)?;
        Ok(definition)
    }

    /// The secrets of a connection. That they were opened is in the audit log before they are.
    ///
    /// # Errors
    /// If one cannot be opened or is not offered any more, or the store cannot be read.
    pub async fn secrets(&self, scope: Scope<'_>, connection: &str, purpose: Purpose<'_>) -> Result<Secrets, RunError> {
        self.secrets_but(scope, connection, purpose, |_| false).await
    }

    /// As [`Resolver::secrets`]; those that are left out are null.
    ///
    /// # Errors
    /// As [`Resolver::secrets`].
    pub async fn secrets_but(
        &self,
        scope: Scope<'_>,
        connection: &str,
        purpose: Purpose<'_>,
        left_out: impl Fn(&str) -> bool + Send,
    ) -> Result<Secrets, RunError> {
        let fields = self.store.secret_fields(scope, connection).await?;
        let (out, wanted): (Vec<_>, Vec<_>) = fields.into_iter().partition(|one| left_out(&one.field));
        let mut secrets: Secrets = out.into_iter().map(|one| (one.field, Value::Null)).collect();
        if wanted.is_empty() {
            return Ok(secrets);
        }
        self.record(scope, format!("connection {connection}"), &wanted, purpose).await?;
        let mut opened = self.store.open_secrets(scope, &self.vault, connection).await?;
        opened.retain(|field, _| !secrets.contains_key(field));
        secrets.extend(self.in_the_clear(scope, opened).await?);
        Ok(secrets)
    }

    /// A connection that is still being set up: `source` is its configuration without the secrets, which are the draft's. That they were
    /// opened is in the audit log before they are.
    ///
    /// # Errors
    /// If it asks for what is not offered, a secret cannot be opened, or the connector cannot be had.
    pub async fn draft(
        &self,
        scope: Scope<'_>,
        draft: &str,
        mut source: SourceSpec,
        purpose: Purpose<'_>,
    ) -> Result<Resolved<SourceSpec>, RunError> {
        self.offers.lend(&source.connector, &mut source.grants)?;
        self.catalogue.get(scope, &source.connector).await?.may_have(&source.grants)?;
        let fields = self.store.draft_secrets(scope, draft).await?;
        let mut secrets = Secrets::new();
        if !fields.is_empty() {
            self.record(scope, format!("draft {draft}"), &fields, purpose).await?;
            let opened = self.store.open_draft_secrets(scope, &self.vault, draft).await?;
            secrets = self.in_the_clear(scope, opened).await?;
        }
        source.config = join(&source.config, &secrets);
        source.digest = self.component(scope, &source.connector).await?;
        Ok(Resolved { it: source, redactor: Redactor::new(&secrets) })
    }

    /// Secrets as a configuration has them, with those that are kept elsewhere read.
    async fn in_the_clear(&self, scope: Scope<'_>, opened: BTreeMap<String, OpenSecret>) -> Result<Secrets, RunError> {
        let mut secrets = Secrets::new();
        for (field, secret) in opened {
            let value = match secret {
                OpenSecret::Plain(plain) => sealed(&field, &plain)?,
                OpenSecret::Reference(name) => self.referenced(scope, &field, &name).await?,
            };
            secrets.insert(field, value);
        }
        Ok(secrets)
    }

    /// Secrets as somebody sends them, with those that are kept elsewhere read. That they were is in the audit log before they are.
    ///
    /// # Errors
    /// If one is no reference, is not offered to the tenant, or cannot be had.
    pub async fn given(
        &self,
        scope: Scope<'_>,
        object: String,
        secrets: &Secrets,
        purpose: Purpose<'_>,
    ) -> Result<Secrets, RunError> {
        let mut all = secrets.clone();
        let mut elsewhere = Vec::new();
        for (field, value) in secrets {
            if let Some(reference) = SecretRef::of(value) {
                let reference = reference.map_err(|why| RunError::config(field, why))?;
                self.offers.secret(scope.tenant, &reference).map_err(|error| error.with_field(field))?;
                elsewhere.push(SecretField { field: field.clone(), reference: Some(reference.to_string()) });
            }
        }
        if elsewhere.is_empty() {
            return Ok(all);
        }
        self.record(scope, object, &elsewhere, purpose).await?;
        for SecretField { field, reference } in elsewhere {
            let value = self.referenced(scope, &field, &reference.unwrap_or_default()).await?;
            all.insert(field, value);
        }
        Ok(all)
    }

    /// That secrets are about to be used.
    async fn record(
        &self,
        scope: Scope<'_>,
        object: String,
        fields: &[SecretField],
        purpose: Purpose<'_>,
    ) -> Result<(), RunError> {
        let references: BTreeMap<&String, &String> =
            fields.iter().filter_map(|one| Some((&one.field, one.reference.as_ref()?))).collect();
        let names: Vec<&String> = fields.iter().map(|one| &one.field).collect();
        let mut detail = json!({"for": purpose.object, "fields": names});
        if let (false, Some(members)) = (references.is_empty(), detail.as_object_mut()) {
            members.insert("references".to_owned(), json!(references));
        }
        let entry = AuditEntry {
            actor: purpose.actor.to_owned(),
            action: "secret.use".to_owned(),
            object,
            address: purpose.address.map(str::to_owned),
            detail,
        };
        self.store.audit(scope, &entry, purpose.now_us).await.map(drop)
    }

    /// A secret that is kept elsewhere, as a text. It may have been offered when it was saved, and not any more.
    async fn referenced(&self, scope: Scope<'_>, field: &str, name: &str) -> Result<Value, RunError> {
        let reference = SecretRef::parse(name).map_err(|why| RunError::config(field, why))?;
        self.offers.secret(scope.tenant, &reference).map_err(|error| error.with_field(field))?;
        let plain = self.elsewhere.read(&reference).await.map_err(|error| error.with_field(field))?;
        plain.expose_text().map(Value::from).ok_or_else(|| {
            RunError::config(field, format!("{reference} holds bytes that are no text; store the secret as text"))
        })
    }
}

/// A secret as the configuration has it: it was sealed as JSON.
fn sealed(field: &str, plain: &Plain) -> Result<Value, RunError> {
    serde_json::from_slice(plain.expose())
        .map_err(|_| RunError::internal(format!("the secret of {field} was not stored as JSON")))
}

fn missing(what: &str, why: &str) -> RunError {
    RunError::new(Kind::NotFound, Actor::User, format!("there is no such {what} any more: {why}"))
}
