//! Comparing one object.

use std::borrow::Cow;

use manifest::{Gvk, annotation, api_version, gvk, label};
use merge::typed::TypeErrors;
use serde_json::Value;

use crate::normalize::Normalizer;
use crate::rules::{Mode, Rules};
use crate::{client_side, server_side};

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Both sides where they differ; `None` is in sync.
    pub difference: Option<Box<Sides>>,
    /// Whether the answer is the server's; otherwise a dry run knows better.
    pub certain: bool,
}

/// The two sides of a difference, without what never counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides {
    /// As the object would be after an apply.
    pub predicted: Value,
    /// As it is.
    pub live: Value,
}

impl Comparison {
    /// Whether an apply would change anything that counts.
    pub fn modified(&self) -> bool {
        self.difference.is_some()
    }

    fn same() -> Self {
        Self { difference: None, certain: true }
    }
}

/// Why two objects cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The object does not fit its schema: server-side apply refuses it.
    #[error("the object cannot be applied: {0}")]
    Refused(String),
    /// A three-way patch cannot be made.
    #[error("the object cannot be merged with what was applied last")]
    Unmergeable(#[from] merge::strategic::StrategicError),
    /// The same for kinds without patch keys.
    #[error("the object cannot be merged with what was applied last")]
    UnmergeableJson(#[from] merge::json_merge::ThreeWayConflict),
}

impl From<TypeErrors> for CompareError {
    fn from(errors: TypeErrors) -> Self {
        CompareError::Refused(errors.to_string())
    }
}

/// Compares what git wants (`target`, tracked and with its namespace) with what is there.
///
/// # Errors
/// The object cannot be applied in this mode at all.
pub fn compare(
    target: &Value,
    live: &Value,
    rules: &Rules<'_>,
) -> Result<Comparison, CompareError> {
    let target = wanted(target, rules);
    let live = with_tracking(live, &target, rules);
    let predicted = match rules.mode {
        Mode::ServerSide => server_side::predict(&live, &target, rules)?,
        Mode::ClientSide => client_side::predict(&live, &target, rules)?,
    };
    let Some(predicted) = predicted else { return Ok(Comparison::same()) };
    let decoded = Decoder::new(&target, rules);
    let certain = decoded.is_certain(&target, &live);
    let (predicted, live_decoded) = decoded.both(predicted, &live);
    Ok(sides(predicted, live_decoded, &live, rules, certain))
}

/// Compares a server's answer to a dry-run apply with what is there.
pub fn compare_dry_run(
    answer: &Value,
    live: &Value,
    rules: &Rules<'_>,
) -> Result<Comparison, CompareError> {
    let live = with_tracking(live, answer, rules);
    let mut answer = match rules.include_webhooks {
        true => answer.clone(),
        false => server_side::without_webhooks(answer, &live, rules),
    };
    // What a write bumps is no difference of its own.
    if let (Some(Value::Object(ours)), Some(generation)) =
        (answer.get_mut("metadata"), live.get("metadata").and_then(|live| live.get("generation")))
    {
        ours.insert("generation".to_owned(), generation.clone());
    }
    Ok(sides(answer, live.clone().into_owned(), &live, rules, true))
}

fn sides(
    mut predicted: Value,
    mut live: Value,
    original: &Value,
    rules: &Rules<'_>,
    certain: bool,
) -> Comparison {
    let normalizer = Normalizer::new(rules, original);
    normalizer.normalize(&mut predicted);
    normalizer.normalize(&mut live);
    match merge::values::equal(&predicted, &live) {
        true => Comparison::same(),
        false => Comparison { difference: Some(Box::new(Sides { predicted, live })), certain },
    }
}

/// Returns the target without what the server would not take from it.
fn wanted<'v>(target: &'v Value, rules: &Rules<'_>) -> Cow<'v, Value> {
    let metadata_has =
        |name: &str| target.get("metadata").is_some_and(|metadata| metadata.get(name).is_some());
    let sent_by_server =
        ["creationTimestamp", "managedFields", "resourceVersion", "uid", "selfLink", "generation"];
    let is_secret = is_core(target, "Secret");
    let drops_status = rules.ignore_status && target.get("status").is_some();
    let folds = is_secret && target.get("stringData").is_some();
    if !drops_status && !folds && !sent_by_server.iter().any(|name| metadata_has(name)) {
        return Cow::Borrowed(target);
    }
    let mut out = target.clone();
    if let Value::Object(map) = &mut out {
        if drops_status {
            map.remove("status");
        }
        if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
            for name in sent_by_server {
                metadata.remove(name);
            }
        }
    }
    if folds {
        crate::secrets::fold_string_data(&mut out);
    }
    Cow::Owned(out)
}

pub(crate) fn is_core(object: &Value, kind: &str) -> bool {
    api_version(object) == "v1" && manifest::kind(object) == kind
}

/// The annotation that says whose an object is.
const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";

/// Returns the live object as if it had been tracked by annotation all along, where it was
/// tracked by label before (DIF-04 of upstream's inventory). CRDs stay as they are.
fn with_tracking<'v>(live: &'v Value, target: &Value, rules: &Rules<'_>) -> Cow<'v, Value> {
    let (Some(key), Some(wanted)) = (rules.tracking_label, annotation(target, TRACKING_ID)) else {
        return Cow::Borrowed(live);
    };
    let is_old = label(live, key).is_some() && annotation(live, TRACKING_ID).is_none();
    let kind = gvk(live);
    if !is_old || (kind.group == "apiextensions.k8s.io" && kind.kind == "CustomResourceDefinition")
    {
        return Cow::Borrowed(live);
    }
    let mut out = live.clone();
    manifest::set_annotation(&mut out, TRACKING_ID, wanted);
    if label(target, key).is_none()
        && let Some(Value::Object(labels)) =
            out.get_mut("metadata").and_then(|metadata| metadata.get_mut("labels"))
    {
        labels.remove(key);
    }
    Cow::Owned(out)
}

/// Decodes and defaults as the cluster does.
struct Decoder {
    tables: &'static kubetypes::Tables,
    kind: Gvk,
    is_built_in: bool,
}

impl Decoder {
    fn new(target: &Value, rules: &Rules<'_>) -> Self {
        let tables = kubetypes::tables(rules.minor);
        let kind = gvk(target);
        let is_built_in = tables.struct_of(&kind).is_some();
        Self { tables, kind, is_built_in }
    }

    /// A difference in a built-in kind at the version that is there is one; of others only
    /// the server knows.
    fn is_certain(&self, target: &Value, live: &Value) -> bool {
        self.is_built_in && api_version(target) == api_version(live)
    }

    /// Takes both sides through what the server does with what is written to it. The same is
    /// done to what is there, so that a cluster of another version with other defaults does
    /// not seem to differ.
    fn both(&self, predicted: Value, live: &Value) -> (Value, Value) {
        let mut bare = live.clone();
        if let Some(Value::Object(metadata)) = bare.get_mut("metadata") {
            metadata.remove("managedFields");
        }
        if !self.is_built_in {
            return (predicted, bare);
        }
        match (self.decode(&predicted), self.decode(&bare)) {
            (Some(mut predicted), Some(live)) => {
                let has_status = self
                    .tables
                    .resource_of(&self.kind)
                    .is_some_and(|resource| resource.subresource("status").is_some());
                if has_status && let Value::Object(map) = &mut predicted {
                    match live.get("status") {
                        Some(status) => map.insert("status".to_owned(), status.clone()),
                        None => map.remove("status"),
                    };
                }
                (predicted, live)
            }
            _ => (predicted, bare),
        }
    }

    fn decode(&self, object: &Value) -> Option<Value> {
        let mut object = kubetypes::from_unstructured(self.tables, &self.kind, object).ok()?.object;
        kubetypes::default(self.tables, &self.kind, &mut object);
        Some(object)
    }
}
