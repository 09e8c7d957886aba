//! Two tenants: in each a member of every role with a token and a session, and one of everything that people are concerned with. Only
//! `b` has a connection, a pipeline and a run as well: what is asked of them in `a` would start workers.

use std::collections::HashMap;

use serde_json::json;
use sluice_core::access::Role;
use sluice_core::connector::VersionState;
use sluice_core::request::{Cause, RequestState};
use sluice_store::{
    Approval, DraftChange, NewConnection, NewInvitation, NewPipeline, NewRecording, NewRequest, NewToken, NewVersion,
    Owner, PipelineChange, Scope, Whose,
};

use crate::testing::{START_US, Service};

/// The tenants `a` and `b`.
pub(super) struct World {
    pub(super) service: Service,
    tokens: HashMap<(&'static str, Role), String>,
    sessions: HashMap<(&'static str, Role), String>,
    /// By tenant and the name that the id has in addresses.
    ids: HashMap<(&'static str, &'static str), String>,
}

impl World {
    pub(super) async fn new() -> Self {
        let service = Service::new().await;
        let mut world = Self { service, tokens: HashMap::new(), sessions: HashMap::new(), ids: HashMap::new() };
        for tenant in ["a", "b"] {
            world.furnish(tenant).await;
        }
        world
    }

    /// One of everything. The names are those in the addresses: `{user}`, `{token}`.
    async fn furnish(&mut self, tenant: &'static str) {
        let service = &self.service;
        service.tenant(tenant).await;
        for role in Role::ALL {
            let user = service.member(tenant, role).await;
            self.tokens.insert((tenant, role), service.token_of(tenant, &user, role).await);
            self.sessions.insert((tenant, role), service.session_of(&user).await);
            if role == Role::Owner {
                let sessions = service.app.store.sessions_of(&user, START_US).await.unwrap();
                self.ids.insert((tenant, "session"), sessions[0].id.clone());
            }
        }
        let user = service.member(tenant, Role::Viewer).await;
        let scope = Scope { tenant };
        let invitation = NewInvitation {
            id: format!("invitation-{tenant}"),
            token_hash: format!("{tenant:?}").repeat(11).into_bytes(),
            email: format!("guest@{tenant}.example"),
            role: Role::Viewer,
            invited_by: user.clone(),
            expires_us: START_US + 3_600_000_000_000,
        };
        service.app.store.invite(scope, &invitation, START_US).await.unwrap();
        let token = NewToken {
            id: format!("token-{tenant}"),
            user: None,
            name: "service".into(),
            token_hash: tenant.repeat(32).into_bytes(),
            role: Role::Viewer,
            created_by: user.clone(),
            expires_us: None,
        };
        service.app.store.create_token(scope, &token, START_US).await.unwrap();
        self.ids.extend([
            ((tenant, "user"), user),
            ((tenant, "invitation"), invitation.id),
            ((tenant, "token"), token.id),
        ]);
        if tenant == "b" {
            self.work(scope).await;
        }
    }

    /// A connection, a pipeline and a run.
    async fn work(&mut self, scope: Scope<'static>) {
        let (store, vault) = (&self.service.app.store, &self.service.app.resolver.vault);
        let connection = NewConnection {
            id: "connection-b".into(),
            name: "shop".into(),
            connector: "postgres".into(),
            config: json!({}),
            grants: json!({}),
        };
        store.create_connection(scope, vault, &connection, &[], "test", START_US).await.unwrap();
        let first = PipelineChange {
            name: "shop".into(),
            connection: connection.id.clone(),
            definition: json!({}),
            enabled: true,
        };
        let pipeline = NewPipeline { id: "pipeline-b".into(), first };
        store.create_pipeline(scope, &pipeline, None, "test", START_US).await.unwrap();
        let draft = DraftChange { content: json!({}), secrets: Vec::new(), moves: false };
        let whose = Owner { scope, owner: "user somebody" };
        store.create_draft(whose, vault, "draft-b", &draft, 1, START_US).await.unwrap();
        let run = NewRequest {
            id: "run-b".into(),
            pipeline: pipeline.id.clone(),
            revision: 1,
            connection: connection.id.clone(),
            cause: Cause::Manual,
            moment_us: None,
            snapshot_date: None,
            requested_by: "test".into(),
            priority: 0,
            not_before_us: START_US,
            traceparent: None,
        };
        store.ask_for_run(scope, &run, START_US).await.unwrap();
        let version = NewVersion {
            sha256: "b5".repeat(32),
            name: "shop".into(),
            version: "1.0.0".into(),
            publisher: String::new(),
            manifest: json!({"contract": "0.1", "name": "shop", "version": "1.0.0", "title": "Shop", "config": {"type": "object"}}),
            report: vec![],
            signature: None,
        };
        store.add_connector_version(scope, &version, b"b", "test", START_US).await.unwrap();
        let approval = Approval { sha256: &version.sha256, instead_of: None, pin: None };
        store.approve_connector(scope, approval, "test", START_US).await.unwrap();
        let recording = NewRecording {
            connector: version.name.clone(),
            name: "orders".into(),
            sha256: "c5".repeat(32),
            version: "1.0.0".into(),
            digest: version.sha256.clone(),
            calls: 1,
            rows: 1,
        };
        store.put_connector_recording(scope, &recording, b"b", "test", START_US).await.unwrap();
        let ids = [
            ("connection", connection.id),
            ("pipeline", pipeline.id),
            ("run", run.id),
            ("draft", "draft-b".to_owned()),
            ("sha256", version.sha256),
            ("name", version.name),
            ("recording", recording.name),
        ];
        self.ids.extend(ids.map(|(name, id)| ((scope.tenant, name), id)));
    }

    /// The token of who has the role.
    pub(super) fn token(&self, tenant: &'static str, role: Role) -> &str {
        &self.tokens[&(tenant, role)]
    }

    /// The session of who has the role.
    pub(super) fn session(&self, tenant: &'static str, role: Role) -> &str {
        &self.sessions[&(tenant, role)]
    }

    /// An address with this tenant's ids.
    pub(super) fn path(&self, template: &str, tenant: &str) -> String {
        self.path_with(template, tenant, tenant)
    }

    /// An address in one tenant, with the ids of another.
    pub(super) fn path_with(&self, template: &str, tenant: &str, of: &str) -> String {
        let mut path = template.replace("{tenant}", tenant);
        for ((_, name), id) in self.ids.iter().filter(|((whose, _), _)| *whose == of) {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        while let Some((before, rest)) = path.split_once('{') {
            path = format!("{before}never-was{}", rest.split_once('}').unwrap().1);
        }
        path
    }

    /// Whether the tenant has one of each of these.
    pub(super) fn has(&self, tenant: &str, names: &[&str]) -> bool {
        names.iter().all(|name| self.ids.contains_key(&(tenant, *name)))
    }

    /// Nothing of the tenant has gone.
    pub(super) async fn is_whole(&self, tenant: &'static str) {
        let (store, scope) = (&self.service.app.store, Scope { tenant });
        assert_eq!(store.members(scope, None, 100).await.unwrap().len(), Role::ALL.len() + 1);
        assert_eq!(store.good_tokens(scope, Whose::Services, START_US).await.unwrap(), 1);
        assert_eq!(store.open_invitations(scope, START_US).await.unwrap(), 1);
        assert!(store.connection(scope, "connection-b").await.unwrap().is_some());
        assert_eq!(store.pipeline(scope, "pipeline-b").await.unwrap().map(|one| one.revision), Some(1));
        let version = store.connector_version(scope, &"b5".repeat(32)).await.unwrap();
        assert_eq!(version.map(|one| one.state), Some(VersionState::Installed));
        assert!(store.connector_recording(scope, "shop", "orders").await.unwrap().is_some());
        assert!(store.draft(Owner { scope, owner: "user somebody" }, "draft-b").await.unwrap().is_some());
        let run = store.run_request(scope, "run-b").await.unwrap();
        assert_eq!(run.map(|one| one.state), Some(RequestState::Queued));
        assert_eq!(store.audit_after(scope, 0, 9).await.unwrap(), [], "nobody of another tenant did anything");
    }
}
