//! Who may be reached, decided without I/O: names first, then every address that a name resolves to.
//!
//! A connection is allowed when (1) the manifest declares the host, (2) the operator does not deny it, and (3) the
//! *resolved address* is public, or is private, belongs to a host that the connection's own configuration names, and
//! the operator granted private networks. Metadata services are refused whatever was granted.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use sluice_core::RunError;

use super::address::{AddressClass, classify};
use super::name::{BadName, HostName};

/// Which hosts a rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host and no other.
    Exact(HostName),
    /// Every name below this suffix, which is stored without its leading `*.`; not the suffix itself.
    Below(String),
}

/// A host that a connector may reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostRule {
    /// Which hosts.
    pub pattern: HostPattern,
    /// Which port; none means any.
    pub port: Option<u16>,
    /// True if the whole host came out of the connection's configuration, so that a person chose it. Only such a
    /// host may be in a private network.
    pub own: bool,
}

impl HostRule {
    /// Whether this rule names the host and port.
    pub fn covers(&self, host: &HostName, port: u16) -> bool {
        self.port.is_none_or(|p| p == port) && self.pattern.covers(host)
    }
}

impl HostPattern {
    fn covers(&self, host: &HostName) -> bool {
        match (self, host) {
            (Self::Exact(own), host) => own == host,
            (Self::Below(suffix), HostName::Dns(name)) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (Self::Below(_), HostName::Ip(_)) => false,
        }
    }
}

impl std::fmt::Display for HostRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.pattern {
            HostPattern::Exact(HostName::Ip(IpAddr::V6(address))) => write!(f, "[{address}]")?,
            HostPattern::Exact(host) => write!(f, "{host}")?,
            HostPattern::Below(suffix) => write!(f, "*.{suffix}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

/// What the operator forbids, whatever a manifest declares: `host`, `host:port`, `*.suffix`, an address or a network in
/// CIDR form.
#[derive(Clone, Debug, Default)]
pub struct DenyList {
    names: Vec<HostRule>,
    networks: Vec<IpNet>,
}

impl DenyList {
    /// Reads the operator's entries.
    ///
    /// # Errors
    /// Names the first entry that is neither a host, a wildcard nor a network.
    pub fn parse(entries: &[String]) -> Result<Self, RunError> {
        let mut list = Self::default();
        for entry in entries {
            if let Ok(network) = entry.parse::<IpNet>() {
                list.networks.push(network);
            } else if let Ok(HostName::Ip(address)) = HostName::parse(entry) {
                list.networks.push(IpNet::from(address));
            } else {
                let (host, port) = match entry.rsplit_once(':') {
                    Some((host, port)) => (host, parse_port(port)),
                    None => (entry.as_str(), Ok(None)),
                };
                let rule = port.and_then(|port| Ok(HostRule { pattern: parse_pattern(host)?, port, own: false }));
                list.names.push(rule.map_err(|reason| {
                    RunError::config(
                        "--deny-host",
                        format!("{entry:?} is not a host, a wildcard or a network: {reason}"),
                    )
                })?);
            }
        }
        Ok(list)
    }

    fn denies_name(&self, host: &HostName, port: u16) -> bool {
        self.names.iter().any(|rule| rule.covers(host, port))
    }

    fn denies_address(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address) || network.contains(&address.to_canonical()))
    }
}

/// Why a connection is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not a host at all.
    #[error("{0}")]
    Name(#[from] BadName),
    /// Not in the manifest.
    #[error(
        "{host}:{port} is not among the hosts that the connector declares ({declared}); its author has to add it to `hosts` in the manifest"
    )]
    Undeclared {
        /// The host asked for.
        host: String,
        /// The port asked for.
        port: u16,
        /// What is declared, for the reader.
        declared: String,
    },
    /// The operator forbids it.
    #[error("{0} is on the operator's deny list (`--deny-host`)")]
    Operator(String),
    /// A private network that was not granted.
    #[error(
        "{address} is a {class} address; reaching it needs `private_network` granted by the operator, for a host that the connection's own configuration names"
    )]
    Private {
        /// The address a name resolved to, or that was given.
        address: IpAddr,
        /// What it is.
        class: &'static str,
    },
    /// An address that no connector may reach.
    #[error("{address} is a {class} address, which no connector may reach")]
    Never {
        /// The address a name resolved to, or that was given.
        address: IpAddr,
        /// What it is.
        class: &'static str,
    },
}

/// Hears of every host that a connector asks for, and whether its manifest declares it, before anything is resolved.
#[derive(Clone)]
pub struct Watch(Arc<Heard>);

type Heard = dyn Fn(&str, u16, bool) + Send + Sync;

impl Watch {
    /// Tells `heard` of host, port and whether they are declared. It must not block.
    pub fn new(heard: impl Fn(&str, u16, bool) + Send + Sync + 'static) -> Self {
        Self(Arc::new(heard))
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

/// The decision of who may be reached, for one connection.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    rules: Vec<HostRule>,
    private_network: bool,
    deny: DenyList,
    watch: Option<Watch>,
}

impl EgressPolicy {
    /// `rules` come from [`expand_hosts`]; `private_network` is the operator's grant that the connection's own
    /// configured hosts may be private.
    pub fn new(rules: Vec<HostRule>, private_network: bool) -> Self {
        Self { rules, private_network, deny: DenyList::default(), watch: None }
    }

    /// Tells somebody of every host that is asked for.
    #[must_use]
    pub fn with_watch(mut self, watch: Option<Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// Adds what the operator forbids.
    #[must_use]
    pub fn with_deny(mut self, deny: DenyList) -> Self {
        self.deny = deny;
        self
    }

    /// Whether the operator granted private networks to the connection's own hosts.
    pub fn private_network(&self) -> bool {
        self.private_network
    }

    /// Decides by name and port, before anything is resolved.
    ///
    /// # Errors
    /// The host is malformed, undeclared or denied by the operator.
    pub fn allows_name(&self, host: &str, port: u16) -> Result<HostRule, Denied> {
        let host = HostName::parse(host)?;
        self.allows_host(&host, port)
    }

    /// [`Self::allows_name`] for a host that is already parsed.
    ///
    /// # Errors
    /// The host is undeclared or denied by the operator.
    pub fn allows_host(&self, host: &HostName, port: u16) -> Result<HostRule, Denied> {
        let mut covering = self.rules.iter().filter(|rule| port != 0 && rule.covers(host, port)).peekable();
        if let Some(Watch(heard)) = &self.watch {
            heard(&host.to_string(), port, covering.peek().is_some());
        }
        // A host may be declared twice; the rule that grants more is the one that a person configured.
        let Some(first) = covering.next() else {
            return Err(Denied::Undeclared { host: host.to_string(), port, declared: self.declared() });
        };
        let rule = if first.own { first } else { covering.find(|rule| rule.own).unwrap_or(first) };
        if self.deny.denies_name(host, port) {
            return Err(Denied::Operator(format!("{host}:{port}")));
        }
        Ok(rule.clone())
    }

    /// Decides by an address that the rule's host resolved to.
    ///
    /// # Errors
    /// The address is private and not granted, never allowed, or denied by the operator.
    pub fn allows_address(&self, rule: &HostRule, address: IpAddr) -> Result<(), Denied> {
        match classify(address) {
            AddressClass::Metadata => return Err(Denied::Never { address, class: "cloud metadata" }),
            AddressClass::Unusable(class) => return Err(Denied::Never { address, class }),
            AddressClass::Private(class) if !(self.private_network && rule.own) => {
                return Err(Denied::Private { address, class });
            }
            AddressClass::Private(_) | AddressClass::Public => {}
        }
        if self.deny.denies_address(address) {
            return Err(Denied::Operator(address.to_string()));
        }
        Ok(())
    }

    fn declared(&self) -> String {
        if self.rules.is_empty() {
            return "none".to_owned();
        }
        let shown: Vec<String> = self.rules.iter().take(8).map(HostRule::to_string).collect();
        let more = self.rules.len().saturating_sub(shown.len());
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    }
}

/// Fills a manifest's host templates (`{host}:{port}`, `*.example.com:443`, `{account}.blob.example.com:443`,
/// `api.example.com:*`) from the connection's configuration, which must hold the schema's defaults already. A field alone
/// (`{endpoint}`) holds a URL, whose host and port are meant.
///
/// A template with a field that is not configured grants nothing: it belongs to an option that is not used.
///
/// # Errors
/// A template is malformed (the manifest's author must act), or a configured value is not what a host or port can be:
/// it holds `:`, `@`, `/`, white space or a wildcard, so that a value cannot name more than one host.
pub fn expand_hosts(templates: &[String], config: &serde_json::Value) -> Result<Vec<HostRule>, RunError> {
    let mut rules = Vec::with_capacity(templates.len());
    for template in templates {
        if let Some(rule) = expand(template, config)?
            && !rules.contains(&rule)
        {
            rules.push(rule);
        }
    }
    Ok(rules)
}

fn expand(template: &str, config: &serde_json::Value) -> Result<Option<HostRule>, RunError> {
    let malformed = |reason: String| {
        RunError::config("hosts", format!("the manifest's host {template:?} is not `host:port`: {reason}"))
    };
    if let Some(field) = whole_field(template) {
        return of_url(field, config);
    }
    // Split before filling in, so that a value cannot move the border between host and port.
    let (host, port) = template.rsplit_once(':').ok_or_else(|| malformed("no port".into()))?;
    if host.contains('*') && host.contains('{') {
        return Err(malformed("a wildcard cannot hold a configuration field".into()));
    }
    let Some(port) = fill(port, config, is_port)? else { return Ok(None) };
    let port = parse_port(&port).map_err(malformed)?;
    if let Some(field) = whole_field(host) {
        let Some(value) = scalar(config, field)? else { return Ok(None) };
        let host = HostName::parse(value.trim_end_matches('.'))
            .map_err(|reason| RunError::config(format!("/{field}"), reason.to_string()))?;
        return Ok(Some(HostRule { pattern: HostPattern::Exact(host), port, own: true }));
    }
    let Some(filled) = fill(host, config, is_name_part)? else { return Ok(None) };
    let pattern = parse_pattern(&filled).map_err(malformed)?;
    Ok(Some(HostRule { pattern, port, own: false }))
}

/// Host and port of a URL that a person configured. Its path is the connector's matter.
fn of_url(field: &str, config: &serde_json::Value) -> Result<Option<HostRule>, RunError> {
    let Some(value) = scalar(config, field)? else { return Ok(None) };
    let wrong = |reason: &str| RunError::config(format!("/{field}"), format!("the URL {reason}"));
    let uri: http::Uri = value.parse().map_err(|_| wrong("is not one; write e.g. https://api.example.com"))?;
    let default = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        _ => return Err(wrong("must begin with https:// or http://")),
    };
    let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("must not hold a user or a password"));
    }
    let port = authority.port_u16().unwrap_or(default);
    if port == 0 || (authority.port().is_none() && authority.as_str().ends_with(':')) {
        return Err(wrong("has a port that is none; use 1 to 65535"));
    }
    let host = HostName::parse(authority.host().trim_end_matches('.'))
        .map_err(|reason| wrong(&format!("is wrong: {reason}")))?;
    Ok(Some(HostRule { pattern: HostPattern::Exact(host), port: Some(port), own: true }))
}

/// `{field}` and nothing else.
fn whole_field(text: &str) -> Option<&str> {
    let field = text.strip_prefix('{')?.strip_suffix('}')?;
    (!field.contains(['{', '}'])).then_some(field)
}

/// Replaces every `{field}`; none if one of them is not configured.
fn fill(template: &str, config: &serde_json::Value, fits: fn(&str) -> bool) -> Result<Option<String>, RunError> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((field, after)) = after.split_once('}') else {
            return Err(RunError::config("hosts", format!("the manifest's host {template:?} lacks a closing brace")));
        };
        let Some(value) = scalar(config, field)? else { return Ok(None) };
        if !fits(&value) {
            let message = format!("{:?} cannot be part of a host or port", value.chars().take(80).collect::<String>());
            return Err(RunError::config(format!("/{field}"), message));
        }
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(Some(filled))
}

/// A configured text or whole number.
fn scalar(config: &serde_json::Value, field: &str) -> Result<Option<String>, RunError> {
    match config.get(field) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
        Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(RunError::config(format!("/{field}"), "a host or port must be a text or a number")),
    }
}

fn is_name_part(value: &str) -> bool {
    !value.is_empty() && value.len() <= 253 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn is_port(value: &str) -> bool {
    !value.is_empty() && value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit())
}

fn parse_port(text: &str) -> Result<Option<u16>, String> {
    if text == "*" {
        return Ok(None);
    }
    match text.parse::<u16>() {
        Ok(port) if port != 0 && is_port(text) => Ok(Some(port)),
        _ => Err(format!("{text:?} is not a port; use 1 to 65535 or *")),
    }
}

/// `*.suffix` needs two labels at least: `*.com` would be half of the internet.
fn parse_pattern(text: &str) -> Result<HostPattern, String> {
    let Some(suffix) = text.strip_prefix("*.") else {
        return HostName::parse(text).map(HostPattern::Exact).map_err(|e| e.to_string());
    };
    match HostName::parse(suffix).map_err(|e| e.to_string())? {
        HostName::Dns(suffix) if suffix.contains('.') => Ok(HostPattern::Below(suffix)),
        _ => Err("a wildcard needs a suffix of two names or more, e.g. *.example.com".to_owned()),
    }
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
