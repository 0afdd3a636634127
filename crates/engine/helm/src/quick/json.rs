//! Documents straight to JSON text, for those who only print them.

use std::borrow::Cow;
use std::ops::Range;

use goyaml::{JsonText, Make, quickly};
use serde_json::{Map, Number, Value};

/// A document's object as text.
pub(crate) struct Transcript {
    /// `apiVersion`, `kind` and `metadata`, in whichever case they stand.
    pub(crate) head: Map<String, Value>,
    /// Indented by two blanks a level as an item of a list is, its first line excepted; keys
    /// are sorted.
    pub(crate) json: String,
}

/// Reads a document that is one map without `items`, where nothing in it is unusual.
pub(crate) fn transcribe(bytes: &[u8]) -> Option<Transcript> {
    let mut json = Json::new(bytes.len());
    quickly(bytes, &mut json)?;
    if !json.out.as_str().starts_with('{') {
        return None;
    }
    let mut head = Map::new();
    for (key, value) in json.top {
        match key.to_lowercase().as_str() {
            "items" => return None,
            "apiversion" | "kind" | "metadata" => {
                let value = serde_json::from_str(&json.out.as_str()[value]).ok()?;
                head.insert(key, value);
            }
            _ => {}
        }
    }
    Some(Transcript { head, json: json.out.into_string() })
}

/// Writes text while it reads; what is out of order is put in order where its map ends.
struct Json {
    out: JsonText,
    /// Those of all open maps.
    entries: Vec<Entry>,
    /// The outermost map's heads.
    top: Vec<(String, Range<usize>)>,
}

/// An entry of an open map.
struct Entry {
    /// Key and value.
    text: Range<usize>,
    /// Where the value begins.
    value: usize,
}

impl Entry {
    /// The key, which stands in quotes and has no escapes.
    fn key(&self) -> Range<usize> {
        self.text.start + 1..self.value - "\": ".len()
    }
}

struct OpenMap {
    /// The first of its entries.
    first: usize,
    /// Whether its keys stand in order, each once.
    sorted: bool,
}

impl Json {
    fn new(bytes: usize) -> Self {
        Self {
            // Braces, quotes and commas.
            out: JsonText::with_capacity(bytes + bytes / 2),
            entries: Vec::new(),
            top: Vec::new(),
        }
    }

    fn here(&self) -> usize {
        self.out.as_str().len()
    }

    /// Writes a map's entries anew, sorted by key; of two with one key the later counts.
    fn sort(&mut self, first: usize) {
        // What stands between two: a line break and the indentation.
        let indentation = "\n".to_owned() + &"  ".repeat(self.out.depth());
        let between = indentation.as_str();
        let start = self.entries[first].text.start;
        let entries = &mut self.entries[first..];
        let written = self.out.as_str();
        let key = |entry: &Entry| &written[entry.key()];
        entries.sort_by(|one, other| key(one).cmp(key(other)));
        let mut sorted = String::with_capacity(self.out.as_str().len() - start);
        let last = entries.len() - 1;
        for at in 0..entries.len() {
            let is_replaced = at < last && key(&entries[at]) == key(&entries[at + 1]);
            if is_replaced {
                entries[at].text = 0..0;
                continue;
            }
            if !sorted.is_empty() {
                sorted.push(',');
                sorted.push_str(between);
            }
            let entry = &mut entries[at];
            let moved = start + sorted.len();
            sorted.push_str(&self.out.as_str()[entry.text.clone()]);
            entry.value = entry.value - entry.text.start + moved;
            entry.text = moved..start + sorted.len();
        }
        self.out.truncate(start);
        self.out.raw(&sorted);
    }
}

impl Make for Json {
    type Node = ();
    type Map = OpenMap;
    /// Whether there was an item.
    type List = bool;

    fn null(&mut self) {
        self.out.raw("null");
    }

    fn bool(&mut self, value: bool) {
        self.out.raw(if value { "true" } else { "false" });
    }

    fn number(&mut self, number: Number) -> Option<()> {
        // Larger ones are rounded by those who read objects.
        if !number.is_i64() && !number.is_f64() {
            return None;
        }
        self.out.scalar(&Value::Number(number));
        Some(())
    }

    fn text(&mut self, text: Cow<'_, str>) {
        self.out.string(&text);
    }

    fn map(&mut self) -> OpenMap {
        self.out.enter();
        OpenMap { first: self.entries.len(), sorted: true }
    }

    fn key(&mut self, map: &mut OpenMap, key: &str) {
        let last = self.entries.get(map.first..).and_then(<[Entry]>::last);
        map.sorted &= last.is_none_or(|last| &self.out.as_str()[last.key()] < key);
        let (start, value) = self.out.key(last.is_none(), key);
        self.entries.push(Entry { text: start..value, value });
    }

    fn entry(&mut self, _: &mut OpenMap, _: &str, (): ()) {
        let here = self.here();
        if let Some(entry) = self.entries.last_mut() {
            entry.text.end = here;
        }
    }

    fn map_done(&mut self, map: OpenMap) {
        if self.entries.len() == map.first {
            self.out.leave(true, ['{', '}']);
            return;
        }
        if !map.sorted {
            self.sort(map.first);
        }
        let is_top = map.first == 0 && self.out.depth() == 2;
        if is_top {
            let whole = self.entries.iter().filter(|entry| !entry.text.is_empty());
            self.top = whole
                .map(|entry| {
                    (self.out.as_str()[entry.key()].to_owned(), entry.value..entry.text.end)
                })
                .collect();
        }
        self.entries.truncate(map.first);
        self.out.leave(false, ['{', '}']);
    }

    fn list(&mut self) -> bool {
        self.out.enter();
        false
    }

    fn item(&mut self, any: &mut bool) {
        self.out.part(!*any, '[');
        *any = true;
    }

    fn pushed(&mut self, _: &mut bool, (): ()) {}

    fn list_done(&mut self, any: bool) {
        self.out.leave(!any, ['[', ']']);
    }
}
