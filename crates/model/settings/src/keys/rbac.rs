//! ConfigMap `argocd-rbac-cm`.

use crate::key::Kind::{Choice, List, Text};
use crate::key::{Key, Kind, Place};

const fn key(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key::new(Place::Rbac, name, kind, default, doc).later()
}

pub(super) const KEYS: &[Key] = &[
    key("policy.csv", Text, "", "Rules and roles, one a line, added to the built-in ones."),
    key(
        "policy.<name>.csv",
        Text,
        "",
        "Further rules; such keys are read in the order of their names.",
    ),
    key("policy.default", Text, "", "Role that everybody has who is logged in."),
    key("scopes", List, "[groups]", "Claims of a token that name its groups."),
    key(
        "policy.matchMode",
        Choice(&["", "glob", "regex"]),
        "glob",
        "How rules match what is asked for.",
    ),
];
