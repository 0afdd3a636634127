//! Rules that users wrote in Lua, by kind.

use std::collections::BTreeMap;

use crd::HealthStatusCode;
use globs::Glob;
use jiff::Timestamp;
use script::{Input, Libraries, Limits, Returned, Script, ScriptError, ShouldStop};
use serde_json::Value;

use crate::assess::Health;
use crate::object::word;

type Compiled = Result<Script, ScriptError>;

/// Users' rules, compiled once: `resource.customizations.health.<group_Kind>`.
///
/// A kind is `group/Kind`, or the kind alone where the group is empty. It may hold stars, as in
/// `*.crossplane.io/*`: a rule for just this kind comes first, then the longest pattern.
#[derive(Debug, Default)]
pub struct UserScripts {
    exact: BTreeMap<String, Compiled>,
    wide: Vec<(String, Glob, Compiled)>,
}

impl UserScripts {
    /// Compiles rules: the kind, the script, and whether it may use Lua's libraries. An empty
    /// script is none. What does not compile is told to whoever asks for the health.
    pub fn compile<'a>(rules: impl IntoIterator<Item = (&'a str, &'a str, bool)>) -> Self {
        let mut scripts = Self::default();
        for (kind, source, open) in rules {
            if source.trim().is_empty() {
                continue;
            }
            let libraries = if open { Libraries::Many } else { Libraries::Few };
            let compiled = Script::compile(source, libraries, Limits::default());
            if !kind.contains(['*', '?', '[', '{']) {
                scripts.exact.insert(kind.to_owned(), compiled);
            } else if let Ok(glob) = Glob::new(kind, &[]) {
                scripts.wide.push((kind.to_owned(), glob, compiled));
            }
        }
        scripts.wide.sort_by(|(one, ..), (other, ..)| {
            other.len().cmp(&one.len()).then_with(|| one.cmp(other))
        });
        scripts
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wide.is_empty()
    }

    /// Returns what the rule for the object's kind says; `None` where there is none.
    ///
    /// `now` is what the script reads as the time; `should_stop` ends one that takes too long.
    pub fn judge(
        &self,
        object: &Value,
        now: Timestamp,
        should_stop: Option<ShouldStop>,
    ) -> Option<Result<Health, String>> {
        if self.is_empty() {
            return None;
        }
        let gvk = manifest::gvk(object);
        let key = match gvk.group.as_str() {
            "" => gvk.kind,
            group => format!("{group}/{}", gvk.kind),
        };
        let compiled = self.exact.get(&key).or_else(|| {
            self.wide.iter().find(|(_, glob, _)| glob.matches(&key)).map(|(.., script)| script)
        })?;
        Some(answer(compiled, object, now, should_stop).map_err(|error| error.to_string()))
    }
}

fn answer(
    compiled: &Compiled,
    object: &Value,
    now: Timestamp,
    should_stop: Option<ShouldStop>,
) -> Result<Health, ScriptError> {
    let script = compiled.as_ref().map_err(Clone::clone)?;
    let parameters = BTreeMap::new();
    let refused = |words: String| Err(ScriptError::Unencodable(words));
    match script.run(&Input { object, parameters: &parameters, now }, should_stop)? {
        // A script that says nothing leaves the object without health.
        Returned::Nothing => Ok(Health::new(HealthStatusCode::Unset, "")),
        Returned::Other(kind) => {
            refused(format!("expect table output from Lua script, not {kind}"))
        }
        Returned::Table(Value::Object(fields)) => {
            let field = |name: &str| {
                let found = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                match found.map(|(_, value)| value) {
                    None | Some(Value::Null) => Ok(String::new()),
                    Some(Value::String(text)) => Ok(text.clone()),
                    Some(other) => Err(ScriptError::Unencodable(format!(
                        "the health's {name} is no text: {}",
                        word(other)
                    ))),
                }
            };
            let status = HealthStatusCode::from(field("status")?.as_str());
            if !HealthStatusCode::ALL.contains(&status) {
                const WORDS: &str = "Lua returned an invalid health status";
                return Ok(Health::new(HealthStatusCode::Unknown, WORDS));
            }
            Ok(Health::new(status, field("message")?))
        }
        Returned::Table(_) => refused("the health is a list, not a status and a message".into()),
    }
}
