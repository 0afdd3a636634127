//! The same values at every rendering of the same Application.

use std::collections::BTreeMap;

use goval::{Impure, Value};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::crypto::{Certificate, Pair};
use crate::random::call;

/// Gives each call its own values, which depend on nothing but a key, the place of the call,
/// its arguments, and how many calls like it went before at that place.
///
/// Whoever knows the key knows the values: it is a secret.
pub struct Stable {
    key: [u8; 32],
    now_ns: i128,
    site: String,
    counts: BTreeMap<String, u32>,
    made: BTreeMap<String, Made>,
    /// Certificates that were asked for; who looks at one makes it.
    asked: BTreeMap<String, Certificate>,
}

/// A value that was costly to make, in a form that can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// A key, for example.
    Text(String),
    /// A certificate and its private key, both as PEM.
    Certificate {
        /// The certificate.
        cert: String,
        /// Its private key.
        key: String,
    },
}

impl Stable {
    /// `key` is the Application's secret; `now_ns` what the time is taken to be, in nanoseconds
    /// since 1970: a certificate's days count from it, so it should not move often.
    pub fn new(key: [u8; 32], now_ns: i128) -> Self {
        Self {
            key,
            now_ns,
            site: String::new(),
            counts: BTreeMap::new(),
            made: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Brings what an earlier rendering made, to spare making it again.
    #[must_use]
    pub fn with_made(mut self, made: BTreeMap<String, Made>) -> Self {
        self.made = made;
        self
    }

    /// Says where the next calls stand: a template's name. Calls in one template do not change
    /// what those in another one get.
    pub fn enter(&mut self, site: &str) {
        if self.site != site {
            self.site.clear();
            self.site.push_str(site);
        }
    }

    /// What was costly to make, for the next rendering; it holds secrets.
    pub fn into_made(mut self) -> BTreeMap<String, Made> {
        for (name, certificate) in self.asked {
            if let Some(Pair { cert, key }) = certificate.made().cloned() {
                self.made.insert(name, Made::Certificate { cert, key });
            }
        }
        self.made
    }

    /// The name of one call, the number of earlier ones like it included.
    fn name(&self, call: &str, count: u32) -> String {
        format!("{}\0{call}\0{count}", self.site)
    }

    fn count(&self, call: &str) -> u32 {
        self.counts.get(&format!("{}\0{call}", self.site)).copied().unwrap_or_default()
    }

    fn next(&mut self, call: &str) -> u32 {
        let count = self.counts.entry(format!("{}\0{call}", self.site)).or_default();
        *count += 1;
        *count - 1
    }
}

impl Impure for Stable {
    fn random(&mut self, call: &str, bytes: &mut [u8]) {
        let count = self.next(call);
        let name = self.name(call, count);
        for (number, block) in bytes.chunks_mut(32).enumerate() {
            let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
            mac.update(name.as_bytes());
            mac.update(&(number as u64).to_be_bytes());
            block.copy_from_slice(&mac.finalize().into_bytes()[..block.len()]);
        }
    }

    fn now(&mut self) -> i128 {
        self.now_ns
    }

    fn remembered(&mut self, function: &str, args: &[Value]) -> Option<Value> {
        let call = call(function, args);
        let name = self.name(&call, self.count(&call));
        let value = match self.made.get(&name)? {
            Made::Text(text) => Value::str(text.as_str()),
            Made::Certificate { cert, key } => {
                crate::args::named(Certificate::new(cert.clone(), key.clone()))
            }
        };
        self.next(&call);
        Some(value)
    }

    /// The call has asked for its randomness before, so it is the last one counted.
    fn remember(&mut self, function: &str, args: &[Value], made: &Value) {
        let call = call(function, args);
        let name = self.name(&call, self.count(&call).saturating_sub(1));
        match made {
            Value::Str(text) => {
                self.made.insert(name, Made::Text(goval::text_of(text)));
            }
            Value::Object(object) => {
                if let Some(made) = object.as_any().downcast_ref::<Certificate>() {
                    self.asked.insert(name, made.clone());
                }
            }
            _ => {}
        }
    }
}
