//! Which objects that are nobody's a project does not want to hear of.

use crd::OrphanedResourceKey;
use globs::Glob;

/// Whether an object is passed over when orphans are looked for: its group fits the pattern, where an
/// empty one means the core group, and kind and name fit theirs, where an empty one means any.
pub fn ignores_orphan(ignore: &[OrphanedResourceKey], group: &str, kind: &str, name: &str) -> bool {
    let fits =
        |pattern: &str, text: &str| Glob::new(pattern, &[]).is_ok_and(|glob| glob.matches(text));
    ignore.iter().any(|one| {
        fits(&one.group, group)
            && (one.kind.is_empty() || fits(&one.kind, kind))
            && (one.name.is_empty() || fits(&one.name, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_group_is_the_core_one_and_an_empty_kind_is_any() {
        let ignored = |group: &str, kind: &str, name: &str, key: [&str; 3]| {
            let one = OrphanedResourceKey {
                group: group.into(),
                kind: kind.into(),
                name: name.into(),
                ..OrphanedResourceKey::default()
            };
            ignores_orphan(&[one], key[0], key[1], key[2])
        };
        let map = ["", "ConfigMap", "left"];
        assert!(ignored("", "ConfigMap", "", map));
        assert!(ignored("", "", "le*", map));
        assert!(!ignored("apps", "ConfigMap", "", map));
        assert!(!ignored("", "", "", ["apps", "Deployment", "web"]));
        assert!(ignored("*", "", "", ["apps", "Deployment", "web"]));
        assert!(!ignored("", "ConfigMap", "other", map));
    }
}
