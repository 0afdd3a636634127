//! Against real repositories, made by git.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crd::{AppProject, Application, ApplicationSource, keys};
use desired::{Freshness, Remedy, RenderFailure, RenderRequest, Rendered, Renderer};
use settings::{RawSettings, Settings};
use tempfile::TempDir;

use crate::{Config, Fixed, Rendering, Snapshot};

pub(super) struct Bench {
    host: TempDir,
    pub(super) rendering: Rendering,
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let ran = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", directory)
        .output()
        .expect("git runs");
    assert!(ran.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

pub(super) fn map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  v: \"{value}\"\n")
}

impl Bench {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, Config::default())
    }

    pub(super) fn with(files: &[(&str, &str)], config: Config) -> Self {
        Self::made(files, config, &[])
    }

    pub(super) fn with_secrets(files: &[(&str, &str)], secrets: &[serde_json::Value]) -> Self {
        Self::made(files, Config::default(), secrets)
    }

    fn made(files: &[(&str, &str)], config: Config, secrets: &[serde_json::Value]) -> Self {
        let host = tempfile::tempdir().expect("a directory");
        let repo = host.path().join("repo");
        std::fs::create_dir(&repo).expect("a directory");
        git(&repo, &["init", "-q", "-b", "main"]);
        let (settings, _) = Settings::read(&RawSettings::default(), &|_| Err("no YAML".to_owned()));
        let snapshot = Snapshot {
            control_plane_namespace: "argocd".to_owned(),
            repositories: settings::Repositories::read(secrets).0,
            rendering: settings.rendering,
            tls_certs: BTreeMap::new(),
            ssh_known_hosts: String::new(),
            seed: crate::Seed::of("test"),
        };
        let sources = source::Sources::new(source::Config {
            allow_file: true,
            ..source::Config::new(host.path().join("mirrors"))
        });
        let rendering = Rendering::new(config, sources, Arc::new(Fixed(Arc::new(snapshot))));
        let bench = Self { host, rendering };
        bench.commit(files);
        bench
    }

    fn repo(&self) -> std::path::PathBuf {
        self.host.path().join("repo")
    }

    pub(super) fn url(&self) -> String {
        format!("file://{}", self.repo().display())
    }

    /// Writes files (empty text deletes) and commits them; says the commit.
    pub(super) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (file, text) in files {
            let file = self.repo().join(file);
            if text.is_empty() {
                std::fs::remove_file(file).expect("a file to delete");
                continue;
            }
            std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
            std::fs::write(file, text).expect("a file");
        }
        git(&self.repo(), &["add", "-A"]);
        git(&self.repo(), &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(&self.repo(), &["rev-parse", "HEAD"])
    }

    pub(super) fn request(&self, paths: &[&str]) -> RenderRequest {
        let mut application = Application::new("argocd", "shop");
        let source = |path: &&str| ApplicationSource {
            repo_url: self.url(),
            path: (*path).to_owned(),
            ..ApplicationSource::default()
        };
        match paths {
            [one] => application.spec.source = Some(source(one)),
            several => application.spec.sources = several.iter().map(source).collect(),
        }
        let mut project = AppProject::new("argocd", "default");
        project.spec.source_repos = vec!["*".to_owned()];
        RenderRequest {
            application: Arc::new(application),
            project: Arc::new(project),
            revisions: Vec::new(),
            sources: Vec::new(),
            freshness: Freshness::Latest,
            kube_version: "1.36".to_owned(),
            api_versions: Arc::new([]),
        }
    }

    pub(super) async fn render(
        &self,
        request: &RenderRequest,
    ) -> Result<Arc<Rendered>, RenderFailure> {
        self.rendering.render(request.clone()).await
    }

    pub(super) fn renders(&self) -> u64 {
        self.rendering.counts().renders
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_elsewhere_renders_nothing_and_gives_the_same_objects() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1")), ("other/b.yaml", &map("b", "1"))]);
    let request = bench.request(&["app"]);
    let first = bench.render(&request).await.expect("objects");
    assert_eq!(first.objects.len(), 1);
    assert_eq!(first.sources[0].source_type, "Directory");
    let again = bench.render(&request).await.expect("objects");
    assert!(Arc::ptr_eq(&first, &again));
    let commit = bench.commit(&[("other/b.yaml", &map("b", "2")), ("new/c.yaml", &map("c", "1"))]);
    let moved = bench.render(&request).await.expect("objects");
    assert!(Arc::ptr_eq(&first.objects, &moved.objects));
    assert_eq!((moved.key, moved.sources[0].revision.as_str()), (first.key, commit.as_str()));
    assert_eq!(bench.renders(), 1);
    let counts = bench.rendering.counts();
    assert_eq!((counts.requests, counts.hits_by_commit, counts.hits_by_content), (3, 1, 1));
    assert!(counts.cache_bytes > 500 && counts.cache_entries == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_touches_it_is_rendered_once_however_many_ask() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let request = bench.request(&["app"]);
    let first = bench.render(&request).await.expect("objects");
    bench.commit(&[("app/a.yaml", &map("a", "2"))]);
    let asked: Vec<_> = (0..16)
        .map(|_| {
            let (rendering, request) = (bench.rendering.clone(), request.clone());
            tokio::spawn(async move { rendering.render(request).await.expect("objects") })
        })
        .collect();
    for task in asked {
        let second = task.await.expect("no panic");
        assert_ne!(second.key, first.key);
        assert_eq!(second.objects[0].object["data"]["v"], "2");
    }
    assert_eq!(bench.renders(), 2);
    bench.commit(&[("app/a.yaml", &map("a", "1"))]);
    let back = bench.render(&request).await.expect("objects");
    assert_eq!(back.key, first.key);
    assert_eq!(bench.renders(), 2, "what it reads is as it was at first");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_files_that_a_commit_does_not_touch_are_the_same_ones() {
    let bench = Bench::new(&[
        ("app/a.yaml", &map("a", "1")),
        ("app/b.yaml", &map("b", "1")),
        ("app/c.yaml", &map("c", "1")),
    ]);
    let request = bench.request(&["app"]);
    let first = bench.render(&request).await.expect("objects");
    let changes = [("app/b.yaml", map("b", "2")), ("app/c.yaml", String::new())];
    let renamed = ("app/d.yaml", map("c", "1"));
    let files: Vec<_> = changes.iter().chain([&renamed]).map(|(at, text)| (*at, &**text)).collect();
    bench.commit(&files);
    let second = bench.render(&request).await.expect("objects");
    assert_eq!(bench.renders(), 2);
    let same: Vec<bool> = (first.objects.iter().zip(second.objects.iter()))
        .map(|(one, other)| Arc::ptr_eq(&one.object, &other.object))
        .collect();
    assert_eq!(same, [true, false, true]);
    assert_eq!(second.objects[1].object["data"]["v"], "2");
    assert_eq!(second.objects[2].origin.file, "app/d.yaml");

    let mut hard = request.clone();
    hard.freshness = Freshness::Hard;
    let anew = bench.render(&hard).await.expect("objects");
    assert!(!Arc::ptr_eq(&anew.objects[0].object, &second.objects[0].object));
    assert_eq!(anew.key, second.key);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_chart_made_is_not_taken_for_what_a_directory_gives() {
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  v: \"{{ 1 }}\"\n";
    let bench = Bench::new(&[
        ("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
        ("app/templates/a.yaml", template),
    ]);
    let request = bench.request(&["app"]);
    let first = bench.render(&request).await.expect("objects");
    assert_eq!(first.objects[0].object["data"]["v"], "1");
    bench.commit(&[("app/Chart.yaml", ""), ("app/templates/a.yaml", ""), ("app/a.yaml", template)]);
    let second = bench.render(&request).await.expect("objects");
    assert_eq!(second.sources[0].source_type, "Directory");
    assert_eq!(second.objects[0].object["data"]["v"], "{{ 1 }}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_refresh_renders_whatever_is_known() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let mut request = bench.request(&["app"]);
    bench.render(&request).await.expect("objects");
    request.freshness = Freshness::Hard;
    bench.render(&request).await.expect("objects");
    assert_eq!(bench.renders(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_kept_like_an_answer_and_a_commit_that_mends_it_ends_it() {
    let bench =
        Bench::new(&[("app/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n")]);
    let request = bench.request(&["app"]);
    let failure = bench.render(&request).await.expect_err("broken");
    assert!(failure.message.starts_with(
        "failed to generate manifest for source 1 of 1: Failed to unmarshal \"a.yaml\":"
    ));
    assert!(failure.message.contains("(app/a.yaml:"), "{}", failure.message);
    assert_eq!((failure.condition, failure.remedy), ("ComparisonError", Remedy::NewCommit));
    bench.commit(&[("README.md", "x")]);
    let still = bench.render(&request).await.expect_err("broken");
    assert_eq!(still.message, failure.message);
    assert_ne!(still.revisions, failure.revisions);
    assert_eq!(bench.renders(), 1);
    bench.commit(&[("app/a.yaml", &map("a", "1"))]);
    assert_eq!(bench.render(&request).await.expect("objects").objects.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_sources_come_one_after_another_and_only_the_touched_one_is_rendered() {
    let bench = Bench::new(&[("one/a.yaml", &map("a", "1")), ("two/b.yaml", &map("b", "1"))]);
    let mut request = bench.request(&["one", "two", ""]);
    Arc::make_mut(&mut request.application).spec.sources[2].r#ref = "values".to_owned();
    let first = bench.render(&request).await.expect("objects");
    let origins: Vec<(usize, &str)> =
        first.objects.iter().map(|one| (one.origin.source, one.origin.file.as_str())).collect();
    assert_eq!(origins, [(0, "one/a.yaml"), (1, "two/b.yaml")]);
    let types: Vec<&str> = first.sources.iter().map(|one| one.source_type.as_str()).collect();
    assert_eq!(types, ["Directory", "Directory", ""]);
    assert_eq!(bench.renders(), 2);
    bench.commit(&[("two/b.yaml", &map("b", "2"))]);
    let second = bench.render(&request).await.expect("objects");
    assert_eq!(bench.renders(), 3);
    assert!(Arc::ptr_eq(&first.objects[0].object, &second.objects[0].object));
    assert_eq!(second.objects[1].object["data"]["v"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn generate_paths_keep_an_application_still() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let mut request = bench.request(&["app"]);
    Arc::make_mut(&mut request.application)
        .metadata
        .annotations
        .insert(keys::MANIFEST_GENERATE_PATHS.to_owned(), "/elsewhere".to_owned());
    let first = bench.render(&request).await.expect("objects");
    let commit = bench.commit(&[("app/a.yaml", &map("a", "2"))]);
    let second = bench.render(&request).await.expect("objects");
    assert!(Arc::ptr_eq(&first.objects, &second.objects));
    assert_eq!(second.sources[0].revision, commit);
    request.freshness = Freshness::Hard;
    assert_ne!(bench.render(&request).await.expect("objects").key, first.key);
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_for_revisions_and_sources_win() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1")), ("old/b.yaml", &map("b", "1"))]);
    let old = git(&bench.repo(), &["rev-parse", "HEAD"]);
    bench.commit(&[("app/a.yaml", &map("a", "2"))]);
    let mut request = bench.request(&["app"]);
    request.revisions = vec![old.clone()];
    let rendered = bench.render(&request).await.expect("objects");
    assert_eq!(rendered.sources[0].revision, old);
    assert_eq!(rendered.objects[0].object["data"]["v"], "1");
    let mut source = request.application.spec.source.clone().expect("a source");
    source.path = "old".to_owned();
    request.sources = vec![source];
    let rendered = bench.render(&request).await.expect("objects");
    assert_eq!(rendered.objects[0].origin.file, "old/b.yaml");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_or_not_built_is_said_before_anything_is_fetched() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let mut request = bench.request(&["app"]);
    Arc::make_mut(&mut request.project).spec.source_repos = vec!["https://elsewhere/*".to_owned()];
    let refused = bench.render(&request).await.expect_err("not permitted");
    assert_eq!(refused.condition, "InvalidSpecError");
    assert_eq!(
        refused.message,
        format!("application repo {} is not permitted in project 'default'", bench.url())
    );
    let says = async |change: &dyn Fn(&mut Application, &mut AppProject)| {
        let mut request = bench.request(&["app"]);
        change(Arc::make_mut(&mut request.application), Arc::make_mut(&mut request.project));
        let failure = bench.render(&request).await.expect_err("not built");
        assert_eq!(failure.remedy, Remedy::NewSpec);
        failure.message
    };
    let hydrator = says(&|app, _| app.spec.source_hydrator = Some(Box::default()));
    assert!(hydrator.await.contains("sourceHydrator"));
    let signed = says(&|_, project| project.spec.signature_keys = vec![Default::default()]);
    assert!(signed.await.contains("signatureKeys"));
    let none = says(&|app, _| app.spec.source = None);
    assert!(none.await.starts_with("spec.source.repoURL and either"));
    assert_eq!(bench.renders(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_around_a_projects_pattern_are_a_warning() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let mut request = bench.request(&["app"]);
    assert!(bench.render(&request).await.expect("objects").warnings.is_empty());
    Arc::make_mut(&mut request.project).spec.source_repos = vec![" * ".to_owned()];
    let rendered = bench.render(&request).await.expect("objects");
    assert!(rendered.warnings[0].1.contains("has blanks around it"), "{:?}", rendered.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn refs_are_short_names_and_name_one_source() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let mut request = bench.request(&["app", "app"]);
    for source in &mut Arc::make_mut(&mut request.application).spec.sources {
        source.r#ref = "same".to_owned();
    }
    let failure = bench.render(&request).await.expect_err("twice");
    assert_eq!(failure.message, "invalid sources: multiple sources had the same `ref` key: same");
    Arc::make_mut(&mut request.application).spec.sources[0].r#ref = "a/b".to_owned();
    let failure = bench.render(&request).await.expect_err("no name");
    assert!(failure.message.starts_with("source.ref a/b cannot contain any special characters"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_revision_names_it_and_waits_for_a_commit() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let mut request = bench.request(&["app"]);
    Arc::make_mut(&mut request.application)
        .spec
        .source
        .as_mut()
        .expect("a source")
        .target_revision = "v9".to_owned();
    let failure = bench.render(&request).await.expect_err("unknown");
    assert!(failure.message.contains("`v9` is no branch, tag"), "{}", failure.message);
    assert_eq!(failure.remedy, Remedy::NewCommit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_hears_of_a_commit() {
    let bench = Bench::new(&[("app/a.yaml", &map("a", "1"))]);
    let (send, mut heard) = tokio::sync::mpsc::unbounded_channel();
    bench.rendering.on_change(Box::new(move |change| drop(send.send(change.repo_url.clone()))));
    bench.render(&bench.request(&["app"])).await.expect("objects");
    bench.commit(&[("app/a.yaml", &map("a", "2"))]);
    let url = heard.recv().await.expect("news");
    assert_eq!(url, crd::normalize_repo_url(&bench.url()));
}
