//! One program, on a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use filetree::{FileTree, TreePath};
use jrsonnet_evaluator::error::ErrorKind;
use jrsonnet_evaluator::function::{CallLocation, TlaArg};
use jrsonnet_evaluator::gc::GcHashMap;
use jrsonnet_evaluator::manifest::JsonFormat;
use jrsonnet_evaluator::stack::limit_stack_depth;
use jrsonnet_evaluator::trace::{CompactFormat, PathResolver, TraceFormat};
use jrsonnet_evaluator::{State, Val, apply_tla};
use jrsonnet_parser::{ParserSettings, Source};
use jrsonnet_stdlib::{ContextInitializer, TracePrinter};

use crate::error::JsonnetError;
use crate::imports::{Imports, Said, answer};
use crate::library::Library;
use crate::rewrite::with_our_operators;

/// How often the caller's probe is asked while a program computes.
const PROBE_INTERVAL: Duration = Duration::from_millis(20);
/// What a program's thread may take of the stack. Pages that are not touched cost nothing.
const STACK_BYTES: usize = 256 << 20;
/// Programs that were left and never ended; they cannot be killed, so there is a bound.
const ABANDONED_MAX: usize = 4;

/// How many were left and still run.
static ABANDONED: AtomicUsize = AtomicUsize::new(0);

/// A program and its arguments.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// The file, for errors, `std.thisFile` and relative imports.
    pub file: &'a TreePath,
    /// What it says.
    pub text: &'a str,
    /// `std.extVar`.
    pub external: &'a [Variable],
    /// Arguments of the function that the program is, if it is one.
    pub top_level: &'a [Variable],
    /// Where imports are looked for besides the importing file's directory; the last one first.
    pub libraries: &'a [TreePath],
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// A string, or code.
    pub value: String,
    /// Whether the value is code.
    pub code: bool,
}

/// What a program may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls inside each other (go-jsonnet's 500).
    pub stack_depth_max: usize,
    /// The value as JSON, in bytes.
    pub output_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { stack_depth_max: 500, output_bytes_max: 256 << 20 }
    }
}

/// Evaluates a program to JSON text.
///
/// `should_stop` is asked every 20 ms while the program runs.
///
/// # Errors
///
/// [`JsonnetError`].
pub fn evaluate(
    tree: &dyn FileTree,
    program: &Program<'_>,
    limits: &Limits,
    should_stop: &dyn Fn() -> bool,
) -> Result<String, JsonnetError> {
    let running = ABANDONED.load(Ordering::Relaxed);
    if running >= ABANDONED_MAX {
        return Err(JsonnetError::Busy { running });
    }
    let (sender, said) = channel::<Said<Result<String, String>>>();
    let job = Job::of(program, limits);
    let thread = std::thread::Builder::new()
        .name("jsonnet".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || job.run(&sender))
        .map_err(JsonnetError::NoThread)?;
    loop {
        match said.recv_timeout(PROBE_INTERVAL) {
            Ok(Said::Asks(question, reply)) => {
                // Nobody waits for the answer only if the program was torn down.
                let _ = reply.send(answer(tree, question));
            }
            Ok(Said::Ends(Ok(text))) if text.len() > limits.output_bytes_max => {
                return Err(JsonnetError::TooLarge { limit_bytes: limits.output_bytes_max });
            }
            Ok(Said::Ends(outcome)) => return outcome.map_err(JsonnetError::Program),
            Err(RecvTimeoutError::Timeout) if should_stop() => {
                ABANDONED.fetch_add(1, Ordering::Relaxed);
                // Whoever waits for the thread gives its place back when it ends.
                let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
                    let _ = thread.join();
                    ABANDONED.fetch_sub(1, Ordering::Relaxed);
                });
                return Err(JsonnetError::Stopped);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let words = "the evaluation ended without an answer: a fault of the interpreter";
                return Err(JsonnetError::Program(words.to_owned()));
            }
        }
    }
}

/// A program with everything its thread needs, owned.
struct Job {
    file: TreePath,
    text: String,
    external: Vec<Variable>,
    top_level: Vec<Variable>,
    libraries: Vec<TreePath>,
    stack_depth_max: usize,
}

impl Job {
    fn of(program: &Program<'_>, limits: &Limits) -> Self {
        Self {
            file: program.file.clone(),
            text: program.text.to_owned(),
            external: program.external.to_vec(),
            top_level: program.top_level.to_vec(),
            libraries: program.libraries.to_vec(),
            stack_depth_max: limits.stack_depth_max,
        }
    }

    fn run(self, sender: &Sender<Said<Result<String, String>>>) {
        let asking = sender.clone();
        let ask = move |question, reply| asking.send(Said::Asks(question, reply)).is_ok();
        let outcome = self.evaluate(Box::new(ask));
        let _ = sender.send(Said::Ends(outcome));
    }

    fn evaluate(
        self,
        ask: Box<dyn Fn(crate::imports::Question, Sender<crate::imports::Answer>) -> bool>,
    ) -> Result<String, String> {
        // Each `+` of ours is a call with arguments, which go-jsonnet does not count.
        let _depth = limit_stack_depth(self.stack_depth_max * 3);
        let words = |error: jrsonnet_evaluator::Error| {
            let format =
                CompactFormat { padding: 4, resolver: PathResolver::Absolute, max_trace: 20 };
            format.format(&error).unwrap_or_else(|_| error.to_string())
        };
        let context = ContextInitializer::new(PathResolver::Absolute);
        context.settings_mut().trace_printer = Box::new(Silent);
        for variable in &self.external {
            if variable.code {
                context.add_ext_code(&variable.name, variable.value.as_str()).map_err(words)?;
            } else {
                let value = variable.value.as_str().into();
                context.add_ext_str(variable.name.as_str().into(), value);
            }
        }
        let base = self.file.parent().unwrap_or_else(TreePath::root);
        let mut builder = State::builder();
        builder
            .import_resolver(Imports { ask, base, libraries: self.libraries })
            .context_initializer(Library::new(context).map_err(words)?);
        let state = builder.build();
        let text = with_our_operators(&self.text);
        let value = state.evaluate_snippet(self.file.as_str(), text).map_err(words)?;
        let arguments = arguments(&self.top_level).map_err(words)?;
        let value = apply_tla(state, &arguments, value).map_err(words)?;
        if let Val::Func(_) = value {
            return Err("RUNTIME ERROR: couldn't manifest function in JSON output".to_owned());
        }
        value.manifest(JsonFormat::minify()).map_err(words)
    }
}

fn arguments(
    variables: &[Variable],
) -> Result<GcHashMap<jrsonnet_interner::IStr, TlaArg>, jrsonnet_evaluator::Error> {
    let mut arguments = GcHashMap::new();
    for Variable { name, value, code } in variables {
        let argument = if *code {
            let source = Source::new_virtual(
                format!("<top-level-arg:{name}>").into(),
                value.as_str().into(),
            );
            let parsed =
                jrsonnet_parser::parse(value, &ParserSettings { source: source.clone() }).map_err(
                    |error| ErrorKind::ImportSyntaxError { path: source, error: Box::new(error) },
                )?;
            TlaArg::Code(parsed)
        } else {
            TlaArg::String(value.as_str().into())
        };
        arguments.insert(name.as_str().into(), argument);
    }
    Ok(arguments)
}

/// `std.trace` prints nothing: a renderer has nowhere to print.
struct Silent;

impl TracePrinter for Silent {
    fn print_trace(&self, _: CallLocation<'_>, _: jrsonnet_interner::IStr) {}
}
