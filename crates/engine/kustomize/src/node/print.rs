//! Nodes straight to JSON text, for those who only print objects.

use goyaml::JsonText;

use super::{Mapping, Node, Scalar, Tag};

impl Node {
    /// The text of the value that [`Node::to_json`] gives, as an item of a list with indentation;
    /// its keys are sorted. `None` where something is unusual, or wrong.
    pub fn to_json_text(&self) -> Option<String> {
        let Node::Mapping(mapping) = self else { return None };
        let mut text = JsonText::with_capacity(4096);
        write_mapping(mapping, &mut text)?;
        Some(text.into_string())
    }
}

fn write(node: &Node, text: &mut JsonText) -> Option<()> {
    match node {
        Node::Scalar(scalar) => write_scalar(scalar, text),
        Node::Mapping(mapping) => write_mapping(mapping, text),
        Node::Sequence(sequence) => {
            text.enter();
            for (at, item) in sequence.items().iter().enumerate() {
                text.part(at == 0, '[');
                write(item, text)?;
            }
            text.leave(sequence.items().is_empty(), ['[', ']']);
            Some(())
        }
    }
}

fn write_mapping(mapping: &Mapping, text: &mut JsonText) -> Option<()> {
    let entries = mapping.entries();
    if !entries.iter().all(|entry| entry.key.reads_as() == Tag::Str) {
        return None;
    }
    text.enter();
    if entries.is_sorted_by(|one, other| one.key.text.as_str() < other.key.text.as_str()) {
        for (at, entry) in entries.iter().enumerate() {
            text.part(at == 0, '{');
            text.string(&entry.key.text);
            text.raw(": ");
            write(&entry.value, text)?;
        }
    } else {
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_by(|one, other| one.key.text.as_str().cmp(other.key.text.as_str()));
        if sorted.windows(2).any(|pair| pair[0].key.text == pair[1].key.text) {
            return None;
        }
        for (at, entry) in sorted.into_iter().enumerate() {
            text.part(at == 0, '{');
            text.string(&entry.key.text);
            text.raw(": ");
            write(&entry.value, text)?;
        }
    }
    text.leave(entries.is_empty(), ['{', '}']);
    Some(())
}

fn write_scalar(scalar: &Scalar, text: &mut JsonText) -> Option<()> {
    match scalar.reads_as() {
        Tag::Str | Tag::Unset | Tag::Other => text.string(&scalar.text),
        Tag::Null => text.raw("null"),
        _ => text.scalar(&scalar.to_json().ok()?),
    }
    Some(())
}
