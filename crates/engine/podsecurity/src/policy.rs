//! What a namespace asks for, by its labels.

use std::fmt;

use serde_json::{Map, Value};

/// What the labels' names begin with.
pub const LABELS: &str = "pod-security.kubernetes.io/";

/// How much a standard forbids, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Privileged,
    /// What is known to lead out of a container.
    Baseline,
    /// Whatever a hardened pod does not need.
    Restricted,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        })
    }
}

/// A level, as some minor version of Kubernetes had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standard {
    /// How much it forbids.
    pub level: Level,
    /// The minor version; `None`: the newest.
    pub minor: Option<u32>,
}

/// As messages name it: `restricted:latest`.
impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            None => write!(f, "{}:latest", self.level),
            Some(minor) => write!(f, "{}:v1.{minor}", self.level),
        }
    }
}

impl Standard {
    const NONE: Standard = Standard { level: Level::Privileged, minor: None };

    /// Tells whether a check that a minor version brought belongs to it.
    pub(crate) fn is_since(self, minor: u32) -> bool {
        self.minor.is_none_or(|own| own >= minor)
    }
}

/// What a namespace asks of its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Pods that break it are refused.
    pub enforce: Standard,
    /// Of pods that break it, and of templates that would, a warning tells.
    pub warn: Standard,
}

/// A label whose value says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLabel {
    /// Its whole name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What it must be, in the server's words.
    pub must: &'static str,
}

impl Policy {
    /// Reads the labels of a namespace. A label that says nothing is told, and stands for the strictest
    /// where it refuses and for nothing where it only tells.
    pub fn of(labels: Option<&Map<String, Value>>) -> (Policy, Vec<BadLabel>) {
        let mut reading = Reading { labels, bad: Vec::new() };
        let mut policy = Policy { enforce: Standard::NONE, warn: Standard::NONE };
        let enforced = reading.level("enforce");
        if let Some(level) = enforced {
            policy.enforce.level = level.unwrap_or(Level::Restricted);
        }
        policy.enforce.minor = reading.version("enforce").flatten();
        // Audits are written nowhere here; what is wrong with their labels is told all the same.
        let _audited = reading.level("audit");
        let _audited = reading.version("audit");
        let warned = reading.level("warn");
        if let Some(level) = warned {
            policy.warn.level = level.unwrap_or(Level::Privileged);
        }
        let version = reading.version("warn");
        policy.warn.minor = version.flatten();
        let may_follow = warned.is_none() && enforced.is_some_and(|level| level.is_some());
        if may_follow && policy.enforce.level > policy.warn.level {
            policy.warn.level = policy.enforce.level;
            if version.is_none() {
                policy.warn.minor = policy.enforce.minor;
            }
        }
        (policy, reading.bad)
    }
}

struct Reading<'a> {
    labels: Option<&'a Map<String, Value>>,
    bad: Vec<BadLabel>,
}

impl Reading<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let value = self.labels?.get(&format!("{LABELS}{name}"))?.as_str()?;
        Some(value.to_owned())
    }

    /// `None`: no such label. `Some(None)`: it says nothing.
    fn level(&mut self, mode: &str) -> Option<Option<Level>> {
        let value = self.text(mode)?;
        let level = match value.as_str() {
            "privileged" => Some(Level::Privileged),
            "baseline" => Some(Level::Baseline),
            "restricted" => Some(Level::Restricted),
            _ => {
                self.tell(mode, value, "must be one of privileged, baseline, restricted");
                None
            }
        };
        Some(level)
    }

    /// `None`: no such label. `Some(None)`: the newest, or it says nothing.
    fn version(&mut self, mode: &str) -> Option<Option<u32>> {
        let name = format!("{mode}-version");
        let value = self.text(&name)?;
        if value == "latest" {
            return Some(None);
        }
        let digits = value.strip_prefix("v1.").unwrap_or_default();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let plain = is_number && (digits == "0" || !digits.starts_with('0'));
        let minor = digits.parse().ok().filter(|_| plain);
        if minor.is_none() {
            self.tell(&name, value, "must be \"latest\" or \"v1.x\"");
        }
        Some(minor)
    }

    fn tell(&mut self, name: &str, value: String, must: &'static str) {
        self.bad.push(BadLabel { name: format!("{LABELS}{name}"), value, must });
    }
}
