//! Values with a Go type of their own.

use std::any::Any;
use std::fmt;

use crate::function::Signature;
use crate::value::{Kind, Value};

/// A value that is neither a plain scalar, a slice nor a map: a time, a version, a chart's files.
pub trait Object: fmt::Debug {
    /// Go's type, as `%T` prints it: `*semver.Version`, `engine.files`.
    fn type_name(&self) -> &str;

    /// Go's kind.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// A field's value, or an entry's where the object is a map; `None` where there is no such field.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Whether a method of that name exists.
    fn has_method(&self, _name: &str) -> bool {
        false
    }

    /// What a method takes; `None` where it does not say: then any arguments are handed to it.
    fn signature(&self, _name: &str) -> Option<Signature> {
        None
    }

    /// Calls a method. The arguments suit the signature.
    ///
    /// # Errors
    ///
    /// What Go's method would say, as one line.
    fn call(&self, name: &str, _args: &[Value]) -> Result<Value, String> {
        Err(format!("no method {name}"))
    }

    /// `text/template`'s truth.
    fn is_true(&self) -> bool {
        true
    }

    /// How many elements `len` counts and `range` visits, where the kind has any.
    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        None
    }

    /// What `%v` prints (`String()` where Go's type has it).
    fn print(&self) -> String;

    /// Whether `print` is what Go's `String()` or `Error()` gives: then `%s`, `%q` and `%x`
    /// format that text.
    fn is_stringer(&self) -> bool {
        false
    }

    /// Whether `print` is what the `String()` of Go's pointer to it gives: an action prints that,
    /// and functions, which are given a copy, see its fields.
    fn is_stringer_by_pointer(&self) -> bool {
        false
    }

    /// The fields of a struct in their order, for the verbs that look into it; `None` where only
    /// `print` is known.
    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        None
    }

    /// The value that JSON and YAML see; `None` where it does not marshal.
    fn plain(&self) -> Option<Value> {
        None
    }

    /// The members that JSON text has, in the order of Go's struct; `None` where `plain` says
    /// all: a map's members are sorted, a struct's are not.
    fn members(&self) -> Option<Vec<(String, Value)>> {
        None
    }

    /// For functions that take one certain type.
    fn as_any(&self) -> &dyn Any;
}
