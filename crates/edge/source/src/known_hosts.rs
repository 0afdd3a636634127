//! Which SSH servers are known, in the format of OpenSSH's `known_hosts`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey};

/// The lines that can be read; the others are passed over, as OpenSSH does.
#[derive(Debug, Default)]
pub(crate) struct KnownHosts {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    number: usize,
    says: Says,
    patterns: Vec<Pattern>,
    key: KeyData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// The host has this key.
    Key,
    /// Certificates signed by this key are the host's.
    Authority,
    /// Nobody with this key is believed.
    Revoked,
}

#[derive(Debug)]
enum Pattern {
    /// `*` and `?` stand for anything; the flag means "but not".
    Name { text: String, not: bool },
    /// An HMAC of the name.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl KnownHosts {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().enumerate();
        Self { lines: lines.filter_map(|(at, line)| Line::parse(at + 1, line)).collect() }
    }

    /// Checks a server's plain key. The error says what is wrong.
    pub(crate) fn check_key(&self, host: &str, port: u16, key: &PublicKey) -> Result<(), String> {
        let (name, key) = (name_of(host, port), key.key_data());
        let shown = format!("{} key {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        let known: Vec<&Line> = self.about(&name).collect();
        if known.iter().any(|line| line.says == Says::Revoked && line.key == *key) {
            return Err(format!("the {shown} of {name} is revoked"));
        }
        let mut keys = known.iter().filter(|line| line.says == Says::Key).peekable();
        if keys.peek().is_none() {
            return Err(format!("knownhosts: key is unknown: {name} has the {shown}"));
        }
        if keys.any(|line| line.key == *key) {
            return Ok(());
        }
        let lines: Vec<String> = known
            .iter()
            .filter(|line| line.says == Says::Key)
            .map(|line| format!("line {}: {}", line.number, line.key.algorithm()))
            .collect();
        let lines = lines.join(", ");
        Err(format!("knownhosts: key mismatch: {name} has the {shown}, known is another ({lines})"))
    }

    /// Checks a server's certificate at a moment, in seconds since 1970.
    pub(crate) fn check_certificate(
        &self,
        host: &str,
        port: u16,
        certificate: &Certificate,
        now_s: u64,
    ) -> Result<(), String> {
        let name = name_of(host, port);
        let known: Vec<&Line> = self.about(&name).collect();
        let revoked =
            |key: &KeyData| known.iter().any(|line| line.says == Says::Revoked && line.key == *key);
        if revoked(certificate.signature_key()) || revoked(certificate.public_key()) {
            return Err(format!("the certificate of {name} is revoked"));
        }
        let authorities: Vec<_> = known
            .iter()
            .filter(|line| line.says == Says::Authority)
            .map(|line| line.key.fingerprint(HashAlg::Sha256))
            .collect();
        if certificate.cert_type() != CertType::Host || !certificate.critical_options().is_empty() {
            return Err(format!("{name} shows a certificate that is none of a host"));
        }
        let principals = certificate.valid_principals();
        let host = host.to_ascii_lowercase();
        if !principals.is_empty() && !principals.iter().any(|p| p.eq_ignore_ascii_case(&host)) {
            return Err(format!("the certificate of {name} is for {}", principals.join(", ")));
        }
        certificate.validate_at(now_s, &authorities).map_err(|_| {
            format!("the certificate of {name} is out of date, or of no known authority")
        })
    }

    /// Kinds of keys to ask a server for: those that are known first.
    pub(crate) fn preferred(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let name = name_of(host, port);
        let known: Vec<_> = self
            .about(&name)
            .filter(|line| line.says == Says::Key)
            .map(|line| line.key.algorithm())
            .collect();
        let is_known = |algorithm: &Algorithm| {
            let rsa = matches!(algorithm, Algorithm::Rsa { .. });
            known
                .iter()
                .any(|known| known == algorithm || (rsa && matches!(known, Algorithm::Rsa { .. })))
        };
        let mut all = all_algorithms();
        all.sort_by_key(|algorithm| !is_known(algorithm));
        all
    }

    /// Whether certificates of the host may be believed.
    pub(crate) fn has_authority(&self, host: &str, port: u16) -> bool {
        self.about(&name_of(host, port)).any(|line| line.says == Says::Authority)
    }

    fn about<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.is_about(name))
    }
}

/// Every kind of host key, the best first.
pub(crate) fn all_algorithms() -> Vec<Algorithm> {
    vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        Algorithm::Rsa { hash: None },
    ]
}

/// As `known_hosts` writes a host: with its port where that is not 22.
fn name_of(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

impl Line {
    fn parse(number: usize, line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace().peekable();
        if fields.peek()?.starts_with('#') {
            return None;
        }
        let says = match *fields.peek()? {
            "@cert-authority" => Says::Authority,
            "@revoked" => Says::Revoked,
            marker if marker.starts_with('@') => return None,
            _ => Says::Key,
        };
        if says != Says::Key {
            fields.next();
        }
        let patterns = fields.next()?.split(',').filter_map(Pattern::parse).collect();
        let (_kind, blob) = (fields.next()?, fields.next()?);
        let key = PublicKey::from_bytes(&STANDARD.decode(blob).ok()?).ok()?.key_data().clone();
        Some(Self { number, says, patterns, key })
    }

    fn is_about(&self, name: &str) -> bool {
        let mut about = false;
        for pattern in &self.patterns {
            match pattern {
                Pattern::Name { text, not } if fits(text, name) => {
                    if *not {
                        return false;
                    }
                    about = true;
                }
                Pattern::Name { .. } => {}
                Pattern::Hashed { salt, hash } => {
                    // The format knows no other hash.
                    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                    about |= hmac::verify(&key, name.as_bytes(), hash).is_ok();
                }
            }
        }
        about
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hashed) = text.strip_prefix("|1|") {
            let (salt, hash) = hashed.split_once('|')?;
            let decode = |text| STANDARD.decode(text).ok();
            return Some(Self::Hashed { salt: decode(salt)?, hash: decode(hash)? });
        }
        let (text, not) = match text.strip_prefix('!') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let text = text.to_ascii_lowercase();
        // `[host]:22` is another way to write `host`.
        let plain = text.strip_prefix('[').and_then(|rest| rest.strip_suffix("]:22"));
        let text = plain.map_or(text.clone(), str::to_owned);
        (!text.is_empty()).then_some(Self::Name { text, not })
    }
}

/// Whether a name fits a pattern with `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stood, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests;
