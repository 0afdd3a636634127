//! What commands take and print.

use expect_test::expect;
use serde_json::{Value, json};

use super::cluster::Kubeconfig;
use super::colour::Colour;
use super::name::AppName;
use super::table::Table;
use super::{command_line, output, yaml};

#[test]
fn the_command_line_holds_together() {
    command_line().debug_assert();
}

/// The commands of the issue's list, by their words.
#[test]
fn every_promised_command_is_there() {
    for words in [
        "up",
        "simkube",
        "app create",
        "app list",
        "app get",
        "app set",
        "app sync",
        "app wait",
        "app diff",
        "app manifests",
        "app resources",
        "app history",
        "app rollback",
        "app delete",
        "app terminate-op",
        "app unset",
        "proj list",
        "proj get",
        "proj create",
        "cluster list",
        "cluster add",
        "repo list",
        "repo add",
        "render",
        "version",
        "completion",
    ] {
        let mut at = &command_line();
        for word in words.split(' ') {
            at = at.find_subcommand(word).unwrap_or_else(|| panic!("no `{words}`"));
        }
    }
}

fn understood(line: &str) -> Result<(), String> {
    let words = line.split_whitespace();
    command_line().try_get_matches_from(words).map(drop).map_err(|error| error.to_string())
}

#[test]
fn usual_words_of_render_are_read_as_described() {
    for (line, is_usual) in [
        ("chart", true),
        ("chart -o json", true),
        ("-o json chart --output yaml", true),
        ("chart --root . --release-name a --namespace b --kube-version 1.33", true),
        ("chart --api-versions a,b --api-versions c --values x.yaml --values y.yaml", true),
        ("chart --set a=b,c=d --set-string e=f --set g=h --set-file i=j", true),
        ("chart --skip-crds --skip-tests --skip-schema-validation", true),
        (
            "chart --helm-version 3 --random pinned --random fresh --release-name a --release-name b",
            true,
        ),
        ("chart --helm-version 2", false),
        ("chart --random never", false),
        ("chart --set -a=b", false),
        ("chart --skip-crds=false", false),
        ("chart --output=json", false),
        ("chart other", false),
        ("chart --set", false),
        ("chart --image a=b", false),
        ("chart --recurse", false),
        ("chart --server x", false),
        ("chart --repo x", false),
        ("chart -- other", false),
        ("chart --help", false),
        ("", false),
    ] {
        let words = ["tiphys", "render"].into_iter().chain(line.split_whitespace());
        let words: Vec<std::ffi::OsString> = words.map(Into::into).collect();
        let usual = super::render::Arguments::of_usual_words(&words[2..]);
        assert_eq!(usual.is_some(), is_usual, "{line}");
        if let Some(usual) = usual {
            let described = super::described_render(&words).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(format!("{usual:?}"), format!("{described:?}"), "{line}");
        }
    }
}

#[test]
fn lines_that_upstream_takes_are_taken() {
    for line in [
        "argocd app list --core --grpc-web -o name",
        "argocd --server localhost:8080 --plaintext app get web -o tree=detailed",
        "argocd app sync web --prune=false --dry-run --prune --timeout 30 --timeout 40",
        "argocd app sync -l app=web --async --retry-limit 3 --retry-backoff-duration 5s",
        "argocd app sync web --resource !apps:Deployment:web --resource :Service:web",
        "argocd app sync web --revisions 1 --source-positions 1 --revisions 2 --source-positions 2",
        "argocd app wait web --health --sync --operation --timeout 5",
        "argocd app create web --repo https://x/y.git --path a --dest-namespace b --dest-server c \
         --sync-policy automated --self-heal --auto-prune=true --upsert --validate=false -l a=b",
        "argocd app set web -p a=b --helm-set x=-1 --values values.yaml",
        "argocd app delete web -y --cascade=false --wait",
        "argocd app rollback web 3 --prune",
        "argocd app diff web --exit-code=false --refresh",
        "argocd cluster add ctx -y --name other --shard -1 --kube-context ctx",
        "argocd repo add https://x/y.git --username u --password -p --insecure-skip-server-verification",
        "argocd proj create p -d https://x,ns -s * --upsert",
        "argocd version --client --short",
        "argocd --kubeconfig FILE --kube-context NAME app list -A",
    ] {
        understood(line).unwrap_or_else(|error| panic!("`{line}`: {error}"));
    }
}

#[test]
fn what_upstream_refuses_is_refused() {
    for line in ["argocd app get", "argocd app sync --nothing-like-it", "argocd app sync --prune=x"]
    {
        understood(line).expect_err(line);
    }
}

#[test]
fn a_column_is_as_wide_as_its_widest_cell_and_two_blanks() {
    let mut table = Table::headed(&["NAME", "STATUS", "MESSAGE"]);
    table.line(["a-long-name", "Synced", ""].map(str::to_owned));
    table.line(["b", "", "two\nlines"].map(str::to_owned));
    expect![[r#"
        NAME         STATUS  MESSAGE
        a-long-name  Synced  
        b                    two lines
    "#]]
    .assert_eq(&table.print(Colour::Off));
}

#[test]
fn a_shorter_line_ends_a_column() {
    let mut table = Table::default();
    table.line(["SOURCE", "https://example.com/a-long-url"].map(str::to_owned));
    table.line(["ID", "DATE", "REVISION"].map(str::to_owned));
    table.line(["10", "today", "main"].map(str::to_owned));
    expect![[r#"
        SOURCE  https://example.com/a-long-url
        ID      DATE   REVISION
        10      today  main
    "#]]
    .assert_eq(&table.print(Colour::Off));
}

#[test]
fn colour_changes_no_width() {
    let mut table = Table::headed(&["A", "B"]);
    table.line(["Healthy", "x"].map(str::to_owned));
    expect![[r#"
        A        B
        [32mHealthy[0m  x
    "#]]
    .assert_eq(&table.print(Colour::On).replace('\u{1b}', ""));
}

#[test]
fn what_is_printed_as_yaml_reads_back() {
    let value = json!({
        "apiVersion": "v1",
        "data": {
            "block": "one\n  two\n\nthree\n",
            "kept": "a\n\n\n",
            "stripped": "a\nb",
            "indented": "  a\nb\n",
            "empty": "",
            "yes": "yes", "on": "on", "number": "012", "float": "1e3", "null": "null",
            "date": "2026-01-01", "colon": "a: b", "hash": "a #b", "quote": "it's",
            "control": "a\tb\u{7}", "wide": "straße — 中", "dash": "- x", "star": "*", "trail": "x ",
            "windows": "a\r\nb\r\n", "tilde": "~", "at": "@x", "percent": "%x", "y": "y",
        },
        "list": [1, -1.5, true, null, "x", [], {}, [1, [2, {"a": 1}]], {"a": {"b": []}, "c": 1}],
        "on": "a key",
        "0": "another",
    });
    let text = yaml::text(&value);
    let read: Value =
        goyaml::to_json(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read, value, "{text}");
}

#[test]
fn yaml_reads_as_kubectl_prints_it() {
    let value = json!({
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {"n": "1"}},
        "spec": {"ports": [{"port": 80, "name": "http"}], "script": "set -e\nrun\n"},
    });
    expect![[r#"
        kind: Service
        metadata:
          annotations:
            "n": "1"
          name: web
        spec:
          ports:
          - name: http
            port: 80
          script: |
            set -e
            run
    "#]]
    .assert_eq(&yaml::text(&value));
}

#[test]
fn a_secrets_values_are_never_shown() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s", "managedFields": [], "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"a\":\"aHVzaA==\"}}",
        }},
        "data": {"a": "aHVzaA=="}, "stringData": {"b": "hush"},
    });
    let shown = yaml::text(&output::presentable(secret));
    assert!(!shown.contains("aHVzaA==") && !shown.contains("hush"), "{shown}");
}

#[test]
fn a_name_may_say_its_namespace() {
    let parsed = |text, namespace| AppName::parse(text, namespace).to_string();
    assert_eq!(parsed("web", ""), "web");
    assert_eq!(parsed("web", "team"), "team/web");
    assert_eq!(parsed("other/web", "team"), "other/web");
}

const KUBECONFIG: &str = "
contexts:
- name: prod
  context: {cluster: c, user: u}
clusters:
- name: c
  cluster: {server: https://prod:6443, certificate-authority-data: Q0E=, tls-server-name: api}
users:
- name: u
  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
";

#[test]
fn a_context_says_how_its_cluster_is_reached() {
    let kubeconfig = Kubeconfig::of(KUBECONFIG);
    assert_eq!(kubeconfig.contexts(), [("prod".to_owned(), "https://prod:6443".to_owned())]);
    let reach = kubeconfig.reach("prod").expect("the context is there");
    assert_eq!(reach.server, "https://prod:6443");
    let config = |reach: &_| {
        super::cluster::config(&Default::default(), reach, "token").expect("it holds together")
    };
    expect![[r#"{"tlsClientConfig":{"caData":"Q0E=","certData":"Q0VSVA==","insecure":false,"keyData":"S0VZ","serverName":"api"}}"#]]
        .assert_eq(&config(&reach).to_string());
    let bare = super::cluster::Reach { cert: String::new(), ..reach };
    assert_eq!(config(&bare)["bearerToken"], "token");
    kubeconfig.reach("other").err().expect("there is no such context");
}
