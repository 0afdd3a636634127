//! What makes two requests the same rendering, besides the files.

use render::Options;
use sha1::{Digest, Sha1};

use crate::plan::Plan;

/// Names a rendering: equal keys and equal files are equal objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key([u8; 20]);

/// Names the rendering of these sources for this Application.
///
/// The destination's versions are not part of it: what was asked of them is kept with each
/// rendering. `plugin_rules` says what plugins are not sent.
pub(crate) fn key_of(
    app_name: &str,
    namespace: &str,
    project: &str,
    plan: &Plan,
    options: &Options,
    charts_time_ns: i128,
    plugin_rules: &str,
) -> Key {
    let mut sha = Sha1::new();
    let rules = plan.warnings.iter().chain(&plan.permitted).map(String::as_str);
    for part in [app_name, namespace, project].into_iter().chain(rules) {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    for planned in &plan.sources {
        let text = serde_json::to_vec(&planned.source).expect("a source prints to memory");
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text);
    }
    let Options {
        helm,
        kustomize,
        jsonnet,
        combined_bytes_max,
        kustomize_build_options,
        hashes: _,
    } = options;
    sha.update([u8::from(*helm), u8::from(*kustomize), u8::from(*jsonnet)]);
    sha.update(kustomize_build_options);
    sha.update(charts_time_ns.to_be_bytes());
    sha.update(combined_bytes_max.map_or([0xFF; 8], u64::to_be_bytes));
    sha.update(plugin_rules);
    Key(sha.finalize().into())
}
