//! Merging what was applied into what is there.

use std::mem;

use serde_json::Value;

use crate::schema::List;
use crate::typed::Typed;
use crate::typed::list::{Element, element_of};
use crate::typed::shape::{MapShape, Shape, entries, items};
use crate::values;

pub(crate) fn merge(typed: Typed<'_>, value: &mut Value, patch: &Value) {
    match typed.shape(Some(patch)) {
        Shape::Scalar | Shape::AtomicMap | Shape::AtomicList => value.clone_from(patch),
        Shape::Map(shape) => merge_map(typed, shape, value, patch),
        Shape::List(list) => merge_list(typed, list, value, patch),
    }
}

fn merge_map(typed: Typed<'_>, shape: MapShape<'_>, value: &mut Value, patch: &Value) {
    let into = match value {
        Value::Object(map) if !map.is_empty() => map,
        // Two maps with nothing in them are a leaf, so that null and empty stay what they are.
        _ => return value.clone_from(patch),
    };
    for (name, patch) in entries(Some(patch)).into_iter().flatten() {
        match (into.get_mut(name), shape.child(name)) {
            (Some(value), Some(type_id)) => merge(typed.at(type_id), value, patch),
            (_, _) => {
                into.insert(name.clone(), patch.clone());
            }
        }
    }
}

fn merge_list(typed: Typed<'_>, list: &List, value: &mut Value, patch: &Value) {
    let theirs = items(Some(patch));
    let ours = match value {
        Value::Array(items) if !items.is_empty() => items,
        _ => return value.clone_from(patch),
    };
    if theirs.is_empty() {
        return;
    }
    let order = merged_order(&elements(typed, list, ours), &elements(typed, list, theirs));
    let item = typed.at(list.element);
    let mut ours_left = mem::take(ours);
    ours.reserve(order.len());
    for from in order {
        ours.push(match from {
            Origin::Ours(at) => mem::take(&mut ours_left[at]),
            Origin::Theirs(at) => theirs[at].clone(),
            Origin::Both(our, their) => {
                let mut value = mem::take(&mut ours_left[our]);
                merge(item, &mut value, &theirs[their]);
                value
            }
            // Which of two is meant cannot be known: nothing of them stays.
            Origin::Twice(their) => {
                let mut value = Value::Null;
                merge(item, &mut value, &theirs[their]);
                value
            }
        });
    }
}

/// Whether a merge would change anything.
pub(crate) fn would_change(typed: Typed<'_>, value: &Value, patch: &Value) -> bool {
    match typed.shape(Some(patch)) {
        Shape::Scalar | Shape::AtomicMap | Shape::AtomicList => !values::equal(value, patch),
        Shape::Map(shape) => {
            let Some(ours) = entries(Some(value)) else { return !values::equal(value, patch) };
            entries(Some(patch)).into_iter().flatten().any(|(name, patch)| {
                match (ours.get(name), shape.child(name)) {
                    (Some(value), Some(type_id)) => would_change(typed.at(type_id), value, patch),
                    _ => true,
                }
            })
        }
        Shape::List(list) => match (items(Some(value)), items(Some(patch))) {
            ([], _) => !values::equal(value, patch),
            (_, []) => false,
            (ours, theirs) => would_change_list(typed, list, ours, theirs),
        },
    }
}

/// A list stays as it is where the patch's elements are all in it, in the same order, and stay
/// as they are themselves.
fn would_change_list(typed: Typed<'_>, list: &List, ours: &[Value], theirs: &[Value]) -> bool {
    let our_elements = elements(typed, list, ours);
    let their_elements = elements(typed, list, theirs);
    if our_elements.len() != ours.len() || their_elements.len() != theirs.len() {
        return true;
    }
    let places = Places::new(&our_elements);
    let mut last = None;
    for (element, patch) in their_elements.iter().zip(theirs) {
        let Some(place) = places.first(element).filter(|place| Some(*place) > last) else {
            return true;
        };
        last = Some(place);
        if places.is_twice(element) || would_change(typed.at(list.element), &ours[place], patch) {
            return true;
        }
    }
    false
}

/// What tells the items of a list apart; items that nothing tells apart are left out.
fn elements<'v>(typed: Typed<'v>, list: &'v List, items: &'v [Value]) -> Vec<Element<'v>> {
    items.iter().filter_map(|item| element_of(typed.schema, list, item).ok()).collect()
}

/// Where an element of a merged list comes from: places in our list and in the patch's.
#[derive(Clone, Copy)]
enum Origin {
    /// Only we have it.
    Ours(usize),
    /// Only the patch has it.
    Theirs(usize),
    /// Ours, with the patch's merged into it.
    Both(usize, usize),
    /// The patch's; we have it more than once.
    Twice(usize),
}

/// Returns what two lists become.
///
/// Elements that only we have stay about where they are; among those that both have, the
/// patch's order wins.
fn merged_order(ours: &[Element<'_>], theirs: &[Element<'_>]) -> Vec<Origin> {
    let (our_places, their_places) = (Places::new(ours), Places::new(theirs));
    let mut out = Vec::with_capacity(ours.len().max(theirs.len()));
    // An element of the patch, merged into ours where we have it.
    let from_theirs = |at: usize| match our_places.first(&theirs[at]) {
        None => Origin::Theirs(at),
        Some(_) if our_places.is_twice(&theirs[at]) => Origin::Twice(at),
        Some(place) => Origin::Both(place, at),
    };
    let mut shared = theirs.iter().filter(|element| our_places.first(element).is_some());
    let mut next_shared = shared.next();
    let (mut our, mut their) = (0, 0);
    // Elements of theirs that are done are those before `their`.
    while our < ours.len() || their < theirs.len() {
        let our_element = ours.get(our);
        let their_element = theirs.get(their);
        if let (Some(ours), Some(theirs)) = (our_element, their_element) {
            if ours == theirs {
                out.push(from_theirs(their));
                our += 1;
                their += 1;
                next_shared = shared.next();
                continue;
            }
            let is_shared = their_places.first(ours).is_some();
            if is_shared && next_shared.is_some_and(|next| next != ours) {
                our += 1;
                continue;
            }
        }
        if let Some(element) = our_element {
            match their_places.first(element) {
                None => {
                    out.push(Origin::Ours(our));
                    our += 1;
                    continue;
                }
                Some(place) if place < their => our += 1,
                Some(_) => {}
            }
        }
        if let Some(element) = their_element {
            out.push(from_theirs(their));
            their += 1;
            if next_shared == Some(element) {
                next_shared = shared.next();
            }
        }
    }
    out
}

/// Where each element stands in its list.
struct Places<'a> {
    elements: &'a [Element<'a>],
    order: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(elements: &'a [Element<'a>]) -> Self {
        let mut order: Vec<_> = (0..elements.len()).collect();
        order.sort_by(|left, right| elements[*left].cmp(&elements[*right]));
        Self { elements, order }
    }

    fn rank(&self, element: &Element<'_>) -> Option<usize> {
        let rank = self.order.partition_point(|at| self.elements[*at] < *element);
        let at = *self.order.get(rank)?;
        (self.elements[at] == *element).then_some(rank)
    }

    fn first(&self, element: &Element<'_>) -> Option<usize> {
        self.rank(element).map(|rank| self.order[rank])
    }

    fn is_twice(&self, element: &Element<'_>) -> bool {
        let next = self.rank(element).and_then(|rank| self.order.get(rank + 1));
        next.is_some_and(|at| self.elements[*at] == *element)
    }
}
