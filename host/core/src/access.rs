//! Who may do what in a tenant: five roles, each of which may do what the one below it may, and a list of everything that can be done.

use serde::{Deserialize, Serialize};

/// What a member of a tenant is. Ordered: a role may do what every lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Starts, stops and repeats runs.
    Operator,
    /// Makes and changes connections and pipelines.
    Editor,
    /// Decides about members, connectors and the tenant's settings.
    Admin,
    /// Decides about owners and the tenant itself.
    Owner,
}

impl Role {
    /// Every role, the lowest first.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Operator, Self::Editor, Self::Admin, Self::Owner];

    /// The word for it, in the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether a member with this role may do that.
    pub fn may(self, operation: Operation) -> bool {
        self >= operation.needs()
    }

    /// Whether a member with this role may give somebody `other`, take it away, or remove who has it: nobody rises above oneself, and
    /// nobody touches who stands above.
    pub fn may_grant(self, other: Self) -> bool {
        self.may(Operation::MembersWrite) && other <= self
    }

    /// What an API token is worth that was made for `scope`, now that its owner has this role: never more than the owner. A token
    /// of somebody who was demoted is demoted with them.
    #[must_use]
    pub fn through_token(self, scope: Self) -> Self {
        self.min(scope)
    }
}

/// Whether the tenant still has an owner once a member who is `now` becomes `then`, or leaves (none); `owners` is how many it has.
/// To be asked with every change of a role and every removal, also of oneself.
pub fn keeps_an_owner(now: Role, then: Option<Role>, owners: u64) -> bool {
    now != Role::Owner || then == Some(Role::Owner) || owners > 1
}

/// Everything that can be done in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// See the tenant's name and settings.
    TenantRead,
    /// Change them.
    TenantWrite,
    /// Delete the tenant.
    TenantDelete,
    /// See who is a member.
    MembersRead,
    /// Invite, change roles, remove.
    MembersWrite,
    /// See the tenant's service tokens.
    TokensRead,
    /// Make and revoke service tokens.
    TokensWrite,
    /// Make and revoke tokens of one's own.
    OwnTokens,
    /// See which connectors there are.
    ConnectorsRead,
    /// Install, approve, upgrade and yank connectors.
    ConnectorsWrite,
    /// See connections, without their secrets.
    ConnectionsRead,
    /// Make, change and delete connections, and set their secrets.
    ConnectionsWrite,
    /// Try a connection.
    ConnectionsCheck,
    /// List the streams that a connection offers.
    StreamsRead,
    /// See rows of a source.
    RowsPreview,
    /// See pipelines and their revisions.
    PipelinesRead,
    /// Make, change and delete pipelines.
    PipelinesWrite,
    /// Plan without running.
    PipelinesDryRun,
    /// See runs and their counts.
    RunsRead,
    /// See the logs of runs.
    LogsRead,
    /// Start runs, also over a range of dates.
    RunsStart,
    /// Cancel and repeat runs.
    RunsControl,
    /// Switch schedules on and off.
    SchedulesSwitch,
    /// See the state of streams.
    StateRead,
    /// Reset or set the state of streams, and undo it.
    StateWrite,
    /// See where notifications go.
    NotificationsRead,
    /// Change where notifications go.
    NotificationsWrite,
    /// See when the secret that signs webhooks was made, and replace it.
    WebhookSecret,
    /// See and export the audit log.
    AuditRead,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 29] = [
        Self::TenantRead,
        Self::TenantWrite,
        Self::TenantDelete,
        Self::MembersRead,
        Self::MembersWrite,
        Self::TokensRead,
        Self::TokensWrite,
        Self::OwnTokens,
        Self::ConnectorsRead,
        Self::ConnectorsWrite,
        Self::ConnectionsRead,
        Self::ConnectionsWrite,
        Self::ConnectionsCheck,
        Self::StreamsRead,
        Self::RowsPreview,
        Self::PipelinesRead,
        Self::PipelinesWrite,
        Self::PipelinesDryRun,
        Self::RunsRead,
        Self::LogsRead,
        Self::RunsStart,
        Self::RunsControl,
        Self::SchedulesSwitch,
        Self::StateRead,
        Self::StateWrite,
        Self::NotificationsRead,
        Self::NotificationsWrite,
        Self::WebhookSecret,
        Self::AuditRead,
    ];

    /// The lowest role that may do it.
    pub fn needs(self) -> Role {
        match self {
            Self::TenantRead
            | Self::MembersRead
            | Self::OwnTokens
            | Self::ConnectorsRead
            | Self::ConnectionsRead
            | Self::StreamsRead
            | Self::PipelinesRead
            | Self::RunsRead
            | Self::LogsRead
            | Self::StateRead
            | Self::NotificationsRead => Role::Viewer,
            Self::ConnectionsCheck | Self::RunsStart | Self::RunsControl | Self::SchedulesSwitch => Role::Operator,
            Self::ConnectionsWrite
            | Self::RowsPreview
            | Self::PipelinesWrite
            | Self::PipelinesDryRun
            | Self::StateWrite
            | Self::NotificationsWrite => Role::Editor,
            Self::TenantWrite
            | Self::MembersWrite
            | Self::TokensRead
            | Self::TokensWrite
            | Self::ConnectorsWrite
            | Self::WebhookSecret
            | Self::AuditRead => Role::Admin,
            Self::TenantDelete => Role::Owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spelled out, so that a change of who may do what is a change of this table.
    const MATRIX: &str = "
        viewer    tenant-read members-read own-tokens connectors-read connections-read streams-read pipelines-read runs-read
                  logs-read state-read notifications-read
        operator  connections-check runs-start runs-control schedules-switch
        editor    connections-write rows-preview pipelines-write pipelines-dry-run state-write notifications-write
        admin     tenant-write members-write tokens-read tokens-write connectors-write webhook-secret audit-read
        owner     tenant-delete";

    fn word(operation: Operation) -> String {
        serde_json::to_value(operation).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn each_role_may_do_what_the_table_says_and_what_lower_ones_may() {
        let mut role = Role::Viewer;
        let mut named = Vec::new();
        for text in MATRIX.split_whitespace() {
            match Role::parse(text) {
                Some(next) => role = next,
                None => named.push((text.to_owned(), role)),
            }
        }
        assert_eq!(named.len(), Operation::ALL.len());
        for operation in Operation::ALL {
            let (_, needs) = named.iter().find(|(name, _)| *name == word(operation)).unwrap();
            for role in Role::ALL {
                assert_eq!(role.may(operation), role >= *needs, "{} may {}", role.as_str(), word(operation));
            }
        }
    }

    #[test]
    fn nobody_gives_a_role_above_ones_own() {
        assert!(Role::Admin.may_grant(Role::Admin));
        assert!(!Role::Admin.may_grant(Role::Owner));
        assert!(Role::Owner.may_grant(Role::Owner));
        assert!(!Role::Editor.may_grant(Role::Viewer));
    }

    #[test]
    fn a_token_is_never_worth_more_than_its_owner_is_now() {
        assert_eq!(Role::Admin.through_token(Role::Viewer), Role::Viewer);
        assert_eq!(Role::Viewer.through_token(Role::Admin), Role::Viewer);
    }

    #[test]
    fn a_tenant_keeps_an_owner() {
        assert!(!keeps_an_owner(Role::Owner, Some(Role::Admin), 1));
        assert!(!keeps_an_owner(Role::Owner, None, 1));
        assert!(keeps_an_owner(Role::Owner, None, 2));
        assert!(keeps_an_owner(Role::Owner, Some(Role::Owner), 1));
        assert!(keeps_an_owner(Role::Admin, None, 1));
    }

    #[test]
    fn a_role_is_found_again_by_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Owner"), None);
    }
}
