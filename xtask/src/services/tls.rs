//! Certificates for servers: a CA, a server certificate it signed, and a CA that signed nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output;
use crate::tools;

/// Where the files lie.
pub(crate) struct Certificates {
    pub(crate) ca: PathBuf,
    pub(crate) wrong_ca: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) server_key: PathBuf,
}

/// Makes everything anew; the certificate names `localhost` and `127.0.0.1` and nothing else.
pub(crate) fn generate(folder: &Path) -> Result<Certificates> {
    tools::debian(&["openssl"])?;
    std::fs::create_dir_all(folder)?;
    authority(folder, "ca", "Sluice test CA")?;
    authority(folder, "wrong-ca", "A CA that signed nothing")?;
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n";
    std::fs::write(folder.join("server.ext"), names)?;
    openssl(
        folder,
        &["req", "-newkey", "ec", "-pkeyopt", CURVE, "-nodes", "-subj", "/CN=localhost"],
        &["-keyout", "server.key", "-out", "server.csr"],
    )?;
    openssl(
        folder,
        &["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
        &["-days", "30", "-extfile", "server.ext", "-out", "server.pem"],
    )?;
    Ok(Certificates {
        ca: folder.join("ca.pem"),
        wrong_ca: folder.join("wrong-ca.pem"),
        server: folder.join("server.pem"),
        server_key: folder.join("server.key"),
    })
}

const CURVE: &str = "ec_paramgen_curve:prime256v1";

fn authority(folder: &Path, name: &str, subject: &str) -> Result<()> {
    let (key, certificate, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={subject}"));
    openssl(
        folder,
        &["req", "-x509", "-newkey", "ec", "-pkeyopt", CURVE, "-nodes", "-days", "30"],
        &["-subj", &subject, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", &key, "-out", &certificate],
    )
}

fn openssl(folder: &Path, first: &[&str], rest: &[&str]) -> Result<()> {
    output(Command::new("openssl").args(first).args(rest).current_dir(folder)).context("making test certificates")?;
    Ok(())
}
