//! What counts as a difference, and why.

use std::time::{Duration, Instant};

use cluster::{Action, Patch, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{PATIENCE_S, Stage, application, conditions, config_map, map, text};

const COMPARE: &str = "argocd.argoproj.io/compare-options";
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: main
          image: example.com/main:1
        - name: side
          image: example.com/side:1
";

fn deployment() -> Gvk {
    Gvk::new("apps", "v1", "Deployment")
}

async fn synced(stage: &Stage) {
    stage.well(&["app", "sync", "web"]).await;
    stage.app("web", "it is synced", |app| text(app, "/status/sync/status") == "Synced").await;
}

async fn by_hand(stage: &Stage, gvk: Gvk, name: &str, patch: Value, manager: &str, below: &str) {
    let mut write = Write::patch(gvk, &stage.namespace, name, Patch::Merge(patch), manager);
    if let Action::Patch { subresource, .. } = &mut write.action
        && !below.is_empty()
    {
        *subresource = Some(below.to_owned());
    }
    stage.write(write).await;
}

pub async fn a_difference_says_who_made_it_and_how_to_silence_it(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/web.yaml", Some(DEPLOYMENT)),
        ("app/config.yaml", Some(&map("config", &[], "one"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    synced(stage).await;
    let same = stage.tiphys(&["app", "diff", "web", "--explain", "-o", "json"]).await;
    assert_eq!((same.code, same.out.trim()), (0, "[]"));
    by_hand(
        stage,
        deployment(),
        "web",
        json!({"spec": {"replicas": 5}}),
        "kube-controller-manager",
        "scale",
    )
    .await;
    by_hand(stage, config_map(), "config", json!({"data": {"key": "mine"}}), "kubectl-edit", "")
        .await;
    repository.commit(&[("app/web.yaml", Some(&DEPLOYMENT.replace("main:1", "main:2")))]);
    stage.well(&["app", "get", "web", "--refresh"]).await;
    let ran = stage.tiphys(&["app", "diff", "web", "--explain", "-o", "json"]).await;
    assert_eq!(ran.code, 1, "{}", ran.told);
    let told: Value = serde_json::from_str(&ran.out).expect("it is JSON");
    let of = |kind: &str, path: &str| {
        let objects = told.as_array().expect("a list");
        let object = objects.iter().find(|one| text(one, "/kind") == kind).expect("the object");
        let fields = object["fields"].as_array().expect("fields");
        fields.iter().find(|one| text(one, "/path") == path).cloned().expect("the field")
    };
    let replicas = of("Deployment", ".spec.replicas");
    assert_eq!(
        (text(&replicas, "/cause"), text(&replicas, "/owner")),
        ("autoscaler", "kube-controller-manager")
    );
    assert_eq!((&replicas["desired"], &replicas["live"]), (&json!(2), &json!(5)));
    let image = of("Deployment", ".spec.template.spec.containers[name=\"main\"].image");
    assert_eq!((text(&image, "/cause"), text(&image, "/owner")), ("git", "argocd-controller"));
    assert_eq!(image.get("rule"), None);
    let key = of("ConfigMap", ".data.key");
    assert_eq!((text(&key, "/cause"), text(&key, "/owner")), ("person", "kubectl-edit"));
    // The rules silence what they say they do.
    let rules = json!({"spec": {"ignoreDifferences": [replicas["rule"], key["rule"]]}});
    stage
        .cluster
        .home()
        .patch(&application(), "argocd", "web", Patch::Merge(rules))
        .await
        .expect("taken");
    let left = stage.tiphys(&["app", "diff", "web", "--explain"]).await;
    assert_eq!(left.code, 1);
    assert!(left.out.contains("(git)") && !left.out.contains("replicas:"), "{}", left.out);
    assert!(!left.out.contains("===== /ConfigMap"), "{}", left.out);
}

pub async fn rules_of_the_settings_ignore_by_pointer_path_and_manager(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/web.yaml", Some(DEPLOYMENT)),
        ("app/config.yaml", Some(&map("config", &[], "one"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    synced(stage).await;
    let image = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "main", "image": "example.com/main:1"}, {"name": "side", "image": "example.com/side:mine"}]}}}});
    by_hand(stage, deployment(), "web", image, "somebody", "").await;
    by_hand(stage, config_map(), "config", json!({"data": {"key": "mine"}}), "some-operator", "")
        .await;
    stage.app("web", "it differs", |app| text(app, "/status/sync/status") == "OutOfSync").await;
    stage
        .set("argocd-cm", json!({
            "resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [some-operator]",
            "resource.customizations.ignoreDifferences.apps_Deployment":
                "jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == \"side\").image']",
        }))
        .await;
    stage.app("web", "it is ignored", |app| text(app, "/status/sync/status") == "Synced").await;
    stage
        .set("argocd-cm", json!({"resource.customizations.ignoreDifferences.apps_Deployment": "jqPathExpressions: ['.spec[']"}))
        .await;
    let app = stage
        .app("web", "the rule is no rule", |app| !conditions(app, "ComparisonError").is_empty())
        .await;
    assert_eq!(text(&app, "/status/sync/status"), "Unknown");
    assert!(conditions(&app, "ComparisonError")[0].contains("`.spec[` is no jq path expression"));
}

pub async fn what_is_extraneous_excluded_or_orphaned_is_said(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/extra.yaml", Some(&map("extra", &[(COMPARE, "IgnoreExtraneous")], "x"))),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    synced(stage).await;
    repository.commit(&[("app/extra.yaml", None)]);
    stage.well(&["app", "get", "web", "--refresh"]).await;
    let app = stage
        .app("web", "its row says so", |app| {
            let rows = app.pointer("/status/resources").and_then(Value::as_array);
            rows.into_iter().flatten().any(|row| row["requiresPruning"] == true)
        })
        .await;
    assert_eq!(text(&app, "/status/sync/status"), "Synced", "it does not count");
    stage.set("argocd-cm", json!({"resource.exclusions": "- kinds: [ConfigMap]\n  apiGroups: ['']\n  clusters: ['*']\n"})).await;
    let app = stage
        .app("web", "it is excluded", |app| !conditions(app, "ExcludedResourceWarning").is_empty())
        .await;
    assert_eq!(
        conditions(&app, "ExcludedResourceWarning"),
        ["Resource /ConfigMap main is excluded in the settings"]
    );
}

pub async fn a_quantity_in_a_custom_kind_is_one_where_the_settings_say_so(stage: &mut Stage) {
    let definition = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dummies.example.com
spec:
  group: example.com
  names: {plural: dummies, kind: Dummy}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
    let dummy = "apiVersion: example.com/v1\nkind: Dummy\nmetadata:\n  name: one\nspec:\n  cpu: \"0.2\"\n  requests: {memory: 1000M}\n";
    stage.repository().commit(&[("app/0.yaml", Some(definition)), ("app/1.yaml", Some(dummy))]);
    stage.manual("web", "app", |_| {}).await;
    synced(stage).await;
    let kind = Gvk::new("example.com", "v1", "Dummy");
    let same = json!({"spec": {"cpu": "200m", "requests": {"memory": "1G"}}});
    by_hand(stage, kind, "one", same, "dummy-operator", "").await;
    stage.app("web", "it differs", |app| text(app, "/status/sync/status") == "OutOfSync").await;
    let types = "- field: spec.cpu\n  type: core/Quantity\n- field: spec.requests\n  type: core/v1/ResourceList\n";
    stage
        .set(
            "argocd-cm",
            json!({"resource.customizations.knownTypeFields.example.com_Dummy": types}),
        )
        .await;
    stage.app("web", "it is the same", |app| text(app, "/status/sync/status") == "Synced").await;
}

pub async fn a_server_side_comparison_is_asked_for_by_annotation(stage: &mut Stage) {
    stage.repository().commit(&[("app/web.yaml", Some(DEPLOYMENT))]);
    stage
        .manual("web", "app", |app| {
            app["metadata"]["annotations"] = json!({COMPARE: "ServerSideDiff=true"});
        })
        .await;
    synced(stage).await;
    by_hand(stage, deployment(), "web", json!({"spec": {"replicas": 9}}), "somebody", "").await;
    stage.app("web", "it differs", |app| text(app, "/status/sync/status") == "OutOfSync").await;
    by_hand(stage, deployment(), "web", json!({"spec": {"replicas": 2}}), "somebody", "").await;
    stage.app("web", "it is the same", |app| text(app, "/status/sync/status") == "Synced").await;
}

/// On a real cluster: the simulated one follows no policies.
pub async fn where_a_prediction_is_checked_the_clusters_word_is_taken(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    stage.set("argocd-cmd-params-cm", json!({"controller.diff.check.one.in": "1"})).await;
    stage.manual("web", "app", |_| {}).await;
    synced(stage).await;
    // From now on the cluster adds a label to whatever is written, and no prediction knows of it.
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "labels"},
        "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
                "operations": ["CREATE", "UPDATE"],
            }]},
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {
                "expression": "Object{metadata: Object.metadata{labels: {\"policy\": \"met\"}}}",
            }}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "labels"},
        "spec": {"policyName": "labels", "matchResources": {"namespaceSelector": {"matchLabels": {
            "kubernetes.io/metadata.name": stage.namespace.clone(),
        }}}},
    });
    stage.write(Write::create(policy, "somebody")).await;
    stage.write(Write::create(binding, "somebody")).await;
    let by_hand_too = json!({"metadata": {"labels": {"by": "hand"}}});
    let write = || {
        let patch = Patch::Merge(by_hand_too.clone());
        Write::patch(config_map(), &stage.namespace, "main", patch, "somebody")
    };
    let until = Instant::now() + Duration::from_secs(PATIENCE_S);
    loop {
        let tried = stage.write(write().dry()).await.expect("it is answered");
        if text(&tried, "/metadata/labels/policy") == "met" {
            break;
        }
        assert!(Instant::now() < until, "the cluster does not follow its policy: {tried:#}");
    }
    let counts = json!({"metadata": {"annotations": {COMPARE: "IncludeMutationWebhook=true"}}});
    let home = stage.cluster.home();
    home.patch(&application(), "argocd", "web", Patch::Merge(counts)).await.expect("taken");
    stage
        .app("web", "the cluster says so", |app| text(app, "/status/sync/status") == "OutOfSync")
        .await;
    // Its word holds until the object changes; then it stands there with the label.
    stage.write(write()).await;
    stage.app("web", "both agree", |app| text(app, "/status/sync/status") == "Synced").await;
}

pub async fn what_a_definition_begins_to_fill_in_is_seen(stage: &mut Stage) {
    const RULE: &str =
        "return { status = obj.spec.b == 'y' and 'Healthy' or 'Progressing', message = 'b' }";
    let rule = json!({"resource.customizations.health.example.com_Gauge": RULE});
    stage.set("argocd-cm", rule).await;
    stage.write(Write::create(gauges(), "somebody")).await;
    let gauge = "apiVersion: example.com/v1\nkind: Gauge\nmetadata:\n  name: one\nspec:\n  a: x\n";
    stage.repository().commit(&[("app/one.yaml", Some(gauge))]);
    stage.manual("web", "app", |_| {}).await;
    synced(stage).await;
    let health = |app: &Value| text(app, "/status/health/status").to_owned();
    stage.app("web", "the field is missing", |app| health(app) == "Progressing").await;
    // No event tells that an object which nobody wrote reads otherwise now.
    stage.write(fills_in()).await;
    let app = stage.app("web", "the field is there", |app| health(app) == "Healthy").await;
    assert_eq!(text(&app, "/status/sync/status"), "Synced");
}

/// A definition of gauges, with one field.
fn gauges() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gauges.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"plural": "gauges", "kind": "Gauge"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
            }}}],
        },
    })
}

/// Gives gauges another field, with a default.
fn fills_in() -> Write {
    let definitions = Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let filled = json!([{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/b",
        "value": {"type": "string", "default": "y"}}]);
    Write::patch(definitions, "", "gauges.example.com", Patch::Json(filled), "somebody")
}

pub async fn applications_stand_in_other_namespaces_where_both_sides_allow_it(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}});
    stage.write(Write::create(namespace, "somebody")).await;
    stage.set("argocd-cmd-params-cm", json!({"application.namespaces": "team-*"})).await;
    stage.kill();
    stage.restart().await;
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "team-a", "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
    });
    let home = stage.cluster.home();
    home.create(&project).await.expect("taken");
    let app = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "web", "namespace": "team-a"},
        "spec": {
            "project": "team-a",
            "source": {"repoURL": repository.url(), "path": "app"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": stage.namespace},
            "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
        },
    });
    home.create(&app).await.expect("taken");
    let there = |what: &'static str, holds: fn(&Value) -> bool| {
        stage.until(application(), "team-a", "web", what, move |app| app.is_some_and(holds))
    };
    let app = there("it is not permitted", |app| !conditions(app, "UnknownError").is_empty())
        .await
        .expect("there");
    assert_eq!(
        conditions(&app, "UnknownError"),
        ["application 'web' in namespace 'team-a' is not permitted to use project 'team-a'"]
    );
    let allow = json!({"spec": {"sourceNamespaces": ["team-*"]}});
    stage.project("team-a", allow).await;
    there("it is synced", |app| text(app, "/status/sync/status") == "Synced").await;
    let live = stage.get(config_map(), "main").await.expect("there");
    assert_eq!(
        manifest::annotation(&live, "argocd.argoproj.io/tracking-id"),
        Some("team-a_web:/ConfigMap:scenario/main")
    );
    let listed = stage.well(&["app", "list", "-N", "team-a", "-o", "name"]).await;
    assert_eq!(listed.trim(), "team-a/web");
    stage.well(&["app", "sync", "web", "-N", "team-a"]).await;
    stage.well(&["app", "get", "team-a/web"]).await;
}
