use serde_json::json;

use super::*;

fn rules(templates: &[&str], config: &serde_json::Value) -> Vec<HostRule> {
    let templates: Vec<String> = templates.iter().map(|t| (*t).to_owned()).collect();
    expand_hosts(&templates, config).unwrap()
}

fn refused(template: &str, config: &serde_json::Value) -> RunError {
    expand_hosts(&[template.to_owned()], config).unwrap_err()
}

fn policy(private_network: bool) -> EgressPolicy {
    let config = json!({"host": "db.example.com", "port": 5432});
    let rules = rules(&["{host}:{port}", "*.googleapis.com:443", "api.example.com:*"], &config);
    EgressPolicy::new(rules, private_network)
}

#[test]
fn a_field_alone_is_a_url_whose_host_and_port_are_the_connections_own() {
    let of = |url: &str| {
        rules(&["{endpoint}"], &json!({"endpoint": url})).iter().map(HostRule::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of("https://API.example.com./v1"), ["api.example.com:443"]);
    assert_eq!(of("http://127.0.0.1:9050"), ["127.0.0.1:9050"]);
    assert_eq!(of("http://[2001:db8::1]/"), ["[2001:db8::1]:80"]);
    assert!(rules(&["{endpoint}"], &json!({"endpoint": "http://10.0.0.1"}))[0].own);
    assert!(rules(&["{endpoint}"], &json!({})).is_empty());
    for wrong in [
        "api.example.com:443",
        "ftp://a.example",
        "https://a@b.example",
        "https://a.example:0",
        "https://*.example",
        "http://0177.0.0.1",
        "https://",
    ] {
        assert_eq!(refused("{endpoint}", &json!({"endpoint": wrong})).field.as_deref(), Some("/endpoint"), "{wrong}");
    }
}

#[test]
fn a_configured_host_is_the_connections_own() {
    let expanded = rules(&["{host}:{port}", "api.example.com:443"], &json!({"host": "DB.example.com.", "port": 5432}));
    assert_eq!(expanded[0].to_string(), "db.example.com:5432");
    assert!(expanded[0].own);
    assert!(!expanded[1].own);
}

#[test]
fn a_host_that_is_configured_only_in_part_is_not_the_connections_own() {
    let expanded = rules(&["{account}.blob.example.net:443"], &json!({"account": "acme"}));
    assert_eq!(expanded[0].to_string(), "acme.blob.example.net:443");
    assert!(!expanded[0].own);
}

#[test]
fn an_ipv6_address_can_be_configured_with_or_without_brackets() {
    for host in ["2001:db8::7", "[2001:db8::7]"] {
        let expanded = rules(&["{host}:5432"], &json!({ "host": host }));
        assert_eq!(expanded[0].to_string(), "[2001:db8::7]:5432");
    }
}

#[test]
fn a_template_whose_field_is_not_configured_grants_nothing() {
    assert_eq!(rules(&["{host}:{port}", "{proxy}:3128"], &json!({"host": "a.example", "port": "1"})).len(), 1);
}

#[test]
fn a_value_that_is_more_than_a_host_is_refused_with_its_field() {
    let values = [
        "a.example:22",
        "user@a.example",
        "a.example/x",
        "a.example b",
        "*",
        "*.example.com",
        "http://a.example",
        "",
        "a,b",
        "a.example\r\nx",
        "127.1",
        "0x7f000001",
    ];
    for value in values {
        let error = refused("{host}:5432", &json!({ "host": value }));
        assert_eq!(error.field.as_deref(), Some("/host"), "{value}");
    }
    assert!(refused("{host}:1", &json!({"host": "/run/postgresql"})).message.contains("Unix socket"));
    assert_eq!(refused("{a}.example.com:1", &json!({"a": "evil.com/"})).field.as_deref(), Some("/a"));
    assert_eq!(refused("h.example:{port}", &json!({"port": "1:2"})).field.as_deref(), Some("/port"));
    assert_eq!(refused("h.example:{port}", &json!({"port": "*"})).field.as_deref(), Some("/port"));
    assert_eq!(refused("h.example:{port}", &json!({"port": [1]})).field.as_deref(), Some("/port"));
}

#[test]
fn a_malformed_template_names_the_manifest() {
    for template in
        ["a.example", "a.example:0", "a.example:99999", "*:443", "*.com:443", "*.{h}:443", "{h:1", "*.10.0.0.1:1"]
    {
        assert_eq!(refused(template, &json!({"h": "x"})).field.as_deref(), Some("hosts"), "{template}");
    }
}

#[test]
fn only_declared_hosts_and_ports_are_allowed() {
    let policy = policy(false);
    assert!(policy.allows_name("db.example.com", 5432).is_ok());
    assert!(policy.allows_name("DB.EXAMPLE.COM.", 5432).is_ok());
    assert!(policy.allows_name("storage.googleapis.com", 443).is_ok());
    assert!(policy.allows_name("a.b.googleapis.com", 443).is_ok());
    assert!(policy.allows_name("api.example.com", 8443).is_ok());
    for (host, port) in [
        ("db.example.com", 22),
        ("googleapis.com", 443),
        ("evilgoogleapis.com", 443),
        (".googleapis.com", 443),
        ("db.example.com.evil.net", 5432),
        ("api.example.com", 0),
        ("127.0.0.1", 5432),
        ("2130706433", 5432),
        ("", 443),
    ] {
        assert!(policy.allows_name(host, port).is_err(), "{host}:{port}");
    }
}

#[test]
fn an_undeclared_host_is_told_with_what_is_declared() {
    let message = policy(false).allows_name("evil.net", 443).unwrap_err().to_string();
    assert!(message.starts_with("evil.net:443 is not among the hosts that the connector declares"), "{message}");
    assert!(message.contains("*.googleapis.com:443"), "{message}");
}

#[test]
fn private_addresses_need_the_grant_and_the_connections_own_host() {
    let private =
        ["127.0.0.1", "10.0.0.1", "169.254.7.7", "100.64.0.1", "fd12::1", "fe80::1", "::1", "::ffff:10.0.0.1"];
    let own = policy(true).allows_name("db.example.com", 5432).unwrap();
    let declared = policy(true).allows_name("storage.googleapis.com", 443).unwrap();
    for text in private {
        let address = text.parse().unwrap();
        assert_eq!(policy(true).allows_address(&own, address), Ok(()), "{text}");
        assert!(matches!(policy(false).allows_address(&own, address), Err(Denied::Private { .. })), "{text}");
        assert!(matches!(policy(true).allows_address(&declared, address), Err(Denied::Private { .. })), "{text}");
    }
}

#[test]
fn some_addresses_are_refused_whatever_was_granted() {
    let own = policy(true).allows_name("db.example.com", 5432).unwrap();
    for text in
        ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255"]
    {
        let decision = policy(true).allows_address(&own, text.parse().unwrap());
        assert!(matches!(decision, Err(Denied::Never { .. })), "{text}: {decision:?}");
    }
}

#[test]
fn the_operators_deny_list_wins() {
    let entries: Vec<String> = ["*.googleapis.com", "db.example.com:5432", "8.8.8.0/24", "2606:4700::1"]
        .iter()
        .map(|e| (*e).to_owned())
        .collect();
    let config = json!({"host": "db.example.com", "port": 5432});
    let rules = rules(&["{host}:{port}", "*.googleapis.com:443", "dns.example.com:443"], &config);
    let policy = EgressPolicy::new(rules, true).with_deny(DenyList::parse(&entries).unwrap());
    assert!(matches!(policy.allows_name("storage.googleapis.com", 443), Err(Denied::Operator(_))));
    assert!(matches!(policy.allows_name("db.example.com", 5432), Err(Denied::Operator(_))));
    let dns = policy.allows_name("dns.example.com", 443).unwrap();
    for text in ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1"] {
        assert!(matches!(policy.allows_address(&dns, text.parse().unwrap()), Err(Denied::Operator(_))), "{text}");
    }
    assert_eq!(policy.allows_address(&dns, "9.9.9.9".parse().unwrap()), Ok(()));
    assert_eq!(DenyList::parse(&["a b".to_owned()]).unwrap_err().field.as_deref(), Some("--deny-host"));
}
