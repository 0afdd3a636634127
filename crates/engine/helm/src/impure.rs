//! Where randomness and time come from, and noting whether they had a part.

use goval::{Impure, Value};

/// Where randomness and time come from, told which template asks.
pub trait Chance: Impure {
    /// The calls that follow stand in this template (`chart/templates/x.yaml`).
    fn enter(&mut self, _template: &str) {}
}

impl Chance for sprig::Stable {
    fn enter(&mut self, template: &str) {
        sprig::Stable::enter(self, template);
    }
}

impl Chance for sprig::Fresh<'_> {}

impl Chance for sprig::Pinned {}

/// Hands everything on, and remembers that it did.
pub(crate) struct Noted<'a> {
    inner: &'a mut dyn Chance,
    asked: bool,
}

impl<'a> Noted<'a> {
    pub(crate) fn new(inner: &'a mut dyn Chance) -> Self {
        Self { inner, asked: false }
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked
    }
}

impl Chance for Noted<'_> {
    fn enter(&mut self, template: &str) {
        self.inner.enter(template);
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
