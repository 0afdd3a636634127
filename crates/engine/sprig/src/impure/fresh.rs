//! New values at every rendering.

use goval::Impure;

/// Takes randomness and time from the caller.
pub struct Fresh<'a> {
    fill: &'a mut dyn FnMut(&mut [u8]),
    now_ns: i128,
}

impl<'a> Fresh<'a> {
    /// `fill` fills bytes at random, as good as secrets need them; `now_ns` is the time in
    /// nanoseconds since 1970.
    pub fn new(now_ns: i128, fill: &'a mut dyn FnMut(&mut [u8])) -> Self {
        Self { fill, now_ns }
    }
}

impl Impure for Fresh<'_> {
    fn random(&mut self, _: &str, bytes: &mut [u8]) {
        (self.fill)(bytes);
    }

    fn now(&mut self) -> i128 {
        self.now_ns
    }
}
