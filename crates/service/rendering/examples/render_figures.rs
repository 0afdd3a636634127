//! Prints what renderings cost inside of a running system: `render_figures REPOSITORY PATH…`, where the
//! paths are charts or kustomizations of a local git repository. `tests/bench-render` calls it.
//!
//! A line a chart: its path, and in microseconds of CPU time (of all threads) what it costs cold,
//! after a change of values, unchanged as a controller looks that is told of commits, and
//! unchanged where the repository is asked, too. A change is one of a leaf of the chart's own
//! `values.yaml`: a number, a text or a boolean becomes another one; the mean of some leaves
//! counts, which are the same at each run. Of kustomizations the prefix of names changes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use crd::{
    AppProject, Application, ApplicationSource, ApplicationSourceHelm, ApplicationSourceKustomize,
};
use desired::{Freshness, RenderRequest, Renderer};
use rendering::{Config, Fixed, Rendering, Seed, Snapshot};
use serde_json::{Value, json};
use settings::{RawSettings, Settings};

// What users run has this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The least of so many rounds counts.
const ROUNDS: u32 = 5;
/// So many leaves of a chart's values are changed, one at a time.
const CHANGES: usize = 6;
/// How often one is done at once that alone is too short to be measured: some ticks of the clock that
/// the kernel counts a thread's time by.
const UNCHANGED_AT_ONCE: [(Freshness, u32); 2] =
    [(Freshness::Known, 5_000), (Freshness::Latest, 500)];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let repository = arguments.next().ok_or("usage: render_figures REPOSITORY PATH…")?;
    let mirrors = tempfile::tempdir()?;
    let (settings, _) = Settings::read(&RawSettings::default(), &|_| Err("no YAML".to_owned()));
    let snapshot = Snapshot {
        control_plane_namespace: "argocd".to_owned(),
        repositories: settings::Repositories::read(&[]).0,
        rendering: settings.rendering,
        tls_certs: BTreeMap::new(),
        ssh_known_hosts: String::new(),
        seed: Seed::of("figures"),
    };
    let sources = source::Sources::new(source::Config {
        allow_file: true,
        ..source::Config::new(mirrors.path().to_owned())
    });
    let rendering = Rendering::new(Config::default(), sources, Arc::new(Fixed(Arc::new(snapshot))));
    let url = format!("file://{repository}");
    for path in arguments {
        let began = cpu_us()?;
        let place = Path::new(&repository).join(&path);
        let is_chart = place.join("Chart.yaml").exists();
        let request = |values: &str| match is_chart {
            true => request(&url, &path, of_chart(values)),
            false => request(&url, &path, of_kustomization(values)),
        };
        let base = request("{}");
        if let Err(failure) = rendering.render(base.clone()).await {
            println!("{path} fails: {}", failure.message.replace('\n', " "));
            continue;
        }
        let cold = cpu_us()? - began;
        let changes = match is_chart {
            true => changes(&path, &place.join("values.yaml"))?,
            false => (0..CHANGES).map(|number| number.to_string()).collect(),
        };
        let mut warm = Vec::new();
        for change in changes {
            let request = request(&change);
            let began = cpu_us()?;
            // Not every chart takes every change.
            if rendering.render(request).await.is_ok() {
                let took = cpu_us()? - began;
                if std::env::var_os("EACH").is_some() {
                    println!("  {took:.0} {change}");
                }
                warm.push(took);
            }
            if warm.len() == CHANGES {
                break;
            }
        }
        let warm = warm.iter().sum::<f64>() / warm.len().max(1) as f64;
        let mut unchanged = [f64::MAX; 2];
        for (least, (freshness, times)) in unchanged.iter_mut().zip(UNCHANGED_AT_ONCE) {
            let same = RenderRequest { freshness, ..base.clone() };
            rendering.render(same.clone()).await.map_err(|failure| failure.message)?;
            for _ in 0..ROUNDS {
                let began = cpu_us()?;
                for _ in 0..times {
                    rendering.render(same.clone()).await.map_err(|failure| failure.message)?;
                }
                *least = least.min((cpu_us()? - began) / f64::from(times));
            }
        }
        let [known, asked] = unchanged;
        println!("{path} {cold:.0} {warm:.0} {known:.1} {asked:.1}");
    }
    Ok(())
}

/// Values that change one leaf of a chart's own each, in an order that looks like chance: a
/// number, a text, a boolean, and so on. A chart that has none gets a key that nobody reads.
fn changes(chart: &str, values: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let values = goyaml::to_json(&std::fs::read(values).unwrap_or_default())?;
    let mut kinds: [BTreeMap<u64, String>; 3] = Default::default();
    let mut open = vec![(Vec::new(), &values)];
    while let Some((path, value)) = open.pop() {
        let (kind, changed) = match value {
            Value::Object(fields) => {
                let inside = fields
                    .iter()
                    .map(|(name, value)| ([path.as_slice(), &[name.as_str()]].concat(), value));
                open.extend(inside);
                continue;
            }
            Value::Number(number) => (0, json!(number.as_f64().unwrap_or_default() + 1.0)),
            Value::String(text) => (1, json!(format!("{text}x"))),
            Value::Bool(value) => (2, json!(!value)),
            Value::Null | Value::Array(_) => continue,
        };
        let mut order = DefaultHasher::new();
        (chart, &path).hash(&mut order);
        let change = path.iter().rev().fold(changed, |value, name| json!({*name: value}));
        kinds[kind].insert(order.finish(), change.to_string());
    }
    let mut kinds = kinds.map(BTreeMap::into_values);
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(kinds.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            break;
        }
    }
    if all.is_empty() {
        all.extend((0..CHANGES).map(|number| json!({"addedByFigures": number}).to_string()));
    }
    Ok(all)
}

fn of_chart(values: &str) -> ApplicationSource {
    ApplicationSource {
        helm: Some(Box::new(ApplicationSourceHelm {
            release_name: "rel".to_owned(),
            namespace: "ns1".to_owned(),
            kube_version: "1.33.0".to_owned(),
            api_versions: vec!["monitoring.coreos.com/v1".to_owned()],
            values: values.to_owned(),
            ..ApplicationSourceHelm::default()
        })),
        ..ApplicationSource::default()
    }
}

/// The number in `values` becomes a prefix of names.
fn of_kustomization(values: &str) -> ApplicationSource {
    let number = values.rsplit(' ').next().unwrap_or_default();
    ApplicationSource {
        kustomize: Some(Box::new(ApplicationSourceKustomize {
            name_prefix: format!("n{number}-"),
            ..ApplicationSourceKustomize::default()
        })),
        ..ApplicationSource::default()
    }
}

fn request(url: &str, path: &str, source: ApplicationSource) -> RenderRequest {
    let mut application = Application::new("argocd", "rel");
    application.spec.source =
        Some(ApplicationSource { repo_url: url.to_owned(), path: path.to_owned(), ..source });
    let mut project = AppProject::new("argocd", "default");
    project.spec.source_repos = vec!["*".to_owned()];
    RenderRequest {
        application: Arc::new(application),
        project: Arc::new(project),
        revisions: Vec::new(),
        sources: Vec::new(),
        freshness: Freshness::Latest,
        kube_version: "1.33".to_owned(),
        api_versions: Arc::new([]),
    }
}

/// CPU time of all threads so far, in microseconds.
fn cpu_us() -> Result<f64, Box<dyn std::error::Error>> {
    let mut ran_ns = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        // One that has just ended has nothing to say.
        let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        ran_ns += text.split(' ').next().unwrap_or("0").parse::<f64>()?;
    }
    Ok(ran_ns / 1e3)
}
