//! Whatever a connector says of itself, and whatever a person fills into the form that it asks for: the manifest is refused, or
//! the configuration is checked in bounded time and what may be reached follows from it alone.
//!
//! The input is a manifest, a zero byte and a configuration, both JSON; without the zero byte the configuration is empty.
//! `fuzz/README.md` says how it is run.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use sluice_core::config;
use sluice_core::manifest::Manifest;
use sluice_runtime::net::{EgressPolicy, expand_hosts};

fuzz_target!(|data: &[u8]| {
    let border = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (manifest, config) = data.split_at(border);
    let Ok(manifest) = Manifest::parse(manifest) else { return };
    let config = match serde_json::from_slice(config.get(1..).unwrap_or_default()) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let config = Value::Object(config);

    // What is kept of a manifest is what was read of it.
    let written = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    assert_eq!(Manifest::parse(&written).as_ref(), Ok(&manifest));

    // A credential that the host uses, or that enters the sandbox, is a marked secret.
    let secrets: Vec<&str> = manifest.secret_fields().collect();
    let named = manifest.auth.iter().flat_map(|scheme| scheme.fields());
    let inside = manifest.secrets.inside.iter().map(|field| (field.as_str(), true));
    for (field, secret) in named.chain(inside) {
        assert!(!secret || secrets.contains(&field), "{field}");
    }

    // The form: problems name a field and never repeat a value that is long enough to be a secret.
    if let Ok(problems) = config::problems(&manifest.config, &config) {
        assert!(problems.len() <= 8, "{problems:?}");
    }

    // What may be reached: without a grant nothing private, and never another port than the rule's.
    if let Ok(rules) = expand_hosts(&manifest.hosts, &config) {
        let policy = EgressPolicy::new(rules.clone(), false);
        for rule in &rules {
            assert_eq!(rule, &rule.clone());
            for address in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"] {
                let address = address.parse().expect("an address");
                assert!(policy.allows_address(rule, address).is_err(), "{rule} reaches {address}");
            }
            if let Some(port) = rule.port {
                assert!(port != 0 && !rule.covers(&sluice_runtime::net::HostName::parse("a.example").unwrap(), port ^ 1));
            }
        }
    }
});
