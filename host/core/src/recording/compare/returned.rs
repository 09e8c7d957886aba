//! What calls come to.

use super::{first_difference_of, lists};
use crate::plan::CheckStep;
use crate::recording::call::{Ended, PlannedSplit, Returned};

/// How two outcomes of a call differ.
pub(super) fn returned(old: Option<&Returned>, new: Option<&Returned>) -> Option<String> {
    match (old?, new) {
        (_, None) => Some("it does not return".to_owned()),
        (Returned::Failed { kind, message, .. }, Some(Returned::Failed { kind: other, message: said, .. })) => {
            (kind != other).then(|| format!("it failed as {kind} ({message}), now it fails as {other} ({said})"))
        }
        (_, Some(Returned::Failed { kind, message, .. })) => Some(format!("it fails as {kind}: {message}")),
        (Returned::Failed { kind, message, .. }, Some(_)) => {
            Some(format!("it failed as {kind} ({message}), now it does not"))
        }
        (Returned::Steps(steps), Some(Returned::Steps(others))) => {
            let words = |steps: &[CheckStep]| -> Vec<String> {
                steps.iter().map(|step| format!("{} {:?}", step.name, step.outcome).to_lowercase()).collect()
            };
            let (one, other) = (words(steps), words(others));
            (one != other).then(|| format!("its steps are others: {}", lists(&one, &other)))
        }
        (Returned::Page { streams, next }, Some(Returned::Page { streams: others, next: other })) => {
            let at = first_difference_of(streams, others);
            match (streams.get(at), others.get(at)) {
                (Some(one), Some(other)) if one.id == other.id && one.schema != other.schema => {
                    Some(format!("stream {} has another schema: {}", one.id, lists(&one.schema, &other.schema)))
                }
                (Some(one), Some(other)) if one.id == other.id => {
                    Some(format!("stream {} has another key, or other columns to read increments by", one.id))
                }
                (Some(one), _) => Some(format!("stream {} is not listed in its place any more", one.id)),
                (None, Some(other)) => Some(format!("stream {} is new", other.id)),
                (None, None) => (next.is_some() != other.is_some()).then(|| "its pages end elsewhere".to_owned()),
            }
        }
        (Returned::Plan { streams, splits, expires }, Some(Returned::Plan { streams: s, splits: p, expires: e })) => {
            let at = first_difference_of(streams, s);
            if let (Some(one), Some(other)) = (streams.get(at), s.get(at)) {
                return Some(if one.schema == other.schema {
                    format!("stream {} is planned with another state after it", one.id)
                } else {
                    format!("stream {} has another schema: {}", one.id, lists(&one.schema, &other.schema))
                });
            }
            // What a descriptor says is between a connector and itself.
            let told = |splits: &[PlannedSplit]| -> Vec<String> {
                let one = |split: &PlannedSplit| {
                    format!(
                        "{} of {}{}",
                        split.id,
                        split.streams.join(", "),
                        if split.resumable { "" } else { " (not resumable)" }
                    )
                };
                splits.iter().map(one).collect()
            };
            let (one, other) = (told(splits), told(p));
            if one != other {
                return Some(format!(
                    "its splits are others ({} and {}): {}",
                    one.len(),
                    other.len(),
                    lists(&one, &other)
                ));
            }
            (streams.len() != s.len() || expires != e)
                .then(|| "it plans other streams, or says otherwise whether it expires".to_owned())
        }
        (Returned::Read(one), Some(Returned::Read(other))) => {
            (one != other).then(|| format!("the read was {}, now it is {}", ended(*one), ended(*other)))
        }
        (Returned::Done, Some(Returned::Done)) => None,
        _ => Some("it returns something of another kind".to_owned()),
    }
}

fn ended(ended: Ended) -> &'static str {
    match ended {
        Ended::Finished => "finished",
        Ended::Stopped => "stopped",
        Ended::Cut => "cut where the recording ends",
    }
}
