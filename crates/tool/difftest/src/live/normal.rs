//! Making answers of two servers comparable: what `ALLOWED_DIFFERENCES.md` names, and nothing else.
//!
//! Uids and resource versions become numbers in the order of their appearance, today's times one
//! word; names that the server made up are those of the step that asked for them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::server::Answer;

/// How many signs of a prefix the server completes.
const PREFIX_MAX: usize = 58;

/// What has been seen of one scenario's answers.
pub struct Normal {
    namespace: String,
    numbers: HashMap<String, String>,
    names: Vec<(String, String)>,
    /// What names begin with that the server completes.
    begun: Vec<String>,
}

impl Normal {
    /// Nothing is seen yet.
    pub fn new(namespace: &str) -> Normal {
        Normal {
            namespace: namespace.to_owned(),
            numbers: HashMap::new(),
            names: Vec::new(),
            begun: vec!["gen-".to_owned(), "made-".to_owned()],
        }
    }

    /// From now on `name` is called `shown`.
    pub fn call(&mut self, name: &str, shown: &str) {
        self.names.push((name.to_owned(), shown.to_owned()));
    }

    /// From now on names that begin thus may have been completed.
    pub fn completes(&mut self, prefix: &str) {
        // Of a long prefix only so much is kept that the name is one of a label.
        let kept = prefix.char_indices().nth(PREFIX_MAX).map_or(prefix, |(end, _)| &prefix[..end]);
        let prefix = self.text(kept);
        if !prefix.is_empty() && !self.begun.contains(&prefix) {
            self.begun.push(prefix);
        }
    }

    /// Makes an answer comparable.
    pub fn answer(&mut self, answer: Answer) -> Value {
        let mut said = json!({
            "code": answer.code, "body": answer.body, "warnings": answer.warnings,
            "headers": answer.headers,
        });
        if let Some(Value::Object(metadata)) = said.pointer_mut("/body/metadata")
            && said_is_list(&answer.body)
        {
            list_metadata(metadata);
        }
        self.value(&mut said);
        if said["body"]["groupVersion"].as_str().is_some_and(|group| group.contains("diff.test"))
            && let Some(resources) = said["body"]["resources"].as_array_mut()
        {
            // Definitions are told in the order of Go's maps.
            resources.sort_by_key(|resource| resource["name"].to_string());
        }
        in_one_order(&mut said["body"]);
        said
    }

    /// Makes what a watch told comparable.
    pub fn events(&mut self, events: Vec<Value>) -> Value {
        let mut told = json!(events);
        for event in told.as_array_mut().into_iter().flatten() {
            if event["type"] == "BOOKMARK"
                && let Some(version) = event.pointer_mut("/object/metadata/resourceVersion")
            {
                *version = json!("LIST");
            }
        }
        self.value(&mut told);
        told
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if is_drawn(text) => *text = "DRAWN".to_owned(),
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                let renamed = fields.keys().any(|name| self.text(name) != *name);
                if renamed {
                    let old = std::mem::take(fields);
                    fields.extend(old.into_iter().map(|(name, item)| (self.text(&name), item)));
                }
                // Who asks is known by another name, and only the real server gives him a number.
                if fields.get("uid") == Some(&json!("uid1")) {
                    fields.remove("uid");
                }
                for (name, item) in fields.iter_mut() {
                    if name == "managedFields" {
                        in_order_of_managers(item);
                    }
                    if name == "cells" {
                        let cells = item.as_array_mut().into_iter().flatten();
                        for cell in cells {
                            match cell.as_str() {
                                Some(text) if is_address(text) => *cell = json!("ADDRESS"),
                                // A second passes between two servers' answers.
                                Some("0s" | "1s" | "2s" | "3s") => *cell = json!("YOUNG"),
                                Some(text) if text.contains(":3") && text.contains('/') => {
                                    *cell = json!(without_node_ports(text));
                                }
                                _ => {}
                            }
                        }
                    }
                    if name == "columnDefinitions" {
                        for column in item.as_array_mut().into_iter().flatten() {
                            column["description"] = json!("in their own words");
                        }
                    }
                    match (name.as_str(), item.as_str()) {
                        ("clusterIP", Some(address)) if is_allocated(address) => {
                            *item = json!("ADDRESS");
                        }
                        ("username", Some("admin" | "kubernetes-admin")) => *item = json!("USER"),
                        ("token", Some(_)) => *item = json!("TOKEN"),
                        ("name", Some(name)) if is_drawn(name) => *item = json!("DRAWN"),
                        ("clusterIPs", None) if item[0].as_str().is_some_and(is_allocated) => {
                            *item = json!(["ADDRESS"]);
                        }
                        ("nodePort" | "healthCheckNodePort", None) => *item = json!("PORT"),
                        ("resourceVersion", Some(version)) if is_number(version) => {
                            *item = json!(self.number("version", version));
                        }
                        _ => self.value(item),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn number(&mut self, what: &str, seen: &str) -> String {
        let next = self.numbers.keys().filter(|key| key.starts_with(what)).count();
        let key = format!("{what} {seen}");
        self.numbers.entry(key).or_insert_with(|| format!("{what}-{next}")).clone()
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, shown) in &self.names {
            text = text.replace(name, shown);
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            if next.is_ascii_hexdigit()
                && let Some(length) = uid_length(rest)
            {
                let number = self.number("uid", &rest[..length]);
                out.push_str(&number);
                rest = &rest[length..];
            } else if next == '2'
                && let Some(length) = time_length(rest)
            {
                out.push_str("TIME");
                rest = &rest[length..];
            } else {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        let out = out.replace(&self.namespace, "NS");
        // The columns of tables are described in our own words, also where they are YAML.
        let out = match (out.find("columnDefinitions:\n"), out.find("\nkind: Table\n")) {
            (Some(from), Some(to)) if from < to => format!("{}…{}", &out[..from], &out[to..]),
            _ => out,
        };
        // Who asks, where it is YAML.
        let out = out.replace("\n  uid: uid1\n", "\n");
        let out = ["kubernetes-admin", "admin"].iter().fold(out, |out, name| {
            out.replace(&format!("\n  username: {name}\n"), "\n  username: USER\n")
        });
        let out = drawn(&out, "kube-api-access-", 5);
        let out = self.begun.iter().fold(out, |out, prefix| {
            let end = out.strip_prefix(prefix.as_str()).filter(|end| end.len() == 5);
            match end.filter(|end| end.chars().all(char::is_alphanumeric)) {
                Some(_) => format!("{prefix}DRAWN"),
                None => drawn(&out, &format!("\"{prefix}"), 5),
            }
        });
        let out = versions_in(&out);
        let out = without_structs(&out);
        // Addresses and node ports that each of them draws.
        let out = without(&out, "Invalid value: \"10.", '"');
        let out = without(&out, "duplicate nodePort: {", '}');
        let out = without_drawn_port(&out);
        // Keys and versions in etcd, which only one of them has.
        let out = without(&out, "Key: ", ',');
        let out = without(&out, "in record (", ')');
        let out = without(&out, "current: ", '\0');
        let out = without(&out, "ResourceVersion in the precondition (", ')');
        let out = without(&out, "failed to allocate IP: IPAddress.networking.k8s.io \"", '"');
        first_undeclared(out)
    }
}

/// Makes answers that were kept comparable as those of today are.
#[cfg(test)]
pub fn again(mut answers: Value) -> Value {
    let mut normal = Normal::new("no namespace");
    for answer in answers.as_array_mut().into_iter().flatten() {
        normal.value(answer);
        if let Some(body) = answer.get_mut("body") {
            in_one_order(body);
        }
    }
    answers
}

/// Go's internal structs, and how they differ, stand in no table here.
fn without_structs(text: &str) -> String {
    const FROZEN: &str = ": field is immutable";
    const PODS: &str = "if it was previously negative)\n";
    if let Some((before, _)) = text.split_once(PODS) {
        return format!("{before}{PODS}…");
    }
    const VOLUMES: &str = "is immutable after creation";
    if let Some((before, _)) = text.split_once(VOLUMES) {
        return format!("{before}{VOLUMES}…");
    }
    // A patched object is printed as a map of Go's.
    const PATCHED: &str = "Invalid value: \"{\\\"";
    if let Some((before, rest)) = text.split_once(PATCHED)
        && let Some((_, after)) = rest.rsplit_once("}\": ")
    {
        return format!("{before}Invalid value: …{after}");
    }
    if let Some((before, rest)) = text.split_once("Invalid value: \"map[")
        && let Some((_, after)) = rest.rsplit_once("]\": ")
    {
        return format!("{before}Invalid value: …{after}");
    }
    // Of what does not parse as CEL only the first fault is told in the same words.
    if let Some(at) = text.find(": Syntax error: ") {
        return text[..at].to_owned();
    }
    const SHOWN: &str = "Invalid value: {";
    const SIGNS: [&str; 3] = ["{\"Volumes\":", "\"containers\":", "\"InlineVolumeSpec\":{"];
    let (mut out, mut rest) = (String::new(), text);
    while let Some(from) = rest.find(SHOWN) {
        let end = rest[from..].find(FROZEN).map(|length| from + length);
        match end.filter(|to| SIGNS.iter().any(|sign| rest[from..*to].contains(sign))) {
            Some(to) => {
                out.push_str(&rest[..from]);
                out.push_str("Invalid value: …");
                rest = &rest[to..];
            }
            None => {
                out.push_str(&rest[..from + SHOWN.len()]);
                rest = &rest[from + SHOWN.len()..];
            }
        }
    }
    out + rest
}

/// Hides the node ports in a service's ports, as tables show them.
fn without_node_ports(text: &str) -> String {
    let parts = text.split(',').map(|part| match (part.split_once(':'), part.split_once('/')) {
        (Some((port, _)), Some((_, protocol))) => format!("{port}:PORT/{protocol}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(",")
}

/// Hides a node port that stands twice.
fn without_drawn_port(text: &str) -> String {
    const TWICE: &str = "Duplicate value: 3";
    match text.split_once(TWICE) {
        Some((before, after)) if after.get(..4).is_some_and(is_number) => {
            format!("{before}{TWICE}…{}", &after[4..])
        }
        _ => text.to_owned(),
    }
}

/// Replaces what stands between a text and a sign.
fn without(text: &str, before: &str, end: char) -> String {
    match text.split_once(before) {
        Some((head, rest)) => {
            let rest = rest.find(end).map_or("", |at| &rest[at..]);
            format!("{head}{before}…{rest}")
        }
        None => text.to_owned(),
    }
}

/// Hides the end of names that the server draws.
fn drawn(text: &str, before: &str, length: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let from = at + before.len();
        let end = (from + length).min(rest.len());
        // What ends at once was not completed.
        let is_drawn =
            rest.get(from..end).is_some_and(|end| end.chars().all(char::is_alphanumeric));
        out.push_str(&rest[..from]);
        match is_drawn {
            true => {
                out.push_str("DRAWN");
                rest = &rest[end..];
            }
            false => rest = &rest[from..],
        }
    }
    out + rest
}

/// Hides resource versions in text that shows objects.
fn versions_in(text: &str) -> String {
    const NAME: &str = "resourceVersion";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(NAME) {
        out.push_str(before);
        out.push_str(NAME);
        let signs =
            after.find(|c: char| !matches!(c, '\\' | '"' | ':' | ' ')).unwrap_or(after.len());
        out.push_str(&after[..signs]);
        rest = &after[signs..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits > 0 && signs > 0 {
            out.push('N');
            rest = &rest[digits..];
        }
    }
    out + rest
}

/// Which undeclared field of an apply patch is told first is left to Go's order of maps.
fn first_undeclared(text: String) -> String {
    match text.find("): ") {
        Some(_) if text.contains("): errors:\n") && !text.contains("field not declared") => {
            let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let mut lines: Vec<&str> = rest.split('\n').collect();
            lines.sort_unstable();
            format!("{head}\n{}", lines.join("\n"))
        }
        Some(at)
            if text.starts_with("failed to create typed patch object")
                && text.contains("field not declared in schema") =>
        {
            format!("{}: field not declared in schema", &text[..=at])
        }
        _ => match text.rsplit_once(": .") {
            Some((head, rest)) if rest.ends_with(": field not declared in schema") => {
                format!("{head}: field not declared in schema")
            }
            _ => text,
        },
    }
}

/// In which order a custom object's faults, those of one map and conflicts are told is left to Go's order
/// of maps.
fn in_one_order(body: &mut Value) {
    let group = body["details"]["group"].as_str().unwrap_or_default();
    let custom = group.ends_with("diff.test");
    let conflicts = body["reason"] == "Conflict";
    let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut) else {
        return;
    };
    if causes.len() < 2 {
        return;
    }
    if custom || conflicts {
        causes.sort_by_key(Value::to_string);
    }
    let mut of_maps = false;
    for same in causes.chunk_by_mut(|a, b| a["field"] == b["field"]) {
        if same.iter().any(|cause| *cause != same[0]) {
            of_maps = true;
            same.sort_by_key(Value::to_string);
        }
    }
    if custom || of_maps {
        let said = body["message"].as_str().unwrap_or_default();
        let head = said.split_once(" is invalid: ").map_or(said, |(head, _)| head).to_owned();
        body["message"] = json!(head);
    }
}

/// Owners are told in the order of their times, of which some end a second and some do not.
fn in_order_of_managers(owners: &mut Value) {
    let text = |owner: &Value, name: &str| owner[name].as_str().unwrap_or_default().to_owned();
    if let Some(owners) = owners.as_array_mut() {
        owners.sort_by_key(|owner| {
            ["operation", "manager", "subresource", "apiVersion"].map(|name| text(owner, name))
        });
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok() && is_allocated(text)
}

fn said_is_list(body: &Value) -> bool {
    body["items"].is_array()
        || body["kind"].as_str().is_some_and(|kind| kind.ends_with("List") || kind == "Table")
}

/// A list's version is the store's, which others move; its token is the server's own.
fn list_metadata(metadata: &mut serde_json::Map<String, Value>) {
    metadata.insert("resourceVersion".to_owned(), json!("LIST"));
    if let Some(token) = metadata.get_mut("continue")
        && token != ""
    {
        *token = json!("TOKEN");
    }
}

/// Whether a name is one that the server completed.
fn is_drawn(name: &str) -> bool {
    name.strip_prefix("gen-").or(name.strip_prefix("made-")).is_some_and(|end| end.len() == 5)
}

/// Whether an address is of a block from which the server draws.
fn is_allocated(address: &str) -> bool {
    address.starts_with("10.") || address.starts_with("192.168.")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text != "0" && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn uid_length(text: &str) -> Option<usize> {
    let uid = text.get(..36)?;
    let fits = uid.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    });
    fits.then_some(36)
}

/// Only times of this day and the next are the server's; others were sent.
fn time_length(text: &str) -> Option<usize> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    let day = |seconds: u64| {
        let time = jiff::Timestamp::from_second(seconds as i64).unwrap_or_default();
        time.to_string()[..10].to_owned()
    };
    let date = text.get(..10)?;
    let is_near =
        [0, 3600, 86_400].iter().any(|more| date == day(now + more) || date == day(now - more));
    let time = text.get(..19).filter(|_| is_near)?;
    let fits = time.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T' || byte == b' ',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let end = text[19..].find('Z').filter(|end| *end <= 10)?;
    fits.then_some(19 + end + 1)
}
