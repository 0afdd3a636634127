//! Where the programs are.

use std::path::{Path, PathBuf};

/// The directory with the programs: `KUBEBUILDER_ASSETS`, or what `make kube` built. None where
/// `TIPHYS_KUBE` is `off`.
pub fn programs_dir() -> Option<PathBuf> {
    if std::env::var_os("TIPHYS_KUBE").is_some_and(|value| value == "off") {
        return None;
    }
    if let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS") {
        return Some(PathBuf::from(assets)).filter(|dir| dir.join("kube-apiserver").exists());
    }
    let versions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/kube/versions.env");
    let versions = std::fs::read_to_string(versions).ok()?;
    let pinned = |name: &str| {
        versions.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
    };
    let key = format!(
        "kubernetes-{},etcd-{},kwok-{},helm-{},kustomize-{}",
        pinned("KUBERNETES"),
        pinned("ETCD"),
        pinned("KWOK"),
        pinned("HELM"),
        pinned("KUSTOMIZE"),
    );
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache"),
    };
    Some(cache.join("tiphys/kube").join(key).join("bin"))
        .filter(|dir| dir.join(".complete").exists())
}

/// One program (`kubectl`, `helm`, `kustomize`, …), where it was built.
pub fn program(name: &str) -> Option<PathBuf> {
    Some(programs_dir()?.join(name)).filter(|path| path.exists())
}
