use super::common_root;

#[test]
fn a_plugin_is_sent_the_directory_in_which_all_lies_that_the_annotation_names() {
    let root = |source: &str, paths: &[&str]| {
        common_root(source, &paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(root("apps/web", &[]), "");
    assert_eq!(root("apps/web", &["apps/web"]), "apps/web");
    assert_eq!(root("apps/web", &["apps/web", "/apps/shared"]), "apps");
    assert_eq!(root("apps/web", &["apps/web/*.yaml"]), "apps/web");
    assert_eq!(root("apps/web", &["libs"]), "");
    assert_eq!(root("apps/web", &["apps/website"]), "apps");
}
