//! Compares `merge` with upstream's own code, over random inputs from seeds.
//!
//! `difftest managed|patches ORACLE OPENAPI_DIR FROM TO`: ORACLE is a program that answers the requests of
//! `managed.rs` and `patches.rs` with upstream's code, a JSON line each; OPENAPI_DIR holds
//! the published OpenAPI v3 documents. Exits 1 when anything differs.
//! `difftest bench OPENAPI_DIR` prints what an apply costs. `difftest predicted` holds the local
//! prediction of an apply to a real server's dry run, see `predicted`. `difftest live` and `difftest record` ask a real API
//! server and the simulated one the same, see `live`. `difftest kustomizations` compares builds with the
//! real kustomize, see `kustomizations`; `difftest charts` renders charts beside the real Helm, see
//! `charts`.

mod bench;
mod charts;
mod kustomizations;
mod live;
mod managed;
#[path = "../../../engine/merge/tests/support/openapi.rs"]
mod openapi;
mod oracle;
mod patches;
mod predicted;
mod random;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((what, rest)) if what == "charts" => return charts::run(rest),
        Some((what, rest)) if what == "kustomizations" => return kustomizations::run(rest),
        Some((what, rest)) if what == "live" => return live::run(rest),
        Some((what, rest)) if what == "predicted" => return predicted::run(rest),
        Some((what, rest)) if what == "record" => return live::record(rest),
        Some((what, rest)) if what == "keep" => return live::keep(rest),
        Some((what, rest)) if what == "replay" => return live::replay(rest),
        Some((what, rest)) if what == "kubectl" => return live::kubectl(rest),
        _ => {}
    }
    if let [what, openapi_dir] = arguments.as_slice()
        && what == "bench"
    {
        return bench::run(openapi_dir);
    }
    let [what, program, openapi_dir, from, to] = arguments.as_slice() else {
        bail!("usage: difftest managed|patches ORACLE OPENAPI_DIR FROM TO");
    };
    let seeds = from.parse().context("FROM is a number")?..to.parse().context("TO is a number")?;
    let scratch = std::env::temp_dir().join("difftest");
    std::fs::create_dir_all(&scratch)?;
    let scratch = scratch.to_str().context("the temporary directory has a name in UTF-8")?;
    let mut oracle = oracle::Oracle::start(program)?;
    let score = match what.as_str() {
        "managed" => managed::run(&mut oracle, openapi_dir, scratch, seeds)?,
        "patches" => patches::run(&mut oracle, openapi_dir, seeds)?,
        _ => bail!("`{what}` is not known"),
    };
    println!(
        "{} steps: {} done, {} conflicts, {} refused, {} different",
        score.steps, score.applied, score.conflicts, score.refused, score.different
    );
    if score.different > 0 {
        bail!("{} answers differ", score.different);
    }
    Ok(())
}
