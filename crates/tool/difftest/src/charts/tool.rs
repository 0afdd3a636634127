//! The real Helm, and comparing objects with its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::ours::{self, Setting};

/// The real program.
pub struct Tool {
    pub program: PathBuf,
}

impl Tool {
    /// The program that `make kube` builds; `None` where it is not built.
    pub fn find() -> Option<Self> {
        if let Some(program) = std::env::var_os("TIPHYS_HELM") {
            return Some(Self { program: program.into() });
        }
        let home = PathBuf::from(std::env::var_os("HOME")?);
        let versions = fs::read_dir(home.join(".cache/tiphys/kube")).ok()?;
        let mut programs = versions.flatten().map(|version| version.path().join("bin/helm"));
        Some(Self { program: programs.find(|program| program.is_file())? })
    }

    /// Renders a chart as the goldens were made; what it printed, or what it complained of.
    pub fn template(&self, chart: &Path, setting: &Setting) -> Result<Result<Vec<u8>, String>> {
        // Values may ask for a loop without an end that anyone would wait for.
        let mut command = Command::new("timeout");
        command.args(["-s", "KILL"]).arg(TIME_MAX_S.to_string()).arg(&self.program);
        command.arg("template").arg("--include-crds").arg(chart);
        command.arg("--name-template").arg(&setting.release_name);
        command.arg("--namespace").arg(&setting.namespace);
        command.arg("--kube-version").arg(&setting.kube_version);
        for version in &setting.api_versions {
            command.arg("--api-versions").arg(version);
        }
        for line in &setting.set {
            command.arg("--set").arg(line);
        }
        for line in &setting.set_string {
            command.arg("--set-string").arg(line);
        }
        for file in &setting.files {
            command.arg("--values").arg(file);
        }
        let file = ours::values_file();
        if let Some(values) = &setting.values {
            fs::write(&file, values)?;
            command.arg("--values").arg(&file);
        }
        // No network: what would be fetched fails at once.
        command.env_clear().env("HOME", std::env::temp_dir());
        let output = command.output().context("helm does not start")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(TIMED_OUT) {
            bail!("{HELM_IS_SLOW}");
        }
        Ok(if output.status.success() { Ok(output.stdout) } else { Err(said) })
    }
}

/// How long the real program may take.
const TIME_MAX_S: u64 = 20;
/// How `timeout` says that it ended a program.
const TIMED_OUT: i32 = 137;
/// Said where it took longer.
pub const HELM_IS_SLOW: &str = "helm is not done in time";

/// How the goldens were made.
pub const ARGUMENTS: [&str; 10] = [
    "template",
    "--name-template",
    "rel",
    "--namespace",
    "ns1",
    "--kube-version",
    "1.33.0",
    "--include-crds",
    "--api-versions",
    "monitoring.coreos.com/v1",
];

/// Objects as Argo CD reads them from what Helm printed.
pub fn objects(printed: &[u8]) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for document in goyaml::split(printed) {
        let value = goyaml::to_json(&document?.bytes).context("a document is no YAML")?;
        let read = render::read_objects(value).map_err(anyhow::Error::msg)?;
        objects.extend(read.into_iter().map(|made| made.object.as_ref().clone()));
    }
    Ok(objects)
}

/// Makes everything null that two runs of the real program do not agree about.
pub fn forget_what_changes(one: &mut Value, other: &Value, ours: &mut Value) {
    match (&mut *one, other, &mut *ours) {
        (Value::Object(one), Value::Object(other), Value::Object(ours))
            if one.keys().eq(other.keys()) =>
        {
            for (key, value) in one.iter_mut() {
                if let Some(ours) = ours.get_mut(key) {
                    forget_what_changes(value, &other[key], ours);
                }
            }
        }
        (Value::Array(one), Value::Array(other), Value::Array(ours))
            if one.len() == other.len() && one.len() == ours.len() =>
        {
            for ((one, other), ours) in one.iter_mut().zip(other).zip(ours) {
                forget_what_changes(one, other, ours);
            }
        }
        (one, other, ours) => {
            if *one != *other {
                *one = Value::Null;
                *ours = Value::Null;
            }
        }
    }
}

/// The first difference; `None` where there is none.
pub fn difference(theirs: &[Value], ours: &[Value]) -> Option<String> {
    let name = |object: &Value| {
        format!("{} {}", object["kind"].as_str().unwrap_or("?"), object["metadata"]["name"])
    };
    for (at, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        if name(theirs) != name(ours) {
            return Some(format!("object {at} is {}, not {}", name(ours), name(theirs)));
        }
        if let Some(inside) = inside(theirs, ours, "") {
            return Some(format!("{}: {inside}", name(theirs)));
        }
    }
    (theirs.len() != ours.len())
        .then(|| format!("{} objects instead of {}", ours.len(), theirs.len()))
}

fn inside(theirs: &Value, ours: &Value, path: &str) -> Option<String> {
    if theirs == ours {
        return None;
    }
    match (theirs, ours) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let path = format!("{path}.{key}");
                match other.get(key) {
                    None => return Some(format!("{path} is missing, {}", cut(value))),
                    Some(ours) => {
                        if let Some(found) = inside(value, ours, &path) {
                            return Some(found);
                        }
                    }
                }
            }
            let more = other.iter().find(|(key, _)| !one.contains_key(*key))?;
            Some(format!("{path}.{} is too much, {}", more.0, cut(more.1)))
        }
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other).enumerate();
            let found = pairs
                .into_iter()
                .find_map(|(at, (one, other))| inside(one, other, &format!("{path}[{at}]")));
            found.or_else(|| Some(format!("{path} has {} items, not {}", other.len(), one.len())))
        }
        (Value::String(one), Value::String(other)) => {
            let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            Some(match lines {
                Some((one, other)) => format!("{path} is\n    {other:?}, not\n    {one:?}"),
                None => format!("{path} has {} bytes, not {}", other.len(), one.len()),
            })
        }
        _ => Some(format!("{path} is {}, not {}", cut(ours), cut(theirs))),
    }
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}
