//! Nodes straight to JSON text, for those who only print objects.

use goyaml::JsonText;

use super::{Entry, Mapping, Node, Scalar, Tag};

/// Bytes from which on a piece of text is whole.
const PIECE_BYTES: usize = 32 << 10;
/// Room for what stands between two looks at a piece's size, mostly.
const ROOM_BYTES: usize = PIECE_BYTES + (8 << 10);

impl Node {
    /// The text of the value that [`Node::to_json`] gives, as an item of a list with indentation, in
    /// pieces; its keys are sorted. `None` where something is unusual, or wrong.
    ///
    /// What is printed is let go at once, so that the text takes its memory.
    pub fn into_json_pieces(self) -> Option<Vec<String>> {
        let Node::Mapping(mapping) = self else { return None };
        let mut printer = Printer { pieces: Vec::new(), text: JsonText::with_capacity(ROOM_BYTES) };
        printer.mapping(mapping)?;
        let Printer { mut pieces, text } = printer;
        let mut last = text.into_string();
        if pieces.is_empty() {
            last.shrink_to_fit();
        }
        pieces.push(last);
        Some(pieces)
    }
}

struct Printer {
    pieces: Vec<String>,
    text: JsonText,
}

impl Printer {
    fn node(&mut self, node: Node) -> Option<()> {
        match node {
            Node::Scalar(scalar) => self.scalar(&scalar),
            Node::Mapping(mapping) => self.mapping(mapping),
            Node::Sequence(sequence) => {
                let is_empty = sequence.is_empty();
                self.text.enter();
                for (at, item) in sequence.into_items().into_iter().enumerate() {
                    self.text.part(at == 0, '[');
                    self.node(item)?;
                }
                self.text.leave(is_empty, ['[', ']']);
                Some(())
            }
        }
    }

    fn mapping(&mut self, mapping: Mapping) -> Option<()> {
        let mut entries = mapping.into_entries();
        if !entries.iter().all(|entry| entry.key.reads_as() == Tag::Str) {
            return None;
        }
        let in_order = |one: &Entry, other: &Entry| one.key.text.as_str() < other.key.text.as_str();
        if !entries.is_sorted_by(in_order) {
            entries.sort_by(|one, other| one.key.text.as_str().cmp(other.key.text.as_str()));
            if !entries.is_sorted_by(in_order) {
                // A key stands twice.
                return None;
            }
        }
        let is_empty = entries.is_empty();
        self.text.enter();
        for (at, entry) in entries.into_iter().enumerate() {
            self.text.part(at == 0, '{');
            self.text.string(&entry.key.text);
            self.text.raw(": ");
            self.node(entry.value)?;
        }
        self.text.leave(is_empty, ['{', '}']);
        if self.text.as_str().len() >= PIECE_BYTES {
            self.pieces.push(self.text.take());
        }
        Some(())
    }

    fn scalar(&mut self, scalar: &Scalar) -> Option<()> {
        match scalar.reads_as() {
            Tag::Str | Tag::Unset | Tag::Other => self.text.string(&scalar.text),
            _ => self.text.scalar(&scalar.to_json().ok()?),
        }
        Some(())
    }
}
