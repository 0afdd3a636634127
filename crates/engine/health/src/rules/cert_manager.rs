//! cert-manager, also under the group that it left in 2019.

use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;

pub(super) const RULES: &[Entry] = &[
    ("cert-manager.io", "Certificate", Rule::Steps(CERTIFICATE)),
    ("cert-manager.io", "Issuer", Rule::Listed(ISSUER)),
    ("cert-manager.io", "ClusterIssuer", Rule::Listed(CLUSTER_ISSUER)),
    ("certmanager.k8s.io", "Certificate", Rule::Steps(OLD_CERTIFICATE)),
    ("certmanager.k8s.io", "Issuer", Rule::Listed(ISSUER)),
];

/// While a certificate is being issued, `Ready` tells of the one before.
const CERTIFICATE: &[Step] = &[
    (Is("Issuing", "True"), Progressing, "{message}"),
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for certificate"),
];

/// In the old group nothing is known of a certificate that is being issued anew.
const OLD_CERTIFICATE: &[Step] = &[
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for certificate"),
];

const ISSUER: &[Step] = &[
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Initializing issuer"),
];

const CLUSTER_ISSUER: &[Step] = &[
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Initializing ClusterIssuer"),
];
