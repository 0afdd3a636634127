//! Whether `compare` finds what was applied to a real server in sync, and sees changes.
//!
//! Reads JSON lines from standard input: `{"target", "live", "modified"}`, the live object as
//! a real API server gave it after the target was applied, or after it was then changed.

use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use compare::{Evidence, IgnoreRules, KnownTypes, Mode, Rules, compare, differences};
use manifest::gvk;
use serde_json::Value;

pub fn run(minor: u32) -> Result<()> {
    let tables = kubetypes::tables(minor);
    let schema: &Arc<merge::schema::Schema> = tables.schema();
    let ignore = IgnoreRules::default();
    let known = KnownTypes::default();
    let (mut count, mut wrong, mut uncertain) = (0, 0, 0);
    let mut took: Vec<Duration> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let (target, live) = (&case["target"], &case["live"]);
        let rules = Rules {
            schema: tables.type_of(&gvk(target)).map(|type_id| (&**schema, type_id)),
            minor,
            mode: if case["client"] == true { Mode::ClientSide } else { Mode::ServerSide },
            ignore: &ignore,
            known: &known,
            manager: "argocd-controller",
            previous: &[],
            tracking_label: None,
            include_webhooks: false,
            ignore_status: true,
            ignore_aggregated_roles: false,
        };
        count += 1;
        let start = Instant::now();
        let answer = compare(target, live, &rules);
        took.push(start.elapsed());
        let name = format!(
            "{}/{} {}",
            manifest::kind(target),
            manifest::name(target),
            case["why"].as_str().unwrap_or_default()
        );
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                wrong += 1;
                println!("{name}: {error}");
                continue;
            }
        };
        uncertain += usize::from(!answer.certain);
        if answer.modified() != (case["modified"] == true) && answer.certain {
            wrong += 1;
            println!("{name}: modified {}, expected {}", answer.modified(), case["modified"]);
            if let Some(sides) = &answer.difference {
                let evidence = Evidence { target, live, applied: None };
                for field in differences(sides, evidence, &rules) {
                    let text = |value: &Option<Value>| match value {
                        Some(value) => value.to_string().chars().take(200).collect(),
                        None => "(none)".to_owned(),
                    };
                    println!(
                        "   {} desired {} live {} {:?}",
                        field.path,
                        text(&field.desired),
                        text(&field.live),
                        field.owners
                    );
                }
            }
        }
    }
    took.sort();
    let at = |share: f64| {
        took.get((took.len() as f64 * share) as usize).map_or(0.0, |d| d.as_secs_f64() * 1e6)
    };
    println!(
        "{count} objects, {wrong} wrong, {uncertain} uncertain; p50 {:.0} us, p90 {:.0} us",
        at(0.5),
        at(0.9)
    );
    if wrong > 0 {
        bail!("{wrong} comparisons are wrong");
    }
    Ok(())
}
