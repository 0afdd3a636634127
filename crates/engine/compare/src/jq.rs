//! jq expressions that name paths (`jqPathExpressions`), evaluated so that each comes to an end.
//!
//! An expression is evaluated as `path(EXPRESSION)`; what becomes of the paths is decided here. No
//! clock can end an evaluation in an engine, so what may run for ever (`repeat`, `until`, `range`,
//! a definition that calls itself, …) is refused when the expression is compiled. What is left ends:
//! it walks an object whose size is bounded, and the paths that it finds are counted.

use std::sync::OnceLock;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::ops::Math;
use jaq_core::path::Part;
use jaq_core::{Compiler, Ctx, Error, Filter, ValR, Vars, data, unwrap_valr};
use jaq_json::{Num, Val};
use regex::RegexBuilder;
use serde_json::Value;

/// No expression is longer, in bytes.
const EXPRESSION_BYTES_MAX: usize = 4096;
/// No expression finds more paths in one object; one that does ignores nothing.
const PATHS_MAX: usize = 10_000;
/// What may never end, fill the memory, or look at something else than the object.
const REFUSED: &[&str] = &[
    "repeat",
    "while",
    "until",
    "range",
    "combinations",
    "input",
    "inputs",
    "now",
    "env",
    "halt",
    "halt_error",
    "debug",
    "stderr",
    "setpath",
    "delpaths",
    "walk",
    "map_values",
    "del",
    "pow",
    "exp",
    "exp2",
    "exp10",
    "pow10",
    "ldexp",
    "scalb",
    "scalbln",
    "implode",
];

/// Definitions of the standard library that stand on what is not built in here: clocks, logs, formats.
const LEFT_OUT: &[(&str, usize)] = &[
    ("todate", 0),
    ("fromdate", 0),
    ("stderr", 0),
    ("debug", 0),
    ("debug", 1),
    ("halt", 0),
    ("halt_error", 0),
    ("halt_error", 1),
    ("logb", 0),
    ("significand", 0),
    ("pow10", 0),
    ("drem", 2),
    ("nexttoward", 2),
    ("scalb", 2),
    ("gamma", 0),
    ("split", 2),
    ("splits", 1),
    ("splits", 2),
    ("sub", 2),
    ("sub", 3),
    ("gsub", 2),
    ("gsub", 3),
    ("@html", 0),
    ("@htmld", 0),
    ("@uri", 0),
    ("@urid", 0),
    ("@base64", 0),
    ("@base64d", 0),
];

/// What jq has and the standard library here lacks, or builds on what is left out.
const OURS: &str = r#"
def IN(s): any(s == .; .);
def IN(from; s): any(from == s; .);
def sub(re; f; flags): . as $text
  | reduce matches(re; flags)[] as $found ([0, ""];
      [$found[0].offset + $found[0].length,
       .[1] + $text[.[0]:$found[0].offset] + ($found | capture_of_match | f)])
  | .[1] + $text[.[0]:];
def sub(re; f): sub(re; f; "");
def gsub(re; f; flags): sub(re; f; "g" + flags);
def gsub(re; f): sub(re; f; "g");
"#;

/// One expression that is known to be sound.
///
/// Compiled it takes 100 KB, the standard library's definitions in it, and most rules are about
/// kinds of which there is no object: it is compiled again when the first one asks.
pub(crate) struct Jq {
    expression: Box<str>,
    filter: OnceLock<Filter<data::JustLut<Val>>>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Field(String),
    Item(usize),
    /// From, and up to without it.
    Slice(usize, usize),
}

impl Jq {
    /// Takes an expression that compiles.
    ///
    /// # Errors
    ///
    /// Why it is none that names paths and comes to an end.
    pub(crate) fn compile(expression: &str) -> Result<Self, String> {
        Self::filter(expression)?;
        Ok(Self { expression: expression.into(), filter: OnceLock::new() })
    }

    fn filter(expression: &str) -> Result<Filter<data::JustLut<Val>>, String> {
        if expression.len() > EXPRESSION_BYTES_MAX {
            return Err(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes"));
        }
        let term = parse(expression, |parser| parser.term());
        let term = term.ok_or_else(|| "it does not parse".to_owned())?;
        ends(&term, &mut Vec::new())?;
        // A comment at its end must not hide what comes after.
        let code = format!("path({expression}\n)");
        let standard = jaq_std::defs()
            .filter(|definition| !LEFT_OUT.contains(&(definition.name, definition.args.len())));
        let ours = parse(OURS, |parser| parser.defs()).expect("our definitions parse");
        let definitions = jaq_core::defs().chain(standard).chain(jaq_json::defs()).chain(ours);
        let functions =
            jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs()).chain([matches()]);
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: code.as_str(), path: () })
            .map_err(|_| "it does not parse".to_owned())?;
        Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let mut names: Vec<&str> =
                errors.iter().flat_map(|(_, errors)| errors).map(|(name, _)| *name).collect();
            names.dedup();
            format!("it calls what there is not: {}", names.join(", "))
        })
    }

    /// Returns the paths that the expression names in an object; `None` where it fails there.
    pub(crate) fn paths(&self, object: &Value) -> Option<Vec<Vec<Step>>> {
        let compiled = || Self::filter(&self.expression).expect("it compiled when it was taken");
        let filter = self.filter.get_or_init(compiled);
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        let mut paths = Vec::new();
        for found in filter.id.run((context, value(object))).map(unwrap_valr) {
            if paths.len() == PATHS_MAX {
                return None;
            }
            paths.push(steps(&found.ok()?, object)?);
        }
        Some(paths)
    }

    /// Takes what the expression names out of an object; nothing where it fails there.
    pub(crate) fn remove_from(&self, object: &mut Value) {
        let Some(mut paths) = self.paths(object) else { return };
        // From the end, so that no place of an item moves before its turn.
        paths.sort_by(|left, right| order(right, left));
        paths.dedup();
        for path in &paths {
            remove(object, path);
        }
    }
}

/// On this `test`, `match`, `scan` and `capture` of the standard library stand.
fn matches() -> Fun<data::JustLut<Val>> {
    run(("matches", v(2), |mut cv| {
        let flags = cv.0.pop_var();
        let pattern = cv.0.pop_var();
        bome(all_matches(&cv.1, &pattern, &flags))
    }))
}

/// Each match as the list of its groups, the whole first.
fn all_matches(input: &Val, pattern: &Val, flags: &Val) -> ValR<Val> {
    let (input, pattern, flags) = (text(input)?, text(pattern)?, text(flags)?);
    let flag = |name: char| flags.contains(name);
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(flag('i'))
        .ignore_whitespace(flag('x'))
        .dot_matches_new_line(flag('s'))
        .build()
        .map_err(|error| Error::str(error.to_string()))?;
    let group = |name: Option<&str>, found: Option<regex::Match<'_>>| {
        let offset = found.map_or(-1, |found| {
            isize::try_from(input[..found.start()].chars().count()).unwrap_or(isize::MAX)
        });
        let string = found.map_or(Val::Null, |found| Val::from(found.as_str().to_owned()));
        let length = found.map_or(0, |found| found.as_str().chars().count());
        let mut fields = vec![
            (Val::from("offset".to_owned()), Val::from(offset)),
            (Val::from("length".to_owned()), Val::from(length)),
            (Val::from("string".to_owned()), string),
        ];
        if let Some(name) = name {
            fields.push((Val::from("name".to_owned()), Val::from(name.to_owned())));
        }
        Val::obj(fields.into_iter().collect())
    };
    let most = if flag('g') { usize::MAX } else { 1 };
    let all = regex.captures_iter(&input).take(most).map(|captures| {
        regex.capture_names().zip(captures.iter()).map(|(name, found)| group(name, found)).collect()
    });
    Ok(all.collect())
}

fn text(value: &Val) -> Result<String, Error<Val>> {
    match value {
        Val::TStr(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        other => Err(Error::str(format!("{other} cannot be matched, as it is not a string"))),
    }
}

/// Refuses what may not come to an end.
fn ends<'s>(term: &Term<&'s str>, defining: &mut Vec<&'s str>) -> Result<(), String> {
    let mut all = |terms: &[&Term<&'s str>]| terms.iter().try_for_each(|term| ends(term, defining));
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => Ok(()),
        Term::Str(_, parts) => parts.iter().try_for_each(|part| match part {
            StrPart::Term(term) => ends(term, defining),
            StrPart::Str(_) | StrPart::Char(_) => Ok(()),
        }),
        Term::Arr(inner) => inner.iter().try_for_each(|term| all(&[&**term])),
        Term::Obj(fields) => fields.iter().try_for_each(|(key, value)| {
            ends(key, defining)?;
            value.iter().try_for_each(|value| ends(value, defining))
        }),
        Term::Neg(inner) | Term::Label(_, inner) => all(&[&**inner]),
        Term::BinOp(left, operator, right) => {
            operator_ends(operator, defining)?;
            ends(left, defining)?;
            ends(right, defining)
        }
        Term::Fold(_, source, pattern, rest) => {
            pattern_ends(pattern, defining)?;
            ends(source, defining)?;
            rest.iter().try_for_each(|term| ends(term, defining))
        }
        Term::TryCatch(body, handler) => {
            ends(body, defining)?;
            handler.iter().try_for_each(|term| ends(term, defining))
        }
        Term::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                ends(condition, defining)?;
                ends(then, defining)?;
            }
            otherwise.iter().try_for_each(|term| ends(term, defining))
        }
        Term::Def(definitions, body) => {
            for definition in definitions {
                definition_ends(definition, defining)?;
            }
            ends(body, defining)
        }
        Term::Call(name, arguments) => {
            let recurses = *name == "recurse" && !arguments.is_empty();
            if REFUSED.contains(name) || recurses || defining.contains(name) {
                return Err(format!("`{name}` may never end, and is not taken here"));
            }
            arguments.iter().try_for_each(|term| ends(term, defining))
        }
        Term::Path(from, path) => {
            ends(from, defining)?;
            path.0.iter().try_for_each(|(part, _)| match part {
                Part::Index(index) => ends(index, defining),
                Part::Range(first, last) => {
                    first.iter().chain(last).try_for_each(|term| ends(term, defining))
                }
            })
        }
    }
}

fn definition_ends<'s>(
    definition: &Def<&'s str>,
    defining: &mut Vec<&'s str>,
) -> Result<(), String> {
    defining.push(definition.name);
    let ended = ends(&definition.body, defining);
    defining.pop();
    ended
}

fn operator_ends<'s>(
    operator: &BinaryOp<&'s str>,
    defining: &mut Vec<&'s str>,
) -> Result<(), String> {
    match operator {
        BinaryOp::Pipe(pattern) => {
            pattern.iter().try_for_each(|pattern| pattern_ends(pattern, defining))
        }
        BinaryOp::Math(Math::Mul) => Err("`*` may fill the memory, and is not taken here".into()),
        BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
            Err("an assignment names no path".into())
        }
        BinaryOp::Comma
        | BinaryOp::Alt
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Math(_)
        | BinaryOp::Cmp(_) => Ok(()),
    }
}

fn pattern_ends<'s>(pattern: &Pattern<&'s str>, defining: &mut Vec<&'s str>) -> Result<(), String> {
    match pattern {
        Pattern::Var(_) => Ok(()),
        Pattern::Arr(patterns) => {
            patterns.iter().try_for_each(|pattern| pattern_ends(pattern, defining))
        }
        Pattern::Obj(fields) => fields.iter().try_for_each(|(key, pattern)| {
            ends(key, defining)?;
            pattern_ends(pattern, defining)
        }),
    }
}

fn value(from: &Value) -> Val {
    match from {
        Value::Null => Val::Null,
        Value::Bool(truth) => Val::Bool(*truth),
        Value::Number(number) => match number.as_i64().and_then(|number| number.try_into().ok()) {
            Some(number) => Val::Num(Num::Int(number)),
            None => Val::Num(Num::Float(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Val::from(text.clone()),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, field)| (Val::from(key.clone()), value(field)));
            Val::obj(fields.collect())
        }
    }
}

/// Reads one path; `None` for one that names no place.
fn steps(path: &Val, object: &Value) -> Option<Vec<Step>> {
    let Val::Arr(parts) = path else { return None };
    let mut at = Some(object);
    let mut steps = Vec::with_capacity(parts.len());
    for part in parts.iter() {
        let length = at.and_then(Value::as_array).map_or(0, Vec::len);
        let step = match part {
            Val::TStr(text) => Step::Field(String::from_utf8(text.to_vec()).ok()?),
            Val::Num(_) => Step::Item(place(part, length)?),
            Val::Obj(slice) => {
                let end =
                    |name: &str, otherwise: usize| match slice.get(&Val::from(name.to_owned())) {
                        None | Some(Val::Null) => Some(otherwise),
                        Some(bound) => place(bound, length),
                    };
                Step::Slice(end("start", 0)?, end("end", length)?.min(length))
            }
            _ => return None,
        };
        at = match &step {
            Step::Field(name) => at.and_then(|at| at.get(name)),
            Step::Item(place) => at.and_then(|at| at.get(place)),
            Step::Slice(..) => None,
        };
        steps.push(step);
    }
    Some(steps)
}

/// A place in a list; a negative one counts from its end.
fn place(number: &Val, length: usize) -> Option<usize> {
    let number: isize = number.to_string().parse::<f64>().ok().map(|number| number as isize)?;
    match usize::try_from(number) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(number.unsigned_abs()),
    }
}

fn order(left: &[Step], right: &[Step]) -> std::cmp::Ordering {
    let rank = |step: &Step| match step {
        Step::Field(name) => (0, name.clone(), 0),
        Step::Item(place) => (1, String::new(), *place),
        Step::Slice(from, _) => (1, String::new(), *from),
    };
    left.iter().map(rank).cmp(right.iter().map(rank))
}

/// Removes one path, and the maps that hold nothing then.
fn remove(at: &mut Value, path: &[Step]) {
    let Some((first, rest)) = path.split_first() else {
        *at = Value::Null;
        return;
    };
    if !rest.is_empty() {
        let next = match first {
            Step::Field(name) => at.get_mut(name),
            Step::Item(place) => at.get_mut(place),
            Step::Slice(..) => None,
        };
        let Some(next) = next else { return };
        remove(next, rest);
        let emptied = next.as_object().is_some_and(serde_json::Map::is_empty);
        if let (true, Step::Field(name), Value::Object(map)) = (emptied, first, at) {
            map.remove(name);
        }
        return;
    }
    match (first, at) {
        (Step::Field(name), Value::Object(map)) => {
            map.remove(name);
        }
        (Step::Item(place), Value::Array(items)) if *place < items.len() => {
            items.remove(*place);
        }
        (Step::Slice(from, to), Value::Array(items)) if from < to && *to <= items.len() => {
            items.drain(*from..*to);
        }
        _ => {}
    }
}
