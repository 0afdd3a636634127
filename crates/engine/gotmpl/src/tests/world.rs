//! The functions, types and hooks that the tables were made with.

use std::any::Any;
use std::sync::Arc;

use goval::{
    Budget, Context, Function, Impure, Kind, Map, MapType, Object, Signature, Str, Type, Value,
    sprintf,
};

use crate::{ExecError, Functions, Hooks, NoHooks, TemplateSet, execute};

/// A struct with methods.
#[derive(Debug)]
pub(super) struct Thing {
    name: String,
    pointer: bool,
    map: Map,
}

impl Thing {
    pub(super) fn new(name: &str, pointer: bool) -> Self {
        let map = Map::of(MapType::Any, [("k".into(), Value::str("v"))]);
        Self { name: name.to_owned(), pointer, map }
    }
}

impl Object for Thing {
    fn type_name(&self) -> &str {
        if self.pointer { "*main.Obj" } else { "main.Obj" }
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Ptr } else { Kind::Struct }
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Name" => Some(Value::str(self.name.as_str())),
            "N" => Some(Value::int(7)),
            "M" => Some(Value::Map(self.map.clone())),
            "P" => Some(Value::Nil),
            _ => None,
        }
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        Some(["Name", "N", "M", "P"].map(|name| (name, self.field(name).unwrap())).into())
    }

    fn has_method(&self, name: &str) -> bool {
        self.signature(name).is_some()
    }

    fn signature(&self, name: &str) -> Option<Signature> {
        let (params, variadic): (&'static [Type], bool) = match name {
            "Get" => (&[Type::String], false),
            "Add" => (&[Type::Int, Type::Int], false),
            "Err" => (&[], false),
            "Many" => (&[Type::String, Type::String], true),
            "Any" => (&[Type::Any], false),
            _ => return None,
        };
        Some(Signature { params, variadic })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, String> {
        match (name, args) {
            ("Get", [Value::Str(text)]) => {
                Ok(Value::Str([self.name.as_bytes(), b"/", text.as_bytes()].concat().into()))
            }
            ("Add", [Value::Int(left, _), Value::Int(right, _)]) => Ok(Value::int(left + right)),
            ("Err", _) => Err("obj err".to_owned()),
            ("Many", [first, rest @ ..]) => {
                let rest: Vec<String> = rest.iter().map(shown).collect();
                Ok(Value::str(format!("{}{}", shown(first), rest.join(","))))
            }
            ("Any", [value]) => Ok(Value::str(value.type_name())),
            _ => Err(format!("{name} called with {args:?}")),
        }
    }

    fn print(&self) -> String {
        format!("{{{} 7 {} <nil>}}", self.name, shown(&Value::Map(self.map.clone())))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn shown(value: &Value) -> String {
    goval::print_value(value).to_text().into_owned()
}

fn type_and_value(context: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let twice = [args[0].clone(), args[0].clone()];
    sprintf(b"%T:%v", &twice, context.budget).map(Value::Str)
}

const fn one(name: &'static str, params: &'static [Type]) -> Function {
    Function { name, params, variadic: false, body: type_and_value }
}

static FUNCTIONS: &[Function] = &[
    one("str", &[Type::String]),
    one("num", &[Type::Int]),
    one("num64", &[Type::Int64]),
    one("u32", &[Type::Uint32]),
    one("f64", &[Type::Float64]),
    one("bl", &[Type::Bool]),
    one("mp", &[Type::Map]),
    one("ss", &[Type::Strings]),
    one("bs", &[Type::Bytes]),
    one("ty", &[Type::Any]),
    Function {
        name: "ls",
        params: &[Type::List],
        variadic: false,
        body: |context, args| {
            let nil = matches!(&args[0], Value::List(list) if list.is_nil());
            let twice = [args[0].clone(), args[0].clone(), Value::Bool(nil)];
            sprintf(b"%T:%v%v", &twice, context.budget).map(Value::Str)
        },
    },
    Function {
        name: "vari",
        params: &[Type::String, Type::Int],
        variadic: true,
        body: |_, args| {
            let rest = shown(&Value::list(args[1..].to_vec()));
            Ok(Value::str(format!("{}{rest}", shown(&args[0]))))
        },
    },
    Function {
        name: "fail",
        params: &[Type::String],
        variadic: false,
        body: |_, args| Err(shown(&args[0])),
    },
    Function {
        name: "dict",
        params: &[Type::Any],
        variadic: true,
        body: |_, args| {
            let pairs = args.chunks_exact(2);
            let entries = pairs.map(|pair| (Str::from(shown(&pair[0])), pair[1].clone()));
            Ok(Value::Map(Map::of(MapType::Any, entries)))
        },
    },
    Function {
        name: "list",
        params: &[Type::Any],
        variadic: true,
        body: |_, args| Ok(Value::list(args.to_vec())),
    },
    Function { name: "five", params: &[], variadic: false, body: |_, _| Ok(Value::int(5)) },
    Function { name: "nilfn", params: &[], variadic: false, body: |_, _| Ok(Value::Nil) },
    Function {
        name: "set",
        params: &[Type::Map, Type::String, Type::Any],
        variadic: false,
        body: |_, args| {
            let [Value::Map(map), Value::Str(key), value] = args else {
                return Err("set".to_owned());
            };
            if map.is_nil() {
                return Err("assignment to entry in nil map".to_owned());
            }
            map.insert(key.clone(), value.clone());
            Ok(args[0].clone())
        },
    },
    Function {
        name: "upper",
        params: &[Type::String],
        variadic: false,
        body: |_, args| Ok(Value::str(shown(&args[0]).to_uppercase())),
    },
    Function {
        name: "two",
        params: &[Type::Any, Type::Any],
        variadic: false,
        body: |context, args| sprintf(b"%v&%v", args, context.budget).map(Value::Str),
    },
];

static METHODS: &[Function] = &[
    Function {
        name: "AsMap",
        params: &[Type::Any],
        variadic: false,
        body: |_, args| match &args[0] {
            Value::Map(map) => Ok(Value::Map(map.seen_as(MapType::Any))),
            _ => Err("no map".to_owned()),
        },
    },
    Function {
        name: "Table",
        params: &[Type::Any, Type::String],
        variadic: false,
        body: |_, args| {
            let (Value::Map(map), Value::Str(name)) = (&args[0], &args[1]) else {
                return Err("no map".to_owned());
            };
            match map.get(name) {
                Some(Value::Map(table)) => {
                    Ok(Value::Map(table.seen_as(MapType::Named("main.Vals"))))
                }
                _ => Err(format!("no table {}", goval::quote_bytes(name))),
            }
        },
    },
];

pub(super) fn functions() -> Arc<Functions> {
    Arc::new(
        Functions::builtin()
            .with(FUNCTIONS)
            .with_include("include")
            .with_tpl("tpl")
            .with_methods("main.Vals", METHODS),
    )
}

/// No randomness, no time.
pub(super) struct Pure;

impl Impure for Pure {
    fn random(&mut self, _call: &str, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn now(&mut self) -> i128 {
        0
    }
}

pub(super) fn run(set: &TemplateSet, name: &str, data: &Value) -> Result<Vec<u8>, ExecError> {
    let budget = Budget { fuel: 100_000_000, bytes: 1 << 30 };
    run_within(set, name, data, budget, &mut NoHooks).0
}

pub(super) fn run_within(
    set: &TemplateSet,
    name: &str,
    data: &Value,
    mut budget: Budget,
    hooks: &mut dyn Hooks,
) -> (Result<Vec<u8>, ExecError>, Budget) {
    let outcome = {
        let mut context = Context { impure: &mut Pure, budget: &mut budget, host: &mut () };
        execute(set, name, data, &mut context, hooks)
    };
    (outcome, budget)
}
