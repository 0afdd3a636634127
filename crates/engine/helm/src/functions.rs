//! The functions that belong to Helm's rendering, and the table of all of them.

use std::sync::{Arc, LazyLock};

use gotmpl::Functions;
use goval::{Context, Function, Map, MapType, Type, Value};

use crate::profile::Profile;

/// Stands around the message of `required` and `fail`: Helm shows it alone.
pub(crate) const WARN_START: &str = "HELM_ERR_START";
/// The end of it.
pub(crate) const WARN_END: &str = "HELM_ERR_END";

/// The table of a profile, the same for all renderings.
pub(crate) fn table(profile: Profile) -> &'static Arc<Functions> {
    static TABLE_3: LazyLock<Arc<Functions>> = LazyLock::new(|| build(Profile::V3));
    static TABLE_4: LazyLock<Arc<Functions>> = LazyLock::new(|| build(Profile::V4));
    match profile {
        Profile::V3 => &TABLE_3,
        Profile::V4 => &TABLE_4,
    }
}

fn build(profile: Profile) -> Arc<Functions> {
    let sprig = sprig::functions(match profile {
        Profile::V3 => sprig::Profile::Helm3,
        Profile::V4 => sprig::Profile::Helm4,
    });
    let table = Functions::builtin()
        .with(sprig)
        .with(OWN)
        .without("env")
        .without("expandenv")
        .with_include("include")
        .with_tpl("tpl")
        .with_methods(profile.values_type(), VALUES_METHODS);
    Arc::new(table)
}

const OWN: &[Function] = &[
    Function {
        name: "required",
        params: &[Type::String, Type::Any],
        variadic: false,
        body: required,
    },
    Function { name: "fail", params: &[Type::String], variadic: false, body: fail },
    Function {
        name: "lookup",
        params: &[Type::String, Type::String, Type::String, Type::String],
        variadic: false,
        body: lookup,
    },
    Function {
        name: "getHostByName",
        params: &[Type::String],
        variadic: false,
        body: |_, _| Ok("".into()),
    },
];

fn warned(message: &Value) -> String {
    match message {
        Value::Str(text) => format!("{WARN_START}{text}{WARN_END}"),
        _ => format!("{WARN_START}{WARN_END}"),
    }
}

fn required(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    match args {
        [message, Value::Nil] => Err(warned(message)),
        [message, Value::Str(text)] if text.is_empty() => Err(warned(message)),
        [_, value] => Ok(value.clone()),
        _ => Err("required takes a message and a value".to_owned()),
    }
}

fn fail(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    Err(warned(args.first().unwrap_or(&Value::Nil)))
}

/// There is no cluster behind a rendering: nothing is ever found.
fn lookup(_: &mut Context<'_>, _: &[Value]) -> Result<Value, String> {
    Ok(Map::new().into())
}

/// What Go's type for values can do besides being a map.
const VALUES_METHODS: &[Function] = &[
    Function { name: "AsMap", params: &[Type::Any], variadic: false, body: as_map },
    Function { name: "YAML", params: &[Type::Any], variadic: false, body: yaml },
    Function { name: "Table", params: &[Type::Any, Type::String], variadic: false, body: table_of },
    Function {
        name: "PathValue",
        params: &[Type::Any, Type::String],
        variadic: false,
        body: path_value,
    },
];

fn receiver(args: &[Value]) -> Result<&Map, String> {
    match args.first() {
        Some(Value::Map(map)) => Ok(map),
        _ => Err("the receiver is no map".to_owned()),
    }
}

fn as_map(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let map = receiver(args)?;
    Ok(if map.is_empty() { Map::new().into() } else { map.seen_as(MapType::Any).into() })
}

fn yaml(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let json = goval::to_json(&args[0])?;
    goyaml::to_yaml(&json).map(Value::from).map_err(|error| error.to_string())
}

fn text_of(args: &[Value]) -> String {
    match args.get(1) {
        Some(Value::Str(text)) => text.to_text().into_owned(),
        _ => String::new(),
    }
}

fn table_of(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let map = receiver(args)?;
    let mut at = map.clone();
    for name in text_of(args).split('.') {
        match at.get(name.as_bytes()) {
            Some(Value::Map(inner)) => at = inner,
            _ => return Err(format!("{} is not a table", goval::quote(name))),
        }
    }
    Ok(at.seen_as(map.map_type()).into())
}

fn path_value(_: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let path = text_of(args);
    if path.is_empty() {
        return Err("YAML path cannot be empty".to_owned());
    }
    crate::dependencies::path_value(receiver(args)?, &path).ok_or_else(|| {
        format!("{} is not a value", goval::quote(path.rsplit('.').next().unwrap_or("")))
    })
}
