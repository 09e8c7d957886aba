//! What a tenant's webhooks are signed with. It is shown once, when it is made; afterwards only how it ends.

mod end_previous;
mod read;
mod rotate;

use jiff::Timestamp;
use serde::Serialize;
use sluice_core::access::Operation;
use sluice_store::{Plain, SigningSecrets};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::auth::guard::{Guarded, Needs, Rules};
use crate::state::instant;

/// The operations on it.
pub fn routes(routes: Guarded) -> Guarded {
    // Whoever knows the secret can speak for us for as long as it is good: longer than a token that was found.
    let rotate = Rules::of(Needs::PersonWho(Operation::WebhookSecret)).answers_secret();
    routes
        .operation(Needs::Member(Operation::WebhookSecret), routes!(read::read))
        .operation(rotate, routes!(rotate::rotate))
        .operation(Needs::PersonWho(Operation::WebhookSecret), routes!(end_previous::end_previous))
}

/// Characters of a secret that are shown: enough to tell two apart, and nothing to guess the others from.
const SHOWN: usize = 4;

/// The secret that signs webhooks, without itself.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
struct SecretView {
    /// How it ends; none if none was needed yet.
    hint: Option<String>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// The one before it, while that signs as well.
    previous: Option<PreviousView>,
}

/// A secret that was replaced and still signs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviousWebhookSecret)]
struct PreviousView {
    /// How it ends.
    hint: String,
    /// When it stops signing.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
}

impl From<&SigningSecrets> for SecretView {
    fn from(secrets: &SigningSecrets) -> Self {
        let previous = secrets.previous.as_ref();
        Self {
            hint: Some(hint(&secrets.current)),
            created_at: Some(instant(secrets.created_us)),
            previous: previous.map(|(secret, until)| PreviousView { hint: hint(secret), ends_at: instant(*until) }),
        }
    }
}

fn hint(secret: &Plain) -> String {
    let text = secret.expose_text().unwrap_or_default();
    format!("…{}", text.get(text.len().saturating_sub(SHOWN)..).unwrap_or_default())
}
