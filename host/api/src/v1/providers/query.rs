//! What the addresses of these operations hold.

use serde::Deserialize;
use utoipa::IntoParams;

/// What the person comes for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BeginQuery {
    /// The secret of an invitation that is accepted on the way.
    #[param(max_length = 100)]
    pub(super) invitation: Option<String>,
}

/// What the provider sends the browser back with (RFC 6749, section 4.1.2).
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Returned {
    /// Stands for what the person agreed to.
    #[param(max_length = 4096)]
    pub(super) code: Option<String>,
    /// What the errand began with.
    #[param(max_length = 200)]
    pub(super) state: Option<String>,
    /// Why there is no code.
    #[param(max_length = 200)]
    pub(super) error: Option<String>,
}
