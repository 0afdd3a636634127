//! Our rendering of a chart on disk.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use filetree::{ContentId, Entry, EntryKind, FileTree, Listed, TreeError, TreePath};
use helm::{Cache, Chance, ChartSource, Limits, Profile, Request, ValuesFile};
use render::{ChartMeans, Reach, render_chart};
use serde_json::Value;

/// What a chart is rendered with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// A values file, as text.
    pub values: Option<String>,
    /// Values files of the chart's own, before that one.
    pub files: Vec<PathBuf>,
    /// `--set` lines.
    pub set: Vec<String>,
    /// `--set-string` lines.
    pub set_string: Vec<String>,
    /// The release's name.
    pub release_name: String,
    /// The release's namespace.
    pub namespace: String,
    /// The cluster's version.
    pub kube_version: String,
    /// What the cluster serves besides.
    pub api_versions: Vec<String>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            values: None,
            files: Vec::new(),
            set: Vec::new(),
            set_string: Vec::new(),
            release_name: "rel".to_owned(),
            namespace: "ns1".to_owned(),
            kube_version: "1.33.0".to_owned(),
            api_versions: vec!["monitoring.coreos.com/v1".to_owned()],
        }
    }
}

impl Setting {
    /// As the goldens were made.
    pub fn golden() -> Self {
        Self::default()
    }

    /// As the goldens were made, with a values file of this text.
    pub fn with(values: String) -> Self {
        Self { values: Some(values), ..Self::default() }
    }
}

/// Where randomness comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The fixed values of the goldens.
    Pinned,
    /// The same each time.
    Stable,
}

/// Renders a chart to its objects, or says why not.
pub fn render(
    place: &Path,
    setting: &Setting,
    chosen: Chosen,
    cache: &Cache,
) -> Result<Vec<Value>, String> {
    let objects = rendering(place, setting, chosen, cache)?.documents.into_iter();
    let objects = objects.flat_map(|document| document.contents.into_objects());
    Ok(objects.map(|made| made.object.as_ref().clone()).collect())
}

/// Renders a chart, and counts its documents.
pub fn count(
    place: &Path,
    setting: &Setting,
    chosen: Chosen,
    cache: &Cache,
) -> Result<usize, String> {
    Ok(rendering(place, setting, chosen, cache)?.documents.len())
}

fn rendering(
    place: &Path,
    setting: &Setting,
    chosen: Chosen,
    cache: &Cache,
) -> Result<helm::Rendering, String> {
    let tree = Disk { root: place.to_owned() };
    let root = TreePath::root();
    let mut values_files = Vec::new();
    for path in &setting.files {
        let content = fs::read(path).map_err(|error| error.to_string())?;
        values_files.push(ValuesFile { name: path.display().to_string(), content: content.into() });
    }
    values_files.extend(setting.values.iter().map(|text| ValuesFile {
        name: values_file().display().to_string(),
        content: text.as_bytes().into(),
    }));
    let packed = place.is_file().then(|| fs::read(place).unwrap_or_default());
    let shown = place.display().to_string();
    let request = Request {
        chart: match packed {
            Some(bytes) => ChartSource::Archive { bytes: bytes.into(), name: &shown },
            None => ChartSource::Directory { tree: &tree, path: &root },
        },
        vendored: &[],
        release_name: &setting.release_name,
        namespace: &setting.namespace,
        kube_version: Some(&setting.kube_version),
        api_versions: &setting.api_versions,
        values_files: &values_files,
        set: &setting.set,
        set_string: &setting.set_string,
        set_file: &[],
        read_file: &|path| Err(format!("open {path}: no such file or directory")),
        include_definitions: true,
        skip_tests: false,
        skip_schema_validation: false,
        profile: Profile::V4,
        limits: Limits::default(),
        reading: render::READING,
    };
    let mut pinned = sprig::Pinned;
    let mut stable = sprig::Stable::new([7; 32], 1_700_000_000_000_000_000);
    let chance: &mut dyn Chance = match chosen {
        Chosen::Pinned => &mut pinned,
        Chosen::Stable => &mut stable,
    };
    let means = &mut ChartMeans {
        cache,
        profile: Profile::V4,
        chance,
        should_stop: &mut || false,
        limits: Limits::default(),
    };
    render_chart(request, &Reach::default(), means).map_err(|error| error.to_string())
}

/// Where a thread writes the values that both programs read.
pub fn values_file() -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    std::env::temp_dir().join(format!("tiphys-values-{}-{thread}.yaml", std::process::id()))
}

/// A directory of the disk as a tree; links are followed wherever they lead.
struct Disk {
    root: PathBuf,
}

impl Disk {
    fn full(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }
}

/// Good enough to tell the files of a corpus apart.
fn content_id(bytes: &[u8]) -> ContentId {
    let mut id = [0; 20];
    for (number, part) in id.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (number, bytes).hash(&mut hasher);
        part.copy_from_slice(&hasher.finish().to_le_bytes()[..part.len()]);
    }
    ContentId(id)
}

fn kind(metadata: &fs::Metadata) -> EntryKind {
    if metadata.is_dir() {
        EntryKind::Directory
    } else {
        EntryKind::File { size_bytes: metadata.len(), executable: false }
    }
}

impl FileTree for Disk {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let Ok(metadata) = fs::metadata(self.full(path)) else { return Ok(None) };
        let id = content_id(&fs::read(self.full(path)).unwrap_or_default());
        Ok(Some(Entry { kind: kind(&metadata), id }))
    }

    fn kind(&self, path: &TreePath) -> Result<Option<EntryKind>, TreeError> {
        Ok(fs::metadata(self.full(path)).ok().map(|metadata| kind(&metadata)))
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let missing = |_| TreeError::Missing { path: path.to_string() };
        Ok(fs::read(self.full(path)).map_err(missing)?.into())
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        let Ok(entries) = fs::read_dir(self.full(path)) else { return Ok(None) };
        let listed = entries.flatten().map(|entry| Listed {
            name: entry.file_name().to_string_lossy().into_owned(),
            kind: fs::metadata(entry.path()).ok().map(|metadata| kind(&metadata)),
            link: false,
        });
        let mut listed: Vec<Listed> = listed.collect();
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(listed))
    }
}
