//! What a host lends to every connection: its clock, its name resolution, what its operator forbids, its own identity.

use std::sync::Arc;

use jiff::Timestamp;

use crate::http::GoogleIdentity;
use crate::net::{DenyList, Resolver, Watch};
use crate::tape::Taping;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The surroundings of connections, the same for all of a process. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// Resolves names.
    pub resolver: Arc<dyn Resolver>,
    /// Tells the time, which signatures hold and tokens end by.
    pub clock: Clock,
    /// What the operator forbids, whatever manifests declare and pipelines grant.
    pub deny: DenyList,
    /// Fetches tokens in the host's own name, for connections that were granted that.
    pub google: Option<Arc<dyn GoogleIdentity>>,
    /// Hears of every host that connectors ask for.
    pub watch: Option<Watch>,
    /// Takes down what passes between instances and the world, or plays it back.
    pub tape: Option<Taping>,
}

impl Environment {
    /// Surroundings in which nothing is forbidden and nothing is lent.
    pub fn new(resolver: Arc<dyn Resolver>, clock: Clock) -> Self {
        Self { resolver, clock, deny: DenyList::default(), google: None, watch: None, tape: None }
    }
}
