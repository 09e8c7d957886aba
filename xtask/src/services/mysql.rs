//! Oracle's MySQL 9. Debian has it in its unstable suite only, so its packages and all that they need are unpacked into the cache
//! and run through the C library that comes with them; the machine's own packages are left as they are.
//!
//! The version moves with the suite: whoever starts from an empty cache gets the newest.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::group::Group;
use super::mysql_client::{self, Login, PASSWORD};
use super::net::free_ports;
use super::tls::Certificates;
use crate::process::{Interrupt, output, run};
use crate::tools::{self, remove_folder};
use crate::workspace::cache;

const SUITE: &str = "sid";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

const SETTINGS: &[&str] = &[
    "--bind-address=127.0.0.1,127.0.0.2",
    "--skip-name-resolve",
    "--mysqlx=OFF",
    "--max-connections=300",
    "--max-allowed-packet=1G",
    "--local-infile=ON",
    "--secure-file-priv=NULL",
    "--innodb-buffer-pool-size=256M",
    "--innodb-redo-log-capacity=512M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-flush-method=nosync",
    "--server-id=2",
    "--log-bin=binlog",
    "--sync-binlog=0",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--default-time-zone=+00:00",
];

const USERS: &str = "
CREATE DATABASE sluice;
CREATE USER sluice IDENTIFIED BY 'sluice-test-password';
GRANT ALL ON *.* TO sluice WITH GRANT OPTION;
CREATE USER sluice_tls IDENTIFIED BY 'sluice-test-password' REQUIRE SSL;
GRANT ALL ON *.* TO sluice_tls;
CREATE USER sluice_reader IDENTIFIED BY 'sluice-test-password';
CREATE USER sluice_trust;
CREATE USER sluice_sha256 IDENTIFIED WITH sha256_password BY 'sluice-test-password';
";

/// Starts the server and waits until it answers queries.
pub(crate) fn start(group: &mut Group, interrupt: &Interrupt, certificates: &Certificates) -> Result<()> {
    // The client is MariaDB's.
    tools::debian(&["mariadb-client", "debian-archive-keyring"])?;
    let root = unpacked()?;
    let data = group.folder.join("mysql");
    let mut install = server(&root);
    install.args([
        "--initialize-insecure",
        "--innodb-flush-method=nosync",
        "--innodb-doublewrite=OFF",
        "--skip-log-bin",
    ]);
    output(install.arg(format!("--datadir={}", data.display()))).context("making MySQL's data folder")?;

    let [port] = free_ports()?;
    let mut command = server(&root);
    command.args(SETTINGS);
    mysql_client::places(&mut command, &data, port, Some(certificates));
    group.spawn("mysql", false, command)?;
    let socket = data.join("socket");
    group.until_ready("mysql", interrupt, || mysql_client::execute(&socket, "SELECT 1"))?;
    mysql_client::execute(&socket, USERS)?;
    let login = Login { host: "127.0.0.1", port, user: "sluice_tls", password: PASSWORD };
    output(login.verified(&certificates.ca).args(["-e", "SELECT 1"])).context("connecting to MySQL over TLS")?;

    mysql_client::facts(group, "MYSQL", port, &socket, certificates);
    group.facts.add("SLUICE_TEST_MYSQL_SHA256_USER", "sluice_sha256");
    group.facts.add("SLUICE_TEST_MYSQL_PUBLIC_KEY", data.join("public_key.pem").display());
    Ok(())
}

/// `mysqld` from the cache, through its own loader, with nothing of this machine's configuration.
fn server(root: &Path) -> Command {
    let libraries = root.join(LIBRARIES);
    let share = root.join("usr/share/mysql");
    let mut server = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    server.arg("--library-path").arg(&libraries).arg(root.join("usr/sbin/mysqld"));
    server.arg("--no-defaults").args(mysql_client::server_user());
    server.arg(format!("--basedir={}", root.join("usr").display()));
    server.arg(format!("--lc-messages-dir={}", share.display()));
    server.arg(format!("--character-sets-dir={}", share.join("charsets").display()));
    server.arg(format!("--plugin-dir={}", root.join("usr/lib/mysql/plugin").display()));
    server
}

/// The folder with the unpacked packages, made on first use.
fn unpacked() -> Result<PathBuf> {
    let folder = cache()?.join(format!("mysql-{SUITE}"));
    let root = folder.join("root");
    if folder.join("complete").is_file() {
        return Ok(root);
    }
    if std::env::consts::ARCH != "x86_64" {
        bail!("the tests' MySQL is Debian's for amd64; this machine is {}", std::env::consts::ARCH);
    }
    eprintln!("xtask: fetching MySQL and its libraries from Debian {SUITE} into {} (once; 60 MB)", folder.display());
    let began = Instant::now();
    remove_folder(&folder)?;
    std::fs::create_dir_all(&root)?;
    let configuration = private_apt(&folder)?;
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(["--quiet=2"]).args(arguments).env("APT_CONFIG", &configuration).stdout(Stdio::null());
        run(&mut apt)
    };
    apt(&["update"])?;
    apt(&["install", "--yes", "--download-only", "mysql-server-core"])?;
    let archives = folder.join("archives");
    for entry in std::fs::read_dir(&archives).with_context(|| format!("listing {}", archives.display()))? {
        let package = entry?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            unpack(&package, &root)?;
        }
    }
    remove_folder(&archives)?;
    remove_folder(&folder.join("lists"))?;
    let version = output(server(&root).arg("--version"))?;
    std::fs::write(folder.join("complete"), &version)?;
    eprintln!("xtask: {} is there after {:.0} s", version.trim(), began.elapsed().as_secs_f64());
    Ok(root)
}

/// An apt that has its own lists and believes that nothing is installed, so that it fetches every library.
fn private_apt(folder: &Path) -> Result<PathBuf> {
    for name in ["lists/partial", "archives/partial", "none"] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    std::fs::write(folder.join("status"), "")?;
    let sources = format!("deb [signed-by={KEYRING}] {} {SUITE} main\n", mirror()?);
    std::fs::write(folder.join("sources.list"), sources)?;
    let at = |name: &str| folder.join(name).display().to_string();
    let settings = [
        ("Dir::State", at("none")),
        ("Dir::State::lists", at("lists")),
        ("Dir::State::status", at("status")),
        ("Dir::State::extended_states", at("none/extended_states")),
        ("Dir::Cache", folder.display().to_string()),
        ("Dir::Cache::archives", at("archives")),
        ("Dir::Etc::sourcelist", at("sources.list")),
        ("Dir::Etc::sourceparts", at("none")),
        ("Dir::Etc::preferencesparts", at("none")),
        ("APT::Architecture", "amd64".to_owned()),
        ("APT::Install-Recommends", "false".to_owned()),
        // Otherwise it drops its rights to a user who may not enter this folder.
        ("APT::Sandbox::User", "root".to_owned()),
    ];
    let text: String = settings.iter().map(|(name, value)| format!("{name} \"{value}\";\n")).collect();
    let file = folder.join("apt.conf");
    std::fs::write(&file, text)?;
    Ok(file)
}

/// The Debian mirror that this machine uses.
fn mirror() -> Result<String> {
    let targets = output(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(ORIGIN) $(COMPONENT) $(SUITE)",
        "Created-By: Packages",
    ]))?;
    let fits = |line: &&str| line.contains(" Debian main ") && !line.ends_with("-security");
    let line =
        targets.lines().find(fits).context("apt has no list of Debian's main component; run `apt-get update`")?;
    Ok(line.split(' ').next().unwrap_or_default().to_owned())
}

fn unpack(package: &Path, root: &Path) -> Result<()> {
    let mut files = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting dpkg-deb")?;
    let stream = files.stdout.take().context("dpkg-deb has an output")?;
    run(Command::new("tar").args(["x", "--keep-directory-symlink", "--no-same-owner", "-C"]).arg(root).stdin(stream))?;
    if !files.wait()?.success() {
        bail!("{} cannot be unpacked", package.display());
    }
    Ok(())
}
