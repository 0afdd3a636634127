//! The version 2 document as protobuf, in the messages of `openapi.v2` that clients agree on.
//!
//! Only what our documents hold is written; extensions and other free values travel as YAML
//! text, for which JSON does.

use serde_json::{Map, Value};

/// Encodes a version 2 document.
pub fn encode(document: &Value) -> Vec<u8> {
    let mut out = Message::default();
    out.text(1, &document["swagger"]);
    out.message(2, |info| {
        info.text(1, &document["info"]["title"]);
        info.text(2, &document["info"]["version"]);
    });
    out.message(8, |paths| {
        for (path, item) in entries(&document["paths"]) {
            paths.message(2, |named| {
                named.string(1, path);
                named.message(2, |out| path_item(out, item));
            });
        }
    });
    out.message(9, |definitions| {
        for (name, definition) in entries(&document["definitions"]) {
            definitions.message(1, |named| {
                named.string(1, name);
                named.message(2, |out| schema(out, definition));
            });
        }
    });
    for requirement in items(&document["security"]) {
        out.message(12, |out| {
            for (name, scopes) in entries(requirement) {
                out.message(1, |named| {
                    named.string(1, name);
                    named.message(2, |array| array.texts(1, scopes));
                });
            }
        });
    }
    out.message(13, |definitions| {
        for (name, definition) in entries(&document["securityDefinitions"]) {
            definitions.message(1, |named| {
                named.string(1, name);
                named.message(2, |out| {
                    out.message(2, |key| {
                        key.text(1, &definition["type"]);
                        key.text(2, &definition["name"]);
                        key.text(3, &definition["in"]);
                        key.text(4, &definition["description"]);
                    });
                });
            });
        }
    });
    out.0
}

fn path_item(out: &mut Message, item: &Value) {
    let methods = [
        ("get", 2),
        ("put", 3),
        ("post", 4),
        ("delete", 5),
        ("options", 6),
        ("head", 7),
        ("patch", 8),
    ];
    for (method, number) in methods {
        if let Some(found) = item.get(method) {
            out.message(number, |out| operation(out, found));
        }
    }
    for found in items(&item["parameters"]) {
        out.message(9, |out| out.message(1, |out| parameter(out, found)));
    }
}

fn operation(out: &mut Message, operation: &Value) {
    out.texts(1, &operation["tags"]);
    out.text(5, &operation["operationId"]);
    out.texts(6, &operation["produces"]);
    out.texts(7, &operation["consumes"]);
    for found in items(&operation["parameters"]) {
        out.message(8, |out| out.message(1, |out| parameter(out, found)));
    }
    out.message(9, |out| {
        for (code, answer) in entries(&operation["responses"]) {
            out.message(1, |named| {
                named.string(1, code);
                named.message(2, |value| {
                    value.message(1, |response| {
                        response.text(1, &answer["description"]);
                        if let Some(found) = answer.get("schema") {
                            response.message(2, |item| item.message(1, |out| schema(out, found)));
                        }
                    });
                });
            });
        }
    });
    out.texts(10, &operation["schemes"]);
    extensions(out, 13, operation);
}

fn parameter(out: &mut Message, parameter: &Value) {
    let required = parameter["required"] == true;
    match parameter["in"].as_str() {
        Some("body") => out.message(1, |body| {
            body.text(2, &parameter["name"]);
            body.text(3, &parameter["in"]);
            body.flag(4, required);
            body.message(5, |out| schema(out, &parameter["schema"]));
        }),
        Some("path") => out.message(2, |out| {
            out.message(4, |path| {
                path.flag(1, required);
                path.text(2, &parameter["in"]);
                path.text(4, &parameter["name"]);
                path.text(5, &parameter["type"]);
                path.flag(18, parameter["uniqueItems"] == true);
            });
        }),
        _ => out.message(2, |out| {
            out.message(3, |query| {
                query.flag(1, required);
                query.text(2, &parameter["in"]);
                query.text(4, &parameter["name"]);
                query.text(6, &parameter["type"]);
                query.flag(20, parameter["uniqueItems"] == true);
            });
        }),
    }
}

fn schema(out: &mut Message, found: &Value) {
    out.text(1, &found["$ref"]);
    out.text(2, &found["format"]);
    out.text(3, &found["title"]);
    out.text(4, &found["description"]);
    out.any(5, found.get("default"));
    for (name, number) in [("multipleOf", 6), ("maximum", 7), ("minimum", 9)] {
        if let Some(value) = found[name].as_f64() {
            out.double(number, value);
        }
    }
    out.flag(8, found["exclusiveMaximum"] == true);
    out.flag(10, found["exclusiveMinimum"] == true);
    let counts = [
        ("maxLength", 11),
        ("minLength", 12),
        ("maxItems", 14),
        ("minItems", 15),
        ("maxProperties", 17),
        ("minProperties", 18),
    ];
    for (name, number) in counts {
        if let Some(value) = found[name].as_u64() {
            out.number(number, value);
        }
    }
    out.text(13, &found["pattern"]);
    out.flag(16, found["uniqueItems"] == true);
    out.texts(19, &found["required"]);
    for value in items(&found["enum"]) {
        out.any(20, Some(value));
    }
    match &found["additionalProperties"] {
        Value::Bool(allowed) => out.message(21, |out| out.boolean(2, *allowed)),
        Value::Object(_) => out.message(21, |out| {
            out.message(1, |out| schema(out, &found["additionalProperties"]));
        }),
        _ => {}
    }
    if found["type"].is_string() {
        out.message(22, |kind| kind.text(1, &found["type"]));
    }
    if found["items"].is_object() {
        out.message(23, |out| out.message(1, |out| schema(out, &found["items"])));
    }
    for part in items(&found["allOf"]) {
        out.message(24, |out| schema(out, part));
    }
    if found["properties"].is_object() {
        out.message(25, |properties| {
            for (name, property) in entries(&found["properties"]) {
                properties.message(1, |named| {
                    named.string(1, name);
                    named.message(2, |out| schema(out, property));
                });
            }
        });
    }
    out.any(30, found.get("example"));
    extensions(out, 31, found);
}

fn extensions(out: &mut Message, number: u32, holder: &Value) {
    for (name, value) in entries(holder).filter(|(name, _)| name.starts_with("x-")) {
        out.message(number, |named| {
            named.string(1, name);
            named.any(2, Some(value));
        });
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, number: u32, wire: u32) {
        self.varint(u64::from(number << 3 | wire));
    }

    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.tag(number, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn string(&mut self, number: u32, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    /// A text, if there is one that is not empty.
    fn text(&mut self, number: u32, value: &Value) {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            self.string(number, text);
        }
    }

    fn texts(&mut self, number: u32, values: &Value) {
        for text in items(values).iter().filter_map(Value::as_str) {
            self.string(number, text);
        }
    }

    fn boolean(&mut self, number: u32, value: bool) {
        self.tag(number, 0);
        self.varint(u64::from(value));
    }

    fn flag(&mut self, number: u32, value: bool) {
        if value {
            self.boolean(number, true);
        }
    }

    fn number(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.varint(value);
    }

    fn double(&mut self, number: u32, value: f64) {
        self.tag(number, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn any(&mut self, number: u32, value: Option<&Value>) {
        if let Some(value) = value {
            self.message(number, |any| any.string(2, &format!("{value}\n")));
        }
    }

    fn message(&mut self, number: u32, write: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        write(&mut inner);
        self.bytes(number, &inner.0);
    }
}
