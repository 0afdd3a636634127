//! Fixed values, with which snapshots stay the same.

use goval::{Impure, Value};

use crate::args::named;
use crate::crypto::Certificate;

/// 2023-11-14 22:13:20 UTC.
const NOW_S: i128 = 1_700_000_000;
const UUID: &str = "00000000-0000-4000-8000-000000000000";

/// Random texts are all `x`, numbers the lowest, certificates say who they are for, and the time
/// stands still.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pinned;

impl Impure for Pinned {
    fn random(&mut self, _: &str, bytes: &mut [u8]) {
        bytes.fill(b'A');
    }

    fn now(&mut self) -> i128 {
        NOW_S * 1_000_000_000
    }

    fn pinned(&mut self, function: &str, args: &[Value]) -> Option<Value> {
        let text = |at: usize| match args.get(at) {
            Some(Value::Str(text)) => goval::text_of(text),
            _ => String::new(),
        };
        let count = match args.first() {
            Some(Value::Int(count, _)) => usize::try_from(*count).unwrap_or_default(),
            _ => 0,
        };
        Some(match function {
            "randAlphaNum" | "randAlpha" | "randAscii" => Value::str("x".repeat(count)),
            "randNumeric" => Value::str("1".repeat(count)),
            "randBytes" => Value::str("A".repeat(count)),
            "randInt" => args.first()?.clone(),
            "uuidv4" => Value::str(UUID),
            "shuffle" => args.first()?.clone(),
            "genPrivateKey" => {
                let of = text(0);
                Value::str(format!(
                    "-----BEGIN {of} PRIVATE KEY-----\nk\n-----END {of} PRIVATE KEY-----\n"
                ))
            }
            "genCA" | "genCAWithKey" => certificate(&format!("ca:{}", text(0))),
            "genSelfSignedCert" | "genSelfSignedCertWithKey" => {
                certificate(&format!("self:{}", text(0)))
            }
            "genSignedCert" | "genSignedCertWithKey" => certificate(&format!("signed:{}", text(0))),
            "buildCustomCert" => named(Certificate::new(text(0), text(1))),
            "htpasswd" => Value::str(format!("{}:$2a$10${}", text(0), text(1))),
            "bcrypt" => Value::str(format!("$2a$10${}", text(0))),
            "encryptAES" => Value::str(format!("aes:{}", text(1))),
            _ => return None,
        })
    }
}

fn certificate(id: &str) -> Value {
    let wrap = |kind: &str| format!("-----BEGIN {kind}-----\n{id}\n-----END {kind}-----\n");
    named(Certificate::new(wrap("CERTIFICATE"), wrap("RSA PRIVATE KEY")))
}
