//! A request and its answer, free of sockets.

use bytes::Bytes;
use serde_json::Value;

use super::problem::Problem;
use super::watch::WatchStream;

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
}

impl Default for User {
    fn default() -> Self {
        User {
            name: "kubernetes-admin".to_owned(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
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
        response.content_type = "text/plain; charset=utf-8".to_owned();
        response
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
