//! The same questions to a real server and to ours, where the real one's programs are.

use kubetest::{Parts, RealCluster, programs_dir};

use super::catalog::Catalog;
use super::generate::{self, Taste};
use super::{Both, kubectl_differences};

/// Kinds that people apply from git: of these no difference is known.
const KINDS: [&str; 11] = [
    "ConfigMap",
    "Secret",
    "Role",
    "Ingress",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PriorityClass",
    "Deployment",
    "Gadget",
    "Widget",
    "Rig",
];

/// How many scenarios of each kind are played: a few seconds in all.
const SCENARIOS: u64 = 4;

#[test]
fn random_clients_of_common_kinds_find_no_difference() {
    if programs_dir().is_none() {
        eprintln!("skipped: no kube programs (run `make kube`)");
        return;
    }
    let catalog = Catalog::read().unwrap();
    let both = Both::start(None, &catalog).unwrap();
    let mut found = Vec::new();
    for kind in KINDS {
        for seed in 0..SCENARIOS {
            let scenario = generate::scenario(&catalog, seed, Taste::Apply, Some(kind));
            if let Some(difference) = both.difference(&scenario).unwrap() {
                found.push(format!("{kind}, seed {seed}: {:#?}", difference.lines));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_session_of_kubectl_prints_the_same() {
    let Some(real) = RealCluster::start(Parts::Whole).unwrap() else { return };
    let found = kubectl_differences(&real).unwrap();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
