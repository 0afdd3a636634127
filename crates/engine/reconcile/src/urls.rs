//! Under which URLs an Ingress is reached (SYN-95).

use std::collections::BTreeSet;

use manifest::{annotation, gvk};
use serde_json::Value;

/// Says that the URLs are not to be shown.
const IGNORE_DEFAULT_LINKS: &str = "argocd.argoproj.io/ignore-default-links";

/// Returns the URLs under which an object is reached, sorted; only an Ingress has any.
///
/// A rule without a host answers at the load balancer's address. Any `tls` entry with a secret makes
/// the URLs `https`, as upstream has it.
pub(crate) fn urls(object: &Value) -> Vec<String> {
    let gvk = gvk(object);
    let is_ingress =
        gvk.kind == "Ingress" && matches!(gvk.group.as_str(), "networking.k8s.io" | "extensions");
    let hidden = annotation(object, IGNORE_DEFAULT_LINKS).is_some_and(crd::is_true);
    if !is_ingress || hidden {
        return Vec::new();
    }
    let list = |value: &'_ Value, pointer: &str| -> Vec<Value> {
        value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let text = |value: &Value, field: &str| {
        value.get(field).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    let address = list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|one| match text(one, "hostname").as_str() {
            "" => text(one, "ip"),
            hostname => hostname.to_owned(),
        })
        .find(|address| !address.is_empty())
        .unwrap_or_default();
    let tls = list(object, "/spec/tls");
    let mut urls = BTreeSet::new();
    for rule in list(object, "/spec/rules") {
        let host = match text(&rule, "host").as_str() {
            "" => address.clone(),
            host => host.to_owned(),
        };
        if host.is_empty() {
            continue;
        }
        let secure =
            tls.iter().any(|one| one.get("secretName").is_some_and(|name| !name.is_null()));
        let scheme = if secure { "https" } else { "http" };
        for path in list(&rule, "/http/paths") {
            let path = text(&path, "path");
            let path = path.strip_suffix('*').unwrap_or(&path);
            urls.insert(format!("{scheme}://{host}{path}"));
        }
    }
    urls.into_iter().collect()
}
