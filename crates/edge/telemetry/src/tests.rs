use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing_subscriber::layer::SubscriberExt;

use crate::log::Lines;
use crate::metrics::number_text;
use crate::{
    ControllerMetrics, Health, LogFormat, LogOptions, Registry, RepoMetrics, Served, refresh_span,
    register_process, serve,
};

/// The lines that `log` leads to.
fn lines(format: LogFormat, log: impl FnOnce()) -> String {
    let out = Arc::new(Mutex::new(String::new()));
    let options = LogOptions { format, ..LogOptions::default() };
    let layer = Lines { options: Arc::new(RwLock::new(options)), out: out.clone() };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    out.lock().clone()
}

fn refresh() {
    let span = refresh_span("argocd", "web", "commit");
    let _inside = span.enter();
    let error = std::io::Error::other("no route");
    let error = &error as &(dyn std::error::Error + 'static);
    tracing::warn!(error, retry_in_s = 5, because = "own", "source not rendered");
}

#[test]
fn a_json_line_holds_message_fields_and_those_of_its_spans() {
    let line = lines(LogFormat::Json, refresh);
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["msg"], "source not rendered");
    assert_eq!(line["level"], "warning");
    assert_eq!(line["error"], "no route");
    assert_eq!(line["retry_in_s"], 5);
    assert_eq!(line["app.name"], "web");
    assert_eq!(line["app.namespace"], "argocd");
    assert_eq!(line["because"], "own", "the event's own field wins");
    assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')));
}

#[test]
fn a_text_line_quotes_what_holds_blanks() {
    let line = lines(LogFormat::Text, refresh);
    let (time, rest) = line.split_once("\" ").unwrap();
    assert!(time.starts_with("time=\"20"));
    assert_eq!(
        rest,
        "level=warning msg=\"source not rendered\" error=\"no route\" retry_in_s=5 because=own \
         app.namespace=argocd app.name=web\n"
    );
}

#[test]
fn numbers_are_written_as_go_writes_them() {
    for (number, text) in [
        (0.0, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (0.25, "0.25"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (123_456.0, "123456"),
        (1_234_567.0, "1.234567e+06"),
        (51_425_280.0, "5.142528e+07"),
        (1.7e9, "1.7e+09"),
        (1e21, "1e+21"),
        (f64::INFINITY, "+Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(number_text(number), text);
    }
}

#[test]
fn labels_that_are_known_later_are_printed_with_names_that_a_metric_may_have() {
    let registry = Registry::default();
    let gauge = registry.gauge("of_labels", "Labels.", &["name"]);
    let series = |value: &str| [(vec!["web".to_owned(), value.to_owned()], 1.0)];
    gauge.relabel(vec!["name".to_owned(), crate::label_name("example.com/the-team")], series("a"));
    let line = r#"of_labels{label_example_com_the_team="a",name="web"} 1"#;
    assert!(registry.print().contains(line), "{}", registry.print());
    gauge.relabel(vec!["name".to_owned(), crate::label_name("tier")], series("b"));
    let line = r#"of_labels{label_tier="b",name="web"} 1"#;
    assert!(registry.print().contains(line), "{}", registry.print());
}

#[test]
fn families_are_printed_sorted_and_escaped() {
    let registry = Registry::default();
    let gauge = registry.gauge("b_gauge", "A gauge.", &["name", "app"]);
    gauge.set(&["say \"hi\"\n", "x"], 2.0);
    gauge.set(&["a", "x"], 1.0);
    let counter = registry.counter("a_total", "A counter.", &[]);
    counter.inc(&[]);
    registry.counter("unused_total", "Never counted.", &["x"]);
    assert_eq!(
        registry.print(),
        "# HELP a_total A counter.\n\
         # TYPE a_total counter\n\
         a_total 1\n\
         # HELP b_gauge A gauge.\n\
         # TYPE b_gauge gauge\n\
         b_gauge{app=\"x\",name=\"a\"} 1\n\
         b_gauge{app=\"x\",name=\"say \\\"hi\\\"\\n\"} 2\n"
    );
    gauge.replace([(vec!["only".to_owned(), "y".to_owned()], 3.0)]);
    counter.reset();
    assert_eq!(
        registry.print(),
        "# HELP b_gauge A gauge.\n# TYPE b_gauge gauge\nb_gauge{app=\"y\",name=\"only\"} 3\n"
    );
}

#[test]
fn a_histogram_counts_upwards() {
    let registry = Registry::default();
    let metrics = ControllerMetrics::new(&registry);
    for seconds in [0.2, 0.25, 3.0, 100.0] {
        metrics.app_reconcile.observe(&["argocd", "https://kubernetes.default.svc"], seconds);
    }
    let text = registry.print();
    let labels = "dest_server=\"https://kubernetes.default.svc\",namespace=\"argocd\"";
    for line in [
        format!("argocd_app_reconcile_bucket{{{labels},le=\"0.25\"}} 2"),
        format!("argocd_app_reconcile_bucket{{{labels},le=\"2\"}} 2"),
        format!("argocd_app_reconcile_bucket{{{labels},le=\"16\"}} 3"),
        format!("argocd_app_reconcile_bucket{{{labels},le=\"+Inf\"}} 4"),
        format!("argocd_app_reconcile_sum{{{labels}}} 103.45"),
        format!("argocd_app_reconcile_count{{{labels}}} 4"),
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}

async fn get(port: u16, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let code = text.split(' ').nth(1).unwrap().parse().unwrap();
    (code, text.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn the_ports_answer_metrics_health_and_readiness() {
    let registry = Registry::default();
    register_process(&registry);
    let repo = RepoMetrics::new(&registry);
    repo.git_requests.inc(&["https://example.com/x.git", "fetch"]);
    let health = Health::default();
    let served = Served { metrics: Some(registry), health: Some(health.clone()) };
    let server = serve("127.0.0.1:0".parse().unwrap(), served).await.unwrap();
    let port = server.address().port();
    assert_ne!(port, 0);
    let (code, text) = get(port, "/metrics").await;
    assert_eq!(code, 200);
    for name in [
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_start_time_seconds ",
        "process_open_fds ",
        "argocd_git_request_total{repo=\"https://example.com/x.git\",request_type=\"fetch\"} 1",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}\n{text}");
    }
    assert_eq!(get(port, "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get(port, "/readyz").await.0, 503);
    health.set_ready(true);
    assert_eq!(get(port, "/readyz").await.0, 200);
    health.set_ill(Some("the clock stands still".to_owned()));
    assert_eq!(get(port, "/healthz").await, (503, "the clock stands still\n".to_owned()));
    assert_eq!(get(port, "/nothing").await.0, 404);
}
