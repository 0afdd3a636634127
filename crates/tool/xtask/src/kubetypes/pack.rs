//! The tables' binary form, written; `kubetypes::tables::read` reads it.
//!
//! Records are kept once, whichever minors share them: a minor is a list of record numbers.
//! Every number is LEB128; a record is led by its length so that a reader can skip it.

use std::collections::HashMap;

/// Numbers every string once; the empty string is 0.
pub struct Strings {
    all: Vec<String>,
    at: HashMap<String, usize>,
}

impl Strings {
    /// Only the empty string.
    pub fn new() -> Strings {
        Strings { all: vec![String::new()], at: HashMap::from([(String::new(), 0)]) }
    }

    /// The number of a string, a new one where it was not there.
    pub fn number(&mut self, text: &str) -> usize {
        if let Some(&at) = self.at.get(text) {
            return at;
        }
        self.all.push(text.to_owned());
        self.at.insert(text.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }
}

/// Records that are equal are one.
#[derive(Default)]
pub struct Pool {
    all: Vec<Vec<u8>>,
    at: HashMap<Vec<u8>, usize>,
}

impl Pool {
    /// The number of a record, a new one where it was not there.
    pub fn number(&mut self, record: Vec<u8>) -> usize {
        if let Some(&at) = self.at.get(&record) {
            return at;
        }
        self.all.push(record.clone());
        self.at.insert(record, self.all.len() - 1);
        self.all.len() - 1
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }
}

/// One minor: its number, its upstream release, and the numbers of its records.
pub struct Minor {
    /// 36 for 1.36.
    pub minor: usize,
    /// The release whose sources were read, such as `v1.36.3`.
    pub release: String,
    /// Types, sorted by name.
    pub types: Vec<usize>,
    /// Resources, in the order of discovery.
    pub resources: Vec<usize>,
}

/// Puts the whole together, uncompressed.
pub fn assemble(mut strings: Strings, types: &Pool, resources: &Pool, minors: &[Minor]) -> Vec<u8> {
    let releases: Vec<usize> = minors.iter().map(|m| strings.number(&m.release)).collect();
    let mut out = b"KTT1".to_vec();
    put(&mut out, strings.all.len());
    for text in &strings.all {
        put(&mut out, text.len());
        out.extend_from_slice(text.as_bytes());
    }
    for pool in [types, resources] {
        put(&mut out, pool.all.len());
        for record in &pool.all {
            put(&mut out, record.len());
            out.extend_from_slice(record);
        }
    }
    put(&mut out, minors.len());
    for (minor, release) in minors.iter().zip(releases) {
        put(&mut out, minor.minor);
        put(&mut out, release);
        for numbers in [&minor.types, &minor.resources] {
            put(&mut out, numbers.len());
            for &number in numbers {
                put(&mut out, number);
            }
        }
    }
    out
}

/// Appends a number.
pub fn put(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
