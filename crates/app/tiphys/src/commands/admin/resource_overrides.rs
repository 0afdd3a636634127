//! `admin settings resource-overrides`: what rules say of an object that stands in a file.

use std::collections::BTreeMap;
use std::process::ExitCode;

use actions::{Call, Custom};
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use crd::{HealthStatusCode, ResourceIgnoreDifferences};
use health::{Rules, UserScripts, assess};
use jiff::Timestamp;
use manifest::Gvk;
use serde_json::{Value, json};
use settings::{IgnoreRules, Settings};
use similar::TextDiff;

use crate::commands::input;
use crate::commands::output::{check, formatted, print};
use crate::commands::scripts;
use crate::commands::yaml;

/// The commands that try rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say how well an object is
    Health(Resource),
    /// List the actions that an object offers
    ListActions(Resource),
    /// Run an action on an object, and print what would be written
    #[command(visible_alias = "action")]
    RunAction(RunAction),
    /// Say which fields of an object never count as a difference
    IgnoreDifferences(Plain),
    /// Say of which fields of an object changes are no reason to look
    IgnoreResourceUpdates(Plain),
}

/// An object in a file, of which people are told.
#[derive(Debug, clap::Args)]
pub struct Plain {
    /// A YAML or JSON file; of several objects the first counts
    #[arg(value_name = "RESOURCE_YAML_PATH", value_hint = clap::ValueHint::FilePath)]
    path: String,
    /// How long one jq path may take; each ends by itself here
    #[arg(long, value_name = "DURATION", hide = true)]
    ignore_normalizer_jq_execution_timeout: Option<String>,
}

/// An object in a file.
#[derive(Debug, clap::Args)]
pub struct Resource {
    /// A YAML or JSON file; of several objects the first counts
    #[arg(value_name = "RESOURCE_YAML_PATH", value_hint = clap::ValueHint::FilePath)]
    path: String,
    /// Output format, one of json|yaml
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    output: String,
}

/// Arguments of `run-action`.
#[derive(Debug, clap::Args)]
pub struct RunAction {
    /// A YAML or JSON file; of several objects the first counts
    #[arg(value_name = "RESOURCE_YAML_PATH", value_hint = clap::ValueHint::FilePath)]
    path: String,
    /// The action's name
    #[arg(value_name = "ACTION")]
    action: String,
    /// What the action is told, as key=value; may be given often
    #[arg(long = "param", value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    /// Output format, one of json|yaml
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    output: String,
}

/// Runs one of them. No cluster is asked.
pub fn run(command: Command, argocd_cm: Option<&str>) -> Result<ExitCode> {
    let settings = argocd_cm.map(settings_of).transpose()?.unwrap_or_default();
    let (output, answer) = match command {
        Command::Health(resource) => {
            (resource.output, health_of(&object_of(&resource.path)?, &settings))
        }
        Command::ListActions(resource) => {
            (resource.output, actions_of(&object_of(&resource.path)?, &settings)?)
        }
        Command::RunAction(RunAction { path, action, parameters: told, output }) => {
            let told = parameters(&told)?;
            let call = Call { action: &action, parameters: &told, now: Timestamp::now() };
            (output, outcomes_of(&object_of(&path)?, &call, &settings)?)
        }
        Command::IgnoreDifferences(plain) => {
            let overrides = settings.resources.overrides.iter();
            let rules = overrides.map(|(kind, one)| (kind.clone(), one.ignore_differences.clone()));
            let rules = rules.collect();
            let object = object_of(&plain.path)?;
            print(&ignored(
                &object,
                &settings,
                &rules,
                "Ignore differences",
                "ignoreDifferences",
            )?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::IgnoreResourceUpdates(plain) => {
            let rules = settings.resources.ignored_updates();
            let object = object_of(&plain.path)?;
            let words = ("Ignore resource updates", "ignoreResourceUpdates");
            print(&ignored(&object, &settings, &rules, words.0, words.1)?)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    check(&output, &["json", "yaml"])?;
    print(&formatted(&output, &answer)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The settings that a file with argocd-cm holds.
fn settings_of(path: &str) -> Result<Settings> {
    let mut objects = input::objects(path)?;
    for object in objects.iter_mut().filter(|object| manifest::kind(object) == "ConfigMap") {
        // A file is trusted to be what it is given as, whatever it calls itself.
        object["metadata"]["name"] = json!("argocd-cm");
    }
    Ok(scripts::settings_of(&objects))
}

fn object_of(path: &str) -> Result<Value> {
    // JSON may hold escapes that YAML refuses.
    let bytes = input::bytes(path)?;
    if let Ok(object @ Value::Object(_)) = serde_json::from_slice(&bytes) {
        return Ok(object);
    }
    for chunk in goyaml::split(&bytes) {
        let words = || format!("`{path}` does not parse");
        let object = goyaml::to_json(&chunk.with_context(words)?.bytes).with_context(words)?;
        if object.is_object() {
            return Ok(object);
        }
    }
    bail!("`{path}` holds no object")
}

/// `{"status", "message"}`; both are empty where no rule knows the kind.
fn health_of(object: &Value, settings: &Settings) -> Value {
    let scripts = UserScripts::compile(scripts::health_rules(settings));
    let user =
        |object: &Value| scripts.judge(object, Timestamp::now(), Some(scripts::should_stop()));
    let found = assess(object, &Rules { user: Some(&user) });
    let found = found.filter(|health| health.status != HealthStatusCode::Unset);
    let (status, message) = match &found {
        Some(health) => (health.status.as_str(), health.message.as_str()),
        None => ("", ""),
    };
    json!({ "status": status, "message": message })
}

fn actions_of(object: &Value, settings: &Settings) -> Result<Value> {
    let custom = Custom::read(scripts::action_rules(settings));
    let all = custom.list(object, Timestamp::now(), Some(scripts::should_stop()))?;
    Ok(serde_json::to_value(all)?)
}

fn outcomes_of(object: &Value, call: &Call<'_>, settings: &Settings) -> Result<Value> {
    let custom = Custom::read(scripts::action_rules(settings));
    let outcomes = custom.run(object, call, Some(scripts::should_stop()))?;
    Ok(serde_json::to_value(outcomes)?)
}

/// Says which fields the rules take out of an object, as changed lines. What field managers own cannot
/// be told of an object in a file.
fn ignored(
    object: &Value,
    settings: &Settings,
    rules: &BTreeMap<String, IgnoreRules>,
    title: &str,
    name: &str,
) -> Result<String> {
    let Gvk { group, kind, .. } = manifest::gvk(object);
    let key = if group.is_empty() { kind.clone() } else { format!("{group}/{kind}") };
    if !settings.resources.overrides.contains_key(&key) {
        return Ok(format!("No overrides configured for '{group}/{kind}'\n"));
    }
    let own = rules.get(&key).cloned().unwrap_or_default();
    if own.json_pointers.is_empty() && own.jq_path_expressions.is_empty() {
        return Ok(format!("{title} are not configured for '{group}/{kind}'\n"));
    }
    let all: Vec<ResourceIgnoreDifferences> = rules
        .iter()
        .map(|(kind, rules)| {
            let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
            ResourceIgnoreDifferences {
                group: group.to_owned(),
                kind: kind.to_owned(),
                json_pointers: rules.json_pointers.clone(),
                jq_path_expressions: rules.jq_path_expressions.clone(),
                ..ResourceIgnoreDifferences::default()
            }
        })
        .collect();
    let compiled = compare::IgnoreRules::compile(&all);
    if !compiled.errors.is_empty() {
        bail!("{}", compiled.errors.join("; "));
    }
    let mut rest = object.clone();
    compiled.rules.strip(&mut rest);
    if rest == *object {
        return Ok(format!("No fields are ignored by {name} settings\n"));
    }
    let (before, after) = (yaml::text(object), yaml::text(&rest));
    let lines = TextDiff::from_lines(&before, &after);
    let lines = lines.unified_diff().header("resource", "compared").to_string();
    Ok(format!("Following fields are ignored:\n\n{lines}"))
}

/// Reads `key=value` texts.
pub fn parameters(texts: &[String]) -> Result<BTreeMap<String, String>> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => bail!("invalid action parameter: {text}: it is key=value"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const MAP: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: any}
data:
  resource.customizations.health.example.org_Widget: |
    return {status = "Degraded", message = obj.metadata.name}
  resource.customizations: |
    "*.wide.org/*":
      health.lua.useOpenLibs: true
      health.lua: return {status = "Healthy", message = string.upper(obj.kind)}
  resource.customizations.ignoreDifferences.apps_Deployment: |
    jqPathExpressions: [".metadata | select(.name | IN(\"web\")) | .annotations"]
  resource.customizations.actions.apps_Deployment: |
    mergeBuiltinActions: true
    discovery.lua: return {stop = {}}
    definitions:
    - name: stop
      action.lua: |
        obj.spec.replicas = tonumber(actionParams["to"])
        return obj
"#;

    fn settings() -> Settings {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(MAP.as_bytes()).expect("it is written");
        settings_of(file.path().to_str().expect("a path")).expect("settings")
    }

    fn web() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {}}, "spec": {"replicas": 3}})
    }

    #[test]
    fn users_rules_of_both_forms_are_read() {
        let settings = settings();
        let of = |api: &str, kind: &str, settings: &Settings| {
            let object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "w"}});
            health_of(&object, settings)
        };
        let wanted = json!({"status": "Degraded", "message": "w"});
        assert_eq!(of("example.org/v1", "Widget", &settings), wanted);
        let wanted = json!({"status": "Healthy", "message": "GADGET"});
        assert_eq!(of("a.wide.org/v1", "Gadget", &settings), wanted);
        let nothing = json!({"status": "", "message": ""});
        assert_eq!(of("example.org/v1", "Widget", &Settings::default()), nothing);
        let built_in = json!({"status": "Progressing", "message": "Waiting for Jaeger"});
        assert_eq!(of("jaegertracing.io/v1", "Jaeger", &Settings::default()), built_in);
    }

    #[test]
    fn ignored_fields_are_shown_as_changed_lines() {
        let settings = settings();
        let told = |object: &Value| {
            let all = settings.resources.overrides.iter();
            let rules = all.map(|(kind, one)| (kind.clone(), one.ignore_differences.clone()));
            let words = ("Ignore differences", "ignoreDifferences");
            ignored(object, &settings, &rules.collect(), words.0, words.1).expect("rules")
        };
        let text = told(&web());
        assert!(text.starts_with("Following fields are ignored:\n\n--- resource\n"), "{text}");
        let gone: Vec<&str> = text.lines().filter(|line| line.starts_with("-  ")).collect();
        assert_eq!(gone, ["-  annotations: {}"]);
        let mut other = web();
        other["metadata"]["name"] = "other".into();
        assert_eq!(told(&other), "No fields are ignored by ignoreDifferences settings\n");
        let none = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}});
        assert_eq!(told(&none), "No overrides configured for '/Pod'\n");
    }

    #[test]
    fn actions_are_listed_and_run() {
        let settings = settings();
        let all = actions_of(&web(), &settings).expect("actions");
        let names: Vec<&str> =
            all.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(names, ["stop", "restart", "pause", "resume", "scale"]);
        assert_eq!(all[3]["disabled"], true);
        let told = parameters(&["to=0".to_owned()]).expect("parameters");
        let call = Call { action: "stop", parameters: &told, now: Timestamp::UNIX_EPOCH };
        let mut after = web();
        after["spec"]["replicas"] = json!(0);
        let wanted = json!([{"operation": "patch", "object": after}]);
        assert_eq!(outcomes_of(&web(), &call, &settings).expect("outcomes"), wanted);
        assert!(parameters(&["to".to_owned()]).is_err());
    }
}
