//! Templates of any kind are parsed, or refused.
#![no_main]

use std::sync::{Arc, LazyLock};

use gotmpl::{Functions, Parsed};
use libfuzzer_sys::fuzz_target;

static FUNCTIONS: LazyLock<Arc<Functions>> = LazyLock::new(|| {
    Arc::new(Functions::builtin().with(sprig::functions(sprig::Profile::default())))
});

fuzz_target!(|bytes: &[u8]| {
    let _ = Parsed::new(bytes, &FUNCTIONS);
});
