//! One API server, asked over HTTPS: the real one and the simulated one alike.

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// How long a watch may stay silent, in milliseconds, before its events are taken to be all.
const SILENCE_MS: u64 = 400;

/// How long a server may take to answer, in seconds.
const ANSWER_S_MAX: u64 = 10;

/// Headers that are compared, as far as an answer has them.
const HEADERS: [&str; 5] = ["content-type", "cache-control", "allow", "retry-after", "location"];

/// The code of an answer that never came.
pub const BROKEN_OFF: u16 = 0;

/// A server that answers, and who asks.
pub struct Server {
    url: String,
    token: String,
    client: reqwest::blocking::Client,
}

/// What a server said.
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// As JSON, or as text where it is none.
    pub body: Value,
    /// The warnings, in their order.
    pub warnings: Vec<String>,
    /// The other headers that count.
    pub headers: Value,
}

impl Server {
    /// Speaks to the server at `url`; nothing is asked yet.
    pub fn new(url: &str, token: &str) -> Result<Server> {
        let client = reqwest::blocking::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(ANSWER_S_MAX))
            .build()?;
        Ok(Server { url: url.to_owned(), token: token.to_owned(), client })
    }

    /// Asks, and waits for the whole answer.
    pub fn ask(&self, method: &str, path: &str, headers: &Value, body: &Value) -> Result<Answer> {
        let Ok(response) = self.request(method, path, headers, body) else {
            // The real server breaks off where a handler panics.
            return Ok(Answer {
                code: BROKEN_OFF,
                body: Value::Null,
                warnings: Vec::new(),
                headers: Value::Null,
            });
        };
        let code = response.status().as_u16();
        let warnings = response
            .headers()
            .get_all("warning")
            .iter()
            .map(|said| String::from_utf8_lossy(said.as_bytes()).into_owned())
            .collect();
        let shown = HEADERS.iter().filter_map(|name| {
            let said = response.headers().get(*name)?;
            Some(((*name).to_owned(), json!(String::from_utf8_lossy(said.as_bytes()))))
        });
        let headers = Value::Object(shown.collect());
        // A watch that was not expected to be one ends with its time.
        let bytes = response.bytes().unwrap_or_default();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        Ok(Answer { code, body, warnings, headers })
    }

    /// Opens a watch; its events come through the channel as long as it lasts.
    pub fn watch(&self, path: &str) -> Result<Events> {
        let response = self.request("GET", path, &json!({}), &Value::Null)?;
        let (code, (sender, events)) = (response.status().as_u16(), mpsc::channel());
        std::thread::spawn(move || {
            for line in BufReader::new(response).lines() {
                let Ok(line) = line else { return };
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Events { code, events })
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &Value,
        body: &Value,
    ) -> Result<reqwest::blocking::Response> {
        let mut request = self
            .client
            .request(method.parse().context("no method")?, format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        let named = |name: &str| headers.get(name).is_some();
        if !named("User-Agent") {
            request = request.header("User-Agent", "tester/1");
        }
        if !named("Accept") {
            request = request.header("Accept", "application/json");
        }
        if !named("Content-Type") && !body.is_null() {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers.as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        match body {
            Value::Null => {}
            Value::String(text) => request = request.body(text.clone()),
            other => request = request.body(other.to_string()),
        }
        request.send().with_context(|| format!("no answer to {method} {path} of {}", self.url))
    }
}

/// What a watch tells.
pub struct Events {
    /// The status code with which it began.
    pub code: u16,
    events: mpsc::Receiver<Value>,
}

impl Events {
    /// Everything told until the watch ends or falls silent.
    pub fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Ok(event) = self.events.recv_timeout(Duration::from_millis(SILENCE_MS)) {
            all.push(event);
        }
        all
    }
}
