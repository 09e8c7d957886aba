//! `sluice admin connector`: connectors that whoever operates the service installs for all tenants.

mod trial;

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::connector::VersionStep;
use sluice_core::error::{Actor, Kind};
use sluice_core::plan::Outcome;
use sluice_core::signature::MAX_BYTES;
use sluice_engine::service::catalogue::Origin;
use sluice_engine::service::components::{Components, digest};
use sluice_engine::service::examine::examine;
use sluice_engine::service::trial::Candidate;
use sluice_store::{Approval, AuditEntry, ChangeError, NewVersion, Scope, Store, VersionsBehind};

use super::connector::{bytes, say, wrong};
use super::serve::parts;
use super::{failed, migrate};
use crate::cli::{AddArgs, AdminConnectorCommand, Options, YankArgs};
use crate::{show, wire};

/// Who it was, as the records have it.
const OPERATOR: &str = "operator";

/// Tenants and versions that are read at once.
const PAGE: u32 = 200;

pub(crate) async fn run(options: &Options, command: &AdminConnectorCommand) -> u8 {
    use AdminConnectorCommand as C;
    let done = match command {
        C::Add(args) => add(options, args).await,
        C::List(args) => match migrate::open(args).await {
            Ok(store) => list(options, &store).await,
            Err(error) => Err(error),
        },
        C::Yank(args) => yank(options, args).await,
    };
    match done {
        Ok(()) => 0,
        Err(error) => failed(options, &error),
    }
}

/// Looks at a component as the service does, keeps and installs it. Who runs this command has read what it asks for.
async fn add(options: &Options, args: &AddArgs) -> Result<(), RunError> {
    let component = bytes(&args.component, sluice_runtime::Settings::default().component_bytes)?;
    let signature = args.signature.as_ref().map(|file| bytes(file, MAX_BYTES as u64)).transpose()?;
    let store = migrate::open(&args.database).await?;
    let sha256 = digest(&component);
    let uploads = trial::data(args)?.join("connectors");
    let components = Components::new(store.clone(), uploads.clone());
    let staged = components.stage(&sha256, component.clone()).await?;
    let mut found = examine(&parts::workers(options, 1, &uploads)?, staged.path()).await?;
    drop(staged);
    let signed = found.verify(&component, signature.as_deref());
    if let Some((manifest, _)) = &found.manifest {
        let catalogue = parts::catalogue(options)?.with_uploads(store.clone());
        if catalogue.taken(&manifest.name).await? == Some(Origin::BuiltIn) {
            let detail = format!("{} is the name of a connector in the folder of connectors", manifest.name);
            found.add("name", Outcome::Failed, detail, "give it another name in its manifest");
        }
    }
    found.findings.iter().for_each(|step| show::step(options, step));
    let (true, Some((manifest, bytes))) = (found.passed(), found.manifest) else {
        return Err(wrong("the component is not installed; what failed is said above"));
    };
    let no_json = |e: serde_json::Error| RunError::internal(format!("a manifest or signature is no JSON: {e}"));
    let signature = match &signed {
        Some((signature, key)) => Some((serde_json::to_value(signature).map_err(no_json)?, key.to_pem())),
        None => None,
    };
    let new = NewVersion {
        sha256: sha256.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        publisher: manifest.publisher.clone(),
        manifest: serde_json::from_slice(&bytes).map_err(no_json)?,
        report: found.findings,
        signature,
    };
    let now = wire::now_us();
    store.add_connector_version(Scope::OPERATOR, &new, &component, OPERATOR, now).await.map_err(said)?;
    let install = store.connector_install(Scope::OPERATOR, &new.name).await?;
    let instead_of = install.as_ref().map(|install| install.sha256.as_str());
    if instead_of != Some(sha256.as_str()) {
        let tried = instead_of.is_some() && !args.without_trial;
        if tried {
            trial::passed(options, args, &store, Candidate { sha256: &sha256, manifest: &manifest }).await?;
        }
        let approval = Approval { sha256: &sha256, instead_of, pin: args.pin.as_deref() };
        store.approve_connector(Scope::OPERATOR, approval, OPERATOR, now).await.map_err(said)?;
        let detail = json!({"name": new.name, "version": new.version, "instead_of": instead_of, "tried": tried, "for": "all tenants"});
        tell_tenants(&store, "connector.approve", &sha256, &detail).await?;
    }
    store.close().await;
    let sentence = format!("{} {} is installed for all tenants (sha256:{sha256})", new.name, new.version);
    say(options, &sentence, &json!({"event": "installed", "name": new.name, "version": new.version, "sha256": sha256}));
    Ok(())
}

async fn list(options: &Options, store: &Store) -> Result<(), RunError> {
    let mut after: Option<String> = None;
    loop {
        let behind = VersionsBehind { name: None, after: after.as_deref() };
        let page = store.connector_versions(Scope::OPERATOR, behind, PAGE).await?;
        for version in &page {
            let (new, state) = (&version.new, version.state.as_str());
            let sentence = format!("{:<24} {:<12} {state:<10} sha256:{}", new.name, new.version, new.sha256);
            let event = json!({
                "event": "connector", "name": new.name, "version": new.version, "state": state, "sha256": new.sha256,
                "reason": version.reason,
            });
            say(options, &sentence, &event);
        }
        after = page.last().map(|version| version.new.sha256.clone());
        if page.len() < PAGE as usize {
            return Ok(());
        }
    }
}

async fn yank(options: &Options, args: &YankArgs) -> Result<(), RunError> {
    let store = migrate::open(&args.database).await?;
    let sha256 = args.sha256.trim_start_matches("sha256:");
    let missing =
        || RunError::new(Kind::NotFound, Actor::User, format!("no connector of all tenants is sha256:{sha256}"));
    let found = store.connector_version(Scope::OPERATOR, sha256).await?.ok_or_else(missing)?;
    let (by, now) = ((OPERATOR, args.reason.as_str()), wire::now_us());
    store.decide_connector_version(Scope::OPERATOR, sha256, VersionStep::Yank, by, now).await.map_err(said)?;
    let (name, number) = (found.new.name, found.new.version);
    let detail = json!({"name": name, "version": number, "reason": args.reason, "for": "all tenants"});
    tell_tenants(&store, "connector.yank", sha256, &detail).await?;
    let mut sentence = format!("{name} {number} is yanked; runs that would use it fail");
    let install = store.connector_install(Scope::OPERATOR, &name).await?;
    if args.go_back && install.is_some_and(|install| install.sha256 == sha256) {
        let back = store.go_back_to_connector(Scope::OPERATOR, (&name, sha256), by, now).await.map_err(said)?;
        let detail = json!({"from": sha256, "to": back.sha256, "reason": args.reason, "for": "all tenants"});
        tell_tenants(&store, "connector.go-back", &back.sha256, &detail).await?;
        sentence = format!("{name} {number} is yanked; runs use sha256:{} again", back.sha256);
    }
    store.close().await;
    say(options, &sentence, &json!({"event": "yanked", "name": name, "version": number, "sha256": sha256}));
    Ok(())
}

/// Writes into the audit log of each tenant what concerns all of them.
async fn tell_tenants(store: &Store, action: &str, sha256: &str, detail: &Value) -> Result<(), RunError> {
    let mut after = None;
    loop {
        let page = store.tenants(after.as_deref(), PAGE).await?;
        for tenant in &page {
            let entry = AuditEntry {
                actor: OPERATOR.to_owned(),
                action: action.to_owned(),
                object: format!("connector sha256:{sha256}"),
                address: None,
                detail: detail.clone(),
            };
            store.audit(Scope { tenant: &tenant.id }, &entry, wire::now_us()).await?;
        }
        match page.last() {
            Some(last) if page.len() >= PAGE as usize => after = Some(last.id.clone()),
            _ => return Ok(()),
        }
    }
}

fn said(error: ChangeError) -> RunError {
    match error {
        ChangeError::Store(error) => error,
        other => RunError::new(Kind::Config, Actor::User, other.to_string()),
    }
}
