//! CPU time of both programs, as users pay it: process start included.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::corpus;
use super::ours::Setting;
use super::tool::{ARGUMENTS, Tool};

/// Runs both programs over the charts whose real output is stable.
pub fn run(tiphys: &str, name: &str) -> Result<()> {
    let (Some(corpus), Some(tool)) = (corpus::find()?, Tool::find()) else {
        println!("skipped: no corpus, or no helm");
        return Ok(());
    };
    let mut sums = (0.0, 0.0);
    let mut count = 0;
    for chart in corpus.charts.iter().filter(|chart| chart.name.contains(name)) {
        let plain = Setting::default();
        let stable = tool.template(&chart.place, &plain)? == tool.template(&chart.place, &plain)?;
        if chart.error.is_some() || !stable {
            continue;
        }
        let mut helm = Command::new(&tool.program);
        helm.args(ARGUMENTS).arg(&chart.place);
        let mut ours = Command::new(tiphys);
        ours.arg("render").arg(&chart.place).args([
            "--release-name",
            "rel",
            "--namespace",
            "ns1",
            "--kube-version",
            "1.33.0",
            "--api-versions",
            "monitoring.coreos.com/v1",
            "-o",
            "yaml",
        ]);
        let (theirs, ours) = (median(&mut helm)?, median(&mut ours)?);
        sums = (sums.0 + theirs, sums.1 + ours);
        count += 1;
        println!(
            "{:7.1} ms {:6.1} ms {:5.1}x {}",
            theirs * 1e3,
            ours * 1e3,
            theirs / ours,
            chart.name
        );
    }
    println!("{count} charts: helm {:.2} s, ours {:.2} s, {:.1}x", sums.0, sums.1, sums.0 / sums.1);
    Ok(())
}

/// CPU seconds of a program, the median of five runs.
fn median(command: &mut Command) -> Result<f64> {
    let mut took = Vec::new();
    for _ in 0..5 {
        let before = children_cpu_s()?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if !command.status().context("the program does not start")?.success() {
            bail!("{command:?} fails");
        }
        took.push(children_cpu_s()? - before);
    }
    took.sort_by(f64::total_cmp);
    Ok(took[2])
}

/// CPU time of all children that have ended, as the kernel counts it.
fn children_cpu_s() -> Result<f64> {
    cpu_s(13)
}

/// CPU time of this process so far.
pub fn own_cpu_s() -> Result<f64> {
    // In nanoseconds, where the other file counts hundredths.
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let ran = text.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    Ok(ran.context("the kernel says it otherwise")? / 1e9)
}

/// Two fields of the kernel's line about this process, counted from behind the name.
pub fn cpu_s(first: usize) -> Result<f64> {
    let stat = std::fs::read_to_string(Path::new("/proc/self/stat"))?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    let (user, system) =
        ticks(first).zip(ticks(first + 1)).context("the kernel says it otherwise")?;
    Ok((user + system) / 100.0)
}
