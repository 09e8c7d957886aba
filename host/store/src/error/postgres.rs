//! PostgreSQL's SQLSTATEs that a person can act on (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), and what
//! goes wrong on the way to the server.

use sluice_core::error::Kind;

use super::{Advice, Place};

/// What to do about an error; none for one that is nobody's fault but ours.
pub(super) fn advice(place: &Place, error: &sqlx::Error) -> Option<Advice> {
    let untrusted = matches!(error, sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData);
    match error {
        sqlx::Error::Io(_) if !untrusted => {
            let advice =
                "it cannot be reached; check that the server runs, its host and port, and that no firewall is between";
            Some((Kind::Transient, advice.to_owned()))
        }
        // rustls says what it does not trust in an I/O error.
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
            let advice =
                "no secure connection could be made; set sslmode and sslrootcert in its URL as the server wants them";
            Some((Kind::Config, advice.to_owned()))
        }
        sqlx::Error::Configuration(_) => {
            Some((Kind::Config, "its URL or a file that the URL names cannot be used".to_owned()))
        }
        other => by_state(place, other.as_database_error()?.code()?.as_ref()),
    }
}

fn by_state(place: &Place, state: &str) -> Option<Advice> {
    let Place::Server { database, user, .. } = place else { return None };
    let (kind, advice) = match state {
        "28P01" | "28000" => (
            Kind::Auth,
            format!("user {user} was refused; check the user and the password in its URL, and pg_hba.conf"),
        ),
        "3D000" => (Kind::NotFound, format!("there is no such database; create it: CREATE DATABASE \"{database}\"")),
        "3F000" => (Kind::NotFound, "its schema does not exist; check search_path in its URL".to_owned()),
        "42501" => (
            Kind::Permission,
            format!("user {user} may not do this; it must own Sluice's tables or be granted all on them"),
        ),
        "25006" => {
            (Kind::Permission, "it is read-only, a replica perhaps; connect to the server that takes writes".to_owned())
        }
        "53100" => (Kind::Resources, "the server's disk is full; free some space, nothing is lost".to_owned()),
        "53200" => (Kind::Resources, "the server is out of memory".to_owned()),
        "53300" => {
            let advice = "the server has no connection left; use fewer, or raise its max_connections";
            (Kind::Transient, advice.to_owned())
        }
        "40001" | "40P01" => (Kind::Transient, "another transaction was in the way; try again".to_owned()),
        "55P03" | "57014" => (Kind::Transient, "it took longer than the server allows; try again".to_owned()),
        "57P01" | "57P02" | "57P03" => {
            (Kind::Transient, "the server is starting, stopping or was told to disconnect; try again".to_owned())
        }
        "22021" => (Kind::Data, "it cannot hold a text with a NUL character".to_owned()),
        "XX001" | "XX002" => (Kind::Protocol, "it is damaged; restore it from a backup".to_owned()),
        _ if state.starts_with("08") => (Kind::Transient, "the connection was lost; try again".to_owned()),
        _ => return None,
    };
    Some((kind, advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::Server { host: "db".into(), port: 5432, database: "sluice".into(), user: "app".into() }
    }

    #[test]
    fn states_that_pass_are_transient_and_others_name_who_must_act() {
        for state in ["40001", "40P01", "57P01", "53300", "08006"] {
            assert_eq!(by_state(&place(), state).unwrap().0, Kind::Transient, "{state}");
        }
        let (kind, advice) = by_state(&place(), "53100").unwrap();
        assert_eq!((kind, advice.contains("disk is full")), (Kind::Resources, true));
        assert_eq!(by_state(&place(), "23505"), None);
    }
}
