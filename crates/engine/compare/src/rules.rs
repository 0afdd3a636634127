//! What a comparison must know beside the two objects.

use std::sync::Arc;

use merge::schema::{Schema, TypeId};
use serde_json::Value;

use crate::ignore::IgnoreRules;
use crate::known::KnownTypes;

/// How the object is applied, and so how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By server-side apply: ownership decides what goes.
    ServerSide,
    /// By kubectl's client-side apply: the last-applied annotation decides.
    ClientSide,
}

/// What a comparison must know beside the two objects.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The kind's type; `None`: nothing is known of the kind.
    pub schema: Option<(&'a Schema, TypeId)>,
    /// The cluster's minor version: 36 for 1.36. Built-in kinds are decoded and defaulted as
    /// that version does.
    pub minor: u32,
    /// How the object is applied.
    pub mode: Mode,
    /// Fields that never count.
    pub ignore: &'a IgnoreRules,
    /// Fields of custom kinds that hold built-in types.
    pub known: &'a KnownTypes,
    /// Who applies: `argocd-controller`.
    pub manager: &'a str,
    /// The object as this Application applied it before. What it had there and git has no
    /// more is to go, whoever has written it since.
    pub previous: &'a [Arc<Value>],
    /// The label that said whose an object is before annotations did. A live object that has
    /// it and no tracking annotation differs in neither.
    pub tracking_label: Option<&'a str>,
    /// Whether what admission webhooks make of a dry run counts as a difference.
    pub include_webhooks: bool,
    /// A `status` never counts.
    pub ignore_status: bool,
    /// The rules of a ClusterRole that aggregates others never count.
    pub ignore_aggregated_roles: bool,
}
