//! What templates are compiled to: instructions for a machine with a stack of values.

use goval::{Str, Type};

use crate::ast::{NodeId, Span};
use crate::builtin::Builtin;

/// No node: errors name the one that was evaluated last.
pub(crate) const LAST: NodeId = NodeId::MAX;

/// One instruction. A `node` is what errors name from here on.
///
/// `boxed` says that the value is taken out of an interface only by whoever uses it: then nil
/// is a nil interface there, whose fields cannot be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Writes a part of the source.
    Text(Span),
    /// Takes the top value and writes it.
    Print {
        node: NodeId,
    },
    /// A field of the dot, written.
    PrintField {
        names: Span,
        node: NodeId,
        print: NodeId,
    },
    Pop,

    Dot {
        node: NodeId,
        boxed: bool,
    },
    Variable {
        slot: u32,
        node: NodeId,
        boxed: bool,
    },
    Field {
        names: Span,
        node: NodeId,
        boxed: bool,
    },
    VariableField {
        slot: u32,
        names: Span,
        node: NodeId,
        boxed: bool,
    },
    /// Fields of the top value, in its place.
    Chain {
        names: Span,
        boxed: bool,
    },
    Constant {
        constant: u32,
        node: NodeId,
    },
    NilMap {
        node: NodeId,
    },

    /// Looks for a method of the top value, whose arguments follow. Where the value is not
    /// there at all, nothing is called and the end is at `end`.
    Method {
        name: u32,
        args: u32,
        piped: bool,
        boxed: bool,
        end: u32,
    },
    /// A literal as an argument of the method.
    MethodLiteral {
        arg: NodeId,
        at: u32,
    },
    /// The top value must suit the method's parameter.
    MethodCheck {
        at: u32,
        boxed: bool,
    },
    /// The value from the pipeline, which lies under the receiver, is the method's last argument.
    MethodPiped {
        at: u32,
    },
    CallMethod {
        name: u32,
        args: u32,
        node: NodeId,
    },

    /// The top value must suit the type.
    Check {
        to: u32,
        boxed: bool,
    },
    /// The lowest of so many values becomes the top one.
    /// Notes whether the top value is still in its interface: `slice` asks for it.
    Note {
        boxed: bool,
    },
    /// Errors name this node from here on.
    At {
        node: NodeId,
    },
    Rotate {
        count: u32,
    },
    Call {
        function: u32,
        args: u32,
        node: NodeId,
    },
    Builtin {
        builtin: Builtin,
        args: u32,
        boxed: bool,
        node: NodeId,
    },
    Include {
        node: NodeId,
    },
    Tpl {
        node: NodeId,
    },
    /// `and`, `or`: leaves the top value and jumps where its truth is `truth`, else takes it.
    /// Where `piped`, the value from the pipeline below is dropped at the jump.
    Decide {
        truth: bool,
        piped: bool,
        to: u32,
    },

    /// Gives a new variable the top value, which stays.
    Declare {
        slot: u32,
    },
    /// Gives a variable the top value, which stays. Where its declaration was passed over, that
    /// is the error of the message.
    Assign {
        slot: u32,
        message: u32,
    },
    Jump {
        to: u32,
    },
    /// Takes the top value.
    JumpIfFalse {
        to: u32,
    },
    /// Takes the top value, as the dot where it is true.
    With {
        to: u32,
    },
    EndWith,
    /// Takes the top value and begins to go through it.
    Range {
        range: u32,
        otherwise: u32,
    },
    /// The next element, or the end.
    Next {
        end: u32,
    },
    /// Leaves so many `with`s inside a loop.
    Unwind {
        withs: u32,
    },
    /// Leaves the loop.
    EndRange,

    FindTemplate {
        name: u32,
        node: NodeId,
    },
    /// Executes the template that was found, with the top value or none.
    CallTemplate {
        data: bool,
        node: NodeId,
    },
    Return,
    /// Something that was wrong all along, but is an error only when it is met.
    Fail {
        message: u32,
        node: NodeId,
    },
}

/// One template's instructions.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Op>,
    pub(crate) constants: Vec<Constant>,
    pub(crate) types: Vec<Type>,
    pub(crate) messages: Vec<String>,
    pub(crate) ranges: Vec<RangeVariables>,
    /// How many variables there are at most, `$` included.
    pub(crate) slots: u32,
}

/// A constant; unlike a value it may be shared by threads.
#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Nil,
    NilList(goval::ListType),
    Bool(bool),
    Int(i64, goval::IntType),
    Uint(u64, goval::UintType),
    Float(f64),
    Str(Str),
    Bytes(Str),
    /// A number of the source that is no plain one: `2i`.
    Number(u32),
}

/// Which variables a loop sets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RangeVariables {
    /// How many are named.
    pub(crate) count: u32,
    /// The index's or key's, where two are named.
    pub(crate) index: u32,
    pub(crate) element: u32,
}
