//! The language of `--set`: `a.b[0].c=x,list={1,2}`.
//!
//! A `\` takes the next character as it is, everywhere. A gap in a list is null.

use goval::{List, Map, Value, quote};

/// The largest index of a list.
const INDEX_MAX: i64 = 65_536;
/// Names inside each other.
const DEPTH_MAX: usize = 30;

/// What a value is taken for.
pub(crate) enum Values<'a> {
    /// `--set`: booleans, null and whole numbers are told apart from text.
    Typed,
    /// `--set-string`: text.
    Text,
    /// `--set-file`: the path of a file whose content is the value.
    Files(&'a dyn Fn(&str) -> Result<Value, String>),
}

/// Writes a line of settings into `into`.
///
/// # Errors
///
/// Upstream's words; what stands before the mistake is written.
pub(crate) fn parse_into(line: &str, values: &Values<'_>, into: &Map) -> Result<(), String> {
    let mut parser = Parser { chars: line.chars().collect(), at: 0, values };
    loop {
        match parser.key(into, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Bad(problem)) => return Err(problem),
        }
    }
}

/// Why the reading of a key ended early.
enum Stop {
    /// The line is at its end, also inside of something: upstream takes that for a good end.
    End,
    Bad(String),
}

impl From<String> for Stop {
    fn from(problem: String) -> Self {
        Stop::Bad(problem)
    }
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    values: &'a Values<'a>,
}

/// What stands behind an `=`.
enum Found {
    List(Vec<Value>),
    Nothing,
    NoList,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let char = self.chars.get(self.at).copied()?;
        self.at += 1;
        Some(char)
    }

    /// The text up to one of `stops`, and which one; `None` where the line ends before.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(char) = self.next() {
            if stops.contains(&char) {
                return (text, Some(char));
            }
            if char != '\\' {
                text.push(char);
                continue;
            }
            match self.next() {
                Some(escaped) => text.push(escaped),
                None => return (text, None),
            }
        }
        (text, None)
    }

    fn key(&mut self, data: &Map, depth: usize) -> Result<(), Stop> {
        let (key, last) = self.until(&['=', '[', ',', '.']);
        let Some(last) = last else {
            if key.is_empty() {
                return Err(Stop::End);
            }
            return Err(Stop::Bad(format!("key {} has no value", quote(&key))));
        };
        match last {
            '[' => {
                let index = self.index()?;
                let list = match data.get(key.as_bytes()) {
                    None => Vec::new(),
                    Some(Value::List(list)) => list.to_vec(),
                    Some(other) => return Err(conversion(&other, "[]interface {}")),
                };
                let (list, end) = self.list_item(list, index, depth);
                set(data, &key, list.map_or_else(nil_list, Value::list));
                end
            }
            '=' => match self.value_list()? {
                Found::List(list) => {
                    set(data, &key, Value::list(list));
                    Ok(())
                }
                Found::Nothing => {
                    set(data, &key, "".into());
                    Err(Stop::End)
                }
                Found::NoList => {
                    let (text, _) = self.until(&[',']);
                    let (value, end) = match self.value(&text) {
                        Ok(value) => (value, Ok(())),
                        Err(problem) => (Value::Nil, Err(Stop::Bad(problem))),
                    };
                    set(data, &key, value);
                    end
                }
            },
            ',' => {
                set(data, &key, "".into());
                Err(Stop::Bad(format!("key {} has no value (cannot end with ,)", quote(&key))))
            }
            _ => {
                let depth = depth + 1;
                if depth > DEPTH_MAX {
                    return Err(Stop::Bad(format!(
                        "value name nested level is greater than maximum supported nested level of {DEPTH_MAX}"
                    )));
                }
                let inner = match data.get(key.as_bytes()) {
                    None => Map::new(),
                    Some(Value::Map(map)) => map,
                    Some(other) => return Err(conversion(&other, "map[string]interface {}")),
                };
                let end = self.key(&inner, depth);
                if end.is_ok() && inner.is_empty() {
                    return Err(Stop::Bad(format!("key map {} has no value", quote(&key))));
                }
                if !inner.is_empty() {
                    set(data, &key, Value::Map(inner));
                }
                end
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, last) = self.until(&[']']);
        if last.is_none() {
            return Err(Stop::End);
        }
        text.parse::<i64>().map_err(|error| {
            let reason = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    "value out of range"
                }
                _ => "invalid syntax",
            };
            Stop::Bad(format!(
                "error parsing index: strconv.Atoi: parsing {}: {reason}",
                quote(&text)
            ))
        })
    }

    /// Sets one item of a list, or something inside it. The list is given back in any case;
    /// `None` is Go's nil.
    fn list_item(
        &mut self,
        mut list: Vec<Value>,
        index: i64,
        depth: usize,
    ) -> (Option<Vec<Value>>, Result<(), Stop>) {
        if index < 0 {
            return (Some(list), Err(Stop::Bad(format!("negative {index} index not allowed"))));
        }
        let (text, last) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            let chars: Vec<String> = text.chars().map(goval::quote_rune).collect();
            let problem = format!("unexpected data at end of array index: [{}]", chars.join(" "));
            return (Some(list), Err(Stop::Bad(problem)));
        }
        let Some(last) = last else { return (Some(list), Err(Stop::End)) };
        let value = match last {
            '=' => match self.value_list() {
                Ok(Found::List(items)) => Ok(Value::list(items)),
                Ok(Found::Nothing) => Ok("".into()),
                Ok(Found::NoList) => {
                    let (text, _) = self.until(&[',']);
                    self.value(&text).map_err(Stop::Bad)
                }
                Err(stop) => Err(stop),
            },
            '[' => self.index().and_then(|next| {
                let inner = match usize::try_from(index).ok().and_then(|at| list.get(at)) {
                    None | Some(Value::Nil) => Vec::new(),
                    Some(Value::List(inner)) => inner.to_vec(),
                    Some(other) => return Err(conversion(other, "[]interface {}")),
                };
                let (inner, end) = self.list_item(inner, next, depth);
                end.map(|()| inner.map_or_else(nil_list, Value::list))
            }),
            _ => {
                let known = usize::try_from(index).ok().and_then(|at| list.get_mut(at));
                let inner = match known {
                    Some(Value::Map(map)) => map.clone(),
                    Some(other) => {
                        let map = Map::new();
                        *other = Value::Map(map.clone());
                        map
                    }
                    None => Map::new(),
                };
                self.key(&inner, depth).map(|()| Value::Map(inner))
            }
        };
        match value.and_then(|value| Ok(set_index(&mut list, index, value)?)) {
            Ok(()) => (Some(list), Ok(())),
            Err(stop) => (Some(list), Err(stop)),
        }
    }

    /// Reads `{…}`; a value that is no list is left for the caller.
    fn value_list(&mut self) -> Result<Found, Stop> {
        match self.chars.get(self.at) {
            None => return Ok(Found::Nothing),
            Some('{') => self.at += 1,
            Some(_) => return Ok(Found::NoList),
        }
        let mut list = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            match last {
                None => return Err(Stop::Bad("list must terminate with '}'".to_owned())),
                Some('}') => {
                    if self.chars.get(self.at) == Some(&',') {
                        self.at += 1;
                    }
                    list.push(self.value(&text)?);
                    return Ok(Found::List(list));
                }
                Some(_) => list.push(self.value(&text)?),
            }
        }
    }

    fn value(&self, text: &str) -> Result<Value, String> {
        match self.values {
            Values::Typed => Ok(typed(text)),
            Values::Text => Ok(text.into()),
            Values::Files(read) => read(text),
        }
    }
}

fn nil_list() -> Value {
    Value::List(List::nil(goval::ListType::Any))
}

fn set(data: &Map, key: &str, value: Value) {
    if !key.is_empty() {
        data.insert(key.into(), value);
    }
}

fn set_index(list: &mut Vec<Value>, index: i64, value: Value) -> Result<(), String> {
    if index > INDEX_MAX {
        return Err(format!(
            "index of {index} is greater than maximum supported index of {INDEX_MAX}"
        ));
    }
    let index =
        usize::try_from(index).map_err(|_| format!("negative {index} index not allowed"))?;
    if list.len() <= index {
        list.resize(index + 1, Value::Nil);
    }
    list[index] = value;
    Ok(())
}

/// Go's panic over a value of another type, which upstream catches and tells.
fn conversion(found: &Value, wanted: &str) -> Stop {
    let found = match found {
        Value::Nil => "nil",
        other => other.type_name(),
    };
    Stop::Bad(format!(
        "unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}

fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return true.into();
    }
    if text.eq_ignore_ascii_case("false") {
        return false.into();
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Nil;
    }
    if text == "0" {
        return Value::int64(0);
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse()
    {
        return Value::int64(number);
    }
    text.into()
}
