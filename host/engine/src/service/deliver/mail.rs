//! E-mail through the operator's SMTP server. TLS is required, at once (`smtps`) or by STARTTLS (`smtp`), unless the operator says otherwise.

use std::error::Error;
use std::time::{Duration, SystemTime};

use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use sluice_core::RunError;
use url::Url;

use super::Undelivered;
use crate::service::notify::message::Message;

/// How long a command of the conversation may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long a mail may take altogether; less than its lease.
const ALTOGETHER: Duration = Duration::from_secs(60);

/// Sends mails.
#[derive(Clone)]
pub struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What the operator set, as it is read from an address.
#[derive(Debug, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
    tls: Encryption,
    login: Option<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Encryption {
    AtOnce,
    StartTls,
    None,
}

impl Mail {
    /// Through a server, `smtp://user:password@host:port` or `smtps://…`, as somebody, `name@example.com` or
    /// `Name <name@example.com>`. `smtp://…?tls=none` speaks without TLS.
    ///
    /// # Errors
    /// Names the option that is wrong, without its password.
    pub fn new(url: &str, from: &str) -> Result<Self, RunError> {
        let from: Mailbox = from.parse().map_err(|_| {
            RunError::config("--mail-from", "it has the form name@example.com or Name <name@example.com>")
        })?;
        let Server { host, port, tls, login } = Server::parse(url)?;
        let parameters = || {
            let built = TlsParameters::builder(host.clone()).build_rustls();
            built.map_err(|e| RunError::config("--smtp-url", format!("TLS cannot be set up: {e}")))
        };
        let tls = match tls {
            Encryption::AtOnce => Tls::Wrapper(parameters()?),
            Encryption::StartTls => Tls::Required(parameters()?),
            Encryption::None => Tls::None,
        };
        let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(TIMEOUT))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        let server = match login {
            Some((user, password)) => server.credentials(Credentials::new(user, password)),
            None => server,
        };
        Ok(Self { server: server.build(), from })
    }

    pub(super) async fn send(
        &self,
        id: &str,
        address: &str,
        message: &Message,
        created_us: i64,
    ) -> Result<(), Undelivered> {
        let to: Address =
            address.parse().map_err(|_| Undelivered::because(format!("{address:?} is no address for mail")))?;
        let mail = self.mail(id, to, message, created_us)?;
        match tokio::time::timeout(ALTOGETHER, self.server.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Undelivered::because(format!("the mail server did not take it: {}", all_of(&error)))),
            Err(_) => Err(Undelivered::because("the mail server did not take it in time")),
        }
    }

    fn mail(&self, id: &str, to: Address, message: &Message, created_us: i64) -> Result<lettre::Message, Undelivered> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(created_us).unwrap_or_default());
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject())
            .date(at)
            // The same for every try, so that a mailbox shows it once.
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(message.text())
            .map_err(|e| Undelivered::because(format!("the mail cannot be written: {e}")))
    }
}

impl Server {
    fn parse(text: &str) -> Result<Self, RunError> {
        let wrong = |what: &str| {
            let message =
                format!("{what}; it has the form smtp://USER:PASSWORD@HOST:PORT, smtps:// for TLS from the start");
            RunError::config("--smtp-url", message)
        };
        let url = Url::parse(text).map_err(|_| wrong("the address of the mail server cannot be read"))?;
        let mut plain = false;
        for (name, value) in url.query_pairs() {
            match (name.as_ref(), value.as_ref()) {
                ("tls", "none") => plain = true,
                ("tls", "required") => plain = false,
                _ => return Err(wrong("behind ? may only stand tls=required or tls=none")),
            }
        }
        let (tls, port) = match (url.scheme(), plain) {
            ("smtps", false) => (Encryption::AtOnce, 465),
            ("smtp", false) => (Encryption::StartTls, 587),
            ("smtp", true) => (Encryption::None, 25),
            ("smtps", true) => return Err(wrong("smtps without TLS is smtp")),
            _ => return Err(wrong("only smtp and smtps are spoken")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("the address names no host"))?;
        // An IPv6 address stands in brackets there and nowhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let login = match (decoded(url.username()), url.password().map(decoded)) {
            (Some(user), None) if user.is_empty() => None,
            (Some(user), Some(Some(password))) if !user.is_empty() => Some((user, password)),
            _ => return Err(wrong("a user and a password belong together, special characters in them as %XX")),
        };
        Ok(Self { host, port: url.port().unwrap_or(port), tls, login })
    }
}

/// A part of an address in the clear: `%40` is `@`. None if it is not UTF-8.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// An error with what is behind it.
fn all_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_required_unless_the_operator_says_otherwise() {
        let read = |text: &str| Server::parse(text).map(|server| (server.port, server.tls));
        assert_eq!(read("smtp://mail.example.com").unwrap(), (587, Encryption::StartTls));
        assert_eq!(read("smtps://mail.example.com").unwrap(), (465, Encryption::AtOnce));
        assert_eq!(read("smtp://127.0.0.1:2525?tls=none").unwrap(), (2525, Encryption::None));
        for wrong in
            ["mail.example.com", "http://x", "smtps://x?tls=none", "smtp://x?tls=maybe", "smtp://x?a=b", "smtp:"]
        {
            assert_eq!(Server::parse(wrong).unwrap_err().field.as_deref(), Some("--smtp-url"), "{wrong}");
        }
    }

    #[test]
    fn a_login_is_read_with_its_special_characters_and_never_repeated() {
        let server = Server::parse("smtp://ann%40example.com:p%2Fw%25@mail.example.com").unwrap();
        assert_eq!(server.login, Some(("ann@example.com".into(), "p/w%".into())));
        assert_eq!(Server::parse("smtp://[::1]:25").unwrap().host, "::1");
        for half in ["smtp://ann@mail.example.com", "smtp://:hunter2@mail.example.com:x", "smtp://:%FF@x"] {
            let error = Server::parse(half).unwrap_err();
            assert!(!error.message.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_mail_has_one_id_whenever_it_is_sent_and_no_line_of_its_own_in_its_head() {
        let mail = Mail::new("smtp://mail.example.com", "Sluice <sluice@example.com>").unwrap();
        let mut message = Message::digest("acme", jiff::Timestamp::UNIX_EPOCH, Vec::new(), 3);
        message.event = "failure".into();
        message.pipeline =
            Some(crate::service::notify::message::Named { id: "p".into(), name: "a\r\nBcc: x@evil.example".into() });
        let written = mail.mail("n1", "ops@example.com".parse().unwrap(), &message, 5_000_000).unwrap().formatted();
        let written = String::from_utf8(written).unwrap();
        for line in ["Message-ID: <n1@example.com>", "To: ops@example.com", "Auto-Submitted: auto-generated"] {
            assert!(written.contains(line), "{line} in {written}");
        }
        let head = written.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }
}
