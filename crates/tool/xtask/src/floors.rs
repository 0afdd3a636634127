//! The floor test: arrows between crates point down, and the lower floors touch no world.
//!
//! A crate's floor is the folder it stands in. `model` -> `engine` | `edge` -> `service` -> `app`;
//! `engine` and `edge` never name each other; `tool` stands beside the house, and only tests name it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::root;

/// What no crate of the lower floors may reach, at any depth.
const WORLD: [&str; 6] = ["tokio", "hyper", "reqwest", "kube-client", "tonic", "redis"];

/// Fails with every fault of the workspace.
pub fn check() -> Result<()> {
    let faults = faults(&House::read(&metadata()?)?);
    match faults.as_slice() {
        [] => Ok(()),
        faults => bail!("{} arrows run up:\n{}", faults.len(), faults.join("\n")),
    }
}

fn metadata() -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .context("run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("read what cargo metadata printed")
}

/// Packages by id: what matters of them.
struct House {
    packages: BTreeMap<String, Package>,
}

struct Package {
    name: String,
    /// `None` for packages from elsewhere.
    floor: Option<String>,
    /// Ids of what it is built with.
    dependencies: Vec<String>,
    /// Ids of what its tests alone are built with.
    test_dependencies: Vec<String>,
}

impl House {
    fn read(metadata: &Value) -> Result<Self> {
        fn list(value: &Value) -> &[Value] {
            value.as_array().map_or(&[], Vec::as_slice)
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        for package in list(&metadata["packages"]) {
            let own = package["source"].is_null();
            let floor = own.then(|| floor_of(&text(&package["manifest_path"]))).flatten();
            let name = text(&package["name"]);
            let read = Package { name, floor, dependencies: vec![], test_dependencies: vec![] };
            packages.insert(text(&package["id"]), read);
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let package = packages
                .get_mut(&text(&node["id"]))
                .with_context(|| format!("package {} is not listed", node["id"]))?;
            for dependency in list(&node["deps"]) {
                let id = text(&dependency["pkg"]);
                let tests_alone =
                    list(&dependency["dep_kinds"]).iter().all(|kind| kind["kind"] == "dev");
                match tests_alone {
                    true => package.test_dependencies.push(id),
                    false => package.dependencies.push(id),
                }
            }
        }
        Ok(Self { packages })
    }

    fn called(&self, id: &str) -> String {
        match self.packages.get(id) {
            Some(Package { name, floor: Some(floor), .. }) => format!("{floor}/{name}"),
            Some(package) => package.name.clone(),
            None => id.to_owned(),
        }
    }

    /// Names of everything that a package is built with, at any depth.
    fn reach(&self, id: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut names = BTreeSet::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            let Some(package) = self.packages.get(id) else { continue };
            names.insert(package.name.as_str());
            for dependency in &package.dependencies {
                if seen.insert(dependency) {
                    todo.push(dependency);
                }
            }
        }
        names
    }
}

/// The folder below `crates/`.
fn floor_of(manifest_path: &str) -> Option<String> {
    let path = manifest_path.replace('\\', "/");
    let (_, below) = path.rsplit_once("/crates/")?;
    below.split('/').next().map(str::to_owned)
}

/// Whether a crate on one floor may name one on another.
fn may_name(from: &str, to: &str, in_tests: bool) -> bool {
    let height = |floor: &str| match floor {
        "model" => Some(0),
        "engine" | "edge" => Some(1),
        "service" => Some(2),
        "app" => Some(3),
        _ => None,
    };
    match (from, to) {
        ("tool", _) => true,
        (_, "tool") => in_tests,
        ("engine", "edge") | ("edge", "engine") | ("service", "service") => false,
        (from, to) => match (height(from), height(to)) {
            (Some(from), Some(to)) => to <= from,
            _ => false,
        },
    }
}

fn faults(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, package) in &house.packages {
        let Some(floor) = &package.floor else { continue };
        let arrows = [(&package.dependencies, false), (&package.test_dependencies, true)];
        for (dependency, in_tests) in
            arrows.into_iter().flat_map(|(ids, in_tests)| ids.iter().map(move |id| (id, in_tests)))
        {
            let to = house.packages.get(dependency).and_then(|package| package.floor.as_ref());
            if to.is_some_and(|to| !may_name(floor, to, in_tests)) {
                let tests = if in_tests { " in its tests" } else { "" };
                faults.push(format!(
                    "{} names {}{tests}",
                    house.called(id),
                    house.called(dependency)
                ));
            }
        }
        if matches!(floor.as_str(), "model" | "engine") {
            let reach = house.reach(id);
            for name in WORLD.iter().filter(|name| reach.contains(*name)) {
                faults.push(format!("{} reaches {name}", house.called(id)));
            }
        }
    }
    faults.sort();
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{House, check, faults};

    #[test]
    fn no_arrow_of_this_workspace_runs_up() {
        check().expect("a house in order");
    }

    fn package(name: &str, floor: &str) -> Value {
        let path = format!("/house/crates/{floor}/{name}/Cargo.toml");
        match floor {
            "" => json!({"id": name, "name": name, "source": "elsewhere", "manifest_path": "/x"}),
            _ => json!({"id": name, "name": name, "source": null, "manifest_path": path}),
        }
    }

    fn node(name: &str, dependencies: &[(&str, &str)]) -> Value {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(name, kind)| {
                let kind = if kind.is_empty() { Value::Null } else { json!(kind) };
                json!({"pkg": name, "dep_kinds": [{"kind": kind}]})
            })
            .collect();
        json!({"id": name, "deps": dependencies})
    }

    #[test]
    fn planted_arrows_are_named() {
        let metadata = json!({
            "packages": [
                package("crd", "model"), package("diff", "engine"), package("cluster", "edge"),
                package("loop", "service"), package("other", "service"), package("testkit", "tool"),
                package("tokio", ""), package("kube-client", ""), package("middle", ""),
            ],
            "resolve": {"nodes": [
                node("crd", &[("diff", "")]),
                node("diff", &[("cluster", ""), ("testkit", "dev")]),
                node("cluster", &[("middle", ""), ("crd", "")]),
                node("loop", &[("diff", ""), ("cluster", ""), ("other", "dev"), ("testkit", "")]),
                node("other", &[]),
                node("testkit", &[("tokio", "")]),
                node("middle", &[("tokio", "")]),
                node("tokio", &[]),
                node("kube-client", &[]),
            ]},
        });
        assert_eq!(
            faults(&House::read(&metadata).expect("readable")),
            [
                "engine/diff names edge/cluster",
                "engine/diff reaches tokio",
                "model/crd names engine/diff",
                "model/crd reaches tokio",
                "service/loop names service/other in its tests",
                "service/loop names tool/testkit",
            ]
        );
    }
}
