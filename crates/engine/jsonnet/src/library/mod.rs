//! `std` as go-jsonnet has it: the interpreter's own, with what is missing or differs on top.

mod format;
mod numbers;
mod text;
mod yaml;

use jrsonnet_evaluator::function::builtin;
use jrsonnet_evaluator::operator::evaluate_add_op;
use jrsonnet_evaluator::{
    ContextBuilder, ContextInitializer, IStr, ObjValue, ObjValueBuilder, Result, State, Thunk, Val,
    bail,
};
use jrsonnet_gcmodule::Trace;
use jrsonnet_parser::Source;
use jrsonnet_stdlib::ContextInitializer as Interpreters;

use crate::rewrite::{PERCENT, PLUS};
use text::text_of;

/// What is easier said in the language itself; it sees the interpreter's `std`.
const IN_JSONNET: &str = include_str!("std.jsonnet");

/// What every file of a program finds in scope.
#[derive(Trace, Clone)]
pub(crate) struct Library {
    std: ObjValue,
    interpreters: Interpreters,
}

impl Library {
    /// Puts our functions on top of the interpreter's.
    ///
    /// # Errors
    ///
    /// None that a program causes.
    pub(crate) fn new(interpreters: Interpreters) -> Result<Self> {
        let mut builder = State::builder();
        builder.context_initializer(interpreters.clone());
        let state = builder.build();
        let theirs = state.evaluate_snippet("<std>", "std")?;
        let ours = state.evaluate_snippet("<std>", IN_JSONNET)?;
        let (Val::Obj(theirs), Val::Obj(ours)) = (theirs, ours) else {
            bail!("`std` is an object")
        };
        let mut natives = ObjValueBuilder::new();
        natives.with_super(theirs);
        natives.field("pi").hide().value(Val::try_num(std::f64::consts::PI)?);
        natives.method("toString", builtin_to_string::INST);
        natives.method("format", builtin_format::INST);
        natives.method("mod", builtin_percent::INST);
        natives.method("trim", builtin_trim::INST);
        natives.method("manifestYamlDoc", yaml::builtin_manifest_yaml_doc::INST);
        natives.method("parseYaml", yaml::builtin_parse_yaml::INST);
        natives.method("log2", numbers::builtin_log2::INST);
        natives.method("log10", numbers::builtin_log10::INST);
        natives.method("hypot", numbers::builtin_hypot::INST);
        natives.method("mantissa", numbers::builtin_mantissa::INST);
        natives.method("exponent", numbers::builtin_exponent::INST);
        Ok(Self { std: ours.extend_from(natives.build()), interpreters })
    }
}

impl ContextInitializer for Library {
    fn reserve_vars(&self) -> usize {
        3
    }

    fn populate(&self, file: Source, builder: &mut ContextBuilder) {
        let path = file.source_path();
        let this_file = match path.path() {
            Some(path) => self.interpreters.settings().path_resolver.resolve(path),
            None => path.to_string(),
        };
        let mut std = ObjValueBuilder::new();
        std.with_super(self.std.clone());
        std.field("thisFile").hide().value(Val::string(this_file));
        builder.bind("std", Thunk::evaluated(Val::Obj(std.build())));
        let function = |function: Val| Thunk::evaluated(function);
        builder.bind(PERCENT, function(Val::function(builtin_percent::INST)));
        builder.bind(PLUS, function(Val::function(builtin_plus::INST)));
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[builtin]
fn builtin_to_string(a: Val) -> Result<IStr> {
    text_of(&a)
}

#[builtin]
fn builtin_trim(str: IStr) -> String {
    str.trim().to_owned()
}

#[builtin]
fn builtin_format(str: IStr, vals: Val) -> Result<String> {
    format::format(&str, &vals)
}

#[builtin]
fn builtin_percent(a: Val, b: Val) -> Result<Val> {
    match (&a, &b) {
        (Val::Num(_), Val::Num(divisor)) if divisor.get() == 0.0 => bail!("division by zero."),
        (Val::Num(one), Val::Num(other)) => Ok(Val::try_num(one.get() % other.get())?),
        (Val::Str(_), values) => Ok(Val::string(format::format(&a.to_string()?, values)?)),
        (Val::Num(_), _) => bail!("unexpected type {}, expected number", b.value_type()),
        _ => bail!("operator % cannot be used on types {} and {}", a.value_type(), b.value_type()),
    }
}

#[builtin]
fn builtin_plus(a: Val, b: Val) -> Result<Val> {
    match (&a, &b) {
        (Val::Str(_), Val::Num(_) | Val::Arr(_) | Val::Obj(_) | Val::Func(_)) => {
            evaluate_add_op(&a, &Val::string(text_of(&b)?))
        }
        (Val::Num(_) | Val::Arr(_) | Val::Obj(_) | Val::Func(_), Val::Str(_)) => {
            evaluate_add_op(&Val::string(text_of(&a)?), &b)
        }
        _ => evaluate_add_op(&a, &b),
    }
}
