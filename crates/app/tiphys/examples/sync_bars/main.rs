//! What a sync is held to, measured on the built program and the simulated cluster:
//! `sync_bars waves`, `sync_bars verdict`, `sync_bars kills [KILLS [SEED]]`.
//!
//! The simulated cluster is a process of its own, which survives whatever happens to the
//! controller. Each prints one line a figure, and ends with 1 where a bar is missed.

mod kills;
mod stage;
mod verdict;
mod waves;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| {
        arguments.get(at).map_or(default, |text| text.parse().expect("a number"))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let held = match arguments.first().map(String::as_str) {
        Some("waves") => runtime.block_on(waves::measure()),
        Some("verdict") => runtime.block_on(verdict::measure()),
        Some("kills") => runtime.block_on(kills::measure(number(1, 500), number(2, 1))),
        _ => {
            eprintln!("usage: sync_bars waves | verdict | kills [KILLS [SEED]]");
            return ExitCode::from(2);
        }
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
