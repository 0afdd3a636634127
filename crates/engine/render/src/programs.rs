//! Jsonnet files in plain directories.

use crd::{ApplicationSourceJsonnet, JsonnetVar};
use filetree::{FileTree, TreePath};
use jsonnet::{JsonnetError, Limits, Program, Variable};

use crate::directory::unreadable;
use crate::env::BuildEnv;
use crate::error::RenderError;
use crate::manifests::{self, Manifest};

/// How often the program may be asked whether it ended, at 20 ms each: a minute, of the 90 s
/// that upstream gives to a rendering.
const PROBES_MAX: usize = 3_000;

/// Evaluates a program to the objects that it gives.
pub(crate) fn evaluate(
    tree: &dyn FileTree,
    root: &TreePath,
    file: &TreePath,
    text: &str,
    options: &ApplicationSourceJsonnet,
    env: &BuildEnv,
) -> Result<Vec<Manifest>, RenderError> {
    let failed = |problem: String| RenderError::Jsonnet { file: file.to_string(), problem };
    let variables = |given: &[JsonnetVar]| -> Vec<Variable> {
        let variable = |given: &JsonnetVar| Variable {
            name: given.name.clone(),
            value: env.substitute(&given.value),
            code: given.code,
        };
        given.iter().map(variable).collect()
    };
    let mut libraries = vec![root.clone()];
    for library in &options.libs {
        // From the repository's root, and never out of it.
        let path = TreePath::parse(library.trim_start_matches('/'))
            .map_err(|error| failed(format!("jsonnet.libs: `{library}`: {error}")))?;
        libraries.push(path);
    }
    let program = Program {
        file,
        text,
        external: &variables(&options.ext_vars),
        top_level: &variables(&options.tlas),
        libraries: &libraries,
    };
    let probes = std::cell::Cell::new(0);
    let should_stop = || {
        probes.set(probes.get() + 1);
        probes.get() > PROBES_MAX
    };
    let json = match jsonnet::evaluate(tree, &program, &Limits::default(), &should_stop) {
        Ok(json) => json,
        Err(JsonnetError::Tree(error)) => return Err(error.into()),
        Err(error) => return Err(failed(error.to_string())),
    };
    manifests::read_evaluated(&json).map_err(|problem| unreadable(file, problem))
}
