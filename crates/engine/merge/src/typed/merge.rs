//! Merging what was applied into what is there.

use std::mem;

use serde_json::Value;

use crate::fields::PathElement;
use crate::schema::List;
use crate::typed::Typed;
use crate::typed::list::element_of;
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
    let elements = |items: &[Value]| -> Vec<PathElement> {
        items.iter().filter_map(|item| element_of(typed.schema, list, item).ok()).collect()
    };
    let our_elements = elements(ours);
    let their_elements = elements(theirs);
    let merging = ListMerge {
        item: typed.at(list.element),
        our_places: Places::new(&our_elements),
        their_places: Places::new(&their_elements),
        our_elements: &our_elements,
        their_elements: &their_elements,
        ours: mem::take(ours),
        theirs,
        out: Vec::with_capacity(our_elements.len().max(their_elements.len())),
    };
    *ours = merging.run();
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
    let elements = |items: &[Value]| -> Option<Vec<PathElement>> {
        items.iter().map(|item| element_of(typed.schema, list, item).ok()).collect()
    };
    let (Some(our_elements), Some(their_elements)) = (elements(ours), elements(theirs)) else {
        return true;
    };
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

/// Two lists on their way to become one.
///
/// Elements that only we have stay about where they are; among those that both have, the
/// patch's order wins.
struct ListMerge<'a, 's> {
    item: Typed<'s>,
    our_elements: &'a [PathElement],
    their_elements: &'a [PathElement],
    our_places: Places<'a>,
    their_places: Places<'a>,
    ours: Vec<Value>,
    theirs: &'a [Value],
    out: Vec<Value>,
}

impl ListMerge<'_, '_> {
    fn run(mut self) -> Vec<Value> {
        let mut shared = self
            .their_elements
            .iter()
            .filter(|element| self.our_places.first(element).is_some())
            .collect::<Vec<_>>()
            .into_iter();
        let mut next_shared = shared.next();
        let (mut our, mut their) = (0, 0);
        // Elements of theirs that are done are those before `their`.
        while our < self.our_elements.len() || their < self.their_elements.len() {
            let our_element = self.our_elements.get(our);
            let their_element = self.their_elements.get(their);
            if let (Some(ours), Some(theirs)) = (our_element, their_element) {
                if ours == theirs {
                    self.take_theirs(their);
                    our += 1;
                    their += 1;
                    next_shared = shared.next();
                    continue;
                }
                let is_shared = self.their_places.first(ours).is_some();
                if is_shared && next_shared.is_some_and(|next| next != ours) {
                    our += 1;
                    continue;
                }
            }
            if let Some(element) = our_element {
                match self.their_places.first(element) {
                    None => {
                        self.out.push(mem::take(&mut self.ours[our]));
                        our += 1;
                        continue;
                    }
                    Some(place) if place < their => our += 1,
                    Some(_) => {}
                }
            }
            if let Some(element) = their_element {
                self.take_theirs(their);
                their += 1;
                if next_shared == Some(element) {
                    next_shared = shared.next();
                }
            }
        }
        self.out
    }

    /// Takes an element of the patch, merged into ours where we have it.
    fn take_theirs(&mut self, at: usize) {
        let element = &self.their_elements[at];
        let mut value = match self.our_places.first(element) {
            None => return self.out.push(self.theirs[at].clone()),
            // Which of two is meant cannot be known: nothing of them stays.
            Some(_) if self.our_places.is_twice(element) => Value::Null,
            Some(place) => mem::take(&mut self.ours[place]),
        };
        merge(self.item, &mut value, &self.theirs[at]);
        self.out.push(value);
    }
}

/// Where each element stands in its list.
struct Places<'a> {
    elements: &'a [PathElement],
    order: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(elements: &'a [PathElement]) -> Self {
        let mut order: Vec<_> = (0..elements.len()).collect();
        order.sort_by(|left, right| elements[*left].cmp(&elements[*right]));
        Self { elements, order }
    }

    fn rank(&self, element: &PathElement) -> Option<usize> {
        let rank = self.order.partition_point(|at| self.elements[*at] < *element);
        let at = *self.order.get(rank)?;
        (self.elements[at] == *element).then_some(rank)
    }

    fn first(&self, element: &PathElement) -> Option<usize> {
        self.rank(element).map(|rank| self.order[rank])
    }

    fn is_twice(&self, element: &PathElement) -> bool {
        let next = self.rank(element).and_then(|rank| self.order.get(rank + 1));
        next.is_some_and(|at| self.elements[*at] == *element)
    }
}
