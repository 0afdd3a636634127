//! Random clients against a real API server and the simulated one, side by side.
//!
//! `difftest live TASTE FROM TO [--kind KIND] [--real URL] [--keep DIR]`: the scenarios of these
//! seeds are played to both; a difference is shrunk and printed, and kept under DIR as a file.
//! Without `--real` a real server is started with `kubetest`. `difftest record FILE TASTE FROM TO …` keeps
//! scenarios with what the real server answered, for machines without it; `difftest keep FILE CASE…` adds
//! single ones; `difftest replay FILE…` plays
//! kept ones to both again, and shows what both say where `SHOW` is set.

mod catalog;
mod compare;
mod generate;
mod kubectl;
mod mutate;
mod normal;
mod play;
mod requests;
mod server;
mod shrink;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use kubetest::{Parts, RealCluster};
use serde_json::{Value, json};

use self::catalog::Catalog;
use self::generate::Taste;
pub use self::server::Server;

/// How often a scenario is played to the real server again where the simulated one answered otherwise.
const PLAYED_AGAIN: usize = 8;

/// How many scenarios of one sort of difference are printed.
const SHOWN_MAX: usize = 1;

/// What was asked for on the command line.
struct Wanted {
    taste: Taste,
    seeds: std::ops::Range<u64>,
    kind: Option<String>,
    real: Option<String>,
    keep: Option<PathBuf>,
}

/// Runs `difftest live`.
pub fn run(arguments: &[String]) -> Result<()> {
    let wanted = parse(arguments)?;
    let catalog = match wanted.taste {
        Taste::Wide => Catalog::wide()?,
        _ => Catalog::read()?,
    };
    let both = Both::start(wanted.real.as_deref(), &catalog)?;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let (mut steps, mut scenarios) = (0, 0);
    for seed in wanted.seeds.clone() {
        let scenario = generate::scenario(&catalog, seed, wanted.taste, wanted.kind.as_deref());
        scenarios += 1;
        steps += scenario.len();
        let Some(difference) = both.difference(&scenario)? else { continue };
        let count = found.entry(difference.sort.clone()).or_default();
        *count += 1;
        if *count > SHOWN_MAX {
            continue;
        }
        let (scenario, difference) = shrink::shrink(&both, scenario, difference)?;
        println!("== seed {seed}: {}", difference.sort);
        for step in scenario.iter().skip(1) {
            println!("   {step}");
        }
        let told = difference.lines.iter().filter(|line| !line.starts_with(".body.metadata"));
        for line in told.take(4) {
            println!("      {line}");
        }
        if difference.lines.iter().all(|line| line.starts_with(".body.metadata")) {
            println!("      {}", difference.lines.join("\n      "));
        }
        if let Some(dir) = &wanted.keep {
            std::fs::create_dir_all(dir)?;
            let text = serde_json::to_string(&json!({"steps": scenario}))?;
            std::fs::write(dir.join(format!("seed-{seed}.json")), text)?;
        }
    }
    let chances = both.chances.load(Ordering::Relaxed);
    println!("{chances} answers that the real server gives now this way and now that");
    println!("{scenarios} scenarios, {steps} steps, {} sorts of differences:", found.len());
    let mut sorts: Vec<_> = found.into_iter().collect();
    sorts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (sort, count) in &sorts {
        println!("{count:5} {sort}");
    }
    if !sorts.is_empty() {
        bail!("answers differ");
    }
    Ok(())
}

/// Runs `difftest record`: keeps scenarios in a file, with what the real server answered.
pub fn record(arguments: &[String]) -> Result<()> {
    let (file, arguments) = arguments.split_first().context("no FILE")?;
    let wanted = parse(arguments)?;
    let catalog = Catalog::read()?;
    let both = Both::start(wanted.real.as_deref(), &catalog)?;
    let mut cases = Vec::new();
    for seed in wanted.seeds.clone() {
        let steps = generate::scenario(&catalog, seed, wanted.taste, wanted.kind.as_deref());
        let namespace = both.namespace();
        let real = play::play(&both.real, &namespace, &steps)?;
        let here = play::play(&both.here, &namespace, &steps)?;
        // What is known to differ is no case to hold.
        if real == here {
            cases.push(json!({"seed": seed, "steps": steps, "real": real}));
        }
    }
    println!("{} cases", cases.len());
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    std::fs::write(file, lines.join("\n") + "\n")?;
    Ok(())
}

/// Runs `difftest keep FILE CASE…`: adds scenarios that `--keep` left to those of a file, with what the real
/// server answers, where the simulated one answers the same.
pub fn keep(arguments: &[String]) -> Result<()> {
    let (file, cases) = arguments.split_first().context("no FILE")?;
    let both = Both::start(None, &Catalog::read()?)?;
    let mut kept = std::fs::read_to_string(file).unwrap_or_default();
    for case in cases {
        let read: Value = serde_json::from_slice(&std::fs::read(case)?)?;
        let steps = read["steps"].as_array().context("a case has steps")?;
        let namespace = both.namespace();
        let real = play::play(&both.real, &namespace, steps)?;
        if real != play::play(&both.here, &namespace, steps)? {
            println!("{case}: differs, not kept");
            continue;
        }
        let name = Path::new(case).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = name.trim_start_matches("seed-");
        kept += &format!("{}\n", json!({"seed": name, "steps": steps, "real": real}));
    }
    std::fs::write(file, kept)?;
    Ok(())
}

/// Runs `difftest kubectl [FILE]`: a session of kubectl, that of the file where one is named,
/// against a whole real cluster and a simulated one.
pub fn kubectl(arguments: &[String]) -> Result<()> {
    let sessions = match arguments {
        [] => kubectl::SESSIONS.map(str::to_owned).to_vec(),
        [file, ..] => vec![std::fs::read_to_string(file).with_context(|| file.clone())?],
    };
    let Some(real) = RealCluster::start(Parts::Whole)? else { return Ok(()) };
    let mut found = Vec::new();
    for session in &sessions {
        found.extend(kubectl_differences(&real, session)?);
    }
    for difference in &found {
        println!("{difference}\n");
    }
    println!("{} commands print different things", found.len());
    Ok(())
}

/// Starts a simulated cluster beside a real one, and runs the session on both.
fn kubectl_differences(real: &RealCluster, session: &str) -> Result<Vec<String>> {
    let program = kubetest::program("kubectl").context("no kubectl")?;
    let dir = tempfile::tempdir()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let config = simkube::Config {
        dir: Some(dir.path().join("simulated")),
        durable: false,
        ..simkube::Config::default()
    };
    let simulated = runtime.block_on(simkube::SimKube::start(config))?;
    let (real_config, here_config) = (real.kubeconfig(), dir.path().join("simulated/kubeconfig"));
    let homes = [dir.path().join("a"), dir.path().join("b")];
    for home in &homes {
        std::fs::create_dir_all(home)?;
    }
    let of = |kubeconfig, home| kubectl::Kubectl { program: &program, kubeconfig, home };
    let (real, here) = (of(&real_config, &homes[0]), of(&here_config, &homes[1]));
    let found = kubectl::differences(&real, &here, session);
    runtime.block_on(simulated.shutdown());
    found
}

/// Runs `difftest replay`: plays the scenarios of files again and shows what differs.
pub fn replay(arguments: &[String]) -> Result<()> {
    let (real, files) = match arguments {
        [flag, url, files @ ..] if flag == "--real" => (Some(url.as_str()), files),
        files => (None, files),
    };
    let catalog = Catalog::wide()?;
    let both = Both::start(real, &catalog)?;
    for file in files {
        let case: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let steps = case["steps"].as_array().context("a case has steps")?;
        if std::env::var_os("SHOW").is_some() {
            for answer in play::play(&both.real, &both.namespace(), steps)? {
                println!("   {answer}");
            }
            for answer in play::play(&both.here, &both.namespace(), steps)? {
                println!("   here {answer}");
            }
        }
        let difference = both.difference(steps)?;
        println!("{file}: {}", if difference.is_some() { "differs" } else { "the same" });
        for line in difference.iter().flat_map(|difference| &difference.lines) {
            println!("   {line}");
        }
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Wanted> {
    let [taste, from, to, rest @ ..] = arguments else {
        bail!(
            "usage: difftest live mixed|apply|wrong|read|requests|wide FROM TO [--kind KIND] [--real URL] [--keep DIR]"
        );
    };
    let taste = Taste::named(taste).with_context(|| format!("no taste is called `{taste}`"))?;
    let seeds = from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
    let mut wanted = Wanted { taste, seeds, kind: None, real: None, keep: None };
    for pair in rest.chunks(2) {
        let [flag, value] = pair else { bail!("`{}` needs a value", pair[0]) };
        match flag.as_str() {
            "--kind" => wanted.kind = Some(value.clone()),
            "--real" => wanted.real = Some(value.clone()),
            "--keep" => wanted.keep = Some(value.into()),
            other => bail!("`{other}` is not known"),
        }
    }
    Ok(wanted)
}

/// The two servers.
pub struct Both {
    /// The truth.
    pub real: Server,
    /// What is held to it.
    pub here: Server,
    run: String,
    scenarios: AtomicUsize,
    chances: AtomicUsize,
    _cluster: Option<RealCluster>,
    _simulated: simkube::Running,
    _runtime: tokio::runtime::Runtime,
}

/// How the answers to a scenario differ.
pub struct Difference {
    /// The number of the step, or of the watch after all steps.
    pub at: usize,
    /// What sort of difference it is.
    pub sort: String,
    /// Where, one line a place.
    pub lines: Vec<String>,
}

impl Both {
    /// Starts what is not running, and makes the definitions of the custom kinds in both.
    pub fn start(real: Option<&str>, catalog: &Catalog) -> Result<Both> {
        // Another crate may have been first; either is fine.
        let _first = rustls::crypto::ring::default_provider().install_default();
        let (cluster, url, token) = match real {
            Some(url) => (None, url.to_owned(), "t0ken"),
            None => {
                let cluster = RealCluster::start(Parts::ApiServer)?.context("no kube programs")?;
                let (url, token) = (cluster.url(), cluster.token());
                (Some(cluster), url, token)
            }
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let config = simkube::Config { controllers: false, ..simkube::Config::default() };
        let simulated = runtime.block_on(simkube::SimKube::start(config))?;
        let both = Both {
            real: Server::new(&url, token)?,
            here: Server::new(simulated.url(), simulated.token())?,
            run: std::process::id().to_string(),
            scenarios: AtomicUsize::new(0),
            chances: AtomicUsize::new(0),
            _cluster: cluster,
            _simulated: simulated,
            _runtime: runtime,
        };
        define(&both.real, catalog)?;
        define(&both.here, catalog)?;
        Ok(both)
    }

    /// A namespace that no scenario has used.
    pub fn namespace(&self) -> String {
        let number = self.scenarios.fetch_add(1, Ordering::Relaxed);
        format!("q{}-{number}-q", self.run)
    }

    /// Plays a scenario to both; answers in what the first differing answer differs.
    pub fn difference(&self, scenario: &[Value]) -> Result<Option<Difference>> {
        let namespace = self.namespace();
        let real = play::play(&self.real, &namespace, scenario)?;
        let here = play::play(&self.here, &namespace, scenario)?;
        let mut again = None;
        for (at, (real, here)) in real.iter().zip(&here).enumerate() {
            if real["code"] == server::BROKEN_OFF {
                return Ok(None);
            }
            let lines = compare::differences(real, here);
            if lines.is_empty() {
                continue;
            }
            if again.is_none() {
                again = Some(self.real_again(scenario)?);
            }
            let mut told = again.iter().flatten();
            if told.any(|answers| answers.get(at) == Some(here))
                || self.agree_again(scenario, at)?
            {
                self.chances.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let sort = compare::sort_of(&lines);
            return Ok(Some(Difference { at, sort, lines }));
        }
        Ok(None)
    }

    /// Whether both say the same at a step when they are asked once more, both times: then a second ended
    /// between two steps for one of them alone.
    fn agree_again(&self, scenario: &[Value], at: usize) -> Result<bool> {
        for _ in 0..2 {
            let namespace = self.namespace();
            let real = play::play(&self.real, &namespace, scenario)?;
            let here = play::play(&self.here, &namespace, scenario)?;
            if real.get(at) != here.get(at) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the real server says of a scenario when it is asked again and again: it walks Go's maps at random,
    /// and any of its answers is right.
    fn real_again(&self, scenario: &[Value]) -> Result<Vec<Vec<Value>>> {
        (0..PLAYED_AGAIN).map(|_| play::play(&self.real, &self.namespace(), scenario)).collect()
    }
}

/// Makes the definitions of the custom kinds, and waits until they are served.
fn define(server: &Server, catalog: &Catalog) -> Result<()> {
    let at = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for definition in &catalog.definitions {
        let made = server.ask("POST", at, &json!({}), definition)?;
        if !matches!(made.code, 201 | 409) {
            bail!("a definition was refused: {}", made.body);
        }
    }
    for definition in &catalog.definitions {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let served = spec["versions"].as_array().into_iter().flatten();
        for version in served.filter(|version| version["served"] == true) {
            let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
            wait_until_served(
                server,
                &format!("/apis/{group}/{}/{plural}", text(&version["name"])),
            )?;
        }
    }
    Ok(())
}

fn wait_until_served(server: &Server, path: &str) -> Result<()> {
    for _ in 0..200 {
        if server.ask("GET", path, &json!({}), &Value::Null)?.code == 200 {
            return Ok(());
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    bail!("{path} is not served")
}
