//! A request and its answer, free of sockets.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::problem::Problem;
use super::watch::WatchStream;

/// Keeps browsers from guessing what an answer may be.
const NO_GUESSING: (&str, &str) = ("x-content-type-options", "nosniff");

/// The type of what people read.
pub const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// What a client asks.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Upper case, for example `GET`.
    pub method: String,
    /// Without the cluster's prefix and without the query, still percent-encoded.
    pub path: String,
    /// What stands behind `?`, still percent-encoded.
    pub query: String,
    /// `Accept`, all of it, `""` where there is none.
    pub accept: String,
    /// `Content-Type`, `""` where there is none.
    pub content_type: String,
    /// `User-Agent`, `""` where there is none.
    pub user_agent: String,
    /// Who asks.
    pub user: User,
    /// The body, whole.
    pub body: Bytes,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// For example `kubernetes-admin`.
    pub name: String,
    /// For example `system:masters`.
    pub groups: Vec<String>,
    /// `""` where none is known.
    pub uid: String,
    /// What else is known.
    pub extra: BTreeMap<String, Vec<String>>,
    /// Of somebody in whose name another acts: the groups that were asked for.
    pub asked_groups: Vec<String>,
}

impl User {
    /// As reviews tell it: what is not known is not there.
    pub fn info(&self) -> Value {
        let mut info = json!({"username": self.name});
        if !self.uid.is_empty() {
            info["uid"] = json!(self.uid);
        }
        if !self.groups.is_empty() {
            info["groups"] = json!(self.groups);
        }
        if !self.extra.is_empty() {
            info["extra"] = json!(self.extra);
        }
        info
    }
}

impl Default for User {
    fn default() -> Self {
        User {
            name: "kubernetes-admin".to_owned(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
            uid: "simulated".to_owned(),
            extra: BTreeMap::new(),
            asked_groups: Vec::new(),
        }
    }
}

/// What the server says.
#[derive(Debug)]
pub enum Answer {
    /// All of it at once.
    Response(Response),
    /// One event after another.
    Watch(Box<WatchStream>),
}

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub code: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// Each becomes a header `Warning: 299 - "…"`.
    pub warnings: Vec<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// In pieces, so that objects at rest are sent without being copied together.
    pub body: Vec<Bytes>,
}

impl Response {
    /// Returns an answer of JSON text.
    pub fn json(code: u16, body: impl Into<Bytes>) -> Response {
        Response {
            code,
            content_type: "application/json".to_owned(),
            warnings: Vec::new(),
            headers: Vec::new(),
            body: vec![body.into()],
        }
    }

    /// Returns an answer of one value.
    pub fn value(code: u16, value: &Value) -> Response {
        let mut body = serde_json::to_vec(value).expect("a value is always serializable to memory");
        body.push(b'\n');
        Response::json(code, body)
    }

    /// Returns an answer of plain text.
    pub fn text(code: u16, body: impl Into<Bytes>) -> Response {
        let mut response = Response::json(code, body);
        response.content_type = PLAIN_TEXT.to_owned();
        response.unguessed()
    }

    /// Keeps browsers from guessing what the answer may be.
    #[must_use]
    pub fn unguessed(mut self) -> Response {
        let (name, value) = NO_GUESSING;
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Returns the body as one piece.
    pub fn whole_body(&self) -> Vec<u8> {
        self.body.concat()
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Response {
        let mut response = Response::value(problem.code, &problem.status());
        let retry =
            problem.details.as_ref().and_then(|details| details["retryAfterSeconds"].as_u64());
        if let Some(seconds) = retry {
            response.headers.push(("retry-after", seconds.to_string()));
        }
        response.warnings = problem.warnings;
        response
    }
}
