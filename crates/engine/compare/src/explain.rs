//! Which fields differ, who owns them, why they differ, and the rule that would silence each.
//!
//! What stands here is read from the field owners that the API server keeps: they say who wrote a
//! field last, and under which subresource. What an admission webhook or a default writes bears no
//! owner of its own; it is told by what was applied and by what is there.

use crd::ResourceIgnoreDifferences;
use merge::fields::{FieldSet, PathElement, path_string};
use merge::managed::{Operation, Owned, owners};
use merge::schema::{Schema, Type, TypeId};
use merge::typed::Typed;
use serde_json::Value;

use crate::compare::Sides;
use crate::rules::Rules;

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// As in `.spec.containers[name="web"].image`; `""` is the order of something.
    pub path: String,
    /// As an apply would make it; `None` takes it away.
    pub desired: Option<Value>,
    /// As it is; `None` is not there.
    pub live: Option<Value>,
    /// Who owns it in the live object, the newest first.
    pub owners: Vec<Owner>,
    /// Why it differs.
    pub cause: Cause,
    /// The same for people, in a sentence.
    pub why: String,
    /// The rule that would silence it; `None` where git is ahead, and a sync is what helps.
    pub silenced_by: Option<ResourceIgnoreDifferences>,
}

/// Who owns a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// As in `kubectl-edit`.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: &'static str,
    /// The subresource that was written to; `""` is the object itself.
    pub subresource: String,
    /// When, in seconds since 1970.
    pub time_s: Option<i64>,
}

/// Why a field differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Git wants something else than what was applied last.
    Git,
    /// The API server fills it in, or does not take it.
    Default,
    /// An admission webhook changes what is applied.
    Webhook,
    /// Something that scales.
    Autoscaler,
    /// A controller, an operator or another tool that deploys.
    Controller,
    /// Somebody with kubectl, a user interface or an editor.
    Person,
}

impl Cause {
    /// As commands print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Default => "default",
            Self::Webhook => "webhook",
            Self::Autoscaler => "autoscaler",
            Self::Controller => "controller",
            Self::Person => "person",
        }
    }
}

/// What an explanation stands on, beside the two sides.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// As git wants the object.
    pub target: &'a Value,
    /// The live object whole: it says who owns what.
    pub live: &'a Value,
    /// The object as it was synced last; `None`: nobody knows.
    pub applied: Option<&'a Value>,
}

/// Returns the fields in which two sides differ, by path.
pub fn differences(
    sides: &Sides,
    evidence: Evidence<'_>,
    rules: &Rules<'_>,
) -> Vec<FieldDifference> {
    let deduced = Schema { types: vec![Type::Deduced] };
    let (schema, type_id) = rules.schema.unwrap_or((&deduced, TypeId(0)));
    let typed = Typed::new(schema, type_id);
    let mut owned = owners(evidence.live).unwrap_or_default();
    owned.retain(|one| one.subresource != "status");
    owned.sort_by_key(|one| std::cmp::Reverse(one.time_s));
    let witness = Witness { typed, evidence, rules, owned };
    let comparison = typed.compare(&sides.live, &sides.predicted);
    let mut changed = comparison.modified;
    changed.absorb(&comparison.added.leaves());
    changed.absorb(&comparison.removed.leaves());
    let mut out: Vec<_> =
        changed.paths().into_iter().map(|path| witness.tell(sides, &path)).collect();
    if out.is_empty() {
        // Only an order differs.
        out.push(FieldDifference {
            path: String::new(),
            desired: Some(sides.predicted.clone()),
            live: Some(sides.live.clone()),
            owners: Vec::new(),
            cause: Cause::Git,
            why: "the same stands in another order".to_owned(),
            silenced_by: None,
        });
    }
    out.sort_by(|left, right| left.path.cmp(&right.path));
    out
}

struct Witness<'a> {
    typed: Typed<'a>,
    evidence: Evidence<'a>,
    rules: &'a Rules<'a>,
    /// The newest first.
    owned: Vec<Owned>,
}

impl Witness<'_> {
    fn tell(&self, sides: &Sides, path: &[PathElement]) -> FieldDifference {
        let desired = self.typed.find(&sides.predicted, path);
        let live = self.typed.find(&sides.live, path);
        let having: Vec<&Owned> = self.owned.iter().filter(|one| owns(one, path)).collect();
        let (cause, why) = self.cause(path, desired, live, &having);
        FieldDifference {
            path: path_string(path),
            desired: desired.cloned(),
            live: live.cloned(),
            owners: having.iter().map(|one| owner(one)).collect(),
            silenced_by: (cause != Cause::Git).then(|| rule(self.evidence.live, path)),
            cause,
            why,
        }
    }

    fn is_ours(&self, one: &Owned) -> bool {
        one.manager == self.rules.manager
    }

    fn cause(
        &self,
        path: &[PathElement],
        desired: Option<&Value>,
        live: Option<&Value>,
        having: &[&Owned],
    ) -> (Cause, String) {
        let wanted = self.typed.find(self.evidence.target, path);
        let applied = self.evidence.applied.map(|applied| self.typed.find(applied, path));
        // Git has moved since the last sync, and what is there is what was synced then.
        let git_moved = applied.is_some_and(|applied| applied != wanted && applied == live);
        let other = having.iter().find(|one| !self.is_ours(one));
        if git_moved {
            return git(desired);
        }
        if let Some(other) = other {
            return theirs(other, path);
        }
        let ours = having.iter().any(|one| self.is_ours(one));
        match (live, applied) {
            // Only an apply fills it in: it follows from another field.
            (None, _) if wanted.is_none() && desired.is_some() => {
                (Cause::Default, "the API server fills it in with another field".to_owned())
            }
            (None, Some(Some(applied))) if Some(applied) == wanted => self.removed(path, ours),
            (None, _) => git(desired),
            (Some(_), Some(applied)) if applied != wanted => git(desired),
            // Still ours, and yet not as we applied it: it was changed on its way in.
            (Some(_), Some(_)) if ours => (
                Cause::Webhook,
                "what is applied is changed on its way in, by an admission webhook or the API server"
                    .to_owned(),
            ),
            (Some(_), None) if ours => git(desired),
            (Some(live), _) if self.is_default(path, live) => {
                (Cause::Default, "the API server fills it in, and nobody owns it".to_owned())
            }
            // A Scale of 0 is one without the field, and leaves no owner.
            (Some(live), Some(_)) if is_replicas(path) && live == 0 => (
                Cause::Autoscaler,
                "it was scaled to 0 below the subresource scale, which leaves no owner".to_owned(),
            ),
            (Some(_), Some(_)) => (
                Cause::Person,
                "somebody has written it since it was applied, and left no name".to_owned(),
            ),
            (Some(_), None) => (
                Cause::Webhook,
                "nobody owns it: an admission webhook or the API server has put it there".to_owned(),
            ),
        }
    }

    /// Of a field that is gone nobody is the owner. What is taken away on its way in stays ours by
    /// name; what is taken away later does not.
    fn removed(&self, path: &[PathElement], ours: bool) -> (Cause, String) {
        if ours && self.takes(path) {
            let words = "what is applied is taken away on its way in, by an admission webhook";
            return (Cause::Webhook, words.to_owned());
        }
        if ours {
            return (Cause::Default, "the API server does not keep it".to_owned());
        }
        let since =
            self.owned.iter().filter(|one| self.is_ours(one)).filter_map(|one| one.time_s).max();
        let after = self.owned.iter().find(|one| !self.is_ours(one) && one.time_s > since);
        match after {
            Some(one) => {
                let (cause, _) = theirs(one, path);
                (cause, format!("it was taken away; {} wrote last", words(one)))
            }
            None => (
                Cause::Person,
                "somebody has taken it away since it was applied, which leaves no name".to_owned(),
            ),
        }
    }

    /// Whether the kind has such a field.
    fn takes(&self, path: &[PathElement]) -> bool {
        self.rules.schema.is_none_or(|_| self.typed.with_named_fields(&one(path)).has(path))
    }

    /// Whether the API server fills in just this where nothing is said.
    fn is_default(&self, path: &[PathElement], live: &Value) -> bool {
        let tables = kubetypes::tables(self.rules.minor);
        let kind = manifest::gvk(self.evidence.live);
        if tables.struct_of(&kind).is_none() {
            return false;
        }
        let mut without = self.evidence.live.clone();
        self.typed.remove_items(&mut without, &one(path));
        kubetypes::default(tables, &kind, &mut without);
        self.typed.find(&without, path) == Some(live)
    }
}

fn is_replicas(path: &[PathElement]) -> bool {
    path_string(path) == ".spec.replicas"
}

fn one(path: &[PathElement]) -> FieldSet {
    let mut set = FieldSet::default();
    set.insert(path);
    set
}

/// Whether somebody owns a field: itself, something in it, or the whole piece that it is part of.
fn owns(one: &Owned, path: &[PathElement]) -> bool {
    if one.fields.has(path) {
        return true;
    }
    let below = one.fields.paths().into_iter().any(|owned| {
        let shorter = path.len().min(owned.len());
        owned[..shorter] == path[..shorter] && owned.len() > path.len()
    });
    // An owned leaf above is a piece that was written whole.
    below
        || one.fields.leaves().paths().into_iter().any(|leaf| {
            leaf.len() < path.len() && !leaf.is_empty() && leaf[..] == path[..leaf.len()]
        })
}

fn owner(one: &Owned) -> Owner {
    Owner {
        manager: one.manager.clone(),
        operation: match one.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        },
        subresource: one.subresource.clone(),
        time_s: one.time_s,
    }
}

fn git(desired: Option<&Value>) -> (Cause, String) {
    let words = match desired {
        Some(_) => "git wants something else than what was applied last",
        None => "git does not have it any more",
    };
    (Cause::Git, words.to_owned())
}

/// Who writes as `argocd-server` is a person in the user interface.
const PEOPLE: &[&str] = &[
    "argocd-server",
    "argocd",
    "before-first-apply",
    "curl",
    "dashboard",
    "freelens",
    "headlamp",
    "k9s",
    "lens",
    "mozilla",
    "node-fetch",
    "octant",
    "openlens",
    "postman",
    "python-requests",
    "rancher",
    "tiphys",
];
/// What scales, by parts of its names.
const SCALERS: &[&str] = &[
    "autoscaler",
    "vpa-",
    "vertical-pod",
    "keda",
    "karpenter",
    "goldilocks",
    "hpa",
    "kube-downscaler",
    "knative-autoscal",
    "scaler",
];

/// Says of another owner what it is.
fn theirs(one: &Owned, path: &[PathElement]) -> (Cause, String) {
    let manager = one.manager.to_lowercase();
    let name = manager.as_str();
    let scales = one.subresource == "scale"
        || is_replicas(path)
        || SCALERS.iter().any(|part| name.contains(part));
    let person = name.starts_with("kubectl")
        || PEOPLE.iter().any(|known| name == *known || name.starts_with(&format!("{known}-")));
    if person {
        return (Cause::Person, format!("somebody wrote it as {}", words(one)));
    }
    // Under the scale subresource a horizontal autoscaler writes as the controller manager.
    let hpa = scales && name == "kube-controller-manager";
    if hpa || SCALERS.iter().any(|part| name.contains(part)) || one.subresource == "scale" {
        return (Cause::Autoscaler, format!("it is scaled by {}", words(one)));
    }
    (Cause::Controller, format!("it is written by {}", words(one)))
}

/// `kubectl-edit`, and when.
fn words(one: &Owned) -> String {
    let below = match one.subresource.as_str() {
        "" => String::new(),
        name => format!(" (subresource {name})"),
    };
    let when = one.time_s.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let when = when.map(|when| format!(" at {when}")).unwrap_or_default();
    format!("`{}`{below}{when}", one.manager)
}

/// The rule that ignores one field of one object: a JSON pointer, or a jq path through lists.
fn rule(object: &Value, path: &[PathElement]) -> ResourceIgnoreDifferences {
    let kind = manifest::gvk(object);
    let mut rule = ResourceIgnoreDifferences {
        group: kind.group,
        kind: kind.kind,
        name: manifest::name(object).to_owned(),
        namespace: manifest::namespace(object).to_owned(),
        ..ResourceIgnoreDifferences::default()
    };
    let fields: Option<Vec<&str>> = path
        .iter()
        .map(|step| match step {
            PathElement::Field(name) => Some(&**name),
            PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => None,
        })
        .collect();
    match fields {
        Some(fields) => {
            let pointer: String = fields
                .iter()
                .map(|field| format!("/{}", field.replace('~', "~0").replace('/', "~1")))
                .collect();
            rule.json_pointers.push(pointer);
        }
        None => rule.jq_path_expressions.push(jq(path)),
    }
    rule
}

fn jq(path: &[PathElement]) -> String {
    let mut out = String::new();
    let text = |text: &str| Value::String(text.to_owned()).to_string();
    for step in path {
        match step {
            PathElement::Field(name) if is_plain(name) => out.push_str(&format!(".{name}")),
            PathElement::Field(name) => {
                let dot = if out.is_empty() { "." } else { "" };
                out.push_str(&format!("{dot}[{}]", text(name)));
            }
            PathElement::Key(keys) => {
                let tests: Vec<String> = keys
                    .iter()
                    .map(|key| match is_plain(&key.name) {
                        true => format!(".{} == {}", key.name, key.value),
                        false => format!(".[{}] == {}", text(&key.name), key.value),
                    })
                    .collect();
                out.push_str(&format!("[]? | select({}) | ", tests.join(" and ")));
            }
            PathElement::Value(value) => out.push_str(&format!("[]? | select(. == {value}) | ")),
            PathElement::Index(at) => out.push_str(&format!("[{at}]")),
        }
    }
    match out.strip_suffix(" | ") {
        Some(whole) => whole.to_owned(),
        None => out,
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
}
