//! People: tenants, who belongs to them with which role, and how they prove who they are. What proves it (a cookie, a token, a link)
//! is known here by its hash only.

mod identities;
mod invitations;
mod members;
mod sessions;
mod tenants;
mod throttle;
mod tokens;
mod users;

pub use identities::Identity;
pub use invitations::{Invitation, NewInvitation};
pub use members::{Member, Membership};
pub use sessions::{NewSession, Session};
pub use tenants::{NewTenant, Tenant};
pub use throttle::Failures;
pub use tokens::{ApiToken, Bearer, NewToken, Whose};
pub use users::{NewUser, PasswordHash, User};
