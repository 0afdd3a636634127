//! Times, scale, filters and unchanged writes; sequences of writes stand in `tests/managed.rs`.

use serde_json::{Value, json};

use crate::fields::FieldSet;
use crate::managed::{
    Filter, Operation, Owned, format_seconds, from_scale, keep_times_of_no_change, parse_seconds,
    to_scale, validate,
};

fn owned(manager: &str, operation: Operation, api_version: &str, fields: &[&str]) -> Owned {
    Owned {
        manager: manager.to_owned(),
        operation,
        subresource: String::new(),
        api_version: api_version.to_owned(),
        time_s: Some(1),
        fields: FieldSet::of_names(fields),
    }
}

#[test]
fn times_are_read_in_any_zone_and_written_in_utc() {
    let through = |text: &str| parse_seconds(text).map(format_seconds);
    let cases = [
        ("2026-02-28T23:59:59Z", "2026-02-28T23:59:59Z"),
        ("2024-02-29T00:00:00.123456Z", "2024-02-29T00:00:00Z"),
        ("2026-01-01T00:30:00+02:00", "2025-12-31T22:30:00Z"),
        ("1969-12-31T23:59:59-00:30", "1970-01-01T00:29:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(through(text).as_deref(), Some(expected), "{text}");
    }
    for text in ["", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "x"] {
        assert_eq!(through(text), None, "{text}");
    }
}

#[test]
fn an_applier_of_replicas_keeps_its_entry_through_a_scale() {
    let paths = [("apps/v1", Some("spec.replicas"))];
    let parent = [owned(
        "argocd-controller",
        Operation::Apply,
        "apps/v1",
        &["spec.replicas", "spec.paused"],
    )];
    let of_scale = to_scale(&parent, &paths);
    assert_eq!(
        of_scale,
        [owned("argocd-controller", Operation::Apply, "autoscaling/v1", &["spec.replicas"])]
    );
    assert_eq!(from_scale(&parent, of_scale, "apps/v1", &paths), parent);
}

#[test]
fn who_scales_takes_replicas_from_the_parent() {
    let paths = [("apps/v1", Some("spec.replicas"))];
    let parent = [owned(
        "argocd-controller",
        Operation::Apply,
        "apps/v1",
        &["spec.replicas", "spec.paused"],
    )];
    let mut scaled = owned("kubectl", Operation::Update, "autoscaling/v1", &["spec.replicas"]);
    scaled.subresource = "scale".to_owned();
    let after = from_scale(&parent, vec![scaled], "apps/v1", &paths);
    let who: Vec<_> =
        after.iter().map(|owned| (owned.manager.as_str(), owned.fields.paths().len())).collect();
    assert_eq!(who, [("argocd-controller", 1), ("kubectl", 1)]);
    assert_eq!(after[1].api_version, "apps/v1");
    assert_eq!(after[1].time_s, None);
}

#[test]
fn filters_leave_out_or_keep_what_leads_to_their_paths() {
    let set =
        FieldSet::of_names(&["spec.a.resources.x", "spec.a.other", "spec.b.resources", "status.c"]);
    let kept = Filter::include(&["spec.*.resources"]).filter(set.clone());
    assert_eq!(kept, FieldSet::of_names(&["spec.a.resources.x", "spec.b.resources"]));
    let rest = Filter::exclude(&["spec.a", "status"]).filter(set);
    assert_eq!(rest, FieldSet::of_names(&["spec.b.resources"]));
}

#[test]
fn a_write_that_only_moves_times_keeps_the_old_ones() {
    let object = |time: &str, value: &str| json!({"metadata": {"managedFields": [{"manager": "m", "time": time}]}, "data": {"k": value}});
    let times = |object: &Value| object["metadata"]["managedFields"][0]["time"].clone();
    let old = object("2026-01-01T00:00:00Z", "v");
    let mut same = object("2026-01-02T00:00:00Z", "v");
    keep_times_of_no_change(&old, &mut same);
    assert_eq!(same, old);
    // The version that stands there is no difference, and neither is a time that was not sent.
    let mut stands = old.clone();
    stands["metadata"]["resourceVersion"] = json!("7");
    let mut timeless =
        json!({"metadata": {"managedFields": [{"manager": "m"}]}, "data": {"k": "v"}});
    keep_times_of_no_change(&stands, &mut timeless);
    assert_eq!(timeless, old);
    let mut other = object("2026-01-02T00:00:00Z", "w");
    keep_times_of_no_change(&old, &mut other);
    assert_eq!(times(&other), "2026-01-02T00:00:00Z");
}

#[test]
fn sent_owners_are_checked_in_the_servers_words() {
    let object = json!({"metadata": {"managedFields": [
        {"manager": "a\u{7}", "operation": "Patch", "fieldsType": "FieldsV2"}
    ]}});
    let problems: Vec<_> = validate(&object).iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "metadata.managedFields[0].operation: Invalid value: \"Patch\": must be `Apply` or `Update`",
            "metadata.managedFields[0].fieldsType: Invalid value: \"FieldsV2\": must be `FieldsV1`",
            "metadata.managedFields[0].manager: Invalid value: \"a\\a\": invalid character U+0007 (at position 1)",
        ]
    );
}
