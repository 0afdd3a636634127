//! What of a cluster may be looked after, where its secret names namespaces.

use std::sync::Arc;

use crate::target::Target;

/// Says which wanted object stands outside of what a cluster is managed in: the first, in
/// upstream's words. `namespaces`: those that are managed, none for all; `cluster_resources`:
/// whether objects without a namespace are managed beside them.
///
/// As upstream, one such object fails the whole comparison.
pub fn outside(
    targets: &[Arc<Target>],
    namespaces: &[String],
    cluster_resources: bool,
) -> Option<String> {
    if namespaces.is_empty() {
        return None;
    }
    targets.iter().find_map(|target| {
        let key = &target.key;
        match key.namespace.as_str() {
            "" if !cluster_resources => Some(format!(
                "cluster level {} {:?} can not be managed when in namespaced mode",
                key.kind, key.name
            )),
            "" => None,
            namespace if !namespaces.iter().any(|managed| managed == namespace) => Some(format!(
                "namespace {namespace:?} for {} {:?} is not managed",
                key.kind, key.name
            )),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: &str, namespace: &str) -> Arc<Target> {
        let object = serde_json::json!({
            "apiVersion": "v1", "kind": kind, "metadata": {"name": "it", "namespace": namespace},
        });
        let mut target = Target::whole(Arc::new(object));
        target.namespaced = Some(!namespace.is_empty());
        Arc::new(target)
    }

    #[test]
    fn what_stands_outside_of_the_managed_namespaces_is_named() {
        let managed = ["a".to_owned()];
        let inside = target("ConfigMap", "a");
        assert_eq!(outside(&[inside.clone(), target("ConfigMap", "b")], &[], false), None);
        assert_eq!(outside(&[inside.clone(), target("Namespace", "")], &managed, true), None);
        assert_eq!(
            outside(&[inside.clone(), target("ConfigMap", "b")], &managed, true).as_deref(),
            Some(r#"namespace "b" for ConfigMap "it" is not managed"#)
        );
        assert_eq!(
            outside(&[inside, target("Namespace", "")], &managed, false).as_deref(),
            Some(r#"cluster level Namespace "it" can not be managed when in namespaced mode"#)
        );
    }
}
