//! The simulated cluster alone: `simkube [--dir DIR] [--clusters N] [--listen ADDR] [--controllers=false]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use simkube::{Config, SimKube};

fn config(mut arguments: impl Iterator<Item = String>) -> Result<Config, String> {
    let mut config = Config::default();
    while let Some(argument) = arguments.next() {
        let (name, given) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value =
            || given.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--dir" => config.dir = Some(PathBuf::from(value()?)),
            "--clusters" => {
                config.clusters = value()?.parse().map_err(|_| "--clusters needs a number")?
            }
            "--listen" => {
                config.listen = value()?.parse::<SocketAddr>().map_err(|error| error.to_string())?
            }
            "--controllers" => config.controllers = given.as_deref() != Some("false"),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(config)
}

#[tokio::main]
async fn main() -> ExitCode {
    let config = match config(std::env::args().skip(1)) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(1);
        }
    };
    let running = match SimKube::start(config).await {
        Ok(running) => running,
        Err(error) => {
            eprintln!("{error:?}");
            return ExitCode::from(1);
        }
    };
    println!("{}", running.url());
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("signals can be waited for");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    running.shutdown().await;
    ExitCode::SUCCESS
}
