//! The types of an expression, as far as they are known before anything is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::parse::{Expr, Fault, Node};

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Known when it is there.
    Dyn,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    Text,
    /// `bytes`
    Bytes,
    /// `null_type`
    Null,
    /// `timestamp`
    Time,
    /// `duration`
    Span,
    /// `list(…)`
    List(Box<Type>),
    /// `map(…, …)`
    Map(Box<Type>, Box<Type>),
    /// `optional_type(…)`
    Optional(Box<Type>),
    /// An object of a schema, with these fields and no others.
    Object(Arc<BTreeMap<String, Type>>),
    /// An object with these fields, and no others.
    Known(&'static str, &'static [(&'static str, Field)]),
    /// Anything else, by its name.
    Named(String),
}

/// The type of a known object's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `string`
    Text,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `timestamp`
    Time,
    /// `dyn`
    Any,
    /// `list(string)`
    Texts,
    /// `map(string, string)`
    TextMap,
    /// `map(string, list(string))`
    ListMap,
    /// A map whose keys are domains.
    Domains,
    /// An object of its own, by name and fields.
    Of(&'static str, &'static [(&'static str, Field)]),
    /// A list of such objects.
    ListOf(&'static str, &'static [(&'static str, Field)]),
}

impl Field {
    fn as_type(self) -> Type {
        let list = |of| Type::List(Box::new(of));
        let map = |of| Type::Map(Box::new(Type::Text), Box::new(of));
        match self {
            Field::Text => Type::Text,
            Field::Bool => Type::Bool,
            Field::Int => Type::Int,
            Field::Time => Type::Time,
            Field::Any => Type::Dyn,
            Field::Texts => list(Type::Text),
            Field::TextMap => map(Type::Text),
            Field::ListMap => map(list(Type::Text)),
            Field::Domains => map(map(Type::Dyn)),
            Field::Of(name, fields) => Type::Known(name, fields),
            Field::ListOf(name, fields) => list(Type::Known(name, fields)),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::Text => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Null => f.write_str("null_type"),
            Type::Time => f.write_str("timestamp"),
            Type::Span => f.write_str("duration"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Map(key, of) => write!(f, "map({key}, {of})"),
            Type::Optional(of) => write!(f, "optional_type({of})"),
            Type::Object(_) => f.write_str("object"),
            Type::Known(name, _) => f.write_str(name),
            Type::Named(name) => f.write_str(name),
        }
    }
}

/// The names that an expression may use, and their types.
pub struct Scope {
    names: Vec<(String, Type)>,
    mutates: bool,
    faults: Vec<Fault>,
}

impl Scope {
    /// Begins with the names of the surroundings.
    pub fn new(names: Vec<(String, Type)>) -> Scope {
        Scope { names, mutates: false, faults: Vec::new() }
    }

    /// The same, where expressions make the changes of a mutation.
    pub fn of_mutations(self) -> Scope {
        Scope { mutates: true, ..self }
    }

    /// Returns the type of an expression, and what is wrong with it, in order.
    pub fn check(mut self, expr: &Expr) -> (Type, Vec<Fault>) {
        let found = self.visit(expr);
        self.faults.sort_by_key(|fault| fault.at);
        (found, self.faults)
    }

    fn fault(&mut self, at: usize, words: String) -> Type {
        self.faults.push(Fault { at, words });
        Type::Dyn
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.fault(at, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn lookup(&self, name: &str) -> Option<Type> {
        let found = self.names.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, found)| found.clone())
    }

    fn visit(&mut self, expr: &Expr) -> Type {
        match &expr.node {
            Node::Bool(_) => Type::Bool,
            Node::Int(_) => Type::Int,
            Node::Uint(_) => Type::Uint,
            Node::Double(_) => Type::Double,
            Node::Text(_) => Type::Text,
            Node::Bytes(_) => Type::Bytes,
            Node::Null => Type::Null,
            Node::Name(name) => match self.lookup(name) {
                Some(found) => found,
                None if is_type_name(name) => Type::Named(format!("type({name})")),
                None => self.undeclared(expr.at, name),
            },
            Node::Select { of, field, optional } => self.select(expr, of, field, *optional),
            Node::Index { of, by, .. } => self.index(expr.at, of, by),
            Node::List(items) => {
                let types: Vec<Type> = items.iter().map(|(item, _)| self.visit(item)).collect();
                Type::List(Box::new(joined(types)))
            }
            Node::Map(entries) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for (key, value, _) in entries {
                    keys.push(self.visit(key));
                    values.push(self.visit(value));
                }
                Type::Map(Box::new(joined(keys)), Box::new(joined(values)))
            }
            Node::Struct { name, fields } => {
                let known = matches!(name.split('.').next(), Some("Object" | "JSONPatch"));
                if !(known && self.mutates) {
                    return self.undeclared(expr.at, name);
                }
                for (_, field) in fields {
                    self.visit(field);
                }
                Type::Named(name.clone())
            }
            Node::Call { target, name, arguments } => {
                self.call(expr.at, target.as_deref(), name, arguments)
            }
        }
    }

    fn select(&mut self, expr: &Expr, of: &Expr, field: &str, optional: bool) -> Type {
        if let Some(path) = path_of(expr)
            && let Some(found) = self.lookup(&path)
        {
            return found;
        }
        let inside = match self.visit(of) {
            Type::Optional(inside) => {
                let found = self.field(expr.at, &inside, field);
                return Type::Optional(Box::new(found));
            }
            other => other,
        };
        let found = self.field(expr.at, &inside, field);
        if optional { Type::Optional(Box::new(found)) } else { found }
    }

    fn field(&mut self, at: usize, of: &Type, field: &str) -> Type {
        match of {
            Type::Dyn => Type::Dyn,
            Type::Map(_, value) => (**value).clone(),
            Type::Object(fields) => match fields.get(field) {
                Some(found) => found.clone(),
                None => self.fault(at, format!("undefined field '{field}'")),
            },
            Type::Known(_, fields) => match fields.iter().find(|(name, _)| *name == field) {
                Some((_, found)) => found.as_type(),
                None => self.fault(at, format!("undefined field '{field}'")),
            },
            Type::Named(name) if name == "variables" => {
                self.fault(at, format!("undefined field '{field}'"))
            }
            other => self.fault(at, format!("type '{other}' does not support field selection")),
        }
    }

    fn index(&mut self, at: usize, of: &Expr, by: &Expr) -> Type {
        let (of, by) = (self.visit(of), self.visit(by));
        match (&of, &by) {
            (Type::Dyn | Type::Optional(_), _) => Type::Dyn,
            (Type::List(item), Type::Int | Type::Dyn) => (**item).clone(),
            (Type::Map(key, value), by) if fits(key, by) => (**value).clone(),
            _ => self.no_overload(at, "_[_]", &[of.clone(), by.clone()]),
        }
    }

    fn no_overload(&mut self, at: usize, name: &str, given: &[Type]) -> Type {
        let given: Vec<String> = given.iter().map(Type::to_string).collect();
        let given = given.join(", ");
        self.fault(at, format!("found no matching overload for '{name}' applied to '({given})'"))
    }

    fn call(&mut self, at: usize, target: Option<&Expr>, name: &str, arguments: &[Expr]) -> Type {
        if let Some(target) = target {
            if let Some(found) = self.macro_of(at, target, name, arguments) {
                return found;
            }
            // The name of a library stands where a target would.
            let library = path_of(target)
                .filter(|path| self.lookup(path.split('.').next().unwrap_or_default()).is_none());
            if let Some(library) = library {
                let full = format!("{library}.{name}");
                if let Some(found) = library_result(&full) {
                    for argument in arguments {
                        self.visit(argument);
                    }
                    return found;
                }
            }
            let of = self.visit(target);
            let given: Vec<Type> = arguments.iter().map(|argument| self.visit(argument)).collect();
            return match method_result(name, &of, &given) {
                Some(found) => found,
                None => self.undeclared(at, name),
            };
        }
        if name == "has" {
            return match arguments {
                [Expr { node: Node::Select { of, field, .. }, at }] => {
                    let of = self.visit(of);
                    self.field(*at, &of, field);
                    Type::Bool
                }
                _ => self.fault(at, "invalid argument to has() macro".to_owned()),
            };
        }
        let given: Vec<Type> = arguments.iter().map(|argument| self.visit(argument)).collect();
        if name.contains('_') && !name.starts_with(|c: char| c.is_ascii_alphabetic())
            || name == "@in"
        {
            return match operator_result(name, &given) {
                Some(found) => found,
                None => self.no_overload(at, name, &given),
            };
        }
        match function_result(name) {
            Some(found) => found,
            None => self.undeclared(at, name),
        }
    }

    /// Macros over lists and maps, whose first argument is a new name.
    fn macro_of(
        &mut self,
        at: usize,
        target: &Expr,
        name: &str,
        arguments: &[Expr],
    ) -> Option<Type> {
        let steps = match (name, arguments.len()) {
            ("all" | "exists" | "exists_one" | "existsOne" | "filter", 2) => 1,
            ("map", 2 | 3) => 1,
            ("all" | "exists" | "exists_one" | "existsOne", 3) => 2,
            ("transformList" | "transformMap" | "transformMapEntry", 3 | 4) => 2,
            ("optMap" | "optFlatMap" | "sortBy", 2) => 1,
            _ => return None,
        };
        let of = self.visit(target);
        let items = match &of {
            Type::List(item) => vec![(**item).clone(), (**item).clone()],
            Type::Map(key, value) => vec![(**key).clone(), (**value).clone()],
            Type::Optional(inside) => vec![(**inside).clone(), Type::Dyn],
            Type::Dyn | Type::Known(..) | Type::Named(_) => vec![Type::Dyn, Type::Dyn],
            other => {
                let words = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                return Some(self.fault(target.at, words));
            }
        };
        let before = self.names.len();
        for (index, argument) in arguments[..steps].iter().enumerate() {
            let Node::Name(new) = &argument.node else {
                return Some(self.fault(at, "argument must be a simple name".to_owned()));
            };
            let found = match (steps, index, &of) {
                (2, 0, Type::List(_)) => Type::Int,
                _ => items[index].clone(),
            };
            self.names.push((new.clone(), found));
        }
        let results: Vec<Type> =
            arguments[steps..].iter().map(|argument| self.visit(argument)).collect();
        self.names.truncate(before);
        let last = results.last().cloned().unwrap_or(Type::Dyn);
        Some(match name {
            "filter" | "sortBy" => match of {
                Type::List(_) | Type::Dyn => of,
                _ => Type::List(Box::new(Type::Dyn)),
            },
            "map" | "transformList" => Type::List(Box::new(last)),
            "transformMap" | "transformMapEntry" => {
                Type::Map(Box::new(Type::Dyn), Box::new(Type::Dyn))
            }
            "optMap" => Type::Optional(Box::new(last)),
            "optFlatMap" => last,
            _ => Type::Bool,
        })
    }
}

/// `a.b.c` as one name, where it is nothing else.
fn path_of(expr: &Expr) -> Option<String> {
    match &expr.node {
        Node::Name(name) => Some(name.clone()),
        Node::Select { of, field, optional: false } => Some(format!("{}.{field}", path_of(of)?)),
        _ => None,
    }
}

fn joined(types: Vec<Type>) -> Type {
    let mut types = types.into_iter();
    let Some(first) = types.next() else { return Type::Dyn };
    if types.all(|other| other == first) { first } else { Type::Dyn }
}

/// Whether a value of one type may stand where the other is wanted.
fn fits(wanted: &Type, given: &Type) -> bool {
    match (wanted, given) {
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (Type::Map(a, b), Type::Map(c, d)) => fits(a, c) && fits(b, d),
        (Type::Null, other) | (other, Type::Null) => {
            matches!(
                other,
                Type::Null
                    | Type::Object(_)
                    | Type::Known(..)
                    | Type::Named(_)
                    | Type::Time
                    | Type::Span
            )
        }
        _ => wanted == given,
    }
}

fn operator_result(name: &str, given: &[Type]) -> Option<Type> {
    let all_bool = || given.iter().all(|one| fits(&Type::Bool, one));
    let number = |one: &Type| matches!(one, Type::Int | Type::Uint | Type::Double | Type::Dyn);
    match (name, given) {
        ("_||_" | "_&&_" | "!_", _) => all_bool().then_some(Type::Bool),
        ("-_", [one]) => {
            matches!(one, Type::Int | Type::Double | Type::Span | Type::Dyn).then(|| one.clone())
        }
        ("_?_:_", [condition, yes, no]) => {
            if !fits(&Type::Bool, condition) || !fits(yes, no) {
                return None;
            }
            Some(if *yes == Type::Dyn { no.clone() } else { yes.clone() })
        }
        ("_==_" | "_!=_", [a, b]) => fits(a, b).then_some(Type::Bool),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => {
            let ordered = |one: &Type| {
                !matches!(
                    one,
                    Type::List(_) | Type::Map(..) | Type::Object(_) | Type::Known(..) | Type::Null
                )
            };
            let fine = (number(a) && number(b)) || (fits(a, b) && ordered(a) && ordered(b));
            fine.then_some(Type::Bool)
        }
        ("@in", [item, of]) => match of {
            Type::Dyn => Some(Type::Bool),
            Type::List(inside) => fits(inside, item).then_some(Type::Bool),
            Type::Map(key, _) => fits(key, item).then_some(Type::Bool),
            _ => None,
        },
        ("_+_", [Type::Time, Type::Span] | [Type::Span, Type::Time]) => Some(Type::Time),
        ("_-_", [Type::Time, Type::Time]) => Some(Type::Span),
        ("_-_", [Type::Time, Type::Span]) => Some(Type::Time),
        (_, [a, b]) => {
            let whole = |one: &Type| matches!(one, Type::Int | Type::Uint | Type::Dyn);
            let adds = |one: &Type| {
                number(one) || matches!(one, Type::Text | Type::Bytes | Type::List(_) | Type::Span)
            };
            let allowed = match name {
                "_+_" => adds(a) && adds(b),
                "_-_" => (number(a) || *a == Type::Span) && (number(b) || *b == Type::Span),
                "_%_" => whole(a) && whole(b),
                _ => number(a) && number(b),
            };
            let same = fits(a, b);
            (allowed && same).then(|| if *a == Type::Dyn { b.clone() } else { a.clone() })
        }
        _ => None,
    }
}

fn is_type_name(name: &str) -> bool {
    [
        "bool",
        "bytes",
        "double",
        "int",
        "list",
        "map",
        "null_type",
        "string",
        "type",
        "uint",
        "optional_type",
    ]
    .contains(&name)
}

fn function_result(name: &str) -> Option<Type> {
    Some(match name {
        "size" | "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::Text,
        "bytes" => Type::Bytes,
        "bool" | "matches" | "isQuantity" | "isURL" | "isIP" | "isCIDR" | "isSemver" => Type::Bool,
        "dyn" => Type::Dyn,
        "type" => Type::Named("type".to_owned()),
        "timestamp" => Type::Time,
        "duration" => Type::Span,
        "quantity" => Type::Named("kubernetes.Quantity".to_owned()),
        "url" => Type::Named("kubernetes.URL".to_owned()),
        "ip" => Type::Named("net.IP".to_owned()),
        "cidr" => Type::Named("net.CIDR".to_owned()),
        "semver" => Type::Named("kubernetes.Semver".to_owned()),
        _ => return None,
    })
}

fn library_result(name: &str) -> Option<Type> {
    Some(match name {
        "sets.contains" | "sets.equivalent" | "sets.intersects" | "ip.isCanonical" => Type::Bool,
        "strings.quote" | "jsonpatch.escapeKey" => Type::Text,
        "format.named" => Type::Optional(Box::new(Type::Named("kubernetes.NamedFormat".into()))),
        "lists.range" => Type::List(Box::new(Type::Int)),
        "optional.of" | "optional.ofNonZeroValue" | "optional.none" => {
            Type::Optional(Box::new(Type::Dyn))
        }
        _ if name.starts_with("format.") => Type::Named("kubernetes.NamedFormat".to_owned()),
        _ => return None,
    })
}

fn method_result(name: &str, of: &Type, given: &[Type]) -> Option<Type> {
    let element = || match of {
        Type::List(item) => (**item).clone(),
        _ => Type::Dyn,
    };
    Some(match name {
        "contains"
        | "startsWith"
        | "endsWith"
        | "matches"
        | "isSorted"
        | "isGreaterThan"
        | "isLessThan"
        | "isInteger"
        | "hasValue"
        | "allowed"
        | "errored"
        | "isUnspecified"
        | "isLoopback"
        | "isLinkLocalMulticast"
        | "isLinkLocalUnicast"
        | "isGlobalUnicast"
        | "containsIP"
        | "containsCIDR"
        | "includes" => Type::Bool,
        "size" | "indexOf" | "lastIndexOf" | "compareTo" | "sign" | "asInteger" | "family"
        | "prefixLength" | "major" | "minor" | "patch" | "getFullYear" | "getMonth" | "getDate"
        | "getDayOfMonth" | "getDayOfWeek" | "getDayOfYear" | "getHours" | "getMinutes"
        | "getSeconds" | "getMilliseconds" => Type::Int,
        "asApproximateFloat" => Type::Double,
        "charAt" | "join" | "lowerAscii" | "upperAscii" | "replace" | "substring" | "trim"
        | "format" | "find" | "getScheme" | "getHost" | "getHostname" | "getPort"
        | "getEscapedPath" | "reason" | "error" | "reverse" => match name {
            "reverse" if matches!(of, Type::List(_)) => of.clone(),
            _ => Type::Text,
        },
        "split" | "findAll" => Type::List(Box::new(Type::Text)),
        "getQuery" => Type::Map(Box::new(Type::Text), Box::new(Type::List(Box::new(Type::Text)))),
        "sum" | "min" | "max" | "first" | "last" => element(),
        "distinct" | "slice" | "sort" | "sortBy" | "flatten" => of.clone(),
        "add" | "sub" => of.clone(),
        "value" => match of {
            Type::Optional(inside) => (**inside).clone(),
            _ => Type::Dyn,
        },
        "orValue" => given.first().cloned().unwrap_or(Type::Dyn),
        "or" => of.clone(),
        "ip" => Type::Named("net.IP".to_owned()),
        "masked" => Type::Named("net.CIDR".to_owned()),
        "validate" => Type::Optional(Box::new(Type::List(Box::new(Type::Text)))),
        "path" => Type::Named("kubernetes.authorization.PathCheck".to_owned()),
        "group" => Type::Named("kubernetes.authorization.GroupCheck".to_owned()),
        "serviceAccount" => Type::Named("kubernetes.authorization.Authorizer".to_owned()),
        "resource" | "subresource" | "namespace" | "name" | "fieldSelector" | "labelSelector" => {
            Type::Named("kubernetes.authorization.ResourceCheck".to_owned())
        }
        "check" => Type::Named("kubernetes.authorization.Decision".to_owned()),
        _ => return None,
    })
}
