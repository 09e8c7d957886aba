//! Secrets that are kept elsewhere: which, and which of them a tenant may use.
//!
//! What is kept elsewhere is read with the service's own identity, which may read the secrets of many. So a tenant refers only to what
//! the operator offers it by name, and nothing is offered to somebody else by accident: an offer to all tenants says so with a `*`.

use std::fmt;

use serde_json::Value;

/// Longest name of a project and of a version.
const LONGEST: usize = 63;

/// Longest name of a secret.
const LONGEST_SECRET: usize = 255;

/// What stands for the tenant's id in an offer.
const TENANT: &str = "{tenant}";

/// A version of a secret in Google Secret Manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretRef {
    project: String,
    secret: String,
    version: String,
}

impl SecretRef {
    /// Reads `projects/PROJECT/secrets/SECRET/versions/VERSION`; the version is a number, an alias or `latest`.
    ///
    /// # Errors
    /// In words, if it is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        // What is no reference is not repeated: it may be the secret itself.
        let wrong = || {
            let form = "projects/PROJECT/secrets/SECRET/versions/VERSION";
            format!("the reference does not read {form}, the version being a number, an alias or latest")
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["projects", project, "secrets", secret, "versions", version] => {
                if !is_project(project) || !is_secret(secret) || !is_version(version) {
                    return Err(wrong());
                }
                let owned = |text: &str| text.to_owned();
                Ok(Self { project: owned(project), secret: owned(secret), version: owned(version) })
            }
            ["projects", _, "secrets", _] => Err("the reference names no version; add /versions/latest".to_owned()),
            ["projects", _, "locations", ..] => {
                Err("regional secrets are not supported; use one that is not bound to a location".to_owned())
            }
            _ => Err(wrong()),
        }
    }

    /// The reference that a value stands for, `{"reference": …}`; none if it is something else.
    pub fn of(value: &Value) -> Option<Result<Self, String>> {
        let members = value.as_object().filter(|members| members.len() == 1)?;
        let reference = members.get("reference")?;
        Some(reference.as_str().map_or_else(|| Err("a reference is a text".to_owned()), Self::parse))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/secrets/{}/versions/{}", self.project, self.secret, self.version)
    }
}

/// Secrets that a tenant, or all of them, may refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretOffer {
    /// For this tenant; for all of them if there is none.
    tenant: Option<String>,
    project: String,
    /// The secret's name, or how it begins; any of the project if there is none.
    secret: Option<(String, Match)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    Whole,
    Beginning,
}

impl SecretOffer {
    /// Reads `TENANT=PROJECT[/SECRET]`. The tenant is an id, or `*` for all. A secret that ends with `*` is every one that begins so;
    /// `{tenant}` in it stands for the id of who asks, and is followed by `-` or `_`, or ends the name: ids are all of one length, but
    /// names that follow them are not.
    ///
    /// # Errors
    /// In words, if it is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{text:?} does not read TENANT=PROJECT[/SECRET]: {why}");
        let (tenant, place) = text.split_once('=').ok_or_else(|| wrong("say whom it is for, * for all tenants"))?;
        let (project, secret) = match place.split_once('/') {
            Some((project, secret)) => (project, Some(secret)),
            None => (place, None),
        };
        if tenant.is_empty() || tenant.contains(char::is_whitespace) {
            return Err(wrong("the tenant is an id, or * for all"));
        }
        if !is_project(project) {
            return Err(wrong("the project is an id or a number"));
        }
        let secret = secret.map(|secret| {
            let (name, how) = match secret.strip_suffix('*') {
                Some(beginning) => (beginning, Match::Beginning),
                None => (secret, Match::Whole),
            };
            if !is_secret(&name.replace(TENANT, "t")) {
                return Err(wrong("a secret's name has letters, digits, - and _, and may end with *"));
            }
            let mut after = name.split(TENANT).skip(1);
            if after.any(|rest| !(rest.starts_with(['-', '_']) || rest.is_empty() && how == Match::Whole)) {
                return Err(wrong("{tenant} is followed by - or _"));
            }
            Ok((name.to_owned(), how))
        });
        let tenant = (tenant != "*").then(|| tenant.to_owned());
        Ok(Self { tenant, project: project.to_owned(), secret: secret.transpose()? })
    }

    /// Whether one tenant may use by it what another may as well.
    pub fn is_shared(&self) -> bool {
        self.tenant.is_none() && !self.secret.as_ref().is_some_and(|(name, _)| name.contains(TENANT))
    }

    /// What the tenant may refer to by it, in words for a person: `projects/P/secrets/S`, where a `*` stands for any ending. None if it is
    /// another tenant's.
    pub fn shown_to(&self, tenant: &str) -> Option<String> {
        if self.tenant.as_deref().is_some_and(|only| only != tenant) {
            return None;
        }
        let secret = match &self.secret {
            None => "*".to_owned(),
            Some((name, Match::Whole)) => name.replace(TENANT, tenant),
            Some((name, Match::Beginning)) => format!("{}*", name.replace(TENANT, tenant)),
        };
        Some(format!("projects/{}/secrets/{secret}", self.project))
    }

    /// Whether the tenant may refer to this.
    pub fn covers(&self, tenant: &str, reference: &SecretRef) -> bool {
        let secret = match &self.secret {
            None => true,
            Some((name, how)) => {
                let name = name.replace(TENANT, tenant);
                match how {
                    Match::Whole => reference.secret == name,
                    Match::Beginning => reference.secret.starts_with(&name),
                }
            }
        };
        self.tenant.as_deref().is_none_or(|only| only == tenant) && self.project == reference.project && secret
    }
}

fn is_project(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte);
    text.len() <= LONGEST
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(plain)
        && !text.contains("..")
}

fn is_secret(text: &str) -> bool {
    (1..=LONGEST_SECRET).contains(&text.len()) && text.bytes().all(is_plain)
}

fn is_version(text: &str) -> bool {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0') && text.len() < 19;
    let alias = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) && text.bytes().all(is_plain);
    (1..=LONGEST).contains(&text.len()) && (number || alias)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reference(text: &str) -> SecretRef {
        SecretRef::parse(text).unwrap()
    }

    #[test]
    fn a_reference_is_the_name_of_a_version_and_nothing_else() {
        for text in [
            "projects/my-project/secrets/shop_Password-1/versions/latest",
            "projects/123456789012/secrets/s/versions/17",
            "projects/example.com:old/secrets/s/versions/blue",
        ] {
            assert_eq!(reference(text).to_string(), text);
        }
        for text in [
            "",
            "shop",
            "projects/p/secrets/s/versions/",
            "projects/p/secrets/s/versions/0",
            "projects/p/secrets/s/versions/-1",
            "projects/p/secrets/s/versions/1:destroy",
            "projects/p/secrets/s/versions/latest/x",
            "projects/../secrets/s/versions/1",
            "projects/p/secrets/..%2f/versions/1",
            "projects/p/secrets/a.b/versions/1",
            "projects/P/secrets/s/versions/1",
            "projects//secrets/s/versions/1",
            "/projects/p/secrets/s/versions/1",
        ] {
            assert!(SecretRef::parse(text).unwrap_err().contains("does not read"), "{text}");
        }
        assert!(SecretRef::parse("projects/p/secrets/s").unwrap_err().contains("/versions/latest"));
        let regional = "projects/p/locations/europe-west1/secrets/s/versions/1";
        assert!(SecretRef::parse(regional).unwrap_err().contains("regional"));
    }

    #[test]
    fn a_value_is_a_reference_if_it_says_so_and_nothing_else() {
        assert_eq!(SecretRef::of(&json!("projects/p/secrets/s/versions/1")), None);
        assert_eq!(SecretRef::of(&json!({"reference": "x", "more": 1})), None);
        assert!(SecretRef::of(&json!({"reference": 7})).unwrap().is_err());
        let text = "projects/p/secrets/s/versions/1";
        assert_eq!(SecretRef::of(&json!({"reference": text})), Some(Ok(reference(text))));
    }

    fn covers(offer: &str, tenant: &str, secret: &str) -> bool {
        let reference = reference(&format!("projects/p/secrets/{secret}/versions/latest"));
        SecretOffer::parse(offer).unwrap().covers(tenant, &reference)
    }

    #[test]
    fn an_offer_is_for_whom_and_what_it_names() {
        assert!(covers("acme=p", "acme", "any"));
        assert!(!covers("acme=p", "globex", "any"), "another tenant");
        assert!(!covers("acme=q", "acme", "any"), "another project");
        assert!(!covers("acme=pp", "acme", "any") && !covers("acme=1", "acme", "any"));
        assert!(covers("acme=p/db", "acme", "db") && !covers("acme=p/db", "acme", "db-admin"), "the whole name");
        assert!(covers("acme=p/db*", "acme", "db-admin") && !covers("acme=p/db*", "acme", "a-db"));
        assert!(covers("*=p/common", "globex", "common"));
        let own = "*=p/sluice-{tenant}-*";
        assert!(covers(own, "acme", "sluice-acme-db") && covers(own, "globex", "sluice-globex-db"));
        assert!(!covers(own, "acme", "sluice-globex-db") && !covers(own, "acme", "sluice-acme"));
        assert!(covers("*=p/{tenant}", "acme", "acme") && !covers("*=p/{tenant}", "acme", "acme2"));
    }

    #[test]
    fn what_tenants_share_is_known() {
        let shared = |offer: &str| SecretOffer::parse(offer).unwrap().is_shared();
        assert!(shared("*=p") && shared("*=p/common") && shared("*=p/a*"));
        assert!(!shared("acme=p") && !shared("*=p/{tenant}-*"));
    }

    #[test]
    fn an_offer_that_is_none_is_refused() {
        let wrong =
            ["", "p", "p/s", "=p", "acme=", "acme=p/", "acme=P", "acme=p/a*b", "*=p/x{tenant}*", "*=p/{tenant}x-*"];
        for text in wrong {
            assert!(SecretOffer::parse(text).is_err(), "{text}");
        }
    }
}
