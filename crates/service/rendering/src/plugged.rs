//! Sources that a config management plugin renders.

use std::sync::Arc;

use bytes::Bytes;
use crd::keys::MANIFEST_GENERATE_PATHS;
use desired::{DesiredObject, RenderRequest};
use filetree::{FileTree, ReadSet, Recording, TreePath};
use plugins::{PluginError, Plugins, Request, archive};
use render::{PluginCall, Reach, RenderError, plugin_call, read_plugin_output, refresh_paths};

use crate::service::Job;

/// Files that a plugin is sent, in bytes (upstream's `streamed.manifest.max.tar.size` is what
/// its packed form may have).
const FILES_BYTES_MAX: u64 = 1 << 30;

/// What a plugin gave.
pub(crate) struct Plugged {
    /// All of the tree: a plugin may have read anything.
    pub(crate) read_set: ReadSet,
    pub(crate) outcome: Result<Vec<DesiredObject>, RenderError>,
}

/// Asks plugins for a source's objects; `None` where it is not a plugin's.
pub(crate) async fn ask_plugins(
    plugins: &Plugins,
    job: &Job,
    index: usize,
    tree: &Arc<dyn FileTree>,
) -> Option<Plugged> {
    let source = &job.planned(index).source;
    let names = plugins.names();
    // Without a plugin there is nothing to find out, unless somebody counts on one.
    if !source.chart.is_empty() || (names.is_empty() && source.plugin.is_none()) {
        return None;
    }
    let recording = Recording::new(tree.clone());
    let reach = Reach::default();
    let revision = job.revisions().get(index).cloned().unwrap_or_default();
    let input = job.input(index, &revision, &reach);
    let call = match plugin_call(&recording, &input) {
        Ok(call) => call?,
        // The engine says it again, with the place.
        Err(_) => return None,
    };
    let sent = match Sent::of(&call, job, index) {
        Ok(sent) => sent,
        Err(problem) => {
            let outcome = Err(RenderError::Plugin { problem });
            return Some(Plugged { read_set: recording.read_set(), outcome });
        }
    };
    // A plugin's answer depends on every file that it is sent.
    let _ = recording.entry(&sent.root);
    let outcome = match generated(plugins, &call, names, &recording, &sent, job).await {
        Ok(None) => return None,
        Ok(Some(printed)) => read_plugin_output(&printed, &input).map(|rendered| rendered.objects),
        Err(problem) => Err(RenderError::Plugin { problem }),
    };
    Some(Plugged { read_set: recording.read_set(), outcome })
}

/// What an Application's renderings depend on besides its sources where plugins are not sent
/// everything; empty where they are.
pub(crate) fn plugin_rules(request: &RenderRequest, rendering: &settings::Rendering) -> String {
    let mut rules = rendering.plugin_exclusions.join(";");
    if rendering.plugin_paths_only {
        let annotations = &request.application.metadata.annotations;
        rules.push('\n');
        rules.push_str(annotations.get(MANIFEST_GENERATE_PATHS).map_or("", String::as_str));
    }
    rules
}

/// Which files a plugin is sent.
struct Sent<'a> {
    /// The directory whose files they are.
    root: TreePath,
    /// The source's directory, from there.
    app_path: String,
    /// Globs over paths from there.
    excluded: &'a [String],
}

impl<'a> Sent<'a> {
    fn of(call: &PluginCall, job: &'a Job, index: usize) -> Result<Self, String> {
        let rendering = &job.snapshot.rendering;
        let excluded = rendering.plugin_exclusions.as_slice();
        for glob in excluded {
            globs::file_match(glob, "").map_err(|_| {
                format!(
                    "error verifying exclusion pattern {glob:?}: syntax error in pattern; correct reposerver.plugin.tar.exclusions"
                )
            })?;
        }
        let mut root = String::new();
        if rendering.plugin_paths_only {
            let paths = refresh_paths(&job.request.application, &job.planned(index).source);
            root = common_root(&call.path, &paths);
        }
        let inside = call.path.strip_prefix(&root).unwrap_or(&call.path);
        let app_path = inside.trim_start_matches('/').to_owned();
        let root = TreePath::parse(&root).map_err(|error| error.to_string())?;
        Ok(Self { root, app_path, excluded })
    }

    fn is_excluded(&self, path: &str) -> bool {
        self.excluded.iter().any(|glob| globs::file_match(glob, path).unwrap_or(false))
    }
}

/// The directory in which a source and all paths of its `manifest-generate-paths` lie; without
/// such paths the repository's root.
fn common_root(source: &str, paths: &[String]) -> String {
    if paths.is_empty() {
        return String::new();
    }
    fn names(path: &str) -> Vec<&str> {
        let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        // Behind a glob it is not known where the files are.
        names.take_while(|name| !name.contains(['*', '?', '[', '\\'])).collect()
    }
    let mut common = names(source);
    for path in paths {
        let same = common.iter().zip(names(path)).take_while(|(one, other)| **one == *other);
        let count = same.count();
        common.truncate(count);
    }
    common.join("/")
}

async fn generated(
    plugins: &Plugins,
    call: &PluginCall,
    names: Vec<String>,
    tree: &dyn FileTree,
    sent: &Sent<'_>,
    job: &Job,
) -> Result<Option<Vec<String>>, String> {
    let packed = archive::pack(tree, &sent.root, &|path| sent.is_excluded(path), FILES_BYTES_MAX);
    let request = Request {
        app_name: job.request.application.metadata.name.clone(),
        app_path: sent.app_path.clone(),
        archive: Bytes::from(packed.map_err(|error| error.to_string())?),
        env: call.env.clone(),
    };
    let words = |error: PluginError| error.to_string();
    let name = match &call.name {
        Some(name) => {
            let check = plugins.check(name).await.map_err(words)?;
            if check.is_discovery_configured
                && !plugins.matches(name, &request).await.map_err(words)?
            {
                return Err(format!(
                    "could not find cmp-server plugin with name {name:?} supporting the given repository: its discovery says that these files are not for it"
                ));
            }
            Some(name.clone())
        }
        None => found(plugins, names, &request).await,
    };
    match name {
        Some(name) => plugins.generate(&name, &request).await.map(Some).map_err(words),
        None if call.demanded => Err(
            "could not find plugin supporting the given repository; start a plugin whose discovery fits, or name one in spec.source.plugin.name"
                .to_owned(),
        ),
        None => Ok(None),
    }
}

/// The first plugin that says the files are for it. One that does not answer is passed over, as
/// upstream does: others may still fit.
async fn found(plugins: &Plugins, names: Vec<String>, request: &Request) -> Option<String> {
    for name in names {
        let asked = async {
            let check = plugins.check(&name).await?;
            Ok::<_, PluginError>(
                check.is_discovery_configured && plugins.matches(&name, request).await?,
            )
        };
        match asked.await {
            Ok(true) => return Some(name),
            Ok(false) => {}
            Err(error) => tracing::warn!(plugin = name, %error, "a plugin was passed over"),
        }
    }
    None
}

#[cfg(test)]
mod tests;
