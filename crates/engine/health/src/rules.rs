//! The rules for kinds that others define: one file for what belongs together.
//!
//! Each is written from what the controller of the kind reports, in the words that users of
//! Argo CD know. A rule is a list of [`Step`]s where that can say it, else a function.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::assess::Health;
use crate::steps::{Step, first, listed};
use crate::verdicts::progressing;

mod ack;
mod apps;
mod argo;
mod astra;
mod cert_manager;
mod cluster_api;
mod cnrm;
mod crossplane;
mod databases;
mod elastic;
mod flux;
mod gateway_api;
mod grafana;
mod humio;
mod kafka;
mod keptn;
mod kruise;
mod kubernetes;
mod monitoring;
mod network;
mod numa;
mod openshift;
mod policies;
mod promoter;
mod rabbitmq;
mod rollout;
mod secrets;
mod serverless;
mod solo;
mod storage;
mod threescale;

/// How the objects of a kind are judged.
#[derive(Clone, Copy)]
enum Rule {
    /// The first step that fits answers; none fits: Progressing.
    Steps(&'static [Step]),
    /// The first condition in the list that a step fits answers; none: Progressing.
    Listed(&'static [Step]),
    /// A function answers.
    Code(fn(&Value) -> Health),
}

/// Group, kind and rule. A group may begin with `*.` (every group below), a kind may be `*`.
type Entry = (&'static str, &'static str, Rule);

const FILES: &[&[Entry]] = &[
    ack::RULES,
    apps::RULES,
    argo::RULES,
    astra::RULES,
    cert_manager::RULES,
    cluster_api::RULES,
    cnrm::RULES,
    crossplane::RULES,
    databases::RULES,
    elastic::RULES,
    flux::RULES,
    gateway_api::RULES,
    grafana::RULES,
    humio::RULES,
    kafka::RULES,
    keptn::RULES,
    kruise::RULES,
    kubernetes::RULES,
    monitoring::RULES,
    network::RULES,
    numa::RULES,
    openshift::RULES,
    policies::RULES,
    promoter::RULES,
    rabbitmq::RULES,
    rollout::RULES,
    secrets::RULES,
    serverless::RULES,
    solo::RULES,
    storage::RULES,
    threescale::RULES,
];

/// Rules by group and kind; those with a `*` are in [`WIDE`].
static EXACT: LazyLock<HashMap<(&str, &str), Rule>> = LazyLock::new(|| {
    entries()
        .filter(|(group, kind, _)| !is_wide(group, kind))
        .map(|(g, k, rule)| ((*g, *k), *rule))
        .collect()
});

static WIDE: LazyLock<Vec<&Entry>> =
    LazyLock::new(|| entries().filter(|(group, kind, _)| is_wide(group, kind)).collect());

fn entries() -> impl Iterator<Item = &'static Entry> {
    FILES.iter().copied().flatten()
}

fn is_wide(group: &str, kind: &str) -> bool {
    group.starts_with("*.") || kind == "*"
}

/// Judges an object of a kind that somebody else defines; `None` where nobody here knows it.
pub(crate) fn assess(object: &Value) -> Option<Health> {
    let gvk = manifest::gvk(object);
    let rule = EXACT.get(&(gvk.group.as_str(), gvk.kind.as_str())).copied().or_else(|| {
        WIDE.iter()
            .find(|(group, kind, _)| fits(group, &gvk.group) && fits(kind, &gvk.kind))
            .map(|entry| entry.2)
    })?;
    Some(match rule {
        Rule::Steps(steps) => first(steps, object).unwrap_or_else(|| progressing("")),
        Rule::Listed(steps) => listed(steps, object).unwrap_or_else(|| progressing("")),
        Rule::Code(judge) => judge(object),
    })
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => pattern == name,
    }
}

/// Every group and kind for which there is a rule, for the table in the tests.
#[cfg(test)]
pub(crate) fn known() -> Vec<(&'static str, &'static str)> {
    entries().map(|(group, kind, _)| (*group, *kind)).collect()
}
