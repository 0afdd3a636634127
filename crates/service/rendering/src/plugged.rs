//! Sources that a config management plugin renders.

use std::sync::Arc;

use bytes::Bytes;
use desired::DesiredObject;
use filetree::{FileTree, ReadSet, Recording, TreePath};
use plugins::{PluginError, Plugins, Request, archive};
use render::{PluginCall, Reach, RenderError, plugin_call, read_plugin_output};

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
    // A plugin's answer depends on every file.
    let _ = recording.entry(&TreePath::root());
    let outcome = match generated(plugins, &call, names, &recording, job).await {
        Ok(None) => return None,
        Ok(Some(printed)) => read_plugin_output(&printed, &input).map(|rendered| rendered.objects),
        Err(problem) => Err(RenderError::Plugin { problem }),
    };
    Some(Plugged { read_set: recording.read_set(), outcome })
}

async fn generated(
    plugins: &Plugins,
    call: &PluginCall,
    names: Vec<String>,
    tree: &dyn FileTree,
    job: &Job,
) -> Result<Option<Vec<String>>, String> {
    let packed = archive::pack(tree, &|_| true, FILES_BYTES_MAX);
    let request = Request {
        app_name: job.request.application.metadata.name.clone(),
        app_path: call.path.clone(),
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
