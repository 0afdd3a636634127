//! Commands and their arguments.

use goval::Type;

use crate::ast::{NodeId, NodeKind, Span};
use crate::builtin::Builtin;
use crate::code::{LAST, Op};
use crate::convert::{self, Literal};
use crate::functions::{Called, NAME_AND_DATA};

use super::{Compiler, Work, undefined};

/// What a function takes.
#[derive(Clone, Copy)]
struct Params {
    types: &'static [Type],
    variadic: bool,
}

impl Params {
    /// The type of one argument.
    fn of(self, at: usize) -> Type {
        self.types.get(at).or(self.types.last()).copied().unwrap_or(Type::Any)
    }

    /// What is wrong with the number of arguments, one of which may come from the pipeline.
    fn misfit(self, name: &str, args: usize, piped: bool) -> Option<String> {
        let given = args + usize::from(piped);
        let wanted = self.types.len();
        if self.variadic {
            let least = wanted - 1;
            return (given < least).then(|| {
                format!("wrong number of args for {name}: want at least {least} got {args}")
            });
        }
        (given != wanted)
            .then(|| format!("wrong number of args for {name}: want {wanted} got {given}"))
    }
}

fn params_of(called: Called) -> Params {
    match called {
        Called::Host(function) => Params { types: function.params, variadic: function.variadic },
        Called::Include(_) | Called::Tpl(_) => Params { types: NAME_AND_DATA, variadic: false },
        Called::Builtin(builtin) => {
            let (types, variadic) = builtin.params();
            Params { types, variadic }
        }
    }
}

fn name_of(called: Called) -> &'static str {
    match called {
        Called::Host(function) => function.name,
        Called::Include(name) | Called::Tpl(name) => name,
        Called::Builtin(builtin) => builtin.name(),
    }
}

impl Compiler<'_> {
    /// One command of a pipeline. If it is not the first, the value of the one before is on the
    /// stack; its own takes that place.
    pub(super) fn command(&mut self, command: NodeId, pipe: NodeId, first: bool) {
        let NodeKind::Command { args } = self.ast.kind(command) else {
            unreachable!("a pipeline is made of commands");
        };
        let args = self.ast.kids(args);
        let (word, args) = (args[0], &args[1..]);
        let alone = args.is_empty() && first;
        match self.ast.kind(word) {
            NodeKind::Identifier { function, .. } => {
                self.call(function, word, command, args, !first);
            }
            NodeKind::Field { .. } | NodeKind::Chain { .. } => {
                self.fields(word, args, !first, false);
            }
            NodeKind::Variable { names, .. } if names.len() > 0 => {
                self.fields(word, args, !first, false);
            }
            NodeKind::Pipe(_) if alone => self.work.push(Work::Pipe(word)),
            NodeKind::Pipe(_) => {
                self.not_a_function(word, if first { pipe } else { LAST });
            }
            _ if !alone => self.not_a_function(word, word),
            NodeKind::Nil => self.fail("nil is not a command".to_owned(), word),
            NodeKind::Dot => self.emit(Op::Dot { node: word, boxed: false }),
            NodeKind::Variable { .. } => self.variable(word, false),
            _ => match convert::ideal(self.ast, word) {
                Ok(constant) => self.constant(constant, word),
                Err(message) => self.fail(message, word),
            },
        }
    }

    fn not_a_function(&mut self, word: NodeId, node: NodeId) {
        let shown = self.ast.print(word);
        self.fail(format!("can't give argument to non-function {shown}"), node);
    }

    fn variable(&mut self, node: NodeId, boxed: bool) {
        match self.slot_of(node) {
            Some(slot) => self.emit(Op::Variable { slot, node, boxed }),
            None => self.fail(undefined(self.ast, node), node),
        }
    }

    /// An argument for a parameter of a known type.
    pub(super) fn arg(&mut self, node: NodeId, to: Type) {
        // The work is done from its end: the check comes after the value.
        let boxed = self.is_boxed(node);
        match self.ast.kind(node) {
            NodeKind::Dot => {
                self.check(to, boxed);
                self.work.push(Work::Emit(Op::Dot { node, boxed }));
            }
            NodeKind::Variable { names, .. } if names.len() == 0 => {
                self.check(to, boxed);
                self.variable(node, boxed);
            }
            NodeKind::Field { .. } | NodeKind::Variable { .. } | NodeKind::Chain { .. } => {
                self.check(to, boxed);
                self.fields(node, &[], false, boxed);
            }
            NodeKind::Pipe(_) => {
                self.check(to, boxed);
                self.work.push(Work::Pipe(node));
            }
            NodeKind::Identifier { function, .. } => {
                self.check(to, boxed);
                self.call(function, node, node, &[], false);
            }
            _ => match convert::literal(self.ast, node, to) {
                Ok(Literal::Constant(constant)) => self.constant(constant, node),
                Ok(Literal::NilMap) => self.emit(Op::NilMap { node }),
                Err(message) => self.fail(message, node),
            },
        }
    }

    /// Checks the value that the work pushed after this leaves; nothing needs checking against
    /// `interface {}`.
    fn check(&mut self, to: Type, boxed: bool) {
        if to != Type::Any {
            let known = self.code.types.iter().position(|known| *known == to);
            let to = known.unwrap_or_else(|| {
                self.code.types.push(to);
                self.code.types.len() - 1
            });
            self.work.push(Work::Emit(Op::Check { to: to as u32, boxed }));
        }
    }

    /// A function and its arguments. `node` is what errors of the call itself name.
    fn call(&mut self, function: u32, word: NodeId, node: NodeId, args: &[NodeId], piped: bool) {
        let called = self.functions.called(function);
        let params = params_of(called);
        if let Some(misfit) = params.misfit(name_of(called), args.len(), piped) {
            self.fail(misfit, word);
            return;
        }
        if let Called::Builtin(builtin @ (Builtin::And | Builtin::Or)) = called {
            self.decide(builtin, word, args, piped);
            return;
        }
        let count = args.len() + usize::from(piped);
        let args_given = count as u32;
        let op = match called {
            Called::Host(_) => Op::Call { function, args: args_given, node },
            Called::Include(_) => Op::Include { node },
            Called::Tpl(_) => Op::Tpl { node },
            Called::Builtin(builtin) => {
                let boxed = args.last().is_some_and(|arg| self.is_boxed(*arg));
                Op::Builtin { builtin, args: args_given, boxed: boxed && !piped, node }
            }
        };
        self.work.push(Work::Emit(op));
        if piped {
            let to = params.of(count - 1);
            self.check(to, false);
            // Of several arguments the last one evaluated is named, else the function.
            if args.is_empty() {
                self.work.push(Work::Emit(Op::At { node: word }));
            }
            if count > 1 {
                self.work.push(Work::Emit(Op::Rotate { count: args_given }));
            }
        }
        let slice = matches!(called, Called::Builtin(Builtin::Slice));
        if piped && slice {
            self.work.push(Work::Emit(Op::Note { boxed: false }));
        }
        for (at, arg) in args.iter().enumerate().rev() {
            if slice {
                self.work.push(Work::Emit(Op::Note { boxed: self.is_boxed(*arg) }));
            }
            self.work.push(Work::Arg { node: *arg, to: params.of(at) });
        }
    }

    fn is_boxed(&self, arg: NodeId) -> bool {
        matches!(
            self.ast.kind(arg),
            NodeKind::Dot
                | NodeKind::Field { .. }
                | NodeKind::Variable { .. }
                | NodeKind::Chain { .. }
        )
    }

    /// `and` and `or`: the first argument that decides, or the last.
    fn decide(&mut self, builtin: Builtin, word: NodeId, args: &[NodeId], piped: bool) {
        if args.is_empty() {
            self.emit(Op::At { node: word });
        }
        let end = self.label();
        let truth = builtin == Builtin::Or;
        self.work.push(Work::Place(end));
        for (at, arg) in args.iter().enumerate().rev() {
            if piped || at + 1 < args.len() {
                self.work.push(Work::Emit(Op::Decide { truth, piped, to: end }));
            }
            self.work.push(Work::Arg { node: *arg, to: Type::Any });
        }
    }

    /// Fields of the dot, a variable or a parenthesis; the last may be a method with arguments.
    fn fields(&mut self, node: NodeId, args: &[NodeId], piped: bool, boxed: bool) {
        if args.is_empty() && !piped {
            self.field_chain(node, None, boxed);
            return;
        }
        let (NodeKind::Field { names }
        | NodeKind::Variable { names, .. }
        | NodeKind::Chain { names, .. }) = self.ast.kind(node)
        else {
            unreachable!("only these have fields");
        };
        let last = names.end - 1;
        let end = self.label();
        let count = args.len() as u32;
        self.work.push(Work::Place(end));
        let given = count + u32::from(piped);
        self.work.push(Work::Emit(Op::CallMethod { name: last, args: given, node }));
        if piped {
            self.work.push(Work::Emit(Op::MethodPiped { at: count }));
        }
        for (at, arg) in args.iter().enumerate().rev() {
            self.method_arg(*arg, at as u32);
        }
        // What comes out of parentheses is no interface.
        let boxed = names.len() > 1 || !matches!(self.ast.kind(node), NodeKind::Chain { .. });
        self.work.push(Work::Emit(Op::Method { name: last, args: count, piped, boxed, end }));
        self.field_chain(node, Some(Span { start: names.start, end: last }), true);
    }

    /// An argument whose type is known only when the method is found.
    fn method_arg(&mut self, node: NodeId, at: u32) {
        let literal = matches!(
            self.ast.kind(node),
            NodeKind::Bool(_) | NodeKind::Nil | NodeKind::Number(_) | NodeKind::String { .. }
        );
        if literal {
            self.work.push(Work::Emit(Op::MethodLiteral { arg: node, at }));
            return;
        }
        let boxed = self.is_boxed(node);
        self.work.push(Work::Emit(Op::MethodCheck { at, boxed }));
        self.work.push(Work::Arg { node, to: Type::Any });
    }

    /// Fields, all of them or those given.
    fn field_chain(&mut self, node: NodeId, only: Option<Span>, boxed: bool) {
        match self.ast.kind(node) {
            NodeKind::Field { names } => {
                let names = only.unwrap_or(names);
                let op = if names.len() == 0 {
                    Op::Dot { node, boxed }
                } else {
                    Op::Field { names, node, boxed }
                };
                self.work.push(Work::Emit(op));
            }
            NodeKind::Variable { names, .. } => {
                let names = only.unwrap_or(names);
                let Some(slot) = self.slot_of(node) else {
                    self.fail(undefined(self.ast, node), node);
                    return;
                };
                let op = if names.len() == 0 {
                    Op::Variable { slot, node, boxed }
                } else {
                    Op::VariableField { slot, names, node, boxed }
                };
                self.work.push(Work::Emit(op));
            }
            NodeKind::Chain { of, names } => {
                let names = only.unwrap_or(names);
                if let NodeKind::Nil = self.ast.kind(of) {
                    let shown = self.ast.print(node);
                    self.fail(format!("indirection through explicit nil in {shown}"), node);
                    return;
                }
                if names.len() > 0 {
                    self.work.push(Work::Emit(Op::Chain { names, boxed }));
                }
                self.work.push(Work::Arg { node: of, to: Type::Any });
            }
            _ => unreachable!("only these have fields"),
        }
    }
}
