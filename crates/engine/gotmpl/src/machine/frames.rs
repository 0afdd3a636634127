//! Templates that call templates.

use std::sync::Arc;

use goval::{Str, Value, quote_bytes};

use crate::ast::{Ast, NodeId, NodeKind};
use crate::code::Op;
use crate::error::{Cause, ExecError, Leads, ParseError, Place};
use crate::execute::{not_found, without_no_value};
use crate::parsed::Tree;
use crate::set::{Entry, TemplateSet};

use super::{Fault, Machine, State, Turn, Variable};

/// `{{template}}` nests no deeper within one `include` or file; Go's limit.
const TEMPLATE_DEPTH_MAX: u32 = 100_000;

/// More `include`s of one name inside each other than this are refused; Helm's limit.
const INCLUDE_DEPTH_MAX: u32 = 1000;

/// All together nest no deeper: a limit of ours, where Go would use up its memory.
const FRAMES_MAX: usize = 200_000;

/// `tpl`s nest no deeper: a limit of ours too.
const TPL_DEPTH_MAX: u32 = 10_000;

/// A template that is being executed.
pub(super) struct Frame {
    /// `None` only while its instructions are being executed.
    pub(super) entry: Option<Arc<Entry>>,
    /// The instruction to go on with.
    pub(super) pc: usize,
    /// What was evaluated last, while another frame is on top.
    at: NodeId,
    /// What that other frame was called by.
    site: NodeId,
    /// Where its variables begin.
    pub(super) variables: usize,
    /// How deep it is within its `include` or file.
    depth: u32,
    /// How many `tpl`s it is in.
    tpls: u32,
    kind: FrameKind,
    /// Where its text begins.
    out: usize,
}

pub(super) enum FrameKind {
    Root,
    Template,
    Include { function: &'static str, name: Str },
    Tpl { function: &'static str, text: Str },
}

impl Machine<'_, '_> {
    pub(super) fn push_frame(
        &mut self,
        kind: FrameKind,
        entry: Arc<Entry>,
        data: Value,
    ) -> Result<(), Fault> {
        if self.frames.len() >= FRAMES_MAX {
            return Err(Fault::budget(format!(
                "exceeded maximum depth of templates ({FRAMES_MAX})"
            )));
        }
        let depth = match (&kind, self.frames.last()) {
            (FrameKind::Template, Some(caller)) => caller.depth + 1,
            _ => 0,
        };
        let around = self.frames.last().map_or(0, |caller| caller.tpls);
        let tpls = around + u32::from(matches!(kind, FrameKind::Tpl { .. }));
        if tpls > TPL_DEPTH_MAX {
            return Err(Fault::budget(format!("exceeded maximum depth of tpl ({TPL_DEPTH_MAX})")));
        }
        let variables = self.variables.len();
        let slots = entry.tree.code().slots as usize;
        let unset = Variable { value: Value::Nil, state: State::Unset };
        self.variables.push(Variable { value: data.clone(), state: State::Plain });
        self.variables.resize(variables + slots, unset);
        self.enter_dot(data, false);
        let out = self.out.len();
        let entry = Some(entry);
        self.frames.push(Frame { entry, pc: 0, at: 0, site: 0, variables, depth, tpls, kind, out });
        Ok(())
    }

    /// Ends the frame on top.
    pub(super) fn pop_frame(&mut self) -> Result<Turn, Fault> {
        let frame = self.frames.pop().expect("it is being executed");
        self.variables.truncate(frame.variables);
        self.leave_dot();
        let Some(caller) = self.frames.last_mut() else {
            return Ok(Turn::Done);
        };
        self.at = caller.at;
        let next = caller.entry.as_ref().map(|entry| entry.tree.code().ops[caller.pc]);
        match frame.kind {
            FrameKind::Root | FrameKind::Template => {}
            FrameKind::Include { name, .. } => {
                if let Some(count) = self.included.get_mut(&name) {
                    *count -= 1;
                }
                if let Some(Op::Print { .. }) = next {
                    // The text is where it is to be.
                    caller.pc += 1;
                } else {
                    let text = Str::from(&self.out[frame.out..]);
                    self.out.truncate(frame.out);
                    self.values.push(Value::Str(text));
                }
            }
            FrameKind::Tpl { .. } => {
                self.sets.pop();
                let text = without_no_value(self.out.split_off(frame.out));
                self.values.push(Value::Str(Str::from(text)));
            }
        }
        Ok(Turn::Frame)
    }

    /// Notes where the frame on top is to go on.
    fn leave_frame(&mut self, pc: usize, site: NodeId) {
        let at = self.at;
        let frame = self.frames.last_mut().expect("it is being executed");
        frame.pc = pc;
        frame.at = at;
        frame.site = site;
    }

    /// The templates that are known here.
    fn set(&self) -> &TemplateSet {
        self.sets.last().expect("the set of the file stays")
    }

    pub(super) fn find_template(&mut self, name: &Str) -> Result<(), Fault> {
        let caller = self.frames.last().expect("it is being executed");
        let Some(entry) = self.set().find(name) else {
            return Err(format!("template {} not defined", quote_bytes(name)).into());
        };
        if caller.depth == TEMPLATE_DEPTH_MAX {
            let message = format!("exceeded maximum template depth ({TEMPLATE_DEPTH_MAX})");
            return Err(message.into());
        }
        self.found.push(Arc::clone(entry));
        Ok(())
    }

    pub(super) fn call_template(
        &mut self,
        pc: usize,
        node: NodeId,
        data: Value,
    ) -> Result<(), Fault> {
        let entry = self.found.pop().expect("it was found before");
        self.leave_frame(pc, node);
        self.push_frame(FrameKind::Template, entry, data)
    }

    /// `include`: its name and data are on top.
    pub(super) fn include(&mut self, pc: usize, node: NodeId, tree: &Tree) -> Result<(), Fault> {
        let function = tree.shared.functions.include_name();
        let data = self.pop();
        let Value::Str(name) = self.pop() else {
            unreachable!("the argument was checked");
        };
        match self.included.get_mut(&name) {
            Some(count) if *count > INCLUDE_DEPTH_MAX => {
                let said = format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                );
                return Err(self.said_by(function, said, node));
            }
            Some(count) => *count += 1,
            None => {
                self.included.insert(name.clone(), 1);
            }
        }
        self.leave_frame(pc, node);
        let Some(entry) = self.set().find(&name).cloned() else {
            let said = not_found(&name, self.set().root_name());
            return Err(self.said_by(function, said, node));
        };
        self.push_frame(FrameKind::Include { function, name }, entry, data)
    }

    /// `tpl`: its text and data are on top. `false` where its text was so plain that its value is
    /// on top already.
    pub(super) fn tpl(&mut self, pc: usize, node: NodeId, tree: &Tree) -> Result<bool, Fault> {
        let function = tree.shared.functions.tpl_name();
        let data = self.pop();
        let Value::Str(text) = self.pop() else {
            unreachable!("the argument was checked");
        };
        if !text.windows(2).any(|pair| pair == b"{{") {
            let value = if text.contains(&b'<') {
                Str::from(without_no_value(text.to_vec()))
            } else {
                text
            };
            self.values.push(Value::Str(value));
            return Ok(false);
        }
        self.context.budget.spend(text.len() as u64 / 8).map_err(Fault::budget)?;
        let parsed = self.hooks.parse_tpl(&text, &tree.shared.functions);
        self.leave_frame(pc, node);
        let (set, entry) = match parsed.and_then(|parsed| self.set().over(&parsed)) {
            Ok(set) => set,
            Err(error) => {
                self.at = node;
                return Err(unparsed(function, &text, self.set().root_name(), error));
            }
        };
        self.sets.push(set);
        self.push_frame(FrameKind::Tpl { function, text }, entry, data)?;
        Ok(true)
    }

    /// One of the engine's own functions failed.
    fn said_by(&mut self, function: &str, said: String, node: NodeId) -> Fault {
        self.at = node;
        Fault {
            message: format!("error calling {function}: {said}"),
            cause: Cause::Function { name: function.to_owned(), said },
        }
    }

    /// A variable whose declaration was passed over.
    pub(super) fn undefined(&self, tree: &Tree) -> Fault {
        let ast = &tree.shared.ast;
        let name = match ast.kind(self.at) {
            NodeKind::Variable { name, .. } => String::from_utf8_lossy(ast.source(name)),
            _ => "$".into(),
        };
        format!("undefined variable: {name}").into()
    }

    /// The error that a fault is, with all places that led to it.
    pub(super) fn explain(self, fault: Fault) -> ExecError {
        let mut stack: Vec<Place> = Vec::with_capacity(self.frames.len());
        let count = self.frames.len();
        for (at, frame) in self.frames.iter().enumerate() {
            if let Some(caller) = stack.last_mut() {
                caller.leads = Some(match &frame.kind {
                    FrameKind::Root | FrameKind::Template => Leads::Template,
                    FrameKind::Include { function, .. } => Leads::Include { function },
                    FrameKind::Tpl { function, text } => {
                        Leads::Tpl { function, text: text.clone() }
                    }
                });
            }
            let entry = frame.entry.as_ref().expect("it was put back");
            let ast = &entry.tree.shared.ast;
            let node = if at + 1 == count { self.at } else { frame.site };
            let (line, column) = ast.place(node);
            stack.push(Place {
                file: Arc::clone(&entry.file),
                line,
                column,
                template: entry.name.to_text().into_owned(),
                node: ast.print(node),
                leads: None,
            });
        }
        ExecError { stack, message: fault.message, cause: fault.cause }
    }
}

fn unparsed(function: &str, text: &Str, name: &str, error: ParseError) -> Fault {
    let (text, said) = (quote_bytes(text), error.text(name));
    Fault {
        message: format!("error calling {function}: cannot parse template {text}: {said}"),
        cause: Cause::Tpl(error),
    }
}

/// How a template spells what `call` calls.
pub(super) fn callee(ast: &Ast, node: NodeId, function: Option<&Value>) -> String {
    if let NodeKind::Command { args } = ast.kind(node)
        && let Some(callee) = ast.kids(args).get(1)
    {
        return ast.print(*callee);
    }
    match function {
        Some(Value::Str(text)) => text.to_text().into_owned(),
        Some(other) => format!("<{} Value>", other.type_name()),
        None => String::new(),
    }
}
