//! A set of fields.

use std::cmp::Ordering;

use crate::fields::element::PathElement;

/// A set of fields, as a tree of path elements.
///
/// That a field is in the set says nothing about what is around it: `spec` and
/// `spec.replicas` are two members. No branch is without members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    nodes: Vec<Node>,
}

/// One path element of a set, and what lies below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The step from the level above.
    pub element: PathElement,
    /// Whether the field itself is in the set.
    pub member: bool,
    /// The members inside the field.
    pub below: FieldSet,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.member && self.below.nodes.is_empty()
    }
}

impl FieldSet {
    /// Makes a set of dotted paths, for paths of plain names.
    pub fn of_names(paths: &[&str]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<_> = path.split('.').map(PathElement::field).collect();
            set.insert(&path);
        }
        set
    }

    /// Makes an empty set with room for `length` fields of the first level.
    pub(crate) fn with_capacity(length: usize) -> Self {
        Self { nodes: Vec::with_capacity(length) }
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a number that is no whole one of 64 bits stands in a path.
    pub(crate) fn has_float(&self) -> bool {
        self.nodes.iter().any(|node| node.element.has_float() || node.below.has_float())
    }

    /// How many fields are in the set.
    pub fn len(&self) -> usize {
        self.nodes.iter().map(|node| usize::from(node.member) + node.below.len()).sum()
    }

    /// The first level, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The first level, to be changed in place by [`Self::retain`] alone.
    pub(crate) fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// Returns the node at an element of the first level.
    pub fn node(&self, element: &PathElement) -> Option<&Node> {
        self.place(element).ok().map(|at| &self.nodes[at])
    }

    /// Returns the node of the first level that `order` puts neither before nor behind.
    pub(crate) fn node_by(&self, order: impl Fn(&PathElement) -> Ordering) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|node| order(&node.element));
        at.ok().map(|at| &self.nodes[at])
    }

    /// Returns the node of a field of the first level.
    pub fn field(&self, name: &str) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|node| match &node.element {
            PathElement::Field(field) => (**field).cmp(name),
            PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => {
                Ordering::Greater
            }
        });
        at.ok().map(|at| &self.nodes[at])
    }

    fn place(&self, element: &PathElement) -> Result<usize, usize> {
        self.nodes.binary_search_by(|node| node.element.cmp(element))
    }

    /// Whether the field at `path` is in the set; the whole object never is.
    pub fn has(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [last] => self.node(last).is_some_and(|node| node.member),
            [first, rest @ ..] => self.node(first).is_some_and(|node| node.below.has(rest)),
        }
    }

    /// Adds the field at `path`, and none of those around it.
    pub fn insert(&mut self, path: &[PathElement]) {
        let [first, rest @ ..] = path else { return };
        let at = match self.place(first) {
            Ok(at) => at,
            Err(at) => {
                let node =
                    Node { element: first.clone(), member: false, below: FieldSet::default() };
                self.nodes.insert(at, node);
                at
            }
        };
        match rest {
            [] => self.nodes[at].member = true,
            rest => self.nodes[at].below.insert(rest),
        }
    }

    /// Adds a branch; one without members is left out.
    pub(crate) fn add(&mut self, element: PathElement, member: bool, below: FieldSet) {
        let node = Node { element, member, below };
        if node.is_empty() {
            return;
        }
        if self.nodes.last().is_none_or(|last| last.element < node.element) {
            self.nodes.push(node);
            return;
        }
        match self.place(&node.element) {
            Ok(at) => {
                self.nodes[at].member |= node.member;
                self.nodes[at].below.absorb(&node.below);
            }
            Err(at) => self.nodes.insert(at, node),
        }
    }

    /// Returns what is in either.
    pub fn union(&self, other: &FieldSet) -> FieldSet {
        let mut out = self.clone();
        out.absorb(other);
        out
    }

    /// Adds what is in `other`.
    pub fn absorb(&mut self, other: &FieldSet) {
        if other.nodes.is_empty() {
            return;
        }
        if self.nodes.is_empty() {
            self.nodes.clone_from(&other.nodes);
            return;
        }
        let mut at = 0;
        for theirs in &other.nodes {
            while self.nodes.get(at).is_some_and(|ours| ours.element < theirs.element) {
                at += 1;
            }
            match self.nodes.get_mut(at) {
                Some(ours) if ours.element == theirs.element => {
                    ours.member |= theirs.member;
                    ours.below.absorb(&theirs.below);
                }
                _ => self.nodes.insert(at, theirs.clone()),
            }
        }
    }

    /// Returns what is in both.
    pub fn intersection(&self, other: &FieldSet) -> FieldSet {
        let mut out = FieldSet::default();
        self.zip(other, |ours, theirs| {
            let Some(theirs) = theirs else { return };
            let node = Node {
                element: ours.element.clone(),
                member: ours.member && theirs.member,
                below: ours.below.intersection(&theirs.below),
            };
            if !node.is_empty() {
                out.nodes.push(node);
            }
        });
        out
    }

    /// Whether anything is in both.
    pub fn intersects(&self, other: &FieldSet) -> bool {
        let mut found = false;
        self.zip(other, |ours, theirs| {
            found = found
                || theirs.is_some_and(|theirs| {
                    (ours.member && theirs.member) || ours.below.intersects(&theirs.below)
                });
        });
        found
    }

    /// Whether all that is here is in `other`.
    pub fn is_subset(&self, other: &FieldSet) -> bool {
        let mut all = true;
        self.zip(other, |ours, theirs| {
            all = all
                && theirs.is_some_and(|theirs| {
                    (!ours.member || theirs.member) && ours.below.is_subset(&theirs.below)
                });
        });
        all
    }

    /// Returns what is here and not in `other`; a field's children stay when it goes.
    pub fn difference(&self, other: &FieldSet) -> FieldSet {
        let mut out = FieldSet::default();
        self.zip(other, |ours, theirs| {
            let node = match theirs {
                None => ours.clone(),
                Some(theirs) => Node {
                    element: ours.element.clone(),
                    member: ours.member && !theirs.member,
                    below: ours.below.difference(&theirs.below),
                },
            };
            if !node.is_empty() {
                out.nodes.push(node);
            }
        });
        out
    }

    /// Takes away what is in `other`; a field's children stay when it goes.
    pub fn subtract(&mut self, other: &FieldSet) {
        self.subtract_by(other, &|ours, theirs| {
            ours.member &= !theirs.member;
            ours.below.subtract(&theirs.below);
        });
    }

    /// Returns what is here and neither in `other` nor inside a field that is.
    pub fn recursive_difference(&self, other: &FieldSet) -> FieldSet {
        let mut out = self.clone();
        out.recursive_subtract(other);
        out
    }

    /// Takes away what is in `other`, and all that is inside it.
    pub fn recursive_subtract(&mut self, other: &FieldSet) {
        self.subtract_by(other, &|ours, theirs| {
            if theirs.member {
                ours.member = false;
                ours.below = FieldSet::default();
            } else {
                ours.below.recursive_subtract(&theirs.below);
            }
        });
    }

    fn subtract_by(&mut self, other: &FieldSet, take: &dyn Fn(&mut Node, &Node)) {
        if self.nodes.is_empty() || other.nodes.is_empty() {
            return;
        }
        let mut theirs = other.nodes.iter().peekable();
        self.nodes.retain_mut(|ours| {
            while theirs.next_if(|theirs| theirs.element < ours.element).is_some() {}
            if let Some(theirs) = theirs.next_if(|theirs| theirs.element == ours.element) {
                take(ours, theirs);
            }
            !ours.is_empty()
        });
    }

    /// Returns the members that have no members inside them.
    pub fn leaves(&self) -> FieldSet {
        let nodes = self.nodes.iter().map(|node| Node {
            element: node.element.clone(),
            member: node.member && node.below.is_empty(),
            below: node.below.leaves(),
        });
        FieldSet { nodes: nodes.collect() }
    }

    /// Returns the paths in the set, a level's before those below it.
    pub fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut out = Vec::new();
        self.collect_paths(&mut Vec::new(), &mut out);
        out
    }

    fn collect_paths(&self, prefix: &mut Vec<PathElement>, out: &mut Vec<Vec<PathElement>>) {
        for node in self.nodes.iter().filter(|node| node.member) {
            let mut path = prefix.clone();
            path.push(node.element.clone());
            out.push(path);
        }
        for node in &self.nodes {
            prefix.push(node.element.clone());
            node.below.collect_paths(prefix, out);
            prefix.pop();
        }
    }

    /// Calls `visit` with each node here and the one at the same element in `other`.
    fn zip<'a>(&'a self, other: &'a FieldSet, mut visit: impl FnMut(&'a Node, Option<&'a Node>)) {
        let mut theirs = other.nodes.iter().peekable();
        for ours in &self.nodes {
            while theirs.next_if(|theirs| theirs.element < ours.element).is_some() {}
            visit(ours, theirs.next_if(|theirs| theirs.element == ours.element));
        }
    }
}
