//! Playing the same steps to a server, and making what it said comparable.
//!
//! A step is `{"m": method, "p": path, "h": headers, "b": body}`; `"watch": true` opens a watch
//! whose events are an answer of their own at the end. `${ns}` is the scenario's own namespace;
//! `${rv:KEY}` and `${uid:KEY}` stand for what the server said last of the object that the step
//! with `"k": KEY` was about. A body `{"$live": KEY, "edit": [[pointer, value], [pointer]]}` is
//! that object as it was told last, with values set and removed. A body that is a string is sent as it is.

use std::collections::HashMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::normal::Normal;
use super::server::{Answer, Server};

/// Plays a scenario in a namespace of its own; answers one comparable value a step, then one a watch.
pub fn play(server: &Server, namespace: &str, steps: &[Value]) -> Result<Vec<Value>> {
    let mut playing = Playing::new(namespace);
    let mut answers = Vec::new();
    let mut watches = Vec::new();
    for step in steps {
        let sent = playing.resolve(step);
        let (method, path) = (text(&sent, "m"), text(&sent, "p"));
        if step["watch"] == true {
            let watch = server.watch(path)?;
            answers.push(json!({"code": watch.code}));
            watches.push(watch);
            continue;
        }
        let answer = server.ask(method, path, &sent["h"], &sent["b"])?;
        answers.push(playing.hear(step, answer));
    }
    for watch in &watches {
        answers.push(playing.normal.events(watch.all()));
    }
    Ok(answers)
}

fn text<'a>(step: &'a Value, name: &str) -> &'a str {
    step[name].as_str().unwrap_or_default()
}

/// What is known in the midst of a scenario.
pub struct Playing {
    namespace: String,
    live: HashMap<String, Value>,
    /// What makes answers comparable.
    pub normal: Normal,
    generated: usize,
}

impl Playing {
    /// Begins a scenario.
    pub fn new(namespace: &str) -> Playing {
        let mut normal = Normal::new(namespace);
        normal.call(&address_of(namespace), "OWN-ADDRESS");
        Playing { namespace: namespace.to_owned(), live: HashMap::new(), normal, generated: 0 }
    }

    /// Returns a step with everything filled in.
    pub fn resolve(&self, step: &Value) -> Value {
        let mut sent = step.clone();
        if let Some(key) = step["b"]["$live"].as_str() {
            let mut body = self.live.get(key).cloned().unwrap_or_else(|| json!({}));
            for edit in step["b"]["edit"].as_array().into_iter().flatten() {
                let pointer = edit[0].as_str().unwrap_or_default();
                set(&mut body, pointer, edit.get(1).cloned());
            }
            sent["b"] = body;
        }
        self.fill(&mut sent);
        sent
    }

    fn fill(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.contains("${") => *text = self.filled(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Value::Object(fields) => {
                if fields.keys().any(|name| name.contains("${")) {
                    let old = std::mem::take(fields);
                    fields.extend(old.into_iter().map(|(name, item)| (self.filled(&name), item)));
                }
                fields.values_mut().for_each(|item| self.fill(item));
            }
            _ => {}
        }
    }

    fn filled(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { return out + "${" + after };
            out.push_str(&self.variable(name));
            rest = after;
        }
        out + rest
    }

    fn variable(&self, name: &str) -> String {
        let of = |key: &str, field: &str| {
            let live = self.live.get(key).unwrap_or(&Value::Null);
            live["metadata"][field].as_str().unwrap_or("0").to_owned()
        };
        match name.split_once(':') {
            None if name == "ip" => address_of(&self.namespace),
            None => self.namespace.clone(),
            Some(("rv", key)) => of(key, "resourceVersion"),
            Some(("continue", key)) => of(key, "continue"),
            Some((_, key)) => of(key, "uid"),
        }
    }

    /// Notes what the server said, and makes it comparable.
    pub fn hear(&mut self, step: &Value, answer: Answer) -> Value {
        if let Some(key) = step["k"].as_str()
            && answer.code < 300
            && answer.body["metadata"].is_object()
            && answer.body["kind"] != "Status"
            // What an owner that is not there would own is only tried.
            && !(text(step, "p").contains("dryRun")
                && answer.body["metadata"]["ownerReferences"].is_array())
        {
            self.live.insert(key.to_owned(), answer.body.clone());
        }
        let sent = &step["b"]["metadata"];
        if step["m"] == "POST"
            && sent["generateName"].is_string()
            && !sent["name"].is_string()
            && let Some(name) = answer.body["metadata"]["name"].as_str()
        {
            self.normal.call(name, &format!("generated-{}", self.generated));
            self.generated += 1;
        }
        if let Some(prefix) = sent["generateName"].as_str() {
            self.normal.completes(prefix);
        }
        self.normal.answer(answer)
    }
}

/// An address of the scenario's own: addresses are names that stand in no namespace.
fn address_of(namespace: &str) -> String {
    let number = namespace.split('-').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    format!("192.{}.{}.{}", 100 + number / 62_500 % 100, number / 250 % 250, 1 + number % 250)
}

/// Sets or removes what stands at a JSON pointer; objects on the way are made.
pub fn set(at: &mut Value, pointer: &str, value: Option<Value>) {
    let Some(pointer) = pointer.strip_prefix('/') else {
        *at = value.unwrap_or(Value::Null);
        return;
    };
    let (name, rest) = match pointer.find('/') {
        Some(end) => (&pointer[..end], &pointer[end..]),
        None => (pointer, ""),
    };
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Value::Array(items) = at {
        let Ok(index) = name.parse::<usize>() else { return };
        match (rest, value) {
            ("", None) if index < items.len() => drop(items.remove(index)),
            ("", Some(value)) if index >= items.len() => items.push(value),
            (_, value) if index < items.len() => set(&mut items[index], rest, value),
            _ => {}
        }
        return;
    }
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    match (rest, value) {
        ("", None) => drop(at.as_object_mut().and_then(|fields| fields.remove(&name))),
        (_, value) => set(&mut at[&name], rest, value),
    }
}
