//! The same questions to a real server and to ours.

use serde_json::Value;

use super::catalog::Catalog;
use super::server::Server;
use super::{compare, define, normal, play};

mod real;

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
