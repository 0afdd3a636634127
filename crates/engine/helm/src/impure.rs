//! Noting whether chance or time had a part in a rendering.

use goval::{Impure, Value};

/// Hands everything on, and remembers that it did.
pub(crate) struct Noted<'a> {
    inner: &'a mut dyn Impure,
    asked: bool,
}

impl<'a> Noted<'a> {
    pub(crate) fn new(inner: &'a mut dyn Impure) -> Self {
        Self { inner, asked: false }
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked
    }
}

impl Impure for Noted<'_> {
    fn random(&mut self, call: &str, bytes: &mut [u8]) {
        self.asked = true;
        self.inner.random(call, bytes);
    }

    fn now(&mut self) -> i128 {
        self.asked = true;
        self.inner.now()
    }

    fn pinned(&mut self, function: &str, args: &[Value]) -> Option<Value> {
        self.asked = true;
        self.inner.pinned(function, args)
    }

    fn remembered(&mut self, function: &str, args: &[Value]) -> Option<Value> {
        self.asked = true;
        self.inner.remembered(function, args)
    }

    fn remember(&mut self, function: &str, args: &[Value], made: &Value) {
        self.inner.remember(function, args, made);
    }
}
