//! What a controller is told when it starts. What it is told later stands in settings.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a controller is told when it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// The control plane's namespace.
    pub namespace: String,
    /// The process's environment, as far as settings stand in it.
    pub environment: BTreeMap<String, String>,
    /// Who this process is, where several may run; `None`: it is the only one.
    pub leader_identity: Option<String>,
    /// How long the work in hand may take to end after the shutdown began.
    pub shutdown_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            namespace: "argocd".into(),
            environment: BTreeMap::new(),
            leader_identity: None,
            shutdown_within: Duration::from_millis(1500),
        }
    }
}
