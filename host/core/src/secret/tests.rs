use base64::Engine;
use serde_json::json;

use super::*;

fn schema() -> Value {
    json!({
        "type": "object",
        "$defs": {"token": {"type": "string", "writeOnly": true}},
        "properties": {
            "host": {"type": "string"},
            "password": {"type": "string", "writeOnly": true},
            "api": {"$ref": "#/$defs/token"},
            "tls": {"type": "object", "properties": {"key": {"writeOnly": true}, "ca": {"type": "string"}}},
            "accounts": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "secret": {"writeOnly": true}}}},
            "auth": {"oneOf": [
                {"properties": {"kind": {"const": "key"}, "value": {"type": "string", "writeOnly": true}}},
                {"properties": {"kind": {"const": "none"}}}
            ]},
            "headers": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": true}},
            "pair": {"prefixItems": [{"type": "string"}, {"writeOnly": true}]}
        }
    })
}

fn config() -> Value {
    json!({
        "host": "db.example.com",
        "password": "S3cret!",
        "api": "tok-1",
        "tls": {"key": "PRIVATE", "ca": "public"},
        "accounts": [{"name": "a", "secret": "s-a"}, {"name": "b"}],
        "auth": {"kind": "key", "value": "v"},
        "headers": {"x/y": "h", "z~": "i"},
        "pair": ["user", "pass"]
    })
}

#[test]
fn secrets_are_found_in_objects_lists_references_and_alternatives() {
    let found: Vec<String> = pointers(&schema(), &config()).into_iter().collect();
    assert_eq!(
        found,
        [
            "/accounts/0/secret",
            "/api",
            "/auth/value",
            "/headers/x~1y",
            "/headers/z~0",
            "/pair/1",
            "/password",
            "/tls/key"
        ]
    );
}

#[test]
fn what_was_split_joins_to_what_it_was_and_the_public_part_holds_no_secret() {
    let parts = split(&schema(), &config());
    let text = parts.public.to_string();
    for secret in ["S3cret!", "tok-1", "PRIVATE", "s-a", "\"v\"", "\"h\"", "\"i\"", "pass\""] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(parts.public["pair"], json!(["user", null]));
    assert_eq!(parts.public["tls"], json!({"ca": "public"}));
    assert_eq!(join(&parts.public, &parts.secrets), config());
}

#[test]
fn a_secret_that_is_null_is_left_out_and_a_whole_configuration_can_be_one() {
    let parts = split(&schema(), &json!({"host": "h", "password": null}));
    assert_eq!((parts.public, parts.secrets.len()), (json!({"host": "h"}), 0));
    let parts = split(&json!({"writeOnly": true}), &json!({"a": 1}));
    assert_eq!(parts.public, Value::Null);
    assert_eq!(join(&parts.public, &parts.secrets), json!({"a": 1}));
}

#[test]
fn a_secret_inside_an_object_that_became_empty_finds_its_place_again() {
    let schema = json!({"properties": {"tls": {"properties": {"key": {"writeOnly": true}}}}});
    let secrets: Secrets = [("/tls/key".to_owned(), json!("k"))].into();
    assert_eq!(join(&json!({"host": "h"}), &secrets), json!({"host": "h", "tls": {"key": "k"}}));
    assert_eq!(split(&schema, &json!({"tls": {"key": "k"}})).public, json!({"tls": {}}));
    // There is no such element any more, so the secret has no place.
    assert_eq!(join(&json!({"list": []}), &[("/list/0/key".to_owned(), json!("k"))].into()), json!({"list": []}));
}

#[test]
fn secrets_that_were_left_out_of_a_change_stay() {
    let old = split(&schema(), &config());
    let new = split(&schema(), &json!({"host": "other", "password": "new", "tls": {"ca": "public"}}));
    let secrets = carry_over(&old, &new);
    assert_eq!(secrets["/password"], json!("new"));
    assert_eq!(secrets["/tls/key"], json!("PRIVATE"));
    assert_eq!(secrets["/api"], json!("tok-1"));
    assert!(!secrets.contains_key("/headers/x~1y"), "the object that held it is gone");
}

#[test]
fn a_secret_that_is_given_as_null_goes() {
    let old = split(&schema(), &config());
    let new = split(&schema(), &json!({"host": "h", "password": null, "pair": ["user", null]}));
    let secrets = carry_over(&old, &new);
    assert!(!secrets.contains_key("/password"));
    assert_eq!(secrets["/pair/1"], json!("pass"), "null in a list is what was left in the secret's place");
}

#[test]
fn a_secret_in_a_list_stays_only_if_the_list_is_the_same() {
    let old = split(&schema(), &config());
    let same = split(&schema(), &json!({"accounts": [{"name": "a"}, {"name": "b"}]}));
    assert_eq!(carry_over(&old, &same)["/accounts/0/secret"], json!("s-a"));
    let moved = split(&schema(), &json!({"accounts": [{"name": "b"}, {"name": "a"}]}));
    assert!(!carry_over(&old, &moved).contains_key("/accounts/0/secret"));
}

#[test]
fn a_schema_that_goes_round_in_circles_makes_all_of_it_secret_and_ends() {
    let circle = json!({"$ref": "#"});
    assert_eq!(pointers(&circle, &json!({"a": 1})), [String::new()].into());
    let doubling = json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]});
    assert_eq!(pointers(&doubling, &json!("x")), [String::new()].into());
}

#[test]
fn secrets_are_removed_from_a_text_however_they_are_written() {
    let secret = "p\"ä ss/w+rd";
    let redactor = Redactor::new(&[("/password".to_owned(), json!(secret))].into());
    let texts = [
        format!("login with {secret} failed"),
        serde_json::to_string(&json!({"password": secret})).unwrap(),
        "https://u:p%22%C3%A4%20ss%2Fw%2Brd@host/".to_owned(),
        format!("Authorization: {}", base64::engine::general_purpose::STANDARD.encode(secret)),
        format!("{:?}", Some(secret)),
    ];
    for text in texts {
        let redacted = redactor.redact(&text);
        assert!(
            redacted.contains("[secret]") && !redacted.contains("w+rd") && !redacted.contains("w%2Brd"),
            "{redacted}"
        );
    }
    assert_eq!(redactor.redact("nothing here"), "nothing here");
    assert!(!format!("{redactor:?}").contains("rd"));
}

#[test]
fn the_longer_of_two_secrets_goes_first_and_lines_of_a_key_go_alone() {
    let key =
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END PRIVATE KEY-----\n";
    let secrets: Secrets =
        [("/a".into(), json!("hunter")), ("/b".into(), json!("hunter22")), ("/key".into(), json!(key))].into();
    let redactor = Redactor::new(&secrets);
    assert_eq!(redactor.redact("hunter22 hunter"), "[secret] [secret]");
    assert_eq!(redactor.redact("bad line BAQEFAASCBKcwggSjAgEAAo"), "bad line [secret]");
    let file = json!({"type": "service_account", "project_id": "my-project", "private_key": key}).to_string();
    let redactor = Redactor::new(&[("/key".to_owned(), json!(file))].into());
    assert_eq!(redactor.redact("MIIEvQIBADANBgkqhkiG9w0 of my-project"), "[secret] of my-project");
}

#[test]
fn a_text_too_short_to_be_a_secret_is_let_be() {
    let redactor = Redactor::new(&[("/pin".to_owned(), json!("a"))].into());
    assert_eq!(redactor.redact("a banana"), "a banana");
}
