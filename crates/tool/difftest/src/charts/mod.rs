//! Compares our charts with the real Helm's.
//!
//! `difftest charts corpus [NAME]` renders the corpus as its goldens were made, and compares
//! objects in their order. `difftest charts changes FROM TO [NAME]` changes each chart's values
//! by seeds and asks the real Helm the same; charts whose real output is not stable are left
//! out. `difftest charts remembering FROM TO [NAME]` changes values likewise, and compares our own
//! renderings that remember earlier ones with those that do not. `difftest charts beside LIST FROM TO
//! [NAME]` does so for charts of any origin: LIST is a file with a chart's folder a line; each is
//! rendered with its own values, with each file of its `ci` folder, and once a seed with others; `difftest charts broken LIST FROM TO [NAME]` makes a slip in one of its
//! files instead. `difftest charts words SIGNATURES FROM TO` evaluates single expressions of the
//! functions that the file names as the corpus does. `difftest charts cold` renders the corpus once on two threads, and says what that took.
//! `difftest charts speed TIPHYS` compares the CPU time of both programs. The corpus is
//! found as in tests, Helm where `make kube` builds it, or where `TIPHYS_HELM` says. NAME is a
//! part of a chart's name.

mod beside;
mod broken;
mod changes;
pub mod corpus;
mod ours;
mod settings;
mod speed;
pub mod tool;
mod words;

use anyhow::{Context, Result, bail};

use self::corpus::Chart;
use self::ours::{Chosen, Setting};

/// Runs one of the comparisons.
pub fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["corpus", rest @ ..] => against_goldens(rest.first().copied().unwrap_or("")),
        ["changes", from, to, rest @ ..] => {
            let seeds =
                from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
            changes::run(seeds, rest.first().copied().unwrap_or(""))
        }
        ["beside", list, from, to, rest @ ..] => {
            let seeds =
                from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
            beside::run(list, seeds, rest.first().copied().unwrap_or(""))
        }
        ["broken", list, from, to, rest @ ..] => {
            let seeds =
                from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
            broken::run(list, seeds, rest.first().copied().unwrap_or(""))
        }
        ["words", signatures, from, to] => {
            let seeds =
                from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
            words::run(signatures, seeds)
        }
        ["remembering", from, to, rest @ ..] => {
            let seeds =
                from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
            changes::run_remembering(seeds, rest.first().copied().unwrap_or(""))
        }
        ["cold"] => cold(),
        ["speed", program, rest @ ..] => speed::run(program, rest.first().copied().unwrap_or("")),
        _ => bail!(
            "usage: difftest charts corpus [NAME] | cold | changes FROM TO [NAME] | remembering FROM TO [NAME] | beside|broken LIST FROM TO [NAME] | words SIGNATURES FROM TO | speed TIPHYS [NAME]"
        ),
    }
}

fn against_goldens(name: &str) -> Result<()> {
    let Some(corpus) = corpus::find()? else {
        println!("skipped: no corpus");
        return Ok(());
    };
    let cache = helm::Cache::default();
    let mut different = 0;
    let mut equal = 0;
    let mut slowest = Vec::new();
    let mut again_s = 0.0;
    for chart in corpus.charts.iter().filter(|chart| chart.name.contains(name)) {
        let began = speed::own_cpu_s()?;
        let ours = ours::render(&chart.place, &Setting::golden(), Chosen::Pinned, &cache);
        slowest.push((speed::own_cpu_s()? - began, chart.name.clone()));
        // Once more with other values, and everything parsed that did not change.
        let other = Setting::with("addedBySpeed: true\n".to_owned());
        let began = speed::own_cpu_s()?;
        let _ = ours::count(&chart.place, &other, Chosen::Pinned, &cache);
        again_s += speed::own_cpu_s()? - began;
        match judged(chart, ours)? {
            None => equal += 1,
            Some(difference) => {
                different += 1;
                println!("{}: {difference}", chart.name);
            }
        }
    }
    slowest.sort_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = slowest.iter().map(|(took, _)| *took).sum();
    println!("{equal} equal, {different} different, {total:.2} s of CPU time");
    for (took, name) in slowest.iter().rev().take(12) {
        println!("  {:>6.0} ms {name}", took * 1e3);
    }
    println!("{again_s:.2} s after a change of values");
    if different > 0 {
        bail!("{different} charts differ");
    }
    Ok(())
}

/// Renders everything once in this process, nothing parsed before.
fn cold() -> Result<()> {
    let Some(corpus) = corpus::find()? else {
        println!("skipped: no corpus");
        return Ok(());
    };
    let cache = helm::Cache::default();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(chart) =
                    corpus.charts.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let _ = ours::count(&chart.place, &Setting::golden(), Chosen::Pinned, &cache);
                }
            });
        }
    });
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim();
    println!(
        "{} charts: {:.2} s on the clock, {:.2} s of CPU time, peak {peak}",
        corpus.charts.len(),
        began.elapsed().as_secs_f64(),
        speed::cpu_s(11)?
    );
    Ok(())
}

/// What differs from the golden; `None` where nothing does.
fn judged(chart: &Chart, ours: Result<Vec<serde_json::Value>, String>) -> Result<Option<String>> {
    Ok(match (&chart.error, ours) {
        (Some(expected), Err(said)) => {
            let first = |text: &str| text.lines().next().unwrap_or("").to_owned();
            let expected = first(expected.trim_start_matches("Error: "));
            (first(&said) != expected)
                .then(|| format!("refuses otherwise: {said}\n  wanted {expected}"))
        }
        (Some(expected), Ok(_)) => Some(format!("renders, and should say {expected}")),
        (None, Err(said)) => Some(format!("refused: {said}")),
        (None, Ok(objects)) => {
            let golden = chart.golden.as_ref().context("a chart that renders has a golden")?;
            let golden = tool::objects(&std::fs::read(golden)?)?;
            tool::difference(&golden, &objects)
        }
    })
}

#[cfg(test)]
mod tests;
