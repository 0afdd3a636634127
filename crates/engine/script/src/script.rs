//! A script, and a run of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;

use crate::error::ScriptError;
use crate::json::{Returned, returned, to_lua};
use crate::machine::{Libraries, Machine, first_words};
use crate::meter::{Limits, Meter, ShouldStop};

/// What a run is given.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// `obj`.
    pub object: &'a Value,
    /// `actionParams`.
    pub parameters: &'a BTreeMap<String, String>,
    /// What `os.time` and `os.date` say.
    pub now: Timestamp,
}

/// No more machines than this wait for the next run of a script.
const IDLE_MAX: usize = 4;

/// A script that was compiled once and can be run often, also by several at a time.
pub struct Script {
    source: String,
    libraries: Libraries,
    limits: Limits,
    idle: Mutex<Vec<Machine>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Script {
    /// Compiles a script.
    ///
    /// # Errors
    ///
    /// [`ScriptError::Syntax`] where it is no Lua.
    pub fn compile(
        source: &str,
        libraries: Libraries,
        limits: Limits,
    ) -> Result<Self, ScriptError> {
        let machine = Machine::new(source, libraries, &limits)?;
        let idle = Mutex::new(vec![machine]);
        Ok(Self { source: source.to_owned(), libraries, limits, idle })
    }

    /// Runs the script. The same input gives the same answer.
    ///
    /// # Errors
    ///
    /// Whatever [`ScriptError`] lists but syntax.
    pub fn run(
        &self,
        input: &Input<'_>,
        should_stop: Option<ShouldStop>,
    ) -> Result<Returned, ScriptError> {
        let waiting = self.idle.lock().pop();
        let machine = match waiting {
            Some(machine) => machine,
            None => Machine::new(&self.source, self.libraries, &self.limits)?,
        };
        let answer = self.run_in(&machine, input, should_stop);
        // A machine that was stopped may be left in any state.
        let sound = !matches!(answer, Err(ScriptError::TookTooLong | ScriptError::WantedTooMuch));
        let mut idle = self.idle.lock();
        if sound && idle.len() < IDLE_MAX {
            idle.push(machine);
        }
        answer
    }

    fn run_in(
        &self,
        machine: &Machine,
        input: &Input<'_>,
        should_stop: Option<ShouldStop>,
    ) -> Result<Returned, ScriptError> {
        let meter = Meter::new(&self.limits, should_stop);
        let lua = machine.lua();
        let run = || -> mlua::Result<mlua::Value> {
            lua.set_app_data(meter.clone());
            let parameters = lua.create_table()?;
            for (name, value) in input.parameters {
                parameters.raw_set(name.as_str(), value.as_str())?;
            }
            let ours = [
                ("obj", to_lua(lua, input.object)?),
                ("actionParams", mlua::Value::Table(parameters)),
            ];
            let function = machine.prepare(input.now, &ours)?;
            meter.attach(lua)?;
            let answer = function.call(());
            lua.remove_hook();
            answer
        };
        let answer = run();
        if meter.is_over() {
            return Err(ScriptError::TookTooLong);
        }
        let answer = answer.map_err(|error| match error {
            mlua::Error::MemoryError(_) => ScriptError::WantedTooMuch,
            other => ScriptError::Raised(first_words(&other)),
        })?;
        let json = returned(&answer);
        drop(answer);
        // What one run left is not the next one's burden.
        if lua.used_memory() > self.limits.memory_bytes_max / 8 {
            let _ = lua.gc_collect();
        }
        json
    }
}
