//! As much HTTP as a loopback server asks for: one request a connection, no TLS.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A server by address.
pub struct Server {
    authority: String,
}

/// What it answered.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The texts of the `Warning` headers, as they stand.
    pub warnings: Vec<String>,
    /// The body; null where it is no JSON.
    pub answer: Value,
}

impl Server {
    /// The server at `http://HOST:PORT`.
    pub fn at(address: &str) -> Result<Server> {
        let authority = address.strip_prefix("http://").context("only http://HOST:PORT")?;
        Ok(Server { authority: authority.trim_end_matches('/').to_owned() })
    }

    /// Sends a request; a null body is none.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<Answer> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.authority)?;
        let content = if content_type.is_empty() {
            String::new()
        } else {
            format!("Content-Type: {content_type}\r\n")
        };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n\
             User-Agent: goldens/1\r\nConnection: close\r\n{content}Content-Length: {}\r\n\r\n{body}",
            self.authority,
            body.len(),
        )?;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw)?;
        read(&raw).with_context(|| format!("{method} {path}"))
    }
}

fn read(raw: &[u8]) -> Result<Answer> {
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n").context("an answer without head")?;
    let head = std::str::from_utf8(&raw[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("a status line")?;
    let mut warnings = Vec::new();
    let mut chunked = false;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "warning" => warnings.push(value.trim().to_owned()),
            "transfer-encoding" => chunked = value.trim() == "chunked",
            _ => {}
        }
    }
    let mut body = raw[end + 4..].to_vec();
    if chunked {
        body = joined(&body)?;
    }
    let answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Answer { status: status.parse()?, warnings, answer })
}

fn joined(mut body: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = body.windows(2).position(|w| w == b"\r\n").context("a chunk without length")?;
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end])?.trim(), 16)?;
        if length == 0 {
            return Ok(out);
        }
        let from = end + 2;
        if body.len() < from + length + 2 {
            bail!("a chunk that is cut off");
        }
        out.extend_from_slice(&body[from..from + length]);
        body = &body[from + length + 2..];
    }
}
