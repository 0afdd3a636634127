//! Argo CD's parameters: `kustomize edit` and then a build, beside the overlay in memory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use kustomize::edit::Overlay;
use kustomize::kustomization::{Patch, Selector};
use serde_json::{Map, Value, json};

use super::changes;
use super::seed::Seed;
use super::tool::{self, Tool};
use super::trees::{first_difference, trees};
use super::{Score, ours, scratch};

/// Compares seeded parameters on seeded changes of each tree, live.
pub fn run(tool: &Tool, corpus: &Path, seeds: std::ops::Range<u64>, part: &str) -> Result<Score> {
    let mut score = Score::default();
    let root = scratch("edits")?;
    let link = root.join("trees");
    if !link.exists() {
        std::os::unix::fs::symlink(corpus.join("trees"), &link)?;
    }
    for tree in trees(corpus, part)? {
        let objects = tool::objects(&tree.golden)?;
        for seed in seeds.clone() {
            let base = format!("trees/{}", tree.directory);
            let change = changes::make(seed * 7919 + tree.directory.len() as u64, &base, &objects);
            let mut files = change.files("ours");
            files.extend(change.files("case"));
            for component in ["ours", "case"] {
                let text = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnameSuffix: -c\n";
                files.insert(format!("{component}/parts/one/kustomization.yaml"), text.to_owned());
                files.insert(
                    format!("{component}/parts/two/kustomization.yaml"),
                    text.replace("-c", "-d"),
                );
            }
            for directory in ["ours", "case"] {
                if root.join(directory).exists() {
                    std::fs::remove_dir_all(root.join(directory))?;
                }
            }
            tool::write(&root, &files)?;
            let overlay =
                overlay(&mut Seed::new(seed * 31 + 5), &change.layers[change.layers.len() - 1]);
            let ours = ours::build(&root, "ours", overlay.clone());
            let real = match edit(tool, &root.join("case"), &overlay)? {
                Err(complaint) => Err(complaint),
                Ok(()) => tool.build(&root, "case", &[])?,
            };
            let how = match (ours, real) {
                (Ok(ours), Ok(printed)) => {
                    let real = tool::objects(&printed)?;
                    if ours == real {
                        score.equal += 1;
                        continue;
                    }
                    first_difference(&ours, &real)
                }
                (Err(_), Err(_)) => {
                    score.both_refuse += 1;
                    continue;
                }
                (Ok(_), Err(refused)) => format!("only the real one refuses: {refused}"),
                (Err(refused), Ok(_)) => format!("only ours refuses: {refused}"),
            };
            let edited = std::fs::read_to_string(root.join("case/kustomization.yaml"))?;
            let before = &files["ours/kustomization.yaml"];
            score.differ(format!(
                "== {} seed {seed}\n{how}\n{overlay:?}\n-- before\n{before}\n-- edited\n{edited}",
                tree.directory
            ));
        }
    }
    std::fs::remove_dir_all(&root)?;
    Ok(score)
}

fn overlay(seed: &mut Seed, fields: &[(String, Value)]) -> Overlay {
    let mut overlay = Overlay::default();
    // Some of what the kustomization has already, so that both meet.
    let there = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    for _ in 0..1 + seed.below(4) {
        match seed.below(10) {
            0 => overlay.name_prefix = "argo-".to_owned(),
            1 => overlay.name_suffix = "-argo".to_owned(),
            2 => overlay.namespace = "argo-space".to_owned(),
            3 | 4 => {
                let known = there("images").and_then(|images| images[0]["name"].as_str());
                let name = known.filter(|_| seed.one_in(2)).unwrap_or("nginx").to_owned();
                let more = [
                    ":v2",
                    "=other:v3",
                    "=*:v4",
                    ":*@sha256:abc",
                    "@sha256:abc",
                    "=reg:5000/x",
                    "=a/b:*",
                    ":v1@sha256:abc",
                    "",
                ];
                overlay.images =
                    vec![format!("{name}{}", seed.pick(&more)), "busybox:1.36".to_owned()];
            }
            5 => {
                let known = there("replicas").and_then(|replicas| replicas[0]["name"].as_str());
                let name = known.unwrap_or("argocd-server").to_owned();
                overlay.replicas = vec![(name, seed.below(4) as i64)];
            }
            6 => {
                overlay.common_labels = pairs(seed);
                overlay.force_common_labels = seed.one_in(2);
                overlay.label_without_selector = seed.one_in(2);
                overlay.label_include_templates = seed.one_in(3);
            }
            7 => {
                overlay.common_annotations = pairs(seed);
                overlay.force_common_annotations = seed.one_in(2);
            }
            8 => {
                let mut target = Selector::default();
                target.id.gvk.kind = "Deployment".into();
                overlay.patches = vec![Patch {
                    patch: r#"[{"op": "add", "path": "/metadata/annotations/argo", "value": "x"}]"#
                        .to_owned(),
                    target: Some(target),
                    ..Patch::default()
                }];
            }
            _ => {
                let components = ["parts/one", "parts/*", "parts/none", "./parts/two"];
                overlay.components = vec![seed.choose(&components).to_owned()];
                overlay.ignore_missing_components = seed.one_in(2);
            }
        }
    }
    overlay
}

fn pairs(seed: &mut Seed) -> BTreeMap<String, String> {
    let keys = ["app", "team", "note", "example.com/tier"];
    let values = ["argo", "a:b", "\"quoted\"", "true", ""];
    let one = |seed: &mut Seed| (seed.choose(&keys).to_owned(), seed.choose(&values).to_owned());
    (0..1 + seed.below(2)).map(|_| one(seed)).collect()
}

/// What Argo CD runs.
fn edit(tool: &Tool, directory: &Path, overlay: &Overlay) -> Result<Result<(), String>> {
    let words =
        |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut commands: Vec<Vec<String>> = Vec::new();
    let with = |mut command: Vec<String>, more: Vec<String>| {
        command.extend(more);
        command
    };
    let colons = |pairs: &BTreeMap<String, String>| {
        pairs.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>()
    };
    if !overlay.name_prefix.is_empty() {
        commands.push(words(&["set", "nameprefix", "--", &overlay.name_prefix]));
    }
    if !overlay.name_suffix.is_empty() {
        commands.push(words(&["set", "namesuffix", "--", &overlay.name_suffix]));
    }
    if !overlay.images.is_empty() {
        commands.push(with(words(&["set", "image"]), overlay.images.clone()));
    }
    if !overlay.replicas.is_empty() {
        let replicas = overlay.replicas.iter().map(|(name, count)| format!("{name}={count}"));
        commands.push(with(words(&["set", "replicas"]), replicas.collect()));
    }
    if !overlay.common_labels.is_empty() {
        let mut command = words(&["add", "label"]);
        command.extend(overlay.force_common_labels.then(|| "--force".to_owned()));
        command.extend(overlay.label_without_selector.then(|| "--without-selector".to_owned()));
        command.extend(overlay.label_include_templates.then(|| "--include-templates".to_owned()));
        commands.push(with(command, colons(&overlay.common_labels)));
    }
    if !overlay.common_annotations.is_empty() {
        let mut command = words(&["add", "annotation"]);
        command.extend(overlay.force_common_annotations.then(|| "--force".to_owned()));
        commands.push(with(command, colons(&overlay.common_annotations)));
    }
    if !overlay.namespace.is_empty() {
        commands.push(words(&["set", "namespace", "--", &overlay.namespace]));
    }
    for command in &commands {
        if let Err(complaint) = tool.edit(directory, command)? {
            return Ok(Err(complaint));
        }
    }
    if !overlay.patches.is_empty() {
        let file = directory.join("kustomization.yaml");
        let Value::Object(mut fields) = goyaml::to_json(&std::fs::read(&file)?)? else {
            return Ok(Err("no mapping".to_owned()));
        };
        let patches = overlay.patches.iter().map(|patch| {
            let kind = patch.target.as_ref().map(|target| target.id.gvk.kind.to_string());
            json!({"patch": patch.patch, "target": {"kind": kind}})
        });
        let there = fields.entry("patches").or_insert_with(|| json!([]));
        there.as_array_mut().context("`patches` is a list")?.extend(patches);
        std::fs::write(&file, goyaml::to_yaml(&Value::Object(Map::clone(&fields)))?)?;
    }
    if !overlay.components.is_empty() {
        let is_there = |component: &&String| {
            !overlay.ignore_missing_components || directory.join(component).exists()
        };
        let found: Vec<String> = overlay.components.iter().filter(is_there).cloned().collect();
        if !found.is_empty() {
            let command = with(words(&["add", "component"]), found);
            if let Err(complaint) = tool.edit(directory, &command)? {
                return Ok(Err(complaint));
            }
        }
    }
    Ok(Ok(()))
}
