//! The texts that describe one Application.

use std::fmt::Write as _;

use anyhow::Result;
use crd::{Application, ApplicationSource, ApplicationSpec, OperationState, SyncStatusCode, Time};
use policy::{SyncAsked, concerning, windows_permit};
use serde_json::Value;

use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::{moment, row};
use crate::commands::table::Table;

/// How many characters of a commit are shown.
pub const SHORT_REVISION: usize = 7;

/// What a summary shows beside the Application itself.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where the Application is seen in a browser; empty where nobody knows.
    pub url: String,
    /// Whether its project's windows let it be synced: `Sync Allowed`, `Manual Allowed` or
    /// `Sync Denied`.
    pub windows: &'static str,
    /// The windows that concern it, as `deny:0 * * * *:1h`.
    pub assigned: Vec<String>,
}

impl Surroundings {
    /// Finds out what is shown beside an Application.
    pub async fn of(session: &Session, application: &Application) -> Result<Self> {
        let project = session.project(application.spec.project_name()).await?;
        let windows = project.map(|project| project.spec.sync_windows).unwrap_or_default();
        let permits = |manual| {
            let asked = SyncAsked { manual, began: None };
            windows_permit(&windows, application, asked, jiff::Timestamp::now()).unwrap_or(false)
        };
        let words =
            |one: &crd::SyncWindow| format!("{}:{}:{}", one.kind, one.schedule, one.duration);
        let assigned = concerning(&windows, application).into_iter().map(words).collect();
        let windows = match (permits(false), permits(true)) {
            (true, _) => "Sync Allowed",
            (false, true) => "Manual Allowed",
            (false, false) => "Sync Denied",
        };
        Ok(Self {
            windows,
            assigned,
            ..Self::of_waiting(session, &AppName::of(application)).await?
        })
    }

    /// As [`Surroundings::of`], for a command that does not look at windows.
    pub async fn of_waiting(session: &Session, name: &AppName) -> Result<Self> {
        let main = session.config_map("argocd-cm").await?;
        let url = main.pointer("/data/url").and_then(Value::as_str).unwrap_or_default();
        let url = match url.trim_end_matches('/') {
            "" => String::new(),
            url => format!("{url}/applications/{}", name.name),
        };
        Ok(Self { url, windows: "Sync Allowed", assigned: Vec::new() })
    }
}

/// The first lines: names, sources, policy, sync and health.
pub fn summary(application: &Application, around: &Surroundings, colour: Colour) -> String {
    let spec = &application.spec;
    let mut text = String::new();
    text.push_str(&row("Name:", &application.qualified_name()));
    text.push_str(&row("Project:", spec.project_name()));
    text.push_str(&row("Server:", server(spec)));
    text.push_str(&row("Namespace:", &spec.destination.namespace));
    text.push_str(&row("URL:", &around.url));
    text.push_str(if spec.has_multiple_sources() { "Sources:\n" } else { "Source:\n" });
    for source in spec.effective_sources().iter() {
        text.push_str(&source_lines(source));
    }
    text.push_str(&row("SyncWindow:", around.windows));
    if !around.assigned.is_empty() {
        text.push_str(&row("Assigned Windows:", &around.assigned.join(",")));
    }
    text.push_str(&row("Sync Policy:", policy_words(spec)));
    text.push_str(&row("Sync Status:", &sync_words(application, colour)));
    text.push_str(&row("Health Status:", &colour.word(health(application))));
    for waits in reconcile::waits(application) {
        let since = waits.since.map(|since| format!(" (since {})", moment(&Time::at(since))));
        let words = waits.words.strip_prefix("waiting for ").unwrap_or(&waits.words);
        text.push_str(&row("Waiting For:", &format!("{words}{}", since.unwrap_or_default())));
    }
    text
}

/// The cluster that an Application goes to, by URL or by name.
pub fn server(spec: &ApplicationSpec) -> &str {
    match spec.destination.server.as_str() {
        "" => &spec.destination.name,
        server => server,
    }
}

fn health(application: &Application) -> &str {
    application.status.health.status.as_str()
}

fn source_lines(source: &ApplicationSource) -> String {
    let mut text = row("- Repo:", &source.repo_url);
    text.push_str(&row("  Target:", &source.target_revision));
    if !source.path.is_empty() {
        text.push_str(&row("  Path:", &source.path));
    }
    if !source.r#ref.is_empty() {
        text.push_str(&row("  Ref:", &source.r#ref));
    }
    if let Some(helm) = &source.helm
        && !helm.value_files.is_empty()
    {
        text.push_str(&row("  Helm Values:", &helm.value_files.join(",")));
    }
    if let Some(kustomize) = &source.kustomize
        && !kustomize.name_prefix.is_empty()
    {
        text.push_str(&row("  Name Prefix:", &kustomize.name_prefix));
    }
    text
}

fn policy_words(spec: &ApplicationSpec) -> &'static str {
    match spec.automated() {
        Some(automated) if automated.prunes() => "Automated (Prune)",
        Some(_) => "Automated",
        None => "Manual",
    }
}

fn sync_words(application: &Application, colour: Colour) -> String {
    let sync = &application.status.sync;
    let sources = application.spec.effective_sources();
    let target = sources.first().map(|source| source.target_revision.as_str()).unwrap_or_default();
    let mut words = colour.word(sync.status.as_str()).into_owned();
    match sync.status {
        SyncStatusCode::Synced => words.push_str(&format!(" to {target}")),
        SyncStatusCode::OutOfSync => words.push_str(&format!(" from {target}")),
        SyncStatusCode::Unset | SyncStatusCode::Unknown | SyncStatusCode::Other(_) => {}
    }
    if !is_commit(target) && sync.revision.len() > SHORT_REVISION {
        let _ = write!(words, " ({})", short(&sync.revision));
    }
    words
}

/// Whether a revision is a commit's name, whole or cut to seven characters.
fn is_commit(revision: &str) -> bool {
    let hex = revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex && matches!(revision.len(), SHORT_REVISION | 40 | 64)
}

/// A commit's name, cut.
pub fn short(revision: &str) -> &str {
    revision.get(..SHORT_REVISION).unwrap_or(revision)
}

/// What an operation does or did.
pub fn operation_lines(state: &OperationState, now: jiff::Timestamp, colour: Colour) -> String {
    let mut text = String::new();
    if let Some(result) = &state.sync_result {
        text.push_str(&row("Operation:", "Sync"));
        let several = !result.sources.is_empty() && !result.revisions.is_empty();
        let revision = match several {
            true => result.revisions.join(", "),
            false => result.revision.clone(),
        };
        text.push_str(&row("Sync Revision:", &revision));
    }
    text.push_str(&row("Phase:", &colour.word(state.phase.as_str())));
    text.push_str(&row("Start:", &moment(&state.started_at)));
    let finished = state.finished_at.as_ref();
    text.push_str(&row("Finished:", &finished.map_or_else(|| "<nil>".to_owned(), moment)));
    let second = |time: &Time| time.timestamp().map(jiff::Timestamp::as_second);
    let end = finished.and_then(second).unwrap_or(now.as_second());
    let took = end - second(&state.started_at).unwrap_or(end);
    let took = std::time::Duration::from_secs(u64::try_from(took).unwrap_or_default());
    text.push_str(&row("Duration:", &crd::format_go_duration(took)));
    if !state.message.is_empty() {
        text.push_str(&row("Message:", &state.message));
    }
    text
}

/// The conditions, where there are any.
pub fn condition_table(application: &Application) -> Option<Table> {
    let conditions = &application.status.conditions;
    let mut table = Table::headed(&["CONDITION", "MESSAGE", "LAST TRANSITION"]);
    for condition in conditions {
        let time = condition.last_transition_time.as_ref();
        table.line([
            condition.r#type.as_str().to_owned(),
            condition.message.clone(),
            time.map_or_else(|| "<nil>".to_owned(), moment),
        ]);
    }
    (!conditions.is_empty()).then_some(table)
}

/// The conditions' types in one cell, with their number where it is more than one.
pub fn conditions_in_short(application: &Application) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for condition in &application.status.conditions {
        *counts.entry(condition.r#type.as_str()).or_insert(0) += 1;
    }
    if counts.is_empty() {
        return "<none>".to_owned();
    }
    let words = counts.into_iter().map(|(word, count)| match count {
        1 => word.to_owned(),
        count => format!("{word}({count})"),
    });
    let mut words: Vec<String> = words.collect();
    words.sort();
    words.join(",")
}

/// The policy in one cell.
pub fn policy_in_short(spec: &ApplicationSpec) -> &'static str {
    match spec.automated() {
        Some(automated) if automated.prunes() => "Auto-Prune",
        Some(_) => "Auto",
        None => "Manual",
    }
}
