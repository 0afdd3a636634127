//! What differs between two values.

use serde_json::Value;

use crate::fields::{FieldSet, PathElement};
use crate::schema::List;
use crate::typed::Typed;
use crate::typed::list::element_of;
use crate::typed::shape::{MapShape, Shape, entries, items};
use crate::values;

/// What must change in one value to make it another. No field is in two of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the new value alone.
    pub added: FieldSet,
    /// In both, and not the same.
    pub modified: FieldSet,
    /// In the old value alone.
    pub removed: FieldSet,
}

impl Comparison {
    /// Whether the two values are the same.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// Changes each of the three sets.
    pub fn map(self, change: impl Fn(FieldSet) -> FieldSet) -> Self {
        Self {
            added: change(self.added),
            modified: change(self.modified),
            removed: change(self.removed),
        }
    }
}

pub(crate) fn compare(typed: Typed<'_>, old: &Value, new: &Value) -> Comparison {
    let difference = value(typed, Some(old), Some(new));
    Comparison {
        added: difference.added.below,
        modified: difference.modified.below,
        removed: difference.removed.below,
    }
}

/// What differs at one place and below it.
#[derive(Default)]
struct Difference {
    added: Branch,
    modified: Branch,
    removed: Branch,
}

#[derive(Default)]
struct Branch {
    member: bool,
    below: FieldSet,
}

impl Branch {
    fn hang(&mut self, element: &PathElement, branch: Branch) {
        if branch.member || !branch.below.is_empty() {
            self.below.add(element.clone(), branch.member, branch.below);
        }
    }
}

impl Difference {
    fn hang(&mut self, element: &PathElement, inside: Difference) {
        self.added.hang(element, inside.added);
        self.modified.hang(element, inside.modified);
        self.removed.hang(element, inside.removed);
    }

    fn is_none(&self) -> bool {
        let is_none = |branch: &Branch| !branch.member && branch.below.is_empty();
        is_none(&self.added) && is_none(&self.modified) && is_none(&self.removed)
    }

    fn absorb(&mut self, other: Difference) {
        for (ours, theirs) in [
            (&mut self.added, other.added),
            (&mut self.modified, other.modified),
            (&mut self.removed, other.removed),
        ] {
            ours.member |= theirs.member;
            ours.below.absorb(&theirs.below);
        }
    }
}

fn value(typed: Typed<'_>, old: Option<&Value>, new: Option<&Value>) -> Difference {
    let (old_shape, new_shape) = (typed.shape(old), typed.shape(new));
    let mut out = match (old, new) {
        (_, None) => by_shape(typed, old_shape, old, new),
        (None, Some(_)) => by_shape(typed, new_shape, old, new),
        // A deduced field may have been one thing and become another: both ways of looking count.
        (Some(_), Some(_)) if !old_shape.is_like(&new_shape) => {
            let mut out = by_shape(typed, old_shape, old, new);
            out.absorb(by_shape(typed, new_shape, old, new));
            out
        }
        (Some(_), Some(_)) => by_shape(typed, new_shape, old, new),
    };
    if old.is_none() {
        out.added.member = true;
    } else if new.is_none() {
        out.removed.member = true;
    }
    out
}

fn by_shape(
    typed: Typed<'_>,
    shape: Shape<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Difference {
    match shape {
        Shape::Scalar | Shape::AtomicMap | Shape::AtomicList => leaf(old, new),
        Shape::Map(shape) => match (entries(old), entries(new)) {
            // Null and empty differ.
            (None, None) => leaf(old, new),
            (old, new) => map(typed, shape, old, new),
        },
        Shape::List(shape) => match (items(old), items(new)) {
            ([], []) => leaf(old, new),
            (old, new) => list(typed, shape, old, new),
        },
    }
}

fn leaf(old: Option<&Value>, new: Option<&Value>) -> Difference {
    let mut out = Difference::default();
    if let (Some(old), Some(new)) = (old, new) {
        out.modified.member = !values::equal(old, new);
    }
    out
}

type Entries<'v> = Option<&'v serde_json::Map<String, Value>>;

fn map(typed: Typed<'_>, shape: MapShape<'_>, old: Entries<'_>, new: Entries<'_>) -> Difference {
    let mut out = Difference::default();
    let mut visit = |name: &str, old: Option<&Value>, new: Option<&Value>| {
        let Some(type_id) = shape.child(name) else { return };
        let inside = value(typed.at(type_id), old, new);
        if !inside.is_none() {
            out.hang(&PathElement::field(name), inside);
        }
    };
    let mut olds = old.into_iter().flatten().peekable();
    let mut news = new.into_iter().flatten().peekable();
    loop {
        match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some((old_name, old)), Some((new_name, new))) if old_name == new_name => {
                visit(new_name, Some(old), Some(new));
                olds.next();
                news.next();
            }
            (Some((old_name, old)), new) if new.is_none_or(|(name, _)| old_name < name) => {
                visit(old_name, Some(old), None);
                olds.next();
            }
            (_, Some((new_name, new))) => {
                visit(new_name, None, Some(new));
                news.next();
            }
            (Some(_), None) => unreachable!("an old field with no new one was visited above"),
        }
    }
    out
}

fn list(typed: Typed<'_>, list: &List, old: &[Value], new: &[Value]) -> Difference {
    let of_side = |items, is_new| {
        let items: &[Value] = items;
        items.iter().filter_map(move |item| {
            Some((element_of(typed.schema, list, item).ok()?, is_new, item))
        })
    };
    let mut all: Vec<_> = of_side(old, false).chain(of_side(new, true)).collect();
    all.sort_by(|(left, ..), (right, ..)| left.cmp(right));

    let mut out = Difference::default();
    for group in all.chunk_by(|(left, ..), (right, ..)| left == right) {
        let element = &group[0].0;
        let items = |side: bool| {
            group.iter().filter(move |(_, is_new, _)| *is_new == side).map(|(.., item)| *item)
        };
        let (old_count, new_count) = (items(false).count(), items(true).count());
        let (old, new) = (items(false).next(), items(true).next());
        let item = typed.at(list.element);
        let mut inside = Difference::default();
        match (old_count, new_count) {
            (0 | 1, 0 | 1) => inside = value(item, old, new),
            // An element that is there twice is one piece.
            (2.., 2..) => {
                let is_same = old_count == new_count
                    && items(false).zip(items(true)).all(|(old, new)| values::equal(old, new));
                inside.modified.member = !is_same;
            }
            (2.., _) => {
                if new.is_some() {
                    inside = value(item, None, new);
                }
                inside.removed.member = true;
            }
            (_, 2..) => {
                if old.is_some() {
                    inside = value(item, old, None);
                }
                inside.added.member = true;
            }
        }
        if !inside.is_none() {
            out.hang(&element.to_path(), inside);
        }
    }
    out
}
