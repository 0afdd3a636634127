//! What a comparison costs: each of the real objects of the tests, many times over; the quickest
//! time of each counts, as others may run on the machine. Prints microseconds.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use compare::{IgnoreRules, KnownTypes, Mode, Rules, compare};
use serde_json::Value;

/// How often each object is compared.
const RUNS: usize = 300;

#[expect(clippy::disallowed_methods, reason = "an example reads its cases")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tables = kubetypes::tables(kubetypes::LATEST_MINOR);
    let (ignore, known) = (IgnoreRules::default(), KnownTypes::default());
    let (mut in_sync, mut modified) = (Vec::new(), Vec::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real");
    for entry in fs::read_dir(folder)? {
        let case: Value = serde_json::from_slice(&fs::read(entry?.path())?)?;
        let (target, live) = (&case["target"], &case["live"]);
        let rules = Rules {
            schema: tables.type_of(&manifest::gvk(target)).map(|id| (&**tables.schema(), id)),
            minor: kubetypes::LATEST_MINOR,
            mode: Mode::ServerSide,
            ignore: &ignore,
            known: &known,
            manager: "argocd-controller",
            previous: &[],
            tracking_label: None,
            include_webhooks: false,
            ignore_status: true,
            ignore_aggregated_roles: false,
        };
        let mut best = Duration::MAX;
        let mut differs = false;
        for _ in 0..RUNS {
            let start = Instant::now();
            differs = black_box(compare(black_box(target), black_box(live), &rules))?.modified();
            best = best.min(start.elapsed());
        }
        if differs { &mut modified } else { &mut in_sync }.push(best);
    }
    for (what, mut took) in [("in sync", in_sync), ("modified", modified)] {
        took.sort();
        let micros = |at: usize| took[at.min(took.len() - 1)].as_secs_f64() * 1e6;
        println!(
            "a comparison, {what}, of {} objects: p50 {:.1} us, max {:.1} us",
            took.len(),
            micros(took.len() / 2),
            micros(took.len())
        );
    }
    Ok(())
}
