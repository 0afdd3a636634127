//! Templates by name.

use std::collections::HashMap;
use std::sync::Arc;

use goval::Str;

use crate::error::ParseError;
use crate::hash::NameHash;
use crate::parsed::{Parsed, Tree};

/// Templates that know each other by name.
///
/// A clone is cheap and its own: what is added to it later is not seen by the other.
#[derive(Clone)]
pub struct TemplateSet {
    layer: Arc<Layer>,
}

/// Definitions on top of other definitions.
struct Layer {
    root_name: Arc<str>,
    own: Entries,
    below: Option<Arc<Layer>>,
}

type Entries = HashMap<Str, Arc<Entry>, NameHash>;

/// One template of a set: shared code, and the names that it has here.
pub(crate) struct Entry {
    /// The template's name.
    pub(crate) name: Str,
    /// The name under which its text was parsed.
    pub(crate) file: Arc<str>,
    pub(crate) tree: Arc<Tree>,
}

impl TemplateSet {
    /// An empty set. `root_name` is what Go's `template.New` would be given: it stands in errors
    /// and names the texts of `tpl`.
    pub fn new(root_name: &str) -> Self {
        let root_name = root_name.into();
        Self { layer: Arc::new(Layer { root_name, own: Entries::default(), below: None }) }
    }

    /// The name that the set was made with.
    pub fn root_name(&self) -> &str {
        &self.layer.root_name
    }

    /// Adds a parsed text: a template called `name`, and all that the text defines.
    ///
    /// A later definition takes the place of an earlier one, except that one of nothing but
    /// space and comments never does.
    ///
    /// # Errors
    ///
    /// Where the text defines a template of its own name besides itself.
    pub fn add(&mut self, name: &str, parsed: &Parsed) -> Result<(), ParseError> {
        let file: Arc<str> = name.into();
        for (name, tree) in parsed.trees_under(name)? {
            self.put(Arc::new(Entry { name, file: Arc::clone(&file), tree }));
        }
        Ok(())
    }

    /// Whether there is a template of that name.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.find(name).is_some()
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> Vec<Str> {
        let mut names = Vec::new();
        let mut layer = Some(&self.layer);
        while let Some(at) = layer {
            names.extend(at.own.keys().cloned());
            layer = at.below.as_ref();
        }
        names.sort();
        names.dedup();
        names
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<&Arc<Entry>> {
        let mut layer = &self.layer;
        loop {
            if let Some(entry) = layer.own.get(name) {
                return Some(entry);
            }
            layer = layer.below.as_ref()?;
        }
    }

    /// The set as the text of a `tpl` sees it: this one, with the text's own definitions, and
    /// with the text itself under the root's name.
    pub(crate) fn over(&self, parsed: &Parsed) -> Result<(Self, Arc<Entry>), ParseError> {
        let name = Arc::clone(&self.layer.root_name);
        // Of a `tpl` around this one only its definitions are seen, not its own text.
        let hidden = self.layer.own.len() == 1 && self.layer.own.contains_key(name.as_bytes());
        let below = if hidden { self.layer.below.clone() } else { None };
        let below = Some(below.unwrap_or_else(|| Arc::clone(&self.layer)));
        let root_name = Arc::clone(&name);
        let layer = Arc::new(Layer { root_name, own: Entries::default(), below });
        let mut set = Self { layer };
        let mut main = None;
        for (defined, tree) in parsed.trees_under(&name)? {
            let entry = Arc::new(Entry { name: defined, file: Arc::clone(&name), tree });
            if entry.name.as_bytes() == name.as_bytes() {
                // The root's own template is never there before, whatever it holds.
                main = Some(Arc::clone(&entry));
                set.own().insert(entry.name.clone(), entry);
            } else {
                set.put(entry);
            }
        }
        Ok((set, main.expect("a parsed text has a main template")))
    }

    fn put(&mut self, entry: Arc<Entry>) {
        if entry.tree.is_empty && self.find(&entry.name).is_some() {
            return;
        }
        self.own().insert(entry.name.clone(), entry);
    }

    fn own(&mut self) -> &mut Entries {
        if Arc::get_mut(&mut self.layer).is_none() {
            let root_name = Arc::clone(&self.layer.root_name);
            let below = Some(Arc::clone(&self.layer));
            self.layer = Arc::new(Layer { root_name, own: Entries::default(), below });
        }
        &mut Arc::get_mut(&mut self.layer).expect("it is new").own
    }
}

/// Level by level: there may be more levels than the stack bears.
impl Drop for Layer {
    fn drop(&mut self) {
        let mut below = self.below.take();
        while let Some(layer) = below {
            below = Arc::try_unwrap(layer).ok().and_then(|mut layer| layer.below.take());
        }
    }
}
