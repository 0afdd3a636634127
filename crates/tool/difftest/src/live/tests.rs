//! The same questions to a real server and to ours, where the real one's programs are.

use kubetest::{Parts, RealCluster, programs_dir};
use serde_json::Value;

use super::catalog::Catalog;
use super::generate::{self, Taste};
use super::server::Server;
use super::{Both, compare, define, kubectl, kubectl_differences, normal, play};

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

/// What the real server 1.36.3 answered: `difftest record data/recorded.jsonl mixed 0 400`.
const RECORDED: &str = include_str!("../../data/recorded.jsonl");
/// The same of limit ranges, quotas and admission policies.
const ADMISSION: &str = include_str!("../../data/admission.jsonl");
/// The same of what is kept otherwise than it is shown, of odd numbers, and of the schemas of definitions.
const APPLIES: &str = include_str!("../../data/applies.jsonl");

#[test]
fn answers_are_those_that_the_real_server_gave() {
    // Whoever is first chooses; both choose the same.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let catalog = Catalog::read().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = simkube::Config { controllers: false, ..simkube::Config::default() };
    let simulated = runtime.block_on(simkube::SimKube::start(config)).unwrap();
    let here = Server::new(simulated.url(), simulated.token()).unwrap();
    define(&here, &catalog).unwrap();
    let mut wrong = Vec::new();
    let kept = RECORDED.lines().chain(ADMISSION.lines()).chain(APPLIES.lines());
    for (number, line) in kept.enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        let steps = case["steps"].as_array().unwrap();
        let told = play::play(&here, &format!("q0-{number}-q"), steps).unwrap();
        let real = normal::again(case["real"].clone());
        let lines = compare::differences(&real, &Value::Array(told));
        if !lines.is_empty() {
            wrong.push(format!("seed {}: {lines:#?}", case["seed"]));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
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

#[test]
fn every_built_in_kind_that_can_be_changed_is_asked_about() {
    use kubetypes::Verb;
    let catalog = Catalog::read().unwrap();
    let missing: Vec<String> = kubetypes::tables(36)
        .resources()
        .iter()
        .filter(|resource| {
            resource.served_by_default() && resource.group != "internal.apiserver.k8s.io"
        })
        .filter(|resource| {
            let verbs: Vec<Verb> = resource.verbs().collect();
            verbs.contains(&Verb::Create) && verbs.contains(&Verb::Update)
        })
        .filter(|resource| {
            let api_version = match resource.group {
                "" => resource.version.to_owned(),
                group => format!("{group}/{}", resource.version),
            };
            !catalog
                .kinds
                .iter()
                .any(|known| known.api_version == api_version && known.kind == resource.kind)
        })
        .map(|resource| format!("{}/{} {}", resource.group, resource.version, resource.kind))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
