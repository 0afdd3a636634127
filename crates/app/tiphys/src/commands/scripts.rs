//! Users' Lua, as the commands run it: where the settings hold it, and how long it may take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use settings::{RawSettings, Settings};

use super::connect::Session;

/// How long one script may take.
const TIME_MAX: Duration = Duration::from_secs(1);

/// What ends a script that began now and takes too long.
pub fn should_stop() -> Arc<dyn Fn() -> bool + Send + Sync> {
    let until = Instant::now() + TIME_MAX;
    Arc::new(move || until < Instant::now())
}

/// The settings that argocd-cm holds in the cluster.
pub async fn settings(session: &Session) -> Result<Settings> {
    Ok(settings_of(&[session.config_map("argocd-cm").await?]))
}

/// The settings that these ConfigMaps hold.
pub fn settings_of(maps: &[Value]) -> Settings {
    let mut raw = RawSettings::default();
    for map in maps {
        raw.take(map);
    }
    let yaml = |text: &str| goyaml::to_json(text.as_bytes()).map_err(|error| error.to_string());
    Settings::read(&raw, &yaml).0
}

/// Users' health rules: the kind, the script, and whether it may use Lua's libraries.
pub fn health_rules(settings: &Settings) -> impl Iterator<Item = (&str, &str, bool)> {
    let all = settings.resources.overrides.iter();
    all.map(|(kind, rules)| (kind.as_str(), rules.health_lua.as_str(), rules.use_open_libs))
}

/// Users' actions, likewise.
pub fn action_rules(settings: &Settings) -> impl Iterator<Item = (&str, &str, bool)> {
    let all = settings.resources.overrides.iter();
    all.map(|(kind, rules)| (kind.as_str(), rules.actions.as_str(), rules.use_open_libs))
}
