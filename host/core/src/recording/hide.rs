//! Stand-ins for secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::event::{Event, Exchange, Told};
use super::{Bytes, File, Instance};
use crate::secret::{Parts, Redactor, join, split};

/// A configuration's secrets, and what stands in for each of them.
///
/// The stand-ins go into the configuration; the connector is then asked all again with it, so that nothing that it sends has a secret
/// in it, nor anything made of one. What is hidden here is what the *source* says of secrets: in its answers every spelling of one
/// that the [`Redactor`] knows is overwritten, byte for byte, so that lengths and pieces stay as they are.
pub struct Hidden {
    config: Value,
    stand_ins: Vec<String>,
    redactor: Redactor,
}

impl Hidden {
    /// Takes the secrets out of a configuration. `schema` says which they are.
    pub fn new(schema: &Value, config: &Value) -> Self {
        let Parts { public, mut secrets, .. } = split(schema, config);
        let redactor = Redactor::new(&secrets);
        let mut stand_ins = Vec::new();
        for (pointer, value) in &mut secrets {
            let name = format!("stand-in-for{}", pointer.replace('/', "-"));
            *value = stand_in(value, &name, &mut stand_ins);
        }
        Self { config: join(&public, &secrets), stand_ins, redactor }
    }

    /// The configuration with stand-ins.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// The texts that stand in.
    pub fn stand_ins(&self) -> &[String] {
        &self.stand_ins
    }

    /// Overwrites secrets in what an instance was answered.
    pub fn hide(&self, instance: &mut Instance) {
        for event in &mut instance.events {
            match event {
                Event::Http(exchange) => self.exchange(exchange),
                Event::Connect { failed, .. } | Event::StartTls { failed, .. } | Event::Sent { failed, .. } => {
                    self.told(failed);
                }
                Event::Received { failed, .. } => self.told(failed),
                Event::Recall { found, .. } => {
                    found.iter_mut().filter_map(|(_, value)| value.as_mut()).for_each(|bytes| self.bytes(bytes));
                }
                _ => {}
            }
        }
        self.received(instance);
    }

    /// Overwrites secrets in a file.
    pub fn hide_in_file(&self, file: &mut File) {
        self.bytes(&mut file.content);
    }

    fn exchange(&self, exchange: &mut Exchange) {
        self.told(&mut exchange.failed);
        let Some(response) = &mut exchange.response else { return };
        self.told(&mut response.told);
        let headers = response.headers.iter_mut().chain(response.trailers.iter_mut().flatten());
        headers.for_each(|(_, value)| self.bytes(value));
        self.pieces(response.body.iter_mut().map(|piece| &mut piece.0).collect());
    }

    /// What came over each connection: a secret may begin in one piece and end in the next.
    fn received(&self, instance: &mut Instance) {
        let mut conversations: std::collections::BTreeMap<u32, Vec<&mut Vec<u8>>> = std::collections::BTreeMap::new();
        for event in &mut instance.events {
            if let Event::Received { connection, bytes, .. } = event {
                conversations.entry(*connection).or_default().push(&mut bytes.0);
            }
        }
        conversations.into_values().for_each(|pieces| self.pieces(pieces));
    }

    fn pieces(&self, pieces: Vec<&mut Vec<u8>>) {
        let mut whole: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        if !self.redactor.overwrite(&mut whole) {
            return;
        }
        let mut rest = whole.as_slice();
        for piece in pieces {
            let (these, others) = rest.split_at(piece.len().min(rest.len()));
            piece.copy_from_slice(these);
            rest = others;
        }
    }

    fn bytes(&self, bytes: &mut Bytes) {
        self.redactor.overwrite(&mut bytes.0);
    }

    fn told(&self, told: &mut Option<Told>) {
        if let Some(told) = told {
            told.message = self.redactor.redact(&told.message).into_owned();
        }
    }
}

/// What stands in for a secret: of the same kind, so that a connector reads it as it reads the secret.
fn stand_in(value: &Value, name: &str, texts: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => {
            let text = stand_in_text(text, name);
            texts.push(text.clone());
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| stand_in(item, name, texts)).collect(),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| {
                (key.clone(), stand_in(value, &format!("{name}-{key}"), &mut Vec::new()))
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Number(_) => Value::from(0),
        Value::Bool(_) => Value::Bool(false),
        Value::Null => Value::Null,
    }
}

fn stand_in_text(text: &str, name: &str) -> String {
    // A key file: the same members.
    if let Ok(members @ Value::Object(_)) = serde_json::from_str::<Value>(text) {
        return stand_in(&members, name, &mut Vec::new()).to_string();
    }
    // A key or a certificate: the same frame.
    let mut lines = text.trim().lines();
    match (lines.next(), lines.next_back()) {
        (Some(first), Some(last)) if first.starts_with("-----BEGIN ") && last.starts_with("-----END ") => {
            format!("{first}\n{}\n{last}\n", STANDARD.encode(name))
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::recording::event::{Request, Response};

    fn hidden() -> Hidden {
        let schema = json!({"properties": {
            "user": {"type": "string"}, "password": {"type": "string", "writeOnly": true}, "key": {"writeOnly": true}
        }});
        let key = r#"{"type": "service_account", "private_key": "-----BEGIN KEY-----\nabc\n-----END KEY-----"}"#;
        Hidden::new(&schema, &json!({"user": "u", "password": "p4ss/wörd", "key": key}))
    }

    #[test]
    fn the_configuration_keeps_its_form_and_loses_its_secrets() {
        let hidden = hidden();
        assert_eq!(hidden.config()["user"], "u");
        assert_eq!(hidden.config()["password"], "stand-in-for-password");
        let key: Value = serde_json::from_str(hidden.config()["key"].as_str().unwrap()).unwrap();
        assert_eq!(key["type"], "stand-in-for-key-type");
        assert!(key["private_key"].as_str().unwrap().starts_with("-----BEGIN KEY-----\n"), "{key}");
        assert!(hidden.stand_ins().contains(&"stand-in-for-password".to_owned()));
    }

    #[test]
    fn answers_lose_secrets_in_every_spelling_also_across_pieces_and_keep_their_lengths() {
        let header = STANDARD.encode("u:p4ss/wörd");
        let json = serde_json::to_string("is p4ss/wörd!").unwrap();
        let body = format!("{json} p4ss%2Fw%C3%B6rd {header}");
        let (one, two) = body.as_bytes().split_at(7);
        let exchange = Exchange {
            request: Request::default(),
            response: Some(Response {
                headers: vec![("x-echo".into(), "p4ss/wörd".into())],
                body: vec![one.into(), two.into()],
                ..Response::default()
            }),
            ..Exchange::default()
        };
        let received = |bytes: &str| Event::Received { connection: 1, bytes: bytes.into(), failed: None };
        let mut instance = Instance {
            random: String::new(),
            events: vec![Event::Http(exchange), received("-p4ss/"), received("wörd-")],
        };
        hidden().hide(&mut instance);
        let text = format!("{:?}", instance.events);
        for spelling in ["p4ss", "w%C3", &header[4..12]] {
            assert!(!text.contains(spelling), "{spelling} in {text}");
        }
        let Event::Http(exchange) = &instance.events[0] else { panic!() };
        let pieces = &exchange.response.as_ref().unwrap().body;
        assert_eq!((pieces[0].0.len(), pieces[1].0.len()), (7, body.len() - 7));
        let Event::Received { bytes, .. } = &instance.events[2] else { panic!() };
        assert!(bytes.0.len() == 6 && bytes.0.ends_with(b"-"), "{bytes:?}");
    }
}
