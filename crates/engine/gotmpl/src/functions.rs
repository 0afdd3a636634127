//! The functions that templates may call.

use std::collections::HashMap;

use goval::{Function, Type};

use crate::builtin::Builtin;
use crate::hash::NameHash;

/// A table of functions, fixed before templates are parsed: a name that is not in it is an error
/// of parsing, and parsed templates call by number.
///
/// Build one for each profile, once, and share it (`Arc`).
pub struct Functions {
    names: HashMap<&'static str, u32, NameHash>,
    called: Vec<Called>,
    methods: HashMap<&'static str, HashMap<&'static str, &'static Function>>,
    method_names: Vec<&'static str>,
}

/// What a name in a template calls.
#[derive(Clone, Copy)]
pub(crate) enum Called {
    Builtin(Builtin),
    Host(&'static Function),
    /// Executes another template of the set into a string.
    Include(&'static str),
    /// Executes a text as a template into a string.
    Tpl(&'static str),
}

/// A table of Helm's does not grow beyond it.
const USUAL_COUNT: usize = 320;

/// What `include` and `tpl` take.
pub(crate) const NAME_AND_DATA: &[Type] = &[Type::String, Type::Any];

impl Functions {
    /// The functions that every template has: `and`, `call`, `html`, `index`, `slice`, `js`,
    /// `len`, `not`, `or`, `print`, `printf`, `println`, `urlquery` and the comparisons.
    pub fn builtin() -> Self {
        let mut table = Self {
            names: HashMap::with_capacity_and_hasher(USUAL_COUNT, NameHash::default()),
            called: Vec::with_capacity(USUAL_COUNT),
            methods: HashMap::new(),
            method_names: Vec::new(),
        };
        for builtin in Builtin::ALL {
            table.put(builtin.name(), Called::Builtin(*builtin));
        }
        table
    }

    /// Adds functions; one of a name that is there takes its place (also a builtin's).
    #[must_use]
    pub fn with(mut self, functions: &'static [Function]) -> Self {
        for function in functions {
            self.put(function.name, Called::Host(function));
        }
        self
    }

    /// Adds Helm's `include` under a name: `include NAME DATA` executes another template of the
    /// set and gives its text. It nests on the heap.
    #[must_use]
    pub fn with_include(mut self, name: &'static str) -> Self {
        self.put(name, Called::Include(name));
        self
    }

    /// Adds Helm's `tpl` under a name: `tpl TEXT DATA` parses the text, executes it among the
    /// templates of the set and gives its text without `<no value>`. It nests on the heap.
    #[must_use]
    pub fn with_tpl(mut self, name: &'static str) -> Self {
        self.put(name, Called::Tpl(name));
        self
    }

    /// Takes a function out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.names.remove(name);
        self
    }

    /// Gives values of a named map or list type methods. Of each, the first parameter is the
    /// receiver. They hide map entries of the same names.
    #[must_use]
    pub fn with_methods(mut self, type_name: &'static str, methods: &'static [Function]) -> Self {
        let of_type = self.methods.entry(type_name).or_default();
        for method in methods {
            of_type.insert(method.name, method);
            self.method_names.push(method.name);
        }
        self
    }

    /// Whether templates may call the name.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.names.keys().copied().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        self.names.get(std::str::from_utf8(name).ok()?).copied()
    }

    pub(crate) fn called(&self, number: u32) -> Called {
        self.called[number as usize]
    }

    /// Whether any named type has a method of that name.
    pub(crate) fn is_method(&self, name: &str) -> bool {
        self.method_names.contains(&name)
    }

    pub(crate) fn method(&self, type_name: &str, name: &str) -> Option<&'static Function> {
        self.methods.get(type_name)?.get(name).copied()
    }

    pub(crate) fn include_name(&self) -> &'static str {
        self.name_of(|called| match called {
            Called::Include(name) => Some(name),
            _ => None,
        })
    }

    pub(crate) fn tpl_name(&self) -> &'static str {
        self.name_of(|called| match called {
            Called::Tpl(name) => Some(name),
            _ => None,
        })
    }

    /// The name under which one of the engine's own functions was added.
    fn name_of(&self, which: impl Fn(Called) -> Option<&'static str>) -> &'static str {
        self.called.iter().rev().find_map(|called| which(*called)).unwrap_or_default()
    }

    fn put(&mut self, name: &'static str, called: Called) {
        let number = u32::try_from(self.called.len()).expect("tables are small");
        self.called.push(called);
        self.names.insert(name, number);
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
