//! What templates see of the chart and of the cluster.

use super::support::rendered;
use crate::Profile;

/// What a chart's only template gives, or what is wrong.
fn printed(chart: &str, template: &str, profile: Profile) -> Result<String, String> {
    rendered(&[("Chart.yaml", chart), ("templates/a.txt", template)], profile)
}

const PLAIN: &str = "apiVersion: v2\nname: x\nversion: 1.0.0\n";
const TOLD: &str = "apiVersion: v2\nname: x\nversion: 1.0.0\nmaintainers: [{name: M, email: m@x}]\nannotations: {}\n";

#[test]
fn structs_keep_the_order_of_their_fields_in_json() {
    for (template, expected) in [
        (
            "{{ .Capabilities.KubeVersion | toJson }}",
            r#"{"Version":"v1.33.0","Major":"1","Minor":"33"}"#,
        ),
        (
            "{{ .Capabilities | toJson | trunc 68 }}",
            r#"{"KubeVersion":{"Version":"v1.33.0","Major":"1","Minor":"33"},"APIVe"#,
        ),
        (
            "{{ .Capabilities.HelmVersion | toJson }}",
            r#"{"version":"v4.2","go_version":"go1.26.8","kube_client_version":"v1.36"}"#,
        ),
        (
            r#"{{ printf "%+v" .Capabilities.HelmVersion }}"#,
            "{Version:v4.2 GitCommit: GitTreeState: GoVersion:go1.26.8 KubeClientVersion:v1.36}",
        ),
        (
            "{{ .Capabilities.KubeVersion | toYaml }}",
            "Major: \"1\"\nMinor: \"33\"\nVersion: v1.33.0",
        ),
    ] {
        assert_eq!(printed(PLAIN, template, Profile::V4).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn a_kubernetes_version_is_told_by_an_action_and_seen_as_a_struct_by_functions() {
    let template = "{{ .Capabilities.KubeVersion }} {{ $v := .Capabilities.KubeVersion }}{{ $v }} {{ toString $v }} {{ printf \"%s %v\" $v $v }} {{ print $v 1 }}";
    for (profile, told) in
        [(Profile::V4, "{v1.33.0 v1.33.0 1 33}"), (Profile::V3, "{v1.33.0 1 33}")]
    {
        let expected = format!("v1.33.0 v1.33.0 {told} {told} {told} {told} 1");
        assert_eq!(printed(PLAIN, template, profile), Ok(expected));
    }
}

#[test]
fn annotations_that_a_chart_does_not_have_are_nil() {
    let template = "{{ .Chart.Annotations | toJson }} {{ .Chart.Sources | toJson }}";
    assert_eq!(printed(PLAIN, template, Profile::V4).as_deref(), Ok("null []"));
    assert_eq!(printed(TOLD, template, Profile::V4).as_deref(), Ok("{} []"));
}

#[test]
fn a_chart_is_a_struct_in_helm_3() {
    for (template, expected) in [
        (
            "{{ .Chart | toJson }}",
            r#"{"name":"x","version":"1.0.0","maintainers":[{"name":"M","email":"m@x"}],"apiVersion":"v2","IsRoot":true}"#,
        ),
        ("{{ .Chart.Maintainers | toYaml }}", "- email: m@x\n  name: M"),
        ("{{ (index .Chart.Maintainers 0).Name }}", "M"),
        ("{{ range .Chart.Maintainers }}{{ .Email }}{{ end }}", "m@x"),
        ("{{ kindOf (index .Chart.Maintainers 0) }}", "ptr"),
    ] {
        assert_eq!(printed(TOLD, template, Profile::V3).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn a_chart_of_the_next_version_is_read_and_then_refused() {
    let words = |rest: &str| {
        let chart = format!("apiVersion: v3\nversion: 1.0.0\n{rest}");
        let problem = printed(&chart, "", Profile::V4).unwrap_err();
        problem.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(words("name: x\n"), "invalid chart apiVersion");
    assert_eq!(words("name: ..\n"), r#"validation: chart.metadata.name ".." is not allowed"#);
    assert_eq!(
        words("name: x\ndependencies: [{name: a, version: 1.0.0}]\n"),
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: unsupported chart dependency type"
    );
}
