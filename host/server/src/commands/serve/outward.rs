//! How the service reaches people and other programs: the operator's mail server, tenants' webhooks.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::RunError;
use sluice_engine::service::deliver::mail::Mail;
use sluice_engine::service::deliver::webhook::Webhooks;
use sluice_runtime::http::Post;
use sluice_runtime::net::SystemResolver;
use sluice_store::Vault;

use crate::cli::{Options, ServeArgs};
use crate::wire;

/// How long a webhook has to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// What sends mails; none if the operator has set no server.
pub(super) fn mail(args: &ServeArgs) -> Result<Option<Mail>, RunError> {
    match (&args.smtp_url, &args.mail_from) {
        (Some(url), Some(from)) => Mail::new(url, from).map(Some),
        _ => Ok(None),
    }
}

/// What calls webhooks.
pub(super) fn webhooks(options: &Options, args: &ServeArgs, vault: Vault) -> Result<Webhooks, RunError> {
    let deny = wire::deny(options)?;
    Ok(Webhooks { post: Post::new(Arc::new(SystemResolver), deny, args.allow_private_webhooks, ANSWER), vault })
}
