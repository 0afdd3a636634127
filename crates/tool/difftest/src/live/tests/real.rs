//! Side by side, where the real server's programs are.

use kubetest::{Parts, RealCluster, programs_dir};

use crate::live::catalog::Catalog;
use crate::live::generate::{self, Taste};
use crate::live::{Both, kubectl, kubectl_differences};

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
fn sessions_of_kubectl_print_the_same() {
    let Some(real) = RealCluster::start(Parts::Whole).unwrap() else { return };
    let command = |told: &String| told.lines().next().unwrap_or_default().to_owned();
    for session in kubectl::SESSIONS {
        let mut found = kubectl_differences(&real, session).unwrap();
        if !found.is_empty() {
            // Both clusters act by themselves meanwhile: what their pace alone makes differ does not
            // differ twice.
            let again = kubectl_differences(&real, session).unwrap();
            let again: Vec<String> = again.iter().map(command).collect();
            eprintln!("once: {}", found.join("\n\n"));
            found.retain(|told| again.contains(&command(told)));
        }
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }
}
