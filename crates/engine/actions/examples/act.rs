//! Lists and runs actions: one JSON line in, one out.
//!
//! `{"object": …}` is answered with `{"actions": […]}`; with an `"action"`, and perhaps its
//! `"parameters"`, with `{"outcomes": […]}`; what is refused with `{"error": …}`. With `"written"`
//! beside the object, users' actions as settings hold them, those are asked in place of the
//! built-in ones: `cargo run -p actions --example act < calls.jsonl`.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Write};

use actions::{ActionError, Call, Custom};
use jiff::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::constant(1_795_287_605, 0);

fn main() -> std::io::Result<()> {
    let mut read: HashMap<String, Custom> = HashMap::new();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let written = asked["written"].as_str().unwrap_or_default();
        let kind = group_kind(&asked["object"]);
        let custom = read
            .entry(format!("{kind} {written}"))
            .or_insert_with(|| Custom::read([(kind.as_str(), written, true)]));
        let said =
            answer(custom, &asked).unwrap_or_else(|error| json!({"error": error.to_string()}));
        writeln!(out, "{said}")?;
    }
    out.flush()
}

fn answer(custom: &Custom, asked: &Value) -> Result<Value, ActionError> {
    let object = &asked["object"];
    let Some(action) = asked["action"].as_str() else {
        return Ok(json!({"actions": custom.list(object, NOW, None)?}));
    };
    let told = asked["parameters"].as_object().into_iter().flatten();
    let parameters: BTreeMap<String, String> =
        told.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect();
    let call = Call { action, parameters: &parameters, now: NOW };
    Ok(json!({"outcomes": custom.run(object, &call, None)?}))
}

fn group_kind(object: &Value) -> String {
    let gvk = manifest::gvk(object);
    if gvk.group.is_empty() { gvk.kind } else { format!("{}/{}", gvk.group, gvk.kind) }
}
