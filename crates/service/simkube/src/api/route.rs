//! Which resource a path names, and what its query asks.

use super::problem::Problem;

/// What a path below `/api` or `/apis` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// `""` for the core group.
    pub group: String,
    /// For example `v1`.
    pub version: String,
    /// `""` where no namespace is named.
    pub namespace: String,
    /// For example `deployments`.
    pub plural: String,
    /// `""` for the collection.
    pub name: String,
    /// For example `status`; what follows it is kept, as in `proxy/path`.
    pub subresource: String,
    /// Whether the path has the old `watch/` prefix.
    pub watch: bool,
}

/// Takes a resource path apart; `None` where it is none.
pub fn target(path: &str) -> Option<Target> {
    let path = decode_percent(path);
    let mut parts = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
    let mut target = Target::default();
    match parts.next()?.as_str() {
        "api" => target.version = parts.next()?,
        "apis" => {
            target.group = parts.next()?;
            target.version = parts.next()?;
        }
        _ => return None,
    }
    let mut rest: Vec<String> = parts.collect();
    if rest.first().is_some_and(|first| first == "watch") && rest.len() > 1 {
        target.watch = true;
        rest.remove(0);
    }
    // `namespaces/NAME/SUB` is the namespace itself where SUB is one of its own subresources.
    let inside = rest.len() > 2
        && rest[0] == "namespaces"
        && !(rest.len() == 3 && matches!(rest[2].as_str(), "status" | "finalize"));
    if inside {
        target.namespace = rest[1].clone();
        rest.drain(..2);
    }
    let mut rest = rest.into_iter();
    target.plural = rest.next()?;
    target.name = rest.next().unwrap_or_default();
    target.subresource = rest.collect::<Vec<_>>().join("/");
    Some(target)
}

/// A query's parameters, in their order.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands behind `?`.
    pub fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_form(name), decode_form(value))
        });
        Query(pairs.collect())
    }

    /// Returns the first value of a parameter, `""` where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(at, _)| at == name).map_or("", |(_, value)| value)
    }

    /// Returns whether the parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(at, _)| at == name)
    }

    /// Returns all values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(at, _)| at == name).map(|(_, value)| value.as_str())
    }

    /// Reads a flag as the server does: there and neither empty, `0` nor `false` in any case.
    pub fn flag(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.get(name).to_ascii_lowercase().as_str(), "0" | "false")
    }

    /// Reads a whole number.
    ///
    /// # Errors
    ///
    /// 400 where it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let text = self.get(name);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let why = if is_number { "value out of range" } else { "invalid syntax" };
            Problem::bad_request(format!("strconv.ParseInt: parsing \"{text}\": {why}"))
        })
    }
}

fn decode_form(text: &str) -> String {
    decode_percent(&text.replace('+', " "))
}

/// Turns `%2F` into `/`, and so on; what is no escape stays.
pub fn decode_percent(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
