//! Rendering a template with the functions of a profile.

use std::sync::Arc;

use gotmpl::{Functions, NoHooks, Parsed, TemplateSet, execute};
use goval::{Budget, Context, Impure, Map, Value};

use crate::{Profile, functions};

/// The time of the rows, and nothing random.
pub(crate) struct Still;

impl Impure for Still {
    fn random(&mut self, _: &str, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn now(&mut self) -> i128 {
        1_700_000_000_000_000_000
    }
}

pub(crate) fn budget() -> Budget {
    Budget { fuel: 50_000_000, bytes: 64 << 20 }
}

/// The table of a profile, for any number of templates.
pub(crate) fn table(profile: Profile) -> Arc<Functions> {
    Arc::new(Functions::builtin().with(functions(profile)))
}

/// Renders a text over an empty map.
pub(crate) fn render(text: &str, table: &Arc<Functions>) -> Result<Vec<u8>, String> {
    let parsed = Parsed::new(text.as_bytes(), table).map_err(|error| error.text("t"))?;
    let mut set = TemplateSet::new("t");
    set.add("t", &parsed).map_err(|error| error.text("t"))?;
    let mut budget = budget();
    let mut context = Context { impure: &mut Still, budget: &mut budget, host: &mut () };
    execute(&set, "t", &Value::Map(Map::new()), &mut context, &mut NoHooks)
        .map_err(|error| error.to_string())
}
