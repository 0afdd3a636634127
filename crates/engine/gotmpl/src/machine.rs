//! The machine that executes templates.
//!
//! It has one stack of values, one of variables, one of dots, one of loops and one of frames,
//! all on the heap: a template that calls another, `include` and `tpl` push a frame.

mod fields;
mod frames;
mod ranges;

use std::collections::HashMap;
use std::sync::Arc;

use goval::{Context, Signature, Str, TOO_MANY_STEPS, TOO_MUCH_TEXT, Value, append_action};

use crate::ast::{Ast, NodeId, Span};
use crate::builtin::{Boxes, Builtin};
use crate::code::{LAST, Op};
use crate::convert::{self, Literal, Suited};
use crate::error::{Cause, ExecError};
use crate::execute::Hooks;
use crate::functions::Called;
use crate::hash::NameHash;
use crate::parsed::Tree;
use crate::set::{Entry, TemplateSet};

use frames::{Frame, FrameKind};
use ranges::Loop;

/// Between two looks at the clock of the caller.
const STEPS_AT_ONCE: u64 = 4096;
/// Behind a text as long as this one there is room for a little more, so that it need not move.
const LONG_TEXT_BYTES: usize = 4096;

pub(crate) struct Machine<'a, 'c> {
    context: &'a mut Context<'c>,
    hooks: &'a mut dyn Hooks,
    out: Vec<u8>,
    values: Vec<Value>,
    variables: Vec<Variable>,
    dot: Value,
    dot_boxed: bool,
    /// The dots around the current one.
    dots: Vec<(Value, bool)>,
    loops: Vec<Loop>,
    frames: Vec<Frame>,
    /// The set of the file, and those of the `tpl`s that we are in.
    sets: Vec<TemplateSet>,
    /// Templates that were found, while their data is evaluated.
    found: Vec<Arc<Entry>>,
    /// What the methods take whose arguments are being evaluated.
    signatures: Vec<Option<Signature>>,
    /// Which arguments of `slice` are still in their interfaces.
    notes: Vec<bool>,
    /// How often each template is being included.
    included: HashMap<Str, u32, NameHash>,
    /// The node that errors name.
    at: NodeId,
    /// Whether the value pushed last is still in its interface.
    boxed: bool,
    /// Steps that were taken from the budget and not used yet.
    steps: u64,
}

/// A variable of a template.
#[derive(Clone, Debug)]
struct Variable {
    value: Value,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its declaration was passed over (`and false ($x := 1)`).
    Unset,
    Plain,
    /// Still in its interface: an element of a list.
    Boxed,
}

/// What goes wrong in one instruction.
pub(crate) struct Fault {
    message: String,
    cause: Cause,
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self { message, cause: Cause::Template }
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl Fault {
    fn budget(message: String) -> Self {
        Self { message, cause: Cause::Budget }
    }
}

/// What comes after an instruction that is not simply followed by the next.
enum Turn {
    /// Another frame is on top.
    Frame,
    /// The outermost template is done.
    Done,
}

impl<'a, 'c> Machine<'a, 'c> {
    pub(crate) fn new(context: &'a mut Context<'c>, hooks: &'a mut dyn Hooks) -> Self {
        Self {
            context,
            hooks,
            out: Vec::new(),
            values: Vec::new(),
            variables: Vec::new(),
            dot: Value::Nil,
            dot_boxed: false,
            dots: Vec::new(),
            loops: Vec::new(),
            frames: Vec::new(),
            sets: Vec::new(),
            found: Vec::new(),
            signatures: Vec::new(),
            notes: Vec::new(),
            included: HashMap::default(),
            at: 0,
            boxed: false,
            steps: 0,
        }
    }

    /// Executes a template and returns its text.
    pub(crate) fn run(
        mut self,
        set: &TemplateSet,
        entry: &Arc<Entry>,
        data: &Value,
    ) -> Result<Vec<u8>, ExecError> {
        self.sets.push(set.clone());
        let outcome = self
            .push_frame(FrameKind::Root, Arc::clone(entry), data.clone())
            .and_then(|()| self.frames_loop());
        self.context.budget.fuel += self.steps;
        match outcome {
            Ok(()) => Ok(self.out),
            Err(fault) => Err(self.explain(fault)),
        }
    }

    fn frames_loop(&mut self) -> Result<(), Fault> {
        loop {
            let place = self.frames.len() - 1;
            let frame = &mut self.frames[place];
            let (pc, base) = (frame.pc, frame.variables);
            // Taken and put back: counting who holds it costs more.
            let entry = frame.entry.take().expect("it is put back");
            let turn = self.ops_loop(&entry.tree, pc, base);
            if let Some(frame) = self.frames.get_mut(place) {
                frame.entry = Some(entry);
            }
            if let Turn::Done = turn? {
                return Ok(());
            }
        }
    }

    /// Executes instructions of one frame until another takes over.
    fn ops_loop(&mut self, tree: &Tree, start: usize, base: usize) -> Result<Turn, Fault> {
        let ast = &tree.shared.ast;
        let code = tree.code();
        let mut pc = start;
        loop {
            if self.steps == 0 {
                self.take_steps()?;
            }
            self.steps -= 1;
            let op = code.ops[pc];
            pc += 1;
            match op {
                Op::Text(span) => {
                    let text = ast.source(span);
                    self.charge(text.len())?;
                    if text.len() >= LONG_TEXT_BYTES {
                        self.out.reserve(text.len() + LONG_TEXT_BYTES);
                    }
                    self.out.extend_from_slice(text);
                }
                Op::Print { node } => {
                    self.at = node;
                    let value = self.pop();
                    self.print(ast, node, &value)?;
                }
                Op::PrintField { names, node, print } => {
                    self.at = node;
                    if !self.print_field(tree, names, print)? {
                        let dot = self.dot.clone();
                        let (value, _) = self.fields(tree, dot, self.dot_boxed, names)?;
                        self.at = print;
                        self.print(ast, print, &value)?;
                    }
                }
                Op::Pop => {
                    self.values.pop();
                }
                Op::Dot { node, boxed } => {
                    self.at = node;
                    self.boxed = boxed && self.dot_boxed;
                    self.values.push(self.dot.clone());
                }
                Op::Variable { slot, node, boxed } => {
                    self.at = node;
                    let variable = &self.variables[base + slot as usize];
                    if variable.state == State::Unset {
                        return Err(self.undefined(tree));
                    }
                    self.boxed = boxed && variable.state == State::Boxed;
                    self.values.push(variable.value.clone());
                }
                Op::Field { names, node, boxed } => {
                    self.at = node;
                    let value = match fields::quick(ast, &self.dot, names) {
                        Some(value) => value,
                        None => {
                            let dot = self.dot.clone();
                            self.fields(tree, dot, self.dot_boxed, names)?
                        }
                    };
                    self.push_unless_boxed(value, boxed);
                }
                Op::VariableField { slot, names, node, boxed } => {
                    self.at = node;
                    let variable = &self.variables[base + slot as usize];
                    if variable.state == State::Unset {
                        return Err(self.undefined(tree));
                    }
                    let value = match fields::quick(ast, &variable.value, names) {
                        Some(value) => value,
                        None => {
                            let in_interface = variable.state == State::Boxed;
                            let receiver = variable.value.clone();
                            self.fields(tree, receiver, in_interface, names)?
                        }
                    };
                    self.push_unless_boxed(value, boxed);
                }
                Op::Chain { names, boxed } => {
                    let receiver = self.pop();
                    let value = self.fields(tree, receiver, false, names)?;
                    self.push_unless_boxed(value, boxed);
                }
                Op::Constant { constant, node } => {
                    self.at = node;
                    self.values.push(code.constants[constant as usize].value(ast));
                }
                Op::NilMap { node } => {
                    self.at = node;
                    self.values.push(Value::Map(goval::Map::nil(goval::MapType::Any)));
                }
                Op::Method { name, args, piped, boxed, end } => {
                    if !self.find_method(tree, name, args as usize, piped, boxed)? {
                        pc = end as usize;
                    }
                }
                Op::MethodLiteral { arg, at } => {
                    self.at = arg;
                    let to = self.method_param(at as usize);
                    match convert::literal(ast, arg, to)? {
                        Literal::Constant(constant) => self.values.push(constant.value(ast)),
                        Literal::NilMap => {
                            self.values.push(Value::Map(goval::Map::nil(goval::MapType::Any)))
                        }
                    }
                }
                Op::MethodCheck { at, boxed } => {
                    let to = self.method_param(at as usize);
                    self.check(to, boxed)?;
                }
                Op::MethodPiped { at } => {
                    // Below the receiver and the other arguments.
                    let count = at as usize + 2;
                    self.rotate(count);
                    let to = self.method_param(at as usize);
                    self.check(to, false)?;
                }
                Op::CallMethod { name, args, node } => {
                    self.call_method(tree, name, args as usize, node)?;
                }
                Op::Check { to, boxed } => self.check(code.types[to as usize], boxed)?,
                Op::Note { boxed } => self.notes.push(boxed && self.boxed),
                Op::At { node } => self.at = node,
                Op::Rotate { count } => self.rotate(count as usize),
                Op::Call { function, args, node } => {
                    let Called::Host(function) = tree.shared.functions.called(function) else {
                        unreachable!("the compiler calls only host functions so");
                    };
                    if args == 0 {
                        self.at = node;
                    }
                    let from = self.values.len() - args as usize;
                    match (function.body)(self.context, &self.values[from..]) {
                        Ok(value) => {
                            self.values.truncate(from);
                            self.values.push(value);
                        }
                        Err(said) => return Err(self.failed(function.name, said, node)),
                    }
                }
                Op::Builtin { builtin, args, boxed, node } => {
                    if args == 0 {
                        self.at = node;
                    }
                    let from = self.values.len() - args as usize;
                    let args = &self.values[from..];
                    let callee = || frames::callee(ast, node, args.first());
                    let boxed = boxed && self.boxed;
                    let notes = match builtin {
                        Builtin::Slice => self.notes.split_off(self.notes.len() - args.len()),
                        _ => Vec::new(),
                    };
                    let boxes = Boxes { last: boxed, each: &notes };
                    match builtin.call(args, boxes, callee, self.context.budget) {
                        Ok(value) => {
                            self.values.truncate(from);
                            self.values.push(value);
                        }
                        Err(said) => return Err(self.failed(builtin.name(), said, node)),
                    }
                }
                Op::Include { node } => {
                    self.include(pc, node, tree)?;
                    return Ok(Turn::Frame);
                }
                Op::Tpl { node } => {
                    if self.tpl(pc, node, tree)? {
                        return Ok(Turn::Frame);
                    }
                }
                Op::Decide { truth, piped, to } => {
                    let top = self.values.last().expect("a value was evaluated");
                    if top.is_true() == truth {
                        pc = to as usize;
                        if piped {
                            let below = self.values.len() - 2;
                            self.values.swap_remove(below);
                        }
                    } else {
                        self.values.pop();
                    }
                }
                Op::Assign { slot, message } => {
                    let value = self.values.last().expect("a value was evaluated").clone();
                    let variable = &mut self.variables[base + slot as usize];
                    if variable.state == State::Unset {
                        return Err(code.messages[message as usize].clone().into());
                    }
                    *variable = Variable { value, state: State::Plain };
                }
                Op::Declare { slot } => {
                    let value = self.values.last().expect("a value was evaluated").clone();
                    self.variables[base + slot as usize] = Variable { value, state: State::Plain };
                }
                Op::Jump { to } => pc = to as usize,
                Op::JumpIfFalse { to } => {
                    if !self.pop().is_true() {
                        pc = to as usize;
                    }
                }
                Op::With { to } => {
                    let value = self.pop();
                    if value.is_true() {
                        self.enter_dot(value, false);
                    } else {
                        pc = to as usize;
                    }
                }
                Op::EndWith => self.leave_dot(),
                Op::Range { range, otherwise } => {
                    let value = self.pop();
                    if !self.begin_loop(&value, code.ranges[range as usize])? {
                        pc = otherwise as usize;
                    }
                }
                Op::Next { end } => {
                    if !self.next_element(base) {
                        self.end_loop();
                        pc = end as usize;
                    }
                }
                Op::Unwind { withs } => {
                    for _ in 0..withs {
                        self.leave_dot();
                    }
                }
                Op::EndRange => self.end_loop(),
                Op::FindTemplate { name, node } => {
                    self.at = node;
                    self.find_template(&ast.strings[name as usize])?;
                }
                Op::CallTemplate { data, node } => {
                    let data = if data { self.pop() } else { Value::Nil };
                    self.call_template(pc, node, data)?;
                    return Ok(Turn::Frame);
                }
                Op::Return => {
                    return self.pop_frame();
                }
                Op::Fail { message, node } => {
                    if node != LAST {
                        self.at = node;
                    }
                    return Err(code.messages[message as usize].clone().into());
                }
            }
        }
    }

    fn pop(&mut self) -> Value {
        self.values.pop().expect("the compiler pushes before it takes")
    }

    fn push_unless_boxed(&mut self, (value, in_interface): (Value, bool), boxed: bool) {
        self.boxed = boxed && in_interface;
        self.values.push(value);
    }

    /// The lowest of `count` values becomes the top one.
    fn rotate(&mut self, count: usize) {
        let from = self.values.len() - count;
        self.values[from..].rotate_left(1);
    }

    fn check(&mut self, to: goval::Type, boxed: bool) -> Result<(), Fault> {
        let top = self.values.last_mut().expect("a value was evaluated");
        if let Suited::Instead(value) = convert::suit(top, boxed && self.boxed, to)? {
            *top = value;
        }
        Ok(())
    }

    fn enter_dot(&mut self, dot: Value, boxed: bool) {
        let before = std::mem::replace(&mut self.dot, dot);
        self.dots.push((before, self.dot_boxed));
        self.dot_boxed = boxed;
    }

    fn leave_dot(&mut self) {
        (self.dot, self.dot_boxed) = self.dots.pop().expect("it was entered before");
    }

    fn take_steps(&mut self) -> Result<(), Fault> {
        if self.hooks.should_stop() {
            let message = "the rendering was stopped".to_owned();
            return Err(Fault { message, cause: Cause::Stopped });
        }
        let steps = STEPS_AT_ONCE.min(self.context.budget.fuel).max(1);
        self.context.budget.spend(steps).map_err(Fault::budget)?;
        self.steps = steps;
        Ok(())
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        self.context.budget.charge(bytes as u64).map_err(Fault::budget)
    }

    /// Writes a value as an action does.
    fn print(&mut self, ast: &Ast, node: NodeId, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Nil => {
                self.charge(10)?;
                self.out.extend_from_slice(b"<no value>");
                Ok(())
            }
            Value::Object(object) if object.kind() == goval::Kind::Func => {
                let node = ast.print(node);
                Err(format!("can't print {node} of type {}", object.type_name()).into())
            }
            // Pointers are followed before they are printed.
            Value::Object(object) if object.kind() == goval::Kind::Ptr => {
                let text = object.print();
                self.charge(text.len())?;
                self.out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            _ => append_action(&mut self.out, value, self.context.budget).map_err(Fault::budget),
        }
    }

    /// Writes a field of the dot without taking it out; `false` where that is not so simple.
    fn print_field(&mut self, tree: &Tree, names: Span, print: NodeId) -> Result<bool, Fault> {
        let (out, budget) = (&mut self.out, &mut *self.context.budget);
        let mut outcome = Ok(());
        let found = fields::look(&tree.shared.ast, &self.dot, names, &mut |value, _| {
            outcome = match value {
                Value::Nil => {
                    out.extend_from_slice(b"<no value>");
                    budget.charge(10)
                }
                Value::Object(_) => return false,
                _ => append_action(out, value, budget),
            };
            true
        });
        if outcome.is_err() {
            self.at = print;
        }
        outcome.map_err(Fault::budget)?;
        Ok(found)
    }

    /// A function or method said that it failed.
    fn failed(&mut self, name: &str, said: String, node: NodeId) -> Fault {
        self.at = node;
        let message = format!("error calling {name}: {said}");
        let used_up = said == TOO_MANY_STEPS || said == TOO_MUCH_TEXT;
        let cause =
            if used_up { Cause::Budget } else { Cause::Function { name: name.to_owned(), said } };
        Fault { message, cause }
    }
}
