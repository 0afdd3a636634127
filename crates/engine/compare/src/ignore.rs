//! Fields that never count as a difference.

use std::hash::{DefaultHasher, Hash, Hasher};

use crd::ResourceIgnoreDifferences;
use globs::Glob;
use manifest::{gvk, name, namespace};
use merge::fields::FieldSet;
use merge::managed::owners;
use serde_json::Value;

use crate::jq::Jq;

/// Ignore rules of an Application and of the settings, compiled once.
#[derive(Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
    hash: u64,
}

struct Rule {
    group: Glob,
    kind: Glob,
    /// `""` is every name.
    name: String,
    /// `""` is every namespace.
    namespace: String,
    pointers: Vec<Vec<String>>,
    expressions: Vec<Jq>,
    managers: Vec<String>,
}

/// Rules, and what of them cannot be used.
pub struct Compiled {
    /// What can be used.
    pub rules: IgnoreRules,
    /// Expressions that do not compile: with them nothing can be compared, as upstream has it.
    pub errors: Vec<String>,
    /// What matches nothing, and was surely meant to; upstream says nothing about it.
    pub warnings: Vec<String>,
}

impl IgnoreRules {
    /// Compiles rules, and says of each part that cannot be used what it is and why. A rule
    /// of the settings for all kinds has `*` as group and kind.
    pub fn compile<'r>(rules: impl IntoIterator<Item = &'r ResourceIgnoreDifferences>) -> Compiled {
        let mut out = Self::default();
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        let mut hasher = DefaultHasher::new();
        for rule in rules {
            format!("{rule:?}").hash(&mut hasher);
            let glob = |what: &str, pattern: &str, warnings: &mut Vec<String>| {
                Glob::new(pattern, &[])
                    .map_err(|error| {
                        warnings.push(format!(
                            "ignoreDifferences: {what} `{pattern}` is no pattern: {error}"
                        ));
                    })
                    .ok()
            };
            let group = glob("group", &rule.group, &mut warnings);
            let kind = glob("kind", &rule.kind, &mut warnings);
            let (Some(group), Some(kind)) = (group, kind) else { continue };
            let mut expressions = Vec::new();
            for expression in &rule.jq_path_expressions {
                match Jq::compile(expression) {
                    Ok(compiled) => expressions.push(compiled),
                    Err(why) => errors.push(format!(
                        "ignoreDifferences: `{expression}` is no jq path expression: {why}"
                    )),
                }
            }
            let mut pointers = Vec::new();
            for pointer in &rule.json_pointers {
                match parse_pointer(pointer) {
                    Some(steps) => pointers.push(steps),
                    None => warnings.push(format!(
                        "ignoreDifferences: `{pointer}` is no JSON pointer, it begins with `/`"
                    )),
                }
            }
            out.rules.push(Rule {
                group,
                kind,
                name: rule.name.clone(),
                namespace: rule.namespace.clone(),
                pointers,
                expressions,
                managers: rule.managed_fields_managers.clone(),
            });
        }
        out.hash = hasher.finish();
        Compiled { rules: out, errors, warnings }
    }

    /// The same for the same rules; for memos.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Takes out of an object what the rules name in it, but for what field managers own.
    pub fn strip(&self, object: &mut Value) {
        let ignored = self.of(object);
        for pointer in &ignored.pointers {
            remove_pointer(object, pointer);
        }
        for expression in &ignored.expressions {
            expression.remove_from(object);
        }
    }

    /// Tells whether there is any rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns what is ignored in an object.
    pub(crate) fn of(&self, object: &Value) -> Ignored<'_> {
        let mut out = Ignored::default();
        if self.rules.is_empty() {
            return out;
        }
        let kind = gvk(object);
        for rule in &self.rules {
            let applies = rule.group.matches(&kind.group)
                && rule.kind.matches(&kind.kind)
                && (rule.name.is_empty() || rule.name == name(object))
                && (rule.namespace.is_empty() || rule.namespace == namespace(object));
            if applies {
                out.pointers.extend(rule.pointers.iter().map(Vec::as_slice));
                out.expressions.extend(&rule.expressions);
                out.managers.extend(rule.managers.iter().map(String::as_str));
            }
        }
        out
    }
}

/// What is ignored in one object.
#[derive(Default)]
pub(crate) struct Ignored<'r> {
    pub(crate) pointers: Vec<&'r [String]>,
    pub(crate) expressions: Vec<&'r Jq>,
    pub(crate) managers: Vec<&'r str>,
}

impl Ignored<'_> {
    pub(crate) fn is_nothing(&self) -> bool {
        self.pointers.is_empty() && self.expressions.is_empty() && self.managers.is_empty()
    }

    /// What the ignored managers own in a live object.
    pub(crate) fn owned(&self, live: &Value) -> FieldSet {
        let mut out = FieldSet::default();
        if self.managers.is_empty() {
            return out;
        }
        for owned in owners(live).unwrap_or_default() {
            if self.managers.contains(&owned.manager.as_str()) {
                out.absorb(&owned.fields);
            }
        }
        out
    }
}

fn parse_pointer(pointer: &str) -> Option<Vec<String>> {
    let steps = pointer.strip_prefix('/')?;
    Some(steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// Removes what a pointer points at, if it is there, and the maps that hold nothing then: to have no
/// labels is to have none left.
pub(crate) fn remove_pointer(value: &mut Value, steps: &[String]) {
    let Some((first, rest)) = steps.split_first() else { return };
    if rest.is_empty() {
        remove_step(value, first);
        return;
    }
    let Some(below) = step_into(value, first) else { return };
    remove_pointer(below, rest);
    let emptied = below.as_object().is_some_and(serde_json::Map::is_empty);
    if emptied && value.is_object() {
        remove_step(value, first);
    }
}

fn remove_step(value: &mut Value, step: &str) {
    match value {
        Value::Object(map) => {
            map.remove(step);
        }
        Value::Array(items) => {
            if let Some(place) = place(step, items.len()) {
                items.remove(place);
            }
        }
        _ => {}
    }
}

/// Goes one step down.
pub(crate) fn step_into<'v>(value: &'v mut Value, step: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(map) => map.get_mut(step),
        Value::Array(items) => {
            let place = place(step, items.len())?;
            items.get_mut(place)
        }
        _ => None,
    }
}

/// A place in a list; a negative one counts from its end.
pub(crate) fn place(step: &str, length: usize) -> Option<usize> {
    let at: isize = step.parse().ok()?;
    let place = match usize::try_from(at) {
        Ok(place) => place,
        Err(_) => length.checked_sub(at.unsigned_abs())?,
    };
    (place < length).then_some(place)
}
