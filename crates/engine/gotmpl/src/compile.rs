//! From nodes to instructions. Nothing here recurses with the nodes.

mod command;

use goval::Type;

use crate::ast::{Ast, Branch, NodeId, NodeKind, Pipe, Span};
use crate::code::{Code, Constant, LAST, Op, RangeVariables};
use crate::functions::Functions;

/// Instructions of a body for each node directly in it, about.
const OPS_A_NODE: usize = 6;

/// Compiles a template's body.
pub(crate) fn compile(ast: &Ast, functions: &Functions, body: Span) -> Code {
    let mut compiler = Compiler {
        ast,
        functions,
        code: Code {
            slots: 1,
            ops: Vec::with_capacity(OPS_A_NODE * body.len() + 1),
            ..Code::default()
        },
        labels: Vec::new(),
        last_label: 0,
        // `$` is the first variable.
        variables: vec![Variable { name: None }],
        loops: Vec::new(),
        withs: 0,
        work: vec![Work::Emit(Op::Return), Work::Nodes(body)],
    };
    while let Some(work) = compiler.work.pop() {
        compiler.step(work);
    }
    compiler.finish()
}

struct Compiler<'a> {
    ast: &'a Ast,
    functions: &'a Functions,
    code: Code,
    /// Where each label stands in the instructions.
    labels: Vec<u32>,
    /// Where the last label stands: what is before is another way to get there.
    last_label: u32,
    /// What is declared here; the place is the slot.
    variables: Vec<Variable>,
    loops: Vec<Loop>,
    /// How many `with`s we are in.
    withs: u32,
    /// What is to be done next, on top.
    work: Vec<Work>,
}

#[derive(Clone, Copy)]
struct Variable {
    /// A part of the source; `None` is `$`.
    name: Option<Span>,
}

/// What `break` and `continue` lead out of.
#[derive(Clone, Copy)]
struct Loop {
    /// Where the next element is taken; `None` in the loop's `else`, which only `break` leaves.
    next: Option<u32>,
    end: u32,
    withs: u32,
}

/// A piece of work.
#[derive(Clone, Copy)]
enum Work {
    Emit(Op),
    /// A label stands here.
    Place(u32),
    Nodes(Span),
    Node(NodeId),
    /// Evaluates a pipeline.
    Pipe(NodeId),
    /// Gives a pipeline's value to its variables.
    Declare(NodeId),
    Command {
        command: NodeId,
        pipe: NodeId,
        first: bool,
    },
    /// Evaluates an argument for a parameter.
    Arg {
        node: NodeId,
        to: Type,
    },
    /// Forgets the variables that were declared since.
    Forget(usize),
    EnterWith,
    LeaveWith,
    EnterRange {
        pipe: NodeId,
        branch: Branch,
    },
    /// From a loop's body to its `else`.
    EnterElse,
    LeaveRange,
}

impl Compiler<'_> {
    fn step(&mut self, work: Work) {
        match work {
            Work::Emit(op) => self.emit(op),
            Work::Place(label) => {
                self.labels[label as usize] = self.here();
                self.last_label = self.here();
            }
            Work::Nodes(list) => {
                let nodes = self.ast.kids(list);
                self.work.extend(nodes.iter().rev().map(|node| Work::Node(*node)));
            }
            Work::Node(node) => self.node(node),
            Work::Pipe(node) => self.pipe(node),
            Work::Declare(node) => self.declare(node),
            Work::Command { command, pipe, first } => self.command(command, pipe, first),
            Work::Arg { node, to } => self.arg(node, to),
            Work::Forget(count) => self.variables.truncate(count),
            Work::EnterWith => self.withs += 1,
            Work::LeaveWith => self.withs -= 1,
            Work::EnterRange { pipe, branch } => self.enter_range(pipe, branch),
            Work::EnterElse => {
                if let Some(around) = self.loops.last_mut() {
                    around.next = None;
                }
            }
            Work::LeaveRange => {
                self.loops.pop();
            }
        }
    }

    fn node(&mut self, node: NodeId) {
        match self.ast.kind(node) {
            NodeKind::Text(span) => self.emit(Op::Text(span)),
            NodeKind::Action { pipe } => {
                let declares = self.pipe_parts(pipe).declared.len() > 0;
                let end = if declares { Op::Pop } else { Op::Print { node } };
                self.then([Work::Pipe(pipe), Work::Emit(end)]);
            }
            NodeKind::If(branch) => self.branch(branch, false),
            NodeKind::With(branch) => self.branch(branch, true),
            NodeKind::Range(branch) => {
                let variables = self.variables.len();
                self.then([
                    Work::Pipe(branch.pipe),
                    Work::EnterRange { pipe: branch.pipe, branch },
                    Work::Forget(variables),
                ]);
            }
            NodeKind::Template { name, pipe } => {
                self.emit(Op::FindTemplate { name, node });
                self.work.push(Work::Emit(Op::CallTemplate { data: pipe.is_some(), node }));
                self.work.extend(pipe.map(Work::Pipe));
            }
            NodeKind::Break | NodeKind::Continue => {
                let breaks = matches!(self.ast.kind(node), NodeKind::Break);
                let around = self.loops.iter().rev().find(|of| breaks || of.next.is_some());
                let around = *around.expect("the parser allows it in loops only");
                let withs = self.withs - around.withs;
                if withs > 0 {
                    self.emit(Op::Unwind { withs });
                }
                match around.next {
                    Some(next) if !breaks => self.emit(Op::Jump { to: next }),
                    Some(_) => {
                        self.emit(Op::EndRange);
                        self.emit(Op::Jump { to: around.end });
                    }
                    None => self.emit(Op::Jump { to: around.end }),
                }
            }
            // Parts of the others.
            NodeKind::Pipe(_)
            | NodeKind::Command { .. }
            | NodeKind::Dot
            | NodeKind::Nil
            | NodeKind::Bool(_)
            | NodeKind::Number(_)
            | NodeKind::String { .. }
            | NodeKind::Field { .. }
            | NodeKind::Variable { .. }
            | NodeKind::Chain { .. }
            | NodeKind::Identifier { .. } => {}
        }
    }

    /// `if` and `with`.
    fn branch(&mut self, branch: Branch, with: bool) {
        let variables = self.variables.len();
        // The pipeline's own variables are there in both branches.
        let kept = variables + self.declared_in(branch.pipe);
        let otherwise = self.label();
        let end = self.label();
        let test =
            if with { Op::With { to: otherwise } } else { Op::JumpIfFalse { to: otherwise } };
        // What comes last is put on the pile first.
        self.then([Work::Place(end), Work::Forget(variables)]);
        match branch.other {
            Some(other) => self.then([
                Work::Emit(Op::Jump { to: end }),
                Work::Place(otherwise),
                Work::Nodes(other),
            ]),
            None => self.work.push(Work::Place(otherwise)),
        }
        self.work.push(Work::Forget(kept));
        if with {
            self.then([
                Work::EnterWith,
                Work::Nodes(branch.body),
                Work::LeaveWith,
                Work::Emit(Op::EndWith),
            ]);
        } else {
            self.work.push(Work::Nodes(branch.body));
        }
        self.then([Work::Pipe(branch.pipe), Work::Emit(test)]);
    }

    fn enter_range(&mut self, pipe: NodeId, branch: Branch) {
        let parts = self.pipe_parts(pipe);
        let declared = self.ast.kids(parts.declared);
        let slots: Vec<u32> = if parts.assigns {
            declared.iter().filter_map(|variable| self.slot_of(*variable)).collect()
        } else {
            // The newest ones, whatever their names.
            let count = self.variables.len();
            (count - declared.len()..count).map(|slot| slot as u32).collect()
        };
        let variables = match slots[..] {
            [element] => RangeVariables { count: 1, index: 0, element },
            [index, element] => RangeVariables { count: 2, index, element },
            _ => RangeVariables::default(),
        };
        self.code.ranges.push(variables);
        let range = self.code.ranges.len() as u32 - 1;
        let kept = self.variables.len();
        let next = self.label();
        let otherwise = self.label();
        let end = self.label();
        self.loops.push(Loop { next: Some(next), end, withs: self.withs });
        self.then([
            Work::Emit(Op::Range { range, otherwise }),
            Work::Place(next),
            Work::Emit(Op::Next { end }),
            Work::Nodes(branch.body),
            Work::Emit(Op::Jump { to: next }),
            Work::EnterElse,
            Work::Forget(kept),
            Work::Place(otherwise),
            Work::Nodes(branch.other.unwrap_or_default()),
            Work::LeaveRange,
            Work::Place(end),
        ]);
    }

    fn pipe(&mut self, node: NodeId) {
        let pipe = self.pipe_parts(node);
        self.work.push(Work::Declare(node));
        let commands = self.ast.kids(pipe.commands);
        for (at, command) in commands.iter().enumerate().rev() {
            self.work.push(Work::Command { command: *command, pipe: node, first: at == 0 });
        }
    }

    fn declare(&mut self, node: NodeId) {
        let pipe = self.pipe_parts(node);
        for variable in self.ast.kids(pipe.declared).to_vec() {
            if pipe.assigns {
                match self.slot_of(variable) {
                    Some(slot) => {
                        let message = self.message(undefined(self.ast, variable));
                        self.emit(Op::Assign { slot, message });
                    }
                    None => self.fail(undefined(self.ast, variable), LAST),
                }
                continue;
            }
            let NodeKind::Variable { name, .. } = self.ast.kind(variable) else {
                unreachable!("only variables are declared");
            };
            let slot = self.variables.len() as u32;
            self.variables.push(Variable { name: Some(name) });
            self.code.slots = self.code.slots.max(slot + 1);
            self.emit(Op::Declare { slot });
        }
    }

    /// How many variables a pipeline declares, outside parentheses.
    fn declared_in(&self, pipe: NodeId) -> usize {
        let pipe = self.pipe_parts(pipe);
        if pipe.assigns { 0 } else { pipe.declared.len() }
    }

    fn pipe_parts(&self, node: NodeId) -> Pipe {
        match self.ast.kind(node) {
            NodeKind::Pipe(pipe) => pipe,
            _ => unreachable!("the parser puts pipelines there"),
        }
    }

    /// The slot of a variable, by its name.
    fn slot_of(&self, variable: NodeId) -> Option<u32> {
        let NodeKind::Variable { name, .. } = self.ast.kind(variable) else {
            return None;
        };
        let name = self.ast.source(name);
        self.variables
            .iter()
            .rposition(|known| known.name.map_or(&b"$"[..], |span| self.ast.source(span)) == name)
            .map(|slot| slot as u32)
    }

    fn emit(&mut self, op: Op) {
        if let Op::Print { node: print } = op
            && let Some(&Op::Field { names, node, boxed: false }) = self.code.ops.last()
            && self.last_label != self.here()
        {
            self.code.ops.pop();
            self.code.ops.push(Op::PrintField { names, node, print });
            return;
        }
        self.code.ops.push(op);
    }

    fn fail(&mut self, message: String, node: NodeId) {
        let message = self.message(message);
        self.emit(Op::Fail { message, node });
    }

    fn message(&mut self, message: String) -> u32 {
        self.code.messages.push(message);
        self.code.messages.len() as u32 - 1
    }

    fn constant(&mut self, constant: Constant, node: NodeId) {
        self.code.constants.push(constant);
        let constant = self.code.constants.len() as u32 - 1;
        self.emit(Op::Constant { constant, node });
    }

    fn here(&self) -> u32 {
        u32::try_from(self.code.ops.len()).expect("a text of four gigabytes has fewer instructions")
    }

    fn label(&mut self) -> u32 {
        self.labels.push(0);
        self.labels.len() as u32 - 1
    }

    /// Does all of this next, in this order.
    fn then<const N: usize>(&mut self, work: [Work; N]) {
        self.work.extend(work.into_iter().rev());
    }

    /// Puts places where labels were.
    fn finish(mut self) -> Code {
        for op in &mut self.code.ops {
            match op {
                Op::Jump { to }
                | Op::JumpIfFalse { to }
                | Op::With { to }
                | Op::Decide { to, .. }
                | Op::Range { otherwise: to, .. }
                | Op::Next { end: to }
                | Op::Method { end: to, .. } => *to = self.labels[*to as usize],
                _ => {}
            }
        }
        self.code.ops.shrink_to_fit();
        self.code.constants.shrink_to_fit();
        self.code.messages.shrink_to_fit();
        self.code
    }
}

/// Go's words for a variable that is not there.
fn undefined(ast: &Ast, variable: NodeId) -> String {
    let NodeKind::Variable { name, .. } = ast.kind(variable) else {
        unreachable!("only variables are undefined");
    };
    format!("undefined variable: {}", String::from_utf8_lossy(ast.source(name)))
}
