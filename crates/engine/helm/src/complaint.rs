//! What a schema says of values, in the words and lines of Helm's library.
//!
//! The library used here leaves the line of an `allOf`, `anyOf` or `oneOf` out where it has one
//! cause; Helm's has it. Where such a line belongs is seen from the places of the schemas.

use boon::{ErrorKind, InstanceLocation, InstanceToken, ValidationError};
use serde_json::{Number, Value};

type Complaint<'s, 'v> = ValidationError<'s, 'v>;

/// An error with its causes, a line each, as Helm's library prints it.
pub(crate) fn describe(error: &Complaint<'_, '_>) -> String {
    let mut out = String::new();
    describe_into(error, 0, &mut out);
    out
}

fn describe_into(error: &Complaint<'_, '_>, indent: usize, out: &mut String) {
    let passed_over = error.causes.len() == 1 && matches!(error.kind, ErrorKind::Reference { .. });
    let mut inner = indent;
    if !passed_over {
        inner += 1;
        match &error.kind {
            ErrorKind::Schema { url } => {
                out.push_str(&format!("jsonschema validation failed with {}", quoted(url)));
            }
            kind => line(&error.instance_location, usize::MAX, &said(kind), indent, out),
        }
    }
    let depth = error.instance_location.tokens.len();
    match &error.kind {
        ErrorKind::AllOf | ErrorKind::AnyOf | ErrorKind::OneOf(_) => {
            for cause in &error.causes {
                // From `…/anyOf/0` on; what stands before was told with `error`.
                let branch = match cause.schema_url.strip_prefix(error.schema_url) {
                    Some(under) => {
                        &cause.schema_url[..cause.schema_url.len() - behind(under, 2).len()]
                    }
                    None => cause.schema_url,
                };
                causes_into(&[cause], branch, depth, false, inner, out);
            }
        }
        ErrorKind::Schema { url } | ErrorKind::Reference { url, .. } => {
            let causes: Vec<&Complaint<'_, '_>> = error.causes.iter().collect();
            causes_into(&causes, url, depth, false, inner, out);
        }
        _ => {
            let causes: Vec<&Complaint<'_, '_>> = error.causes.iter().collect();
            causes_into(&causes, error.schema_url, depth, false, inner, out);
        }
    }
}

/// Describes what a schema at `base` found, `depth` tokens inside the values. `grouped` says
/// that several causes come from one branch, which then has a line of its own.
fn causes_into(
    causes: &[&Complaint<'_, '_>],
    base: &str,
    depth: usize,
    grouped: bool,
    indent: usize,
    out: &mut String,
) {
    let left_out: Vec<Option<LeftOut>> =
        causes.iter().map(|cause| left_out(base, cause.schema_url)).collect();
    let mut indent = indent;
    let one_way = left_out.windows(2).all(|pair| pair[0].is_some() && pair[0] == pair[1]);
    if grouped && !one_way {
        line(&causes[0].instance_location, depth, "validation failed", indent, out);
        indent += 1;
    }
    let mut at = 0;
    while at < causes.len() {
        let Some(found) = &left_out[at] else {
            describe_into(causes[at], indent, out);
            at += 1;
            continue;
        };
        let same = left_out[at..].iter().take_while(|other| other.as_ref() == Some(found)).count();
        let depth = depth + found.tokens;
        line(&causes[at].instance_location, depth, found.words, indent, out);
        let branch = &causes[at].schema_url[..found.end];
        causes_into(&causes[at..at + same], branch, depth, same > 1, indent + 1, out);
        at += same;
    }
}

/// A line that is missing between a schema and one inside of it.
#[derive(Debug, PartialEq, Eq)]
struct LeftOut {
    words: &'static str,
    /// How much of the inner schema's place leads to the branch.
    end: usize,
    /// How many tokens of the values' place were passed before.
    tokens: usize,
}

/// The first `allOf`, `anyOf` or `oneOf` on the way from a schema to one inside of it.
fn left_out(base: &str, inner: &str) -> Option<LeftOut> {
    let mut rest = inner.strip_prefix(base)?;
    let mut tokens = 0;
    loop {
        let mut parts = rest.strip_prefix('/')?.splitn(3, '/');
        let keyword = parts.next()?;
        let mut steps = 2;
        let words = match keyword {
            "allOf" => Some("'allOf' failed"),
            "anyOf" => Some("'anyOf' failed"),
            "oneOf" => Some("'oneOf' failed, none matched"),
            _ => None,
        };
        match keyword {
            "allOf" | "anyOf" | "oneOf" | "dependencies" | "dependentSchemas" => {}
            "properties" | "patternProperties" | "prefixItems" => tokens += 1,
            "items" => {
                tokens += 1;
                let numbered = parts.next().is_some_and(|part| part.parse::<usize>().is_ok());
                steps = if numbered { 2 } else { 1 };
            }
            "additionalProperties"
            | "additionalItems"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "contains" => {
                tokens += 1;
                steps = 1;
            }
            "then" | "else" | "if" | "not" | "propertyNames" => steps = 1,
            _ => return None,
        }
        rest = behind(rest, steps);
        if let Some(words) = words {
            return Some(LeftOut { words, end: inner.len() - rest.len(), tokens });
        }
    }
}

/// What follows the first `steps` parts of `/a/b/c`.
fn behind(path: &str, steps: usize) -> &str {
    let ends = path.match_indices('/').map(|(at, _)| at);
    &path[ends.into_iter().nth(steps).unwrap_or(path.len())..]
}

/// One line; the values' place is cut after `depth` tokens.
fn line(place: &InstanceLocation<'_>, depth: usize, words: &str, indent: usize, out: &mut String) {
    if indent > 0 {
        out.push('\n');
        out.push_str(&"  ".repeat(indent - 1));
        out.push_str("- ");
    }
    let mut shown = String::new();
    for token in place.tokens.iter().take(depth) {
        shown.push('/');
        match token {
            InstanceToken::Prop(name) => {
                shown.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            InstanceToken::Item(at) => shown.push_str(&at.to_string()),
        }
    }
    out.push_str(&format!("at {}: {words}", quoted(&shown)));
}

fn said(kind: &ErrorKind<'_, '_>) -> String {
    let bound = |name: &str, got: usize, want: usize| {
        format!("{name}: got {}, want {}", grouped(got), grouped(want))
    };
    let number = |name: &str, got: &Number, want: &Number| {
        format!("{name}: got {}, want {}", printed(got), printed(want))
    };
    match kind {
        ErrorKind::Group | ErrorKind::Reference { .. } => "validation failed".to_owned(),
        ErrorKind::Schema { url } => format!("jsonschema validation failed with {}", quoted(url)),
        ErrorKind::ContentSchema => "'contentSchema' failed".to_owned(),
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quoted(prop)),
        ErrorKind::FalseSchema => "false schema".to_owned(),
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|one| one.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => {
            if want.iter().any(|one| one.is_array() || one.is_object()) {
                return "'enum' failed".to_owned();
            }
            let shown: Vec<String> = want.iter().map(shown).collect();
            match shown.as_slice() {
                [one] => format!("value must be {one}"),
                several => format!("value must be one of {}", several.join(", ")),
            }
        }
        ErrorKind::Const { want } if want.is_array() || want.is_object() => {
            "'const' failed".to_owned()
        }
        ErrorKind::Const { want } => format!("value must be {}", shown(want)),
        ErrorKind::Format { got, want, err } => {
            let problem = match got.as_ref() {
                Value::String(pattern) if *want == "regex" => sprig::regex_problem(pattern),
                _ => None,
            };
            let problem = problem.unwrap_or_else(|| err.to_string());
            format!("{} is not valid {want}: {problem}", shown(got))
        }
        ErrorKind::MinProperties { got, want } => bound("minProperties", *got, *want),
        ErrorKind::MaxProperties { got, want } => bound("maxProperties", *got, *want),
        ErrorKind::MinItems { got, want } => bound("minItems", *got, *want),
        ErrorKind::MaxItems { got, want } => bound("maxItems", *got, *want),
        ErrorKind::MinLength { got, want } => bound("minLength", *got, *want),
        ErrorKind::MaxLength { got, want } => bound("maxLength", *got, *want),
        ErrorKind::AdditionalProperties { got } => {
            format!("additional properties {} not allowed", joined(got.iter().map(AsRef::as_ref)))
        }
        ErrorKind::Required { want } => match want.as_slice() {
            [one] => format!("missing property {}", quoted(one)),
            several => format!("missing properties {}", joined(several.iter().copied())),
        },
        ErrorKind::Dependency { prop, missing }
        | ErrorKind::DependentRequired { prop, missing } => format!(
            "properties {} required, if {} exists",
            joined(missing.iter().copied()),
            quoted(prop)
        ),
        ErrorKind::UniqueItems { got: [one, other] } => {
            format!("items at {one} and {other} are equal")
        }
        ErrorKind::AdditionalItems { got } => format!("last {got} additionalItem(s) not allowed"),
        ErrorKind::Contains => "no items match contains schema".to_owned(),
        ErrorKind::Pattern { got, want } => {
            format!("{} does not match pattern {}", quoted(got), quoted(want))
        }
        ErrorKind::Minimum { got, want } => number("minimum", got, want),
        ErrorKind::Maximum { got, want } => number("maximum", got, want),
        ErrorKind::ExclusiveMinimum { got, want } => number("exclusiveMinimum", got, want),
        ErrorKind::ExclusiveMaximum { got, want } => number("exclusiveMaximum", got, want),
        ErrorKind::MultipleOf { got, want } => number("multipleOf", got, want),
        ErrorKind::Not => "'not' failed".to_owned(),
        ErrorKind::AllOf => "'allOf' failed".to_owned(),
        ErrorKind::AnyOf => "'anyOf' failed".to_owned(),
        ErrorKind::OneOf(None) => "'oneOf' failed, none matched".to_owned(),
        ErrorKind::OneOf(Some((one, other))) => {
            format!("'oneOf' failed, subschemas {one}, {other} matched")
        }
        // Kinds that charts hardly meet say about the same in both libraries.
        ErrorKind::RefCycle { .. }
        | ErrorKind::MinContains { .. }
        | ErrorKind::MaxContains { .. }
        | ErrorKind::ContentEncoding { .. }
        | ErrorKind::ContentMediaType { .. } => kind.to_string(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(quoted).collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    let quoted = goval::quote(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

/// Numbers in messages have commas: 1,024.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn printed(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    let (sign, value) = if value < 0.0 { ("-", -value) } else { ("", value) };
    let text = value.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => {
            format!("{sign}{}.{fraction}", grouped(whole.parse().unwrap_or_default()))
        }
        None => match text.parse() {
            Ok(whole) => format!("{sign}{}", grouped(whole)),
            Err(_) => format!("{sign}{text}"),
        },
    }
}
