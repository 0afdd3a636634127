//! Objects at rest: their JSON, compressed where that gains something.
//!
//! A parsed object costs ten times its JSON; its JSON compressed costs a third of it, and is
//! parsed again in microseconds when somebody asks.

use std::sync::LazyLock;

use parking_lot::Mutex;
use serde_json::Value;
use zstd::bulk::{Compressor, Decompressor};

/// Below this, compressing gains less than its own header and the time.
const COMPRESS_FROM_BYTES: usize = 400;

/// zstd's own scale; 3 is its default.
const LEVEL: i32 = 3;

/// One of each for the process: their working memory is larger than most objects.
static COMPRESSOR: LazyLock<Mutex<Compressor<'static>>> =
    LazyLock::new(|| Mutex::new(Compressor::new(LEVEL).expect("the level is zstd's own")));
static DECOMPRESSOR: LazyLock<Mutex<Decompressor<'static>>> =
    LazyLock::new(|| Mutex::new(Decompressor::new().expect("memory for one context")));

/// An object at rest.
#[derive(Clone)]
pub(crate) enum Compact {
    Plain(Box<[u8]>),
    Zstd { bytes: Box<[u8]>, plain_len: u32 },
}

impl Compact {
    /// Packs an object.
    pub(crate) fn pack(object: &Value) -> Self {
        let plain = serde_json::to_vec(object).expect("a value always has a text");
        if plain.len() >= COMPRESS_FROM_BYTES
            && let Ok(plain_len) = u32::try_from(plain.len())
            && let Ok(bytes) = COMPRESSOR.lock().compress(&plain)
            && bytes.len() < plain.len()
        {
            return Compact::Zstd { bytes: bytes.into(), plain_len };
        }
        Compact::Plain(plain.into())
    }

    /// Returns the object as it was packed.
    pub(crate) fn unpack(&self) -> Value {
        let parse = |plain: &[u8]| serde_json::from_slice(plain).expect("it was written by `pack`");
        match self {
            Compact::Plain(plain) => parse(plain),
            Compact::Zstd { bytes, plain_len } => {
                let plain = DECOMPRESSOR
                    .lock()
                    .decompress(bytes, *plain_len as usize)
                    .expect("it was written by `pack`");
                parse(&plain)
            }
        }
    }

    /// Bytes that it takes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Compact::Plain(bytes) | Compact::Zstd { bytes, .. } => bytes.len(),
        }
    }
}
