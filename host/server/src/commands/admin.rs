//! `sluice admin`: makes the first person, who owns the first tenant. Everybody else is invited.

use std::io::{BufRead, IsTerminal};

use sluice_api::auth::password::{Passwords, SALT_BYTES};
use sluice_core::RunError;
use sluice_core::error::{Actor, Kind};
use sluice_core::validate;
use sluice_store::{NewTenant, NewUser, PasswordHash};

use super::{failed, migrate, operator, rewrap};
use crate::cli::{AdminArgs, AdminTask, Options};
use crate::wire;

/// Longest password that is read, bytes.
const MAX_BYTES: u64 = 4 << 10;

pub(crate) async fn run(options: &Options, args: &AdminArgs) -> u8 {
    match &args.task {
        Some(AdminTask::Rewrap(args)) => return rewrap::run(options, args).await,
        Some(AdminTask::Connector { command }) => return operator::run(options, command).await,
        None => {}
    }
    let email = args.email.as_deref().unwrap_or_default();
    match make(args, email).await {
        Ok(tenant) => {
            println!("{email} owns the tenant {:?} ({tenant}); sign in with `sluice serve`", args.tenant);
            0
        }
        Err(error) => failed(options, &error),
    }
}

async fn make(args: &AdminArgs, email: &str) -> Result<String, RunError> {
    let email = validate::email("--email", email)?;
    let name = validate::name("--name", args.name.as_deref().unwrap_or(&email))?;
    let tenant = validate::name("--tenant", &args.tenant)?;
    let password = password()?;
    validate::password("password", &password, &[&email, &name, &tenant])?;
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|e| RunError::internal(format!("the system has no random bytes: {e}")))?;
    let hash = Passwords::default().hash(password, salt).await?;
    let store = migrate::open(&args.database).await?;
    let tenant = NewTenant { id: wire::run_id(), name: tenant };
    let user = NewUser { id: wire::run_id(), email, name, password: Some(PasswordHash(hash)) };
    let made = store.create_first_user(&tenant, &user, wire::now_us()).await;
    store.close().await;
    made.map_err(|e| RunError::new(Kind::Config, Actor::User, e.to_string()))?;
    Ok(tenant.id)
}

/// The password, from standard input: the command line is seen by everybody on the machine.
fn password() -> Result<String, RunError> {
    let wrong = |e: std::io::Error| RunError::config("password", format!("cannot be read: {e}"));
    if std::io::stdin().is_terminal() {
        let terminal = console::Term::stderr();
        terminal.write_str("Password: ").map_err(wrong)?;
        return terminal.read_secure_line().map_err(wrong);
    }
    let mut line = String::new();
    std::io::Read::take(std::io::stdin().lock(), MAX_BYTES).read_line(&mut line).map_err(wrong)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
