//! Signing requests as AWS wants it: Signature Version 4.

use jiff::Timestamp;
use ring::{digest, hmac};

/// Who signs, and for which service.
pub(crate) struct Signer<'a> {
    pub key_id: &'a str,
    pub secret: &'a str,
    /// As in `eu-west-1`.
    pub region: &'a str,
    /// As in `sts`.
    pub service: &'a str,
    pub now: Timestamp,
}

/// What is signed.
pub(crate) struct Signed<'a> {
    /// As in `GET`.
    pub method: &'a str,
    /// As in `/`.
    pub path: &'a str,
    /// Names and values, not escaped.
    pub query: &'a [(&'a str, &'a str)],
    /// Names in small letters.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a str,
}

impl Signer<'_> {
    /// The time as AWS writes it.
    pub fn time(&self) -> String {
        self.now.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Which day, region and service the signature is for.
    pub fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &self.time()[..8], self.region, self.service)
    }

    /// Who signs, and for what, as a request names it.
    pub fn credential(&self) -> String {
        format!("{}/{}", self.key_id, self.scope())
    }

    /// The signature, in hexadecimal digits.
    pub fn signature(&self, signed: &Signed<'_>) -> String {
        let text =
            format!("AWS4-HMAC-SHA256\n{}\n{}\n{}", self.time(), self.scope(), digest_of(signed));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [&self.time()[..8], self.region, self.service, "aws4_request"] {
            key = sign(&key, part);
        }
        hex(&sign(&key, &text))
    }
}

/// Names of headers in their order, as a request lists what was signed.
pub(crate) fn header_names(headers: &[(&str, &str)]) -> String {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.join(";")
}

/// A query in the one order and spelling that can be signed.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn digest_of(signed: &Signed<'_>) -> String {
    let mut headers: Vec<String> =
        signed.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    headers.sort_unstable();
    let text = format!(
        "{}\n{}\n{}\n{}\n{}\n{}",
        signed.method,
        signed.path,
        query(signed.query),
        headers.concat(),
        header_names(signed.headers),
        sha256(signed.body),
    );
    sha256(&text)
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything but letters, digits and `-_.~` as `%` and two digits.
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
