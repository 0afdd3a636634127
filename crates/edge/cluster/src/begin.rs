//! The beginning of a watch's event: which object it is about, and at which version.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::follow::State;

/// Returns what an event says that an object was made or changed to, reading no further than its
/// metadata: what comes after it may be a hundred times as long. `None` for every other event, and
/// where the server writes an event's parts in another order.
pub(crate) fn begin_of(line: &[u8]) -> Option<State<'_>> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(line);
    // It ends in the middle, once the state is there: that is no failure.
    let _ = EventSeed(&mut found).deserialize(&mut reader);
    found
}

/// Reads the event up to the object's metadata.
struct EventSeed<'f, 'a>(&'f mut Option<State<'a>>);

/// Reads the object up to its metadata.
struct ObjectSeed<'f, 'a>(&'f mut Option<State<'a>>);

/// Not an error: enough is known.
const ENOUGH: &str = "enough is read";

impl<'a> DeserializeSeed<'a> for EventSeed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for EventSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let mut tells_a_state = false;
        while let Some(key) = map.next_key::<Name<'a>>()? {
            match &*key.0 {
                "type" => {
                    let kind = map.next_value::<Name<'a>>()?;
                    tells_a_state = matches!(&*kind.0, "ADDED" | "MODIFIED");
                }
                "object" if tells_a_state => return map.next_value_seed(ObjectSeed(self.0)),
                _ => return Err(M::Error::custom(ENOUGH)),
            }
        }
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for ObjectSeed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for ObjectSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<Name<'a>>()? {
            if key.0 == "metadata" {
                *self.0 = Some(map.next_value()?);
                return Err(M::Error::custom(ENOUGH));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// A short text, borrowed where it is written plainly.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<String> {
        let State { namespace, name, resource_version } = begin_of(line.as_bytes())?;
        Some(format!("{namespace}/{name} {resource_version}"))
    }

    #[test]
    fn a_state_is_known_by_its_metadata_whatever_comes_after() {
        let metadata =
            r#""metadata":{"name":"a","labels":{"x":"y"},"namespace":"n","resourceVersion":"7"}"#;
        for kind in ["ADDED", "MODIFIED"] {
            let line = format!(
                r#"{{"type":"{kind}","object":{{"kind":"T","apiVersion":"v1",{metadata},"spec":"#
            );
            assert_eq!(told(&line).as_deref(), Some("n/a 7"), "cut off behind it");
        }
        let of_cluster = r#"{"type":"ADDED","object":{"metadata":{"name":"a\u0062"}}}"#;
        assert_eq!(told(of_cluster).as_deref(), Some("/ab "));
    }

    #[test]
    fn what_ends_or_is_written_otherwise_tells_no_state() {
        for line in [
            r#"{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}"#,
            r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}"#,
            r#"{"type":"ERROR","object":{"metadata":{},"code":410}}"#,
            r#"{"object":{"metadata":{"name":"a"}},"type":"ADDED"}"#,
            r#"{"type":"ADDED","object":{"spec":{}}}"#,
            r#"{"type":"ADDED","object":{"metadata":{"name":"#,
            r#"[]"#,
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }
}
