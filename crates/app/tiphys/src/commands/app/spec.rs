//! From flags to what an Application wants.

use anyhow::{Result, bail};
use crd::{
    Application, ApplicationSource, ApplicationSourceHelm, ApplicationSourceType, ApplicationSpec,
    Backoff, HelmFileParameter, HelmParameter, HydrateTo, RetryStrategy, SyncPolicy,
    SyncPolicyAutomated,
};
use serde_json::Value;

use super::flags::Given;
use super::source;
use crate::commands::failure::refused;
use crate::commands::input;

/// The flags that describe a source which is rendered to a branch first.
const HYDRATOR: &[&str] = &[
    "dry-source-repo",
    "dry-source-revision",
    "dry-source-path",
    "sync-source-branch",
    "sync-source-path",
    "hydrate-to-branch",
];

/// The first wait before a retry where none is given, as upstream's.
const RETRY_FIRST: &str = "5s";
/// The longest wait before a retry where none is given, as upstream's.
const RETRY_MAX: &str = "3m0s";
/// How fast waits grow where nothing is given, as upstream's.
const RETRY_FACTOR: i64 = 2;

/// Writes what was given into an Application's spec.
///
/// `position` counts sources from 1; without it the only source is meant, or a new first one.
pub fn write(given: &Given, application: &mut Application, position: Option<usize>) -> Result<()> {
    let spec = &mut application.spec;
    if HYDRATOR.iter().any(|name| given.has(name)) {
        write_hydrator(given, spec);
    } else {
        source::write(given, source_at(spec, position))?;
    }
    write_destination(given, spec);
    write_policy(given, spec)?;
    write_parameters(given, application, position)
}

/// The source at a position, made where there is none.
fn source_at(spec: &mut ApplicationSpec, position: Option<usize>) -> &mut ApplicationSource {
    if spec.sources.is_empty() {
        return spec.source.get_or_insert_with(ApplicationSource::default);
    }
    let last = spec.sources.len() - 1;
    &mut spec.sources[position.unwrap_or(1).saturating_sub(1).min(last)]
}

fn write_hydrator(given: &Given, spec: &mut ApplicationSpec) {
    let hydrator = spec.source_hydrator.get_or_insert_default();
    for name in given.names() {
        let text = given.text(name);
        match name {
            "dry-source-repo" => hydrator.dry_source.repo_url = text,
            "dry-source-revision" => hydrator.dry_source.target_revision = text,
            "dry-source-path" => hydrator.dry_source.path = text,
            "sync-source-branch" => hydrator.sync_source.target_branch = text,
            "sync-source-path" => hydrator.sync_source.path = text,
            "hydrate-to-branch" => {
                let to = HydrateTo { target_branch: text, ..HydrateTo::default() };
                hydrator.hydrate_to = (!to.target_branch.is_empty()).then_some(to);
            }
            _ => {}
        }
    }
}

fn write_destination(given: &Given, spec: &mut ApplicationSpec) {
    for name in given.names() {
        match name {
            "dest-server" => spec.destination.server = given.text(name),
            "dest-name" => spec.destination.name = given.text(name),
            "dest-namespace" => spec.destination.namespace = given.text(name),
            "project" => spec.project = given.text(name),
            "revision-history-limit" => spec.revision_history_limit = given.number(name),
            _ => {}
        }
    }
}

fn write_policy(given: &Given, spec: &mut ApplicationSpec) -> Result<()> {
    let mut policy = spec.sync_policy.take().unwrap_or_default();
    if given.has("sync-policy") {
        policy.automated = match given.text("sync-policy").as_str() {
            "none" | "manual" => None,
            "automated" | "automatic" | "auto" => Some(SyncPolicyAutomated::default()),
            other => return Err(refused(format!("Invalid sync-policy: {other}"))),
        };
    }
    for option in given.list("sync-option") {
        match option.strip_prefix('!') {
            Some(option) => policy.sync_options.retain(|have| have != option),
            None if policy.sync_options.contains(&option) => {}
            None => policy.sync_options.push(option),
        }
    }
    if let Some(limit) = given.number("sync-retry-limit") {
        policy.retry = match limit {
            ..0 => return Err(refused(format!("Invalid sync-retry-limit [{limit}]"))),
            0 => None,
            _ => Some(retry(given, limit)?),
        };
    }
    if given.has("sync-retry-refresh") {
        policy.retry.get_or_insert_default().refresh = given.on("sync-retry-refresh");
    }
    let switches = ["auto-prune", "self-heal", "allow-empty"];
    if switches.iter().any(|name| given.has(name)) {
        // The switches alone begin no automated sync.
        let off = || SyncPolicyAutomated { enabled: Some(false), ..Default::default() };
        let automated = policy.automated.get_or_insert_with(off);
        let fields = [&mut automated.prune, &mut automated.self_heal, &mut automated.allow_empty];
        for (name, field) in switches.into_iter().zip(fields) {
            if given.has(name) {
                *field = Some(given.on(name));
            }
        }
    }
    spec.sync_policy = (policy != SyncPolicy::default()).then_some(policy);
    Ok(())
}

fn retry(given: &Given, limit: i64) -> Result<RetryStrategy> {
    let wait = |name: &str, usual: &str| match given.has(name) {
        true => go_duration(&given.text(name)),
        false => Ok(usual.to_owned()),
    };
    let factor = given.number("sync-retry-backoff-factor").unwrap_or(RETRY_FACTOR);
    Ok(RetryStrategy {
        limit,
        backoff: Some(Backoff {
            duration: wait("sync-retry-backoff-duration", RETRY_FIRST)?,
            max_duration: wait("sync-retry-backoff-max-duration", RETRY_MAX)?,
            factor: Some(factor),
            ..Backoff::default()
        }),
        refresh: given.on("sync-retry-refresh"),
        ..RetryStrategy::default()
    })
}

/// A retry policy for one sync: its flags, with upstream's usual waits.
pub fn retry_of(
    limit: i64,
    refresh: bool,
    first: Option<&str>,
    max: Option<&str>,
    factor: Option<i64>,
) -> Result<RetryStrategy> {
    Ok(RetryStrategy {
        limit,
        backoff: Some(Backoff {
            duration: go_duration(first.unwrap_or(RETRY_FIRST))?,
            max_duration: go_duration(max.unwrap_or(RETRY_MAX))?,
            factor: Some(factor.unwrap_or(RETRY_FACTOR)),
            ..Backoff::default()
        }),
        refresh,
        ..RetryStrategy::default()
    })
}

/// A duration as Go prints it.
fn go_duration(text: &str) -> Result<String> {
    match crd::parse_go_duration(text) {
        Ok(duration) => Ok(crd::format_go_duration(duration)),
        Err(error) => Err(refused(format!("invalid duration `{text}`: {error}"))),
    }
}

/// Writes `--parameter` into a source, which must be a chart's. `position` as in [`write`].
pub fn write_parameters(
    given: &Given,
    application: &mut Application,
    position: Option<usize>,
) -> Result<()> {
    let Some(first) = given.parameters.first() else { return Ok(()) };
    let known = application.status.source_type.clone();
    let source = source_at(&mut application.spec, position);
    let explicit = source.explicit_type().ok().flatten();
    let helm = match explicit.or((known != ApplicationSourceType::Unset).then_some(known)) {
        Some(engine) => engine == ApplicationSourceType::Helm,
        None => first.contains('='),
    };
    if !helm {
        return Err(refused("Parameters can only be set against Helm applications"));
    }
    let helm = source.helm.get_or_insert_default();
    for text in &given.parameters {
        set_parameter(helm, text, false)?;
    }
    Ok(())
}

/// Sets a chart's value, or adds it.
pub fn set_parameter(helm: &mut ApplicationSourceHelm, text: &str, stays_text: bool) -> Result<()> {
    let Some((name, value)) = text.split_once('=') else {
        bail!("Expected helm parameter of the form: param=value. Received: {text}");
    };
    let parameter = HelmParameter {
        name: name.to_owned(),
        value: value.to_owned(),
        force_string: stays_text,
        ..HelmParameter::default()
    };
    match helm.parameters.iter_mut().find(|have| have.name == name) {
        Some(have) => *have = parameter,
        None => helm.parameters.push(parameter),
    }
    Ok(())
}

/// Sets a chart's value that is read from a file, or adds it.
pub fn set_file_parameter(helm: &mut ApplicationSourceHelm, text: &str) -> Result<()> {
    let Some((name, path)) = text.split_once('=') else {
        bail!("Expected helm file parameter of the form: param=path. Received: {text}");
    };
    let parameter = HelmFileParameter {
        name: name.to_owned(),
        path: path.to_owned(),
        ..HelmFileParameter::default()
    };
    match helm.file_parameters.iter_mut().find(|have| have.name == name) {
        Some(have) => *have = parameter,
        None => helm.file_parameters.push(parameter),
    }
    Ok(())
}

/// Sets a chart's values from a file.
pub fn set_values(helm: &mut ApplicationSourceHelm, path: &str) -> Result<()> {
    let text = input::text(path)?;
    if text.is_empty() {
        return Ok(());
    }
    match goyaml::to_json(text.as_bytes())? {
        values @ Value::Object(_) => {
            helm.values_object = Some(values);
            helm.values.clear();
        }
        Value::String(_) => {
            helm.values_object = None;
            helm.values = text;
        }
        _ => bail!("`{path}` holds no map of values"),
    }
    Ok(())
}
