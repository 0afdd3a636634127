//! Functions that templates call, with their Go signatures.

use std::any::Any;

use crate::value::Value;

/// One function of a table.
///
/// The engine of templates checks and converts arguments by the signature before it calls
/// `body`, with `text/template`'s rules and words, so a body meets only what it declares.
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// The declared types; of a variadic function the last one repeats.
    pub params: &'static [Type],
    /// Whether the last parameter may come any number of times, none included.
    pub variadic: bool,
    /// The function itself. An error is the text of Go's `error`.
    pub body: Body,
}

/// A function's code.
pub type Body = fn(&mut Context<'_>, &[Value]) -> Result<Value, String>;

/// What a method takes, without its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The declared types; of a variadic method the last one repeats.
    pub params: &'static [Type],
    /// Whether the last parameter may come any number of times, none included.
    pub variadic: bool,
}

/// A parameter's declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything, nothing included.
    Any,
    /// `string`.
    String,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `int64`.
    Int64,
    /// `uint32`.
    Uint32,
    /// `float64`.
    Float64,
    /// `map[string]interface {}`.
    Map,
    /// `[]interface {}`.
    List,
    /// `[]string`.
    Strings,
    /// `[]byte`.
    Bytes,
    /// A named type, as `%T` prints it (`time.Time`, `sprig.certificate`).
    Named(&'static str),
}

/// What a function may use besides its arguments.
pub struct Context<'a> {
    /// Randomness, time and everything else that is not a function of the arguments.
    pub impure: &'a mut dyn Impure,
    /// What is left of the rendering's budgets.
    pub budget: &'a mut Budget,
    /// What the caller of the engine wants handed through to its own functions.
    pub host: &'a mut dyn Any,
}

/// Where randomness and time come from: an argument, as everything an engine needs.
pub trait Impure {
    /// Fills `bytes` at random. `call` names the function and its arguments, so that an
    /// implementation can give the same bytes to the same call.
    fn random(&mut self, call: &str, bytes: &mut [u8]);

    /// The time, in nanoseconds since 1970 (UTC).
    fn now(&mut self) -> i128;

    /// Fixed answers for tests and snapshots: a value instead of the function's own
    /// (`genCA`, `htpasswd`, …); `None` lets the function work.
    fn pinned(&mut self, _function: &str, _args: &[Value]) -> Option<Value> {
        None
    }

    /// A value made before for the same function and arguments (a key pair costs much).
    fn remembered(&mut self, _function: &str, _args: &[Value]) -> Option<Value> {
        None
    }

    /// Told of every value that was costly to make.
    fn remember(&mut self, _function: &str, _args: &[Value], _made: &Value) {}
}

/// What is said when the steps of a budget are used up.
pub const TOO_MANY_STEPS: &str = "the rendering takes too many steps";

/// What is said when the bytes of a budget are used up.
pub const TOO_MUCH_TEXT: &str = "the rendering makes too much text";

/// What a rendering may still use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps: nodes executed, elements visited.
    pub fuel: u64,
    /// Bytes of text and values made.
    pub bytes: u64,
}

impl Budget {
    /// Takes steps.
    ///
    /// # Errors
    ///
    /// When not enough is left; the budget is empty then.
    pub fn spend(&mut self, steps: u64) -> Result<(), String> {
        match self.fuel.checked_sub(steps) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(TOO_MANY_STEPS.to_owned())
            }
        }
    }

    /// Takes bytes, before they are made.
    ///
    /// # Errors
    ///
    /// When not enough is left; the budget is empty then.
    pub fn charge(&mut self, bytes: u64) -> Result<(), String> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => {
                self.bytes = 0;
                Err(TOO_MUCH_TEXT.to_owned())
            }
        }
    }
}
