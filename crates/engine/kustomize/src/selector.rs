//! Which resources a patch or a replacement means.
//!
//! Group, version, kind, name and namespace are regular expressions that must match the whole
//! text; labels and annotations are chosen as Kubernetes' label selectors do.

mod labels;

pub use labels::LabelSelector;

use regex::Regex;

use crate::error::KustomizeError;
use crate::kustomization::Selector;
use crate::node::Node;
use crate::resid::{Gvk, ResId};
use crate::resource::Resource;

/// A [`Selector`] ready to be asked.
#[derive(Debug)]
pub struct Matcher {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl Matcher {
    /// Prepares a selector.
    ///
    /// # Errors
    ///
    /// Where one of its expressions is none.
    pub fn new(selector: &Selector) -> Result<Self, KustomizeError> {
        Ok(Self {
            group: Pattern::new(&selector.id.gvk.group)?,
            version: Pattern::new(&selector.id.gvk.version)?,
            kind: Pattern::new(&selector.id.gvk.kind)?,
            name: Pattern::new(&selector.id.name)?,
            namespace: Pattern::new(&selector.id.namespace)?,
            labels: LabelSelector::parse(&selector.label_selector)?,
            annotations: LabelSelector::parse(&selector.annotation_selector)?,
        })
    }

    /// Whether it means a resource, by its first or its last name and namespace.
    pub fn selects(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.original_id());
        let either = |pattern: &Pattern, first: &str, now: &str| {
            pattern.matches(first) || pattern.matches(now)
        };
        self.matches_gvk(&now.gvk)
            && either(&self.namespace, first.effective_namespace(), now.effective_namespace())
            && either(&self.name, &first.name, &now.name)
            && self.matches_metadata(resource)
    }

    /// Whether it means an id; the namespace is taken as it is written.
    pub fn matches_id(&self, id: &ResId) -> bool {
        self.matches_gvk(&id.gvk)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }

    /// Whether it means a resource by its labels and annotations.
    pub fn matches_metadata(&self, resource: &Resource) -> bool {
        self.labels.matches(resource.node.at(&["metadata", "labels"]))
            && self.annotations.matches(resource.node.at(&["metadata", "annotations"]))
    }

    fn matches_gvk(&self, gvk: &Gvk) -> bool {
        self.group.matches(&gvk.group)
            && self.version.matches(&gvk.version)
            && self.kind.matches(&gvk.kind)
    }
}

/// What a whole text must look like.
#[derive(Debug)]
enum Pattern {
    Any,
    /// Text without anything special in it.
    Plain(Box<str>),
    Regex(Box<Regex>),
}

impl Pattern {
    fn new(text: &str) -> Result<Self, KustomizeError> {
        if text.is_empty() {
            return Ok(Pattern::Any);
        }
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '/');
        if text.chars().all(is_plain) {
            return Ok(Pattern::Plain(text.into()));
        }
        let anchored = format!("^(?:{text})$");
        Ok(Pattern::Regex(Box::new(go_regex(&anchored)?)))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Plain(plain) => **plain == *text,
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }
}

/// The largest program, in bytes, that an expression may become.
const REGEX_SIZE_MAX: usize = 1 << 20;

/// Reads a regular expression as Go does: classes like `\d` and `\w` mean ASCII.
///
/// # Errors
///
/// Where it is none, or grows too large.
pub(crate) fn go_regex(text: &str) -> Result<Regex, KustomizeError> {
    check_repetitions(text)?;
    let translated = ascii_classes(text);
    regex::RegexBuilder::new(&translated).size_limit(REGEX_SIZE_MAX).build().map_err(|cause| {
        let reason = cause.to_string();
        let reason = reason.lines().last().unwrap_or_default();
        let reason = reason.trim_start_matches("error: ");
        KustomizeError::said(format!("error parsing regexp: {reason}: `{text}`"))
    })
}

/// The most times that Go repeats something.
const REPEAT_MAX: u32 = 1000;

/// Refuses what Go refuses and Rust does not: a repetition of a repetition, and of too many.
fn check_repetitions(text: &str) -> Result<(), KustomizeError> {
    let refused = |reason: &str, what: &str| {
        KustomizeError::said(format!("error parsing regexp: {reason}: `{what}`"))
    };
    let (mut in_class, mut repeated) = (false, None::<usize>);
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let at = text.len() - rest.len();
        let counted = counted_repetition(rest);
        let length = match char {
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            '{' if !in_class => counted.map_or(1, |(length, _)| length),
            char => char.len_utf8(),
        };
        let is_repetition =
            !in_class && (matches!(char, '*' | '+' | '?') || (char == '{' && counted.is_some()));
        if is_repetition {
            if let Some((length, count)) = counted
                && count > REPEAT_MAX
            {
                return Err(refused("invalid repeat count", &rest[..length]));
            }
            match repeated {
                // Once, a `?` says that few are enough.
                Some(begin) if char != '?' || text[begin..at].ends_with("??") => {
                    let what = &text[begin..at + length];
                    return Err(refused("invalid nested repetition operator", what));
                }
                Some(_) | None => repeated = Some(repeated.unwrap_or(at)),
            }
        } else {
            repeated = None;
        }
        match char {
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(())
}

/// How long `{n,m}` is, and the larger of its numbers.
fn counted_repetition(text: &str) -> Option<(usize, u32)> {
    let (inside, _) = text.strip_prefix('{')?.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Some(text.parse().unwrap_or(u32::MAX)),
        false => None,
    };
    let least = Some(least).filter(|least| !least.is_empty()).and_then(number)?;
    let most = if most.is_empty() { 0 } else { number(most)? };
    Some((inside.len() + 2, least.max(most)))
}

/// Writes out what means more in Rust than in Go.
fn ascii_classes(text: &str) -> String {
    let mut translated = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut in_class = false;
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                let Some(next) = chars.next() else {
                    translated.push('\\');
                    break;
                };
                let (inside, outside) = match next {
                    'd' => ("0-9", "[0-9]"),
                    'w' => ("0-9A-Za-z_", "[0-9A-Za-z_]"),
                    's' => (r"\t\n\f\r ", r"[\t\n\f\r ]"),
                    'D' => (r"[^0-9]", "[^0-9]"),
                    'W' => (r"[^0-9A-Za-z_]", "[^0-9A-Za-z_]"),
                    'S' => (r"[^\t\n\f\r ]", r"[^\t\n\f\r ]"),
                    'b' if !in_class => (r"\b", r"(?-u:\b)"),
                    _ => {
                        translated.push('\\');
                        translated.push(next);
                        continue;
                    }
                };
                translated.push_str(if in_class { inside } else { outside });
            }
            '[' if !in_class => {
                in_class = true;
                translated.push('[');
                // A bracket that closes stands for itself where it comes first.
                let mut rest = chars.clone();
                let mut next = rest.next();
                if next == Some('^') {
                    translated.push('^');
                    chars = rest.clone();
                    next = rest.next();
                }
                if next == Some(']') {
                    translated.push_str(r"\]");
                    chars = rest;
                }
            }
            '[' if chars.as_str().starts_with(':') && chars.as_str().contains(":]") => {
                translated.push('[');
                for char in chars.by_ref() {
                    translated.push(char);
                    if translated.ends_with(":]") {
                        break;
                    }
                }
            }
            // Nested classes, and these operators, are Rust's alone.
            '[' | '&' | '~' if in_class => {
                translated.push('\\');
                translated.push(char);
            }
            ']' => {
                in_class = false;
                translated.push(']');
            }
            other => translated.push(other),
        }
    }
    translated
}

/// A scalar's text also where it is null; `""` for collections.
fn raw_text(node: &Node) -> &str {
    node.as_scalar().map_or("", |scalar| &*scalar.text)
}

#[cfg(test)]
mod tests;
