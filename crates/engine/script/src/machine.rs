//! One machine: LuaJIT without its compiler, and the names that a script sees.
//!
//! A machine is used again by the next run of its script. Each run sees fresh tables, so that
//! none can leave anything behind for the next.

use jiff::Timestamp;
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};

use crate::clock;
use crate::error::ScriptError;
use crate::meter::Limits;
use crate::strings;

/// What a script may use beside the language itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Libraries {
    /// The basic functions, `table`, and of `os` the time. Texts have no methods.
    Few,
    /// The above, `string` and `math`: what `useOpenLibs` is for. Files, programs, modules and
    /// whatever reaches into the machine stay closed, which upstream leaves open.
    Many,
}

/// The basic functions that can do no harm. Missing are those that read code (`load`, `dofile`),
/// reach the machine (`collectgarbage`, `getfenv`, `newproxy`), or print.
const BASIC: [&str; 19] = [
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
    "_VERSION",
];

/// Makes `require` of the modules that there are. In Lua, because a function of ours that held
/// the tables of a run would keep them for ever.
const REQUIRE: &str = "local modules, error, tostring = ..., error, tostring
    return function(name)
        local found = modules[name]
        if found == nil then error('module ' .. tostring(name) .. ' not found', 2) end
        return found
    end";

/// A machine with one script in it.
pub(crate) struct Machine {
    lua: Lua,
    function: Function,
    require: Function,
    libraries: Libraries,
}

impl Machine {
    /// Makes a machine, and compiles a script in it.
    pub(crate) fn new(
        source: &str,
        libraries: Libraries,
        limits: &Limits,
    ) -> Result<Self, ScriptError> {
        Self::build(source, libraries, limits).map_err(|error| match error {
            mlua::Error::SyntaxError { message, .. } => ScriptError::Syntax(message),
            mlua::Error::MemoryError(_) => ScriptError::WantedTooMuch,
            other => ScriptError::Raised(first_words(&other)),
        })
    }

    fn build(source: &str, libraries: Libraries, limits: &Limits) -> mlua::Result<Self> {
        let basic = StdLib::TABLE | StdLib::JIT;
        let libs = match libraries {
            Libraries::Few => basic,
            Libraries::Many => basic | StdLib::STRING | StdLib::MATH,
        };
        let lua = Lua::new_with(libs, LuaOptions::new())?;
        // What is compiled is not counted.
        let jit: Table = lua.globals().get("jit")?;
        jit.get::<Function>("off")?.call::<()>(())?;
        lua.set_memory_limit(limits.memory_bytes_max)?;
        if libraries == Libraries::Many {
            strings::replace_patterns(&lua)?;
        }
        let function = lua.load(source).set_name("=<string>").into_function()?;
        let require = lua.load(REQUIRE).set_name("=require").into_function()?;
        Ok(Self { lua, function, require, libraries })
    }

    pub(crate) fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Makes the names of a run and gives them to the script. `obj` and `actionParams` are the
    /// caller's.
    pub(crate) fn prepare(&self, now: Timestamp, ours: &[(&str, Value)]) -> mlua::Result<Function> {
        let lua = &self.lua;
        let globals = lua.globals();
        let names = lua.create_table()?;
        for name in BASIC {
            names.raw_set(name, globals.raw_get::<Value>(name)?)?;
        }
        names.raw_set("print", lua.create_function(|_, _: mlua::MultiValue| Ok(()))?)?;
        names.raw_set("_G", &names)?;
        names.raw_set("os", clock::library(lua, now)?)?;
        names.raw_set("table", copy(lua, &globals.raw_get("table")?)?)?;
        if self.libraries == Libraries::Many {
            names.raw_set("string", copy(lua, &globals.raw_get("string")?)?)?;
            names.raw_set("math", copy(lua, &globals.raw_get("math")?)?)?;
        }
        let modules = lua.create_table()?;
        for name in ["os", "table", "string", "math"] {
            modules.raw_set(name, names.raw_get::<Value>(name)?)?;
        }
        names.raw_set("require", self.require.call::<Function>(modules)?)?;
        for (name, value) in ours {
            names.raw_set(*name, value)?;
        }
        self.function.set_environment(names)?;
        Ok(self.function.clone())
    }
}

fn copy(lua: &Lua, table: &Table) -> mlua::Result<Table> {
    let copied = lua.create_table()?;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        copied.raw_set(key, value)?;
    }
    Ok(copied)
}

/// What an error says, without where it came from.
pub(crate) fn first_words(error: &mlua::Error) -> String {
    let words = match error {
        mlua::Error::CallbackError { cause, .. } => return first_words(cause),
        mlua::Error::RuntimeError(words) => words.clone(),
        other => other.to_string(),
    };
    match words.split_once("\nstack traceback:") {
        Some((before, _)) => before.to_owned(),
        None => words,
    }
}
