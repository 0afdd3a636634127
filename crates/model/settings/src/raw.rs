//! Settings as they stand in ConfigMaps, Secrets and the environment, and their values by kind.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::key::{Key, Kind, Place, State};
use crate::keys;
use crate::problem::{Fault, Problem};
use crate::secret::SecretText;
use crate::trust::Trust;

/// The one key of `argocd-ssh-known-hosts-cm`.
const KNOWN_HOSTS: &str = "ssh_known_hosts";

/// Reads YAML into JSON as Go programs do; the error is for people. This floor has no YAML reader
/// of its own: the caller hands it one.
pub type ReadYaml<'a> = &'a dyn Fn(&str) -> Result<Value, String>;

/// Settings as they stand.
#[derive(Clone, Debug, Default)]
pub struct RawSettings {
    /// `argocd-cm`.
    pub main: BTreeMap<String, String>,
    /// `argocd-cmd-params-cm`.
    pub parameters: BTreeMap<String, String>,
    /// `argocd-rbac-cm`.
    pub rbac: BTreeMap<String, String>,
    /// `argocd-secret`.
    pub secret: BTreeMap<String, SecretText>,
    /// `argocd-tls-certs-cm`.
    pub tls_certs: BTreeMap<String, String>,
    /// `argocd-ssh-known-hosts-cm`.
    pub ssh_known_hosts: BTreeMap<String, String>,
    /// The process's environment; variables that are no settings may stand in it.
    pub environment: BTreeMap<String, String>,
}

impl RawSettings {
    /// Takes the data of a ConfigMap or Secret whose name is a place's; says whether it was one.
    pub fn take(&mut self, object: &Value) -> bool {
        match manifest::name(object) {
            "argocd-cm" => self.main = texts(object),
            "argocd-cmd-params-cm" => self.parameters = texts(object),
            "argocd-rbac-cm" => self.rbac = texts(object),
            "argocd-tls-certs-cm" => self.tls_certs = texts(object),
            "argocd-ssh-known-hosts-cm" => self.ssh_known_hosts = texts(object),
            "argocd-secret" => self.secret = crate::secret::data(object),
            _ => return false,
        }
        true
    }

    fn stored(&self, place: Place, name: &str) -> Option<&str> {
        match place {
            Place::Main => self.main.get(name).map(String::as_str),
            Place::Parameters => self.parameters.get(name).map(String::as_str),
            Place::Rbac => self.rbac.get(name).map(String::as_str),
            Place::Secret => self.secret.get(name).map(SecretText::expose),
            Place::Environment => self.variable(name),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn names(&self, place: Place) -> Vec<&String> {
        match place {
            Place::Main => self.main.keys().collect(),
            Place::Parameters => self.parameters.keys().collect(),
            Place::Rbac => self.rbac.keys().collect(),
            Place::Secret => self.secret.keys().collect(),
            Place::Environment => Vec::new(),
        }
    }

    /// Names every key that is unknown, misplaced, of the wrong kind, or not built yet.
    pub fn problems(&self, yaml: ReadYaml<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for place in Place::ALL {
            for name in self.names(place) {
                let fault = match keys::find(place, name) {
                    Some(key) => self.fault_of(key, name, yaml),
                    None => match keys::places_of(name).first() {
                        Some(right) => Some(Fault::Misplaced { right: *right }),
                        // Other keys of the Secret are there for settings to refer to.
                        None if place == Place::Secret => None,
                        None => {
                            let nearest = keys::nearest(place, name).map(|key| key.name);
                            Some(Fault::Unknown { nearest })
                        }
                    },
                };
                problems.extend(fault.map(|fault| Problem::new(place.name(), name, fault)));
            }
        }
        for name in self.ssh_known_hosts.keys().filter(|name| *name != KNOWN_HOSTS) {
            let fault = Fault::Unknown { nearest: Some(KNOWN_HOSTS) };
            problems.push(Problem::new("argocd-ssh-known-hosts-cm", name, fault));
        }
        for key in keys::all() {
            let own = (key.place == Place::Environment).then_some(&key.name);
            for variable in key.env.iter().chain(own) {
                if let Some(text) = self.variable(variable)
                    && !fits(key.kind, text, yaml)
                {
                    let fault = Fault::wrong_kind(key.kind, key.default);
                    let problem = Problem::new(Place::Environment.name(), *variable, fault);
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        }
        problems
    }

    fn fault_of(&self, key: &Key, name: &str, yaml: ReadYaml<'_>) -> Option<Fault> {
        let text = self.stored(key.place, name)?;
        if !text.is_empty() && !fits(key.kind, text, yaml) {
            return Some(Fault::wrong_kind(key.kind, key.default));
        }
        // A value that is the default anyway needs no word; the Secret is made by upstream itself.
        let says_nothing = text.is_empty() || text == key.default || key.place == Place::Secret;
        (key.state == State::NotBuiltYet && !says_nothing).then_some(Fault::NotBuiltYet)
    }

    /// The text of a key: what was given, else the default.
    pub(crate) fn text(&self, place: Place, name: &str) -> &str {
        let key = keys::find(place, name).expect("code asks only for keys of the table");
        self.given(place, name).unwrap_or(key.default)
    }

    /// The text that was given for a key: the environment's, else the object's.
    ///
    /// A text that is not of the key's kind counts as absent; an empty one does too, but for
    /// lists and texts, which may be empty on purpose.
    pub(crate) fn given(&self, place: Place, name: &str) -> Option<&str> {
        let key = keys::find(place, name).expect("code asks only for keys of the table");
        let may_be_empty = matches!(key.kind, Kind::List);
        let fits = |text: &&str| match text.is_empty() {
            true => may_be_empty,
            false => fits(key.kind, text, &|_| Ok(Value::Null)),
        };
        let from_environment = key.env.iter().filter_map(|name| self.variable(name)).find(fits);
        from_environment.or_else(|| self.stored(place, name).filter(fits))
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust {
            tls_certs: self.tls_certs.clone(),
            ssh_known_hosts: self.ssh_known_hosts.get(KNOWN_HOSTS).cloned().unwrap_or_default(),
        }
    }

    pub(crate) fn bool(&self, place: Place, name: &str) -> bool {
        crd::is_true(self.text(place, name))
    }

    pub(crate) fn int(&self, place: Place, name: &str) -> i64 {
        self.text(place, name).parse().unwrap_or(0)
    }

    /// A count; below zero is zero.
    pub(crate) fn count(&self, place: Place, name: &str) -> usize {
        usize::try_from(self.int(place, name)).unwrap_or(0)
    }

    pub(crate) fn float(&self, place: Place, name: &str) -> f64 {
        self.text(place, name).parse().unwrap_or(0.0)
    }

    pub(crate) fn duration(&self, place: Place, name: &str) -> Duration {
        duration(self.text(place, name)).unwrap_or_default()
    }

    /// A number of seconds; below zero is zero.
    pub(crate) fn seconds(&self, place: Place, name: &str) -> Duration {
        Duration::from_secs(u64::try_from(self.int(place, name)).unwrap_or(0))
    }

    pub(crate) fn bytes(&self, place: Place, name: &str) -> u64 {
        bytes(self.text(place, name)).unwrap_or(0)
    }

    /// The parts of a list, without blanks around them; empty parts are left out.
    pub(crate) fn list(&self, place: Place, name: &str) -> Vec<String> {
        split(self.text(place, name))
    }

    pub(crate) fn yaml(
        &self,
        place: Place,
        name: &str,
        yaml: ReadYaml<'_>,
    ) -> Option<Result<Value, String>> {
        self.stored(place, name).filter(|text| !text.trim().is_empty()).map(yaml)
    }
}

/// The `data` of a ConfigMap.
fn texts(object: &Value) -> BTreeMap<String, String> {
    object
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Splits at commas; blanks around parts and empty parts are left out.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn fits(kind: Kind, text: &str, yaml: ReadYaml<'_>) -> bool {
    match kind {
        Kind::Bool => crd::is_true(text) || is_false(text),
        Kind::Int => text.parse::<i64>().is_ok(),
        Kind::Float => text.parse::<f64>().is_ok_and(f64::is_finite),
        Kind::Duration => duration(text).is_some(),
        Kind::Size => bytes(text).is_some(),
        Kind::Text | Kind::List => true,
        Kind::Yaml => yaml(text).is_ok(),
        Kind::Choice(words) => words.contains(&text),
    }
}

fn is_false(word: &str) -> bool {
    matches!(word, "0" | "f" | "F" | "FALSE" | "false" | "False")
}

/// A Go duration, or days as in `7d`.
fn duration(text: &str) -> Option<Duration> {
    if let Some(days) = text.strip_suffix('d') {
        return Some(Duration::from_secs(days.parse::<u64>().ok()?.checked_mul(86_400)?));
    }
    crd::parse_go_duration(text).ok()
}

/// A Kubernetes quantity of bytes.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let power = |unit: &str| "kMGTPE".find(unit).map(|at| i32::try_from(at).unwrap_or(0) + 1);
    let factor = match unit {
        "" => 1.0,
        "Ki" => 1024.0,
        unit => match (unit.strip_suffix('i'), unit.len()) {
            (Some(unit), 2) if unit != "k" => 1024_f64.powi(power(unit)?),
            (None, 1) => 1000_f64.powi(power(unit)?),
            _ => return None,
        },
    };
    let bytes = (number * factor).ceil();
    // Beyond this a float no longer counts single bytes.
    (bytes < 9e15).then_some(bytes as u64)
}
