//! Passwords: argon2id with the parameters that OWASP recommends, a bounded number of them at once.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sluice_core::RunError;
use sluice_store::PasswordHash as Kept;
use tokio::sync::Semaphore;

use crate::state::App;

/// Bytes of salt, the recommendation of RFC 9106.
pub const SALT_BYTES: usize = 16;

/// At once: each takes 19 MiB and a core for some 30 ms, and whoever is not signed in yet can ask for one.
const AT_ONCE: usize = 2;

/// The hash of a new password, with a salt of its own.
///
/// # Errors
/// None that is anybody's fault but ours.
pub(crate) async fn hashed(app: &App, password: String) -> Result<Kept, RunError> {
    let mut salt = [0; SALT_BYTES];
    app.random.fill(&mut salt);
    Ok(Kept(app.passwords.hash(password, salt).await?))
}

/// Hashes and verifies passwords, away from the threads that answer requests.
#[derive(Clone, Debug)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// The hash to keep, in PHC's form: it names its parameters, so that they can be raised later.
    ///
    /// # Errors
    /// None that is anybody's fault but ours.
    pub async fn hash(&self, password: String, salt: [u8; SALT_BYTES]) -> Result<String, RunError> {
        self.apart(move || {
            let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            hashed.map(|hash| hash.to_string()).map_err(|e| RunError::internal(format!("hashing a password: {e}")))
        })
        .await?
    }

    /// Whether the password is the one that was hashed. Takes as long where there is no hash, so that an answer does not tell which
    /// addresses have an account.
    ///
    /// # Errors
    /// None that is anybody's fault but ours.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, RunError> {
        self.apart(move || {
            let Some(hash) = hash else {
                let _ = Argon2::default().hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES]);
                return false;
            };
            let parsed = PasswordHash::new(&hash);
            parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, RunError> {
        let _permit = self.permits.acquire().await.map_err(|e| RunError::internal(e.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|e| RunError::internal(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_is_verified() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".into(), [7; SALT_BYTES]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse batterz".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse battery".into(), None).await.unwrap());
        assert!(!passwords.verify(String::new(), Some("no hash".into())).await.unwrap());
    }
}
