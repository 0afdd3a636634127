//! What etcd keeps, read and written over its HTTP gateway: past the API server, so that nothing
//! (a finalizer, an admission policy, a name that is not served any more) stands in the way.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How long etcd may take for one answer, in seconds.
const ANSWER_S_MAX: u64 = 10;

/// How many changes go into one transaction: etcd takes 128.
const CHANGES_MAX: usize = 100;

/// Everything of the API server lies below it.
const ROOT: &str = "/registry/";

/// Keys, and what lies there (as etcd sends it, in base64).
pub type Kept = BTreeMap<String, String>;

/// The etcd that answers on a port of 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    pub port: u16,
}

impl Store {
    /// All that is kept.
    ///
    /// # Errors
    ///
    /// An etcd that does not answer as it should.
    pub fn all(self) -> Result<Kept> {
        // The first key that does not start so any more.
        let end = "/registry0";
        let range = json!({"key": STANDARD.encode(ROOT), "range_end": STANDARD.encode(end)});
        let answer = self.ask("/v3/kv/range", &range)?;
        let entries = answer["kvs"].as_array().map(Vec::as_slice).unwrap_or_default();
        entries
            .iter()
            .map(|entry| {
                let key = STANDARD.decode(entry["key"].as_str().context("an entry has no key")?)?;
                let value = entry["value"].as_str().unwrap_or("").to_owned();
                Ok((String::from_utf8(key)?, value))
            })
            .collect()
    }

    /// Changes keys, in order: to a value, or to nothing.
    ///
    /// # Errors
    ///
    /// As [`Store::all`].
    pub fn change(self, changes: &[(&str, Option<&str>)]) -> Result<()> {
        for some in changes.chunks(CHANGES_MAX) {
            let steps: Vec<Value> = some
                .iter()
                .map(|(key, value)| {
                    let key = STANDARD.encode(key);
                    match value {
                        Some(value) => json!({"requestPut": {"key": key, "value": value}}),
                        None => json!({"requestDeleteRange": {"key": key}}),
                    }
                })
                .collect();
            self.ask("/v3/kv/txn", &json!({"success": steps}))?;
        }
        Ok(())
    }

    /// One question. In HTTP 1.0 an answer is not cut into pieces, and ends where the
    /// connection does.
    fn ask(self, path: &str, body: &Value) -> Result<Value> {
        let body = serde_json::to_vec(body)?;
        let limit = Some(Duration::from_secs(ANSWER_S_MAX));
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).context("etcd is not there")?;
        stream.set_read_timeout(limit)?;
        stream.set_write_timeout(limit)?;
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).context("etcd does not answer")?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no answer")?;
        let (head, body) = (String::from_utf8_lossy(&answer[..end]), &answer[end + 4..]);
        if !head.lines().next().is_some_and(|line| line.contains(" 200 ")) {
            bail!("etcd answers {head}\n{}", String::from_utf8_lossy(body));
        }
        Ok(serde_json::from_slice(body)?)
    }
}
