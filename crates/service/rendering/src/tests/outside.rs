//! What is fetched or asked for besides a repository's own files.

use std::net::SocketAddr;
use std::sync::Arc;

use crd::{Application, ApplicationSource, ApplicationSourceHelm};
use desired::{RenderRequest, Rendered};

use super::service::{Bench, map};
use crate::artifacts::tests::{Answers, archive, serve};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.1.0\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-web'}\ndata: {v: '{{ .Values.v }}'}\n";
const SUB: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-sub'}\n";

/// A chart repository with `web`, and a file of values beside it.
fn repository(address: SocketAddr) -> Answers {
    let _ = address;
    let index = "apiVersion: v1\nentries:\n  web:\n  - version: 1.1.0\n    urls: [web.tgz]\n  - version: 1.0.0\n    urls: [old.tgz]\n  sub:\n  - version: 2.3.0\n    urls: [sub.tgz]\n";
    let web = archive(&[
        ("web/Chart.yaml", CHART),
        ("web/values.yaml", "v: own\n"),
        ("web/templates/a.yaml", TEMPLATE),
    ]);
    let sub = archive(&[
        ("sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 2.3.0\n"),
        ("sub/templates/a.yaml", SUB),
    ]);
    vec![
        ("/charts/index.yaml".to_owned(), index.as_bytes().to_vec()),
        ("/charts/web.tgz".to_owned(), web),
        ("/charts/sub.tgz".to_owned(), sub),
        ("/values.yaml".to_owned(), b"v: remote\n".to_vec()),
    ]
}

fn names(rendered: &Rendered) -> Vec<String> {
    let name = |object: &desired::DesiredObject| {
        object.object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
    };
    rendered.objects.iter().map(name).collect()
}

fn source(request: &mut RenderRequest) -> &mut ApplicationSource {
    let application: &mut Application = Arc::make_mut(&mut request.application);
    application.spec.source.as_mut().expect("a source")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_comes_from_its_repository_in_the_version_that_is_wanted() {
    let (address, seen) = serve(repository);
    let bench = Bench::new(&[("x", "x")]);
    let mut request = bench.request(&[""]);
    *source(&mut request) = ApplicationSource {
        repo_url: format!("http://{address}/charts"),
        chart: "web".to_owned(),
        target_revision: "^1.0.0".to_owned(),
        ..ApplicationSource::default()
    };
    let rendered = bench.render(&request).await.expect("objects");
    assert_eq!(names(&rendered), ["shop-web"]);
    assert_eq!(rendered.objects[0].object["data"]["v"], "own");
    assert_eq!(rendered.sources[0].revision, "1.1.0");
    assert_eq!(rendered.sources[0].source_type, "Helm");
    let again = bench.render(&request).await.expect("objects");
    assert!(Arc::ptr_eq(&rendered, &again));
    assert_eq!(*seen.lock(), ["/charts/index.yaml", "/charts/web.tgz", "/charts/index.yaml"]);

    source(&mut request).target_revision = "9.9.9".to_owned();
    let failure = bench.render(&request).await.expect_err("no such version");
    assert!(failure.message.contains("`9.9.9` matches no version"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_gets_the_charts_and_value_files_that_it_needs() {
    let (address, _) = serve(repository);
    let chart = format!(
        "{CHART}dependencies: [{{name: sub, version: 2.x, repository: 'http://{address}/charts'}}]\n"
    );
    let bench = Bench::new(&[
        ("web/Chart.yaml", &chart),
        ("web/templates/a.yaml", TEMPLATE),
        ("web/near.yaml", "v: near\n"),
    ]);
    let mut request = bench.request(&["web"]);
    let rendered = bench.render(&request).await.expect("objects");
    assert_eq!(names(&rendered), ["shop-sub", "shop-web"]);

    let helm = ApplicationSourceHelm {
        value_files: vec!["near.yaml".to_owned(), format!("http://{address}/values.yaml")],
        ..ApplicationSourceHelm::default()
    };
    source(&mut request).helm = Some(Box::new(helm));
    let rendered = bench.render(&request).await.expect("objects");
    assert_eq!(rendered.objects[1].object["data"]["v"], "remote");

    let project = Arc::make_mut(&mut request.project);
    project.spec.source_repos = vec![bench.url()];
    source(&mut request).helm = None;
    let refused = bench.render(&request).await.expect_err("not permitted");
    assert!(refused.message.contains("are not permitted in project"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_from_another_source_and_a_change_of_them_is_seen() {
    let bench = Bench::new(&[
        ("web/Chart.yaml", CHART),
        ("web/templates/a.yaml", TEMPLATE),
        ("values/v.yaml", "v: one\n"),
    ]);
    let mut request = bench.request(&["web", ""]);
    let sources = &mut Arc::make_mut(&mut request.application).spec.sources;
    let helm = ApplicationSourceHelm {
        value_files: vec!["$vals/values/v.yaml".to_owned()],
        ..ApplicationSourceHelm::default()
    };
    sources[0].helm = Some(Box::new(helm));
    sources[1].r#ref = "vals".to_owned();
    let value = |rendered: &Rendered| rendered.objects[0].object["data"]["v"].clone();
    assert_eq!(value(&bench.render(&request).await.expect("objects")), "one");
    bench.commit(&[("elsewhere", "x")]);
    assert_eq!(value(&bench.render(&request).await.expect("objects")), "one");
    assert_eq!(bench.renders(), 1);
    bench.commit(&[("values/v.yaml", "v: two\n")]);
    assert_eq!(value(&bench.render(&request).await.expect("objects")), "two");
    assert_eq!(bench.renders(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_api_matters_only_to_whoever_asked_for_it() {
    let asking = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {has: '{{ .Capabilities.APIVersions.Has \"example.com/v1\" }}'}\n";
    let bench = Bench::new(&[("web/Chart.yaml", CHART), ("web/templates/a.yaml", asking)]);
    let mut request = bench.request(&["web"]);
    let has = |rendered: &Rendered| rendered.objects[0].object["data"]["has"].clone();
    assert_eq!(has(&bench.render(&request).await.expect("objects")), "false");
    request.api_versions = ["other.example.com/v1".to_owned()].into();
    bench.render(&request).await.expect("objects");
    assert_eq!(bench.renders(), 1);
    request.api_versions = ["example.com/v1".to_owned()].into();
    assert_eq!(has(&bench.render(&request).await.expect("objects")), "true");
    assert_eq!(bench.renders(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_chart_makes_up_is_the_same_each_time_and_another_for_another_application() {
    let random = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: '{{ randAlphaNum 20 }}'}\n";
    let bench = Bench::new(&[("web/Chart.yaml", CHART), ("web/templates/a.yaml", random)]);
    let mut request = bench.request(&["web"]);
    let password = |rendered: &Rendered| {
        rendered.objects[0].object["stringData"]["p"].as_str().expect("a text").to_owned()
    };
    let first = password(&bench.render(&request).await.expect("objects"));
    assert_eq!(first.len(), 20);
    bench.commit(&[("web/values.yaml", "unused: true\n")]);
    assert_eq!(password(&bench.render(&request).await.expect("objects")), first);
    assert_eq!(bench.renders(), 2);
    Arc::make_mut(&mut request.application).metadata.name = "other".to_owned();
    assert_ne!(password(&bench.render(&request).await.expect("objects")), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_in_another_repository_is_read_like_a_source() {
    let other = Bench::new(&[
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", &map("a", "1")),
    ]);
    let base = format!("namePrefix: p-\nresources: ['{}//base?ref=main']\n", other.url());
    let bench = Bench::new(&[("app/kustomization.yaml", &base)]);
    let rendered = bench.render(&bench.request(&["app"])).await.expect("objects");
    assert_eq!(names(&rendered), ["p-a"]);
    assert_eq!(rendered.sources[0].source_type, "Kustomize");
}

/// A real registry, into which the real Helm pushes a chart; `None` where neither was built.
fn registry(place: &std::path::Path) -> Option<(kubetest::Process, u16)> {
    let (Some(program), Some(helm)) = (kubetest::program("registry"), kubetest::program("helm"))
    else {
        eprintln!("skipped: no registry (make kube)");
        return None;
    };
    let mut command = std::process::Command::new(program);
    let log = place.join("log");
    let registry = kubetest::Process::start(command.args(["-port", "0"]), &log).expect("it starts");
    let port = loop {
        let text = std::fs::read_to_string(&log).expect("a log");
        if let Some((_, port)) = text.trim_end().split_once("serving on port ") {
            break port.parse().expect("a port");
        }
        std::thread::yield_now();
    };
    let chart = place.join("web.tgz");
    let files = [("web/Chart.yaml", CHART), ("web/templates/a.yaml", TEMPLATE)];
    std::fs::write(&chart, archive(&files)).expect("a file");
    let pushed = std::process::Command::new(&helm)
        .arg("push")
        .arg(&chart)
        .args([&format!("oci://127.0.0.1:{port}/charts"), "--plain-http"])
        .env("HOME", place)
        .output()
        .expect("helm runs");
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    Some((registry, port))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_that_helm_pushed_into_a_registry_is_read_from_there() {
    let place = tempfile::tempdir().expect("a directory");
    let Some((_registry, port)) = registry(place.path()) else { return };
    let url = format!("127.0.0.1:{port}/charts");
    let secret = serde_json::json!({
        "metadata": {
            "name": "charts",
            "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "stringData": {
            "type": "helm",
            "name": "charts",
            "url": url,
            "enableOCI": "true",
            "insecureOCIForceHttp": "true",
        },
    });
    let bench = Bench::with_secrets(&[("x", "x")], &[secret]);
    let mut request = bench.request(&[""]);
    *source(&mut request) = ApplicationSource {
        repo_url: url,
        chart: "web".to_owned(),
        target_revision: "1.*".to_owned(),
        ..ApplicationSource::default()
    };
    let rendered = bench.render(&request).await.expect("objects");
    assert_eq!(names(&rendered), ["shop-web"]);
    assert_eq!(rendered.sources[0].revision, "1.1.0");
}
