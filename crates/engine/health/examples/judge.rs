//! Judges objects: one JSON line `{"object": …}` in, one `{"status", "message", "failed"}` out.
//!
//! With a `"rule"` beside the object, a script in Lua, the script judges it in place of the
//! built-in rules: `cargo run -p health --example judge < objects.jsonl`.

use std::collections::HashMap;
use std::io::{BufRead, Write};

use health::{Rules, UserScripts, assess};
use jiff::Timestamp;
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut compiled: HashMap<String, UserScripts> = HashMap::new();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let judged = match asked["rule"].as_str() {
            None => assess(&asked["object"], &Rules::default()),
            Some(source) => {
                let scripts = compiled.entry(source.to_owned()).or_insert_with(|| {
                    UserScripts::compile([("*/*", source, true), ("*", source, true)])
                });
                let user = |object: &Value| scripts.judge(object, Timestamp::UNIX_EPOCH, None);
                assess(&asked["object"], &Rules { user: Some(&user) })
            }
        };
        let said = judged.map_or(Value::Null, |health| {
            json!({"status": health.status.as_str(), "message": health.message,
                "failed": health.rule_failed})
        });
        writeln!(out, "{said}")?;
    }
    out.flush()
}
