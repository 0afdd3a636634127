//! Making a differing scenario as small as it goes while the same sort of difference stays.

use anyhow::Result;
use serde_json::Value;

use super::{Both, Difference};

/// How often a scenario is played again.
const TRIES_MAX: usize = 70;

/// Shrinks a scenario: steps first, then what is sent in the last one.
pub fn shrink(
    both: &Both,
    scenario: Vec<Value>,
    difference: Difference,
) -> Result<(Vec<Value>, Difference)> {
    let mut best = (scenario, difference);
    if best.1.at < best.0.len() {
        best.0.truncate(best.1.at + 1);
    }
    let mut tries = 0;
    let mut at = best.0.len().saturating_sub(1);
    while at > 1 && tries < TRIES_MAX {
        at -= 1;
        let mut fewer = best.0.clone();
        fewer.remove(at);
        tries += 1;
        keep_if_same(both, fewer, &mut best)?;
    }
    for step in (0..best.0.len()).rev() {
        let mut pointers = Vec::new();
        if best.0[step]["b"].is_object() {
            removable(&best.0[step]["b"], "/b", &mut pointers);
        }
        for pointer in pointers {
            if tries >= TRIES_MAX {
                return Ok(best);
            }
            let mut smaller = best.0.clone();
            if smaller[step].pointer(&pointer).is_none() {
                continue;
            }
            super::play::set(&mut smaller[step], &pointer, None);
            tries += 1;
            keep_if_same(both, smaller, &mut best)?;
        }
    }
    Ok(best)
}

fn keep_if_same(
    both: &Both,
    scenario: Vec<Value>,
    best: &mut (Vec<Value>, Difference),
) -> Result<()> {
    if let Some(difference) = both.difference(&scenario)?
        && difference.sort == best.1.sort
    {
        *best = (scenario, difference);
    }
    Ok(())
}

/// What can be taken away, the outermost first.
fn removable(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, item) in fields {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                out.push(at.clone());
                removable(item, &at, out);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().rev() {
                let at = format!("{at}/{index}");
                out.push(at.clone());
                removable(item, &at, out);
            }
        }
        _ => {}
    }
}
