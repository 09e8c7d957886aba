//! What a connector says of itself, of its configuration and of its streams.

use serde_json::{Value, json};
use sluice_core::RunError;
use sluice_core::error::Kind;
use sluice_core::plan::{CheckStep, DiscoverFilter, DiscoverPage, Outcome as Step, Pages, StreamInfo};
use sluice_runtime::Instance;

use super::{Outcome, count, failed, passed, skipped, undeclared};
use crate::kit::Kit;
use crate::manifest;

pub(super) async fn manifest(kit: &Kit) -> Outcome {
    let mut problems = manifest::problems(&kit.inspected.manifest);
    problems.extend(manifest::permissions(&kit.inspected));
    if problems.is_empty() {
        passed("it says what people, forms and the host need")
    } else {
        failed(problems.join("; "))
    }
}

pub(super) async fn secrets(kit: &Kit) -> Outcome {
    let manifest = &kit.inspected.manifest;
    let unmarked = manifest::unmarked_secrets(manifest, &kit.spec.not_secret);
    if !unmarked.is_empty() {
        let names = unmarked.join(", ");
        return failed(format!(
            "{names} look like secrets; mark them with #[config(secret)], or say under `not_secret` why they are none"
        ));
    }
    let connection = kit.connection(&Value::Null)?;
    let instance = connection.instance().await?;
    let steps = instance.check().await?;
    let said = steps.iter().map(|step| format!("{}\n{}\n{}", step.name, step.detail, step.remedy));
    let logged = instance.log().take().into_iter().map(|line| line.text);
    let all: Vec<String> = said.chain(logged).collect();
    let secrets: Vec<&str> = manifest.secret_fields().collect();
    let config = &kit.spec.connection.config;
    let told = secrets.iter().find(|field| {
        let value = config.get(**field).and_then(Value::as_str).filter(|value| value.len() >= 4);
        value.is_some_and(|value| all.iter().any(|text| text.contains(value)))
    });
    match told {
        Some(field) => failed(format!("the value of {field} is in what the check says or logs")),
        None if secrets.is_empty() => passed("there are none"),
        None => passed(format!("{} marked: {}", count(secrets.len(), "secret"), secrets.join(", "))),
    }
}

pub(super) async fn check_succeeds(kit: &Kit) -> Outcome {
    let steps = check(kit, &Value::Null).await?;
    if let Some(step) = steps.iter().find(|step| matches!(step.outcome, Step::Failed | Step::Skipped)) {
        return failed(format!("step {:?} did not pass: {}", step.name, step.detail));
    }
    if steps.is_empty() { failed("there is no step: it tried nothing") } else { passed(count(steps.len(), "step")) }
}

async fn check(kit: &Kit, fields: &Value) -> Result<Vec<CheckStep>, RunError> {
    kit.connection(fields)?.instance().await?.check().await
}

pub(super) async fn check_fails(kit: &Kit) -> Outcome {
    if kit.spec.refused.is_empty() {
        return undeclared("`refused` configurations (a wrong password, a host where nobody is)");
    }
    for (name, fields) in &kit.spec.refused {
        let steps = match check(kit, fields).await {
            Ok(steps) => steps,
            Err(error) => return failed(format!("{name}: it should be a step that failed, and is an error: {error}")),
        };
        let Some(step) = steps.iter().find(|step| step.outcome == Step::Failed) else {
            return failed(format!("{name}: every step passed"));
        };
        if step.detail.trim().is_empty() || step.remedy.trim().is_empty() {
            return failed(format!("{name}: step {:?} does not say what is wrong and what to do", step.name));
        }
    }
    passed(format!("{} named with a remedy", count(kit.spec.refused.len(), "fault")))
}

pub(super) async fn check_errs(kit: &Kit) -> Outcome {
    let mut tried = 0;
    let schema = &kit.inspected.manifest.config;
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut cases: Vec<(String, Value, Option<String>)> =
        required.map(|field| (format!("without {field}"), json!({ field: null }), Some(format!("/{field}")))).collect();
    cases.push(("a field that there is not".into(), json!({"no-such-field": 1}), Some("/no-such-field".into())));
    let own = kit.spec.errors.iter();
    cases.extend(own.map(|(name, broken)| (name.clone(), broken.config.clone(), broken.field.clone())));
    for (name, fields, field) in cases {
        tried += 1;
        let error = match check(kit, &fields).await {
            Ok(_) => return failed(format!("{name}: it is taken")),
            Err(error) => error,
        };
        if error.kind != Kind::Config {
            return failed(format!("{name}: it should be an error of kind config, and is {}: {error}", error.kind));
        }
        if field.is_some() && error.field != field {
            let named = error.field.as_deref().unwrap_or("no field");
            return failed(format!(
                "{name}: the error should name {}, and names {named}: {error}",
                field.unwrap_or_default()
            ));
        }
    }
    passed(format!("{} refused, each by its field", count(tried, "configuration")))
}

pub(super) async fn discover(kit: &Kit) -> Outcome {
    let connection = kit.connection(&Value::Null)?;
    let instance = connection.instance().await?;
    let all = list(&instance, &DiscoverFilter { page_size: 1000, ..DiscoverFilter::default() }).await?;
    let ids: Vec<&str> = all.iter().map(|stream| stream.id.as_str()).collect();
    if ids.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return failed("streams are not ordered by id, or one comes twice");
    }
    if let Some(missing) = kit.spec.streams.keys().find(|id| !ids.contains(&id.as_str())) {
        return failed(format!("stream {missing} of the specification is not listed"));
    }
    for stream in &all {
        let has = |column: &&String| stream.schema.column_with_name(column).is_none();
        if let Some(column) = stream.primary_key.iter().chain(&stream.cursor_candidates).find(has) {
            return failed(format!("stream {}: {column} is named as key or cursor and is no column", stream.id));
        }
    }
    let other = connection.instance().await?;
    let small = u32::try_from((all.len() / 3).clamp(1, 50)).unwrap_or(1);
    let again = list(&other, &DiscoverFilter { page_size: small, ..DiscoverFilter::default() }).await?;
    if let Some(difference) = different(&all, &again) {
        return failed(format!("pages of {small} list something else than one page of 1000: {difference}"));
    }
    for id in kit.spec.streams.keys() {
        let one = DiscoverFilter { ids: vec![id.clone()], page_size: 10, ..DiscoverFilter::default() };
        let found = list(&instance, &one).await?;
        if found.len() != 1 || found.first().is_some_and(|stream| stream.id != *id) {
            return failed(format!("asked for stream {id} alone, it lists {}", count(found.len(), "stream")));
        }
        let part = DiscoverFilter { contains: id.to_uppercase(), page_size: 1000, ..DiscoverFilter::default() };
        if !list(&instance, &part).await?.iter().any(|stream| stream.id == *id) {
            return failed(format!("asked for what contains {:?}, it does not list {id}", id.to_uppercase()));
        }
    }
    passed(format!("{}, the same in pages of 1000 and of {small}", count(all.len(), "stream")))
}

/// The first difference of two listings, but for estimates.
fn different(one: &[StreamInfo], other: &[StreamInfo]) -> Option<String> {
    if one.len() != other.len() {
        return Some(format!("{} and {} streams", one.len(), other.len()));
    }
    let plain = |stream: &StreamInfo| StreamInfo { rows: None, bytes: None, ..stream.clone() };
    one.iter().zip(other).find(|(a, b)| plain(a) != plain(b)).map(|(a, b)| format!("{} and {}", a.id, b.id))
}

async fn list(instance: &Instance, filter: &DiscoverFilter) -> Result<Vec<StreamInfo>, RunError> {
    let mut all = Vec::new();
    let each = |page: DiscoverPage| {
        all.extend(page.streams);
        true
    };
    instance.discover_pages(filter, Pages::default(), each).await?;
    Ok(all)
}

/// For checks of increments, where the connector reads none.
pub(super) fn no_increments(kit: &Kit) -> Option<Outcome> {
    if !kit.can_increment() {
        return Some(skipped("the manifest does not offer `incremental`"));
    }
    if kit.incremental().next().is_none() {
        return Some(undeclared("stream with an `increment`"));
    }
    None
}
