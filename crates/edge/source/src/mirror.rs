//! A server's repository, copied to this disk as far as it was needed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::progress::Discard;
use gix::protocol::handshake::Ref;
use gix::remote::Direction;
use parking_lot::Mutex;
use ring::digest;

use crate::cache::ObjectCache;
use crate::config::Limits;
use crate::error::{SourceError, chain};
use crate::refs::{RefList, RefTarget};
use crate::store::Store;
use crate::transport::GitTransport;

/// Names that are always asked for; others only where a revision needs them.
const ALWAYS: [&str; 2] = ["refs/heads/*", "refs/tags/*"];

/// A bare repository of our own for one URL, shared by all who read that URL.
pub(crate) struct Mirror {
    /// For messages.
    url: String,
    /// Holds one directory a generation, and the number of the one in use.
    root: PathBuf,
    objects: Arc<ObjectCache>,
    packs_max: usize,
    allocation_bytes_max: u64,
    current: Mutex<Option<Arc<Store>>>,
    /// Held while objects are fetched: one fetch at a time.
    pub(crate) fetching: tokio::sync::Mutex<()>,
}

/// What a fetch is to bring.
pub(crate) enum Wanted<'a> {
    /// All branches and tags, and these names.
    Everything { also: &'a [String] },
    /// One commit and what it needs.
    Commit(ObjectId),
}

impl Mirror {
    pub(crate) fn new(
        cache_dir: &Path,
        key: &str,
        url: &str,
        limits: &Limits,
        objects: Arc<ObjectCache>,
    ) -> Self {
        let name = digest::digest(&digest::SHA256, key.as_bytes());
        let name: String = name.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            url: url.to_owned(),
            root: cache_dir.join("git").join(name),
            objects,
            packs_max: limits.mirror_packs_max,
            allocation_bytes_max: limits.fetched_object_bytes_max,
            current: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// The objects that are here, made empty at the first call ever.
    pub(crate) fn store(&self) -> Result<Arc<Store>, SourceError> {
        let mut current = self.current.lock();
        if let Some(store) = &*current {
            return Ok(store.clone());
        }
        let generation = self.generation();
        self.remove_generations_but(generation);
        let dir = self.dir_of(generation);
        let opened = match self.open(&dir) {
            Ok(store) => store,
            // It is ours alone: what cannot be read is made anew.
            Err(_) => {
                self.create(&dir).map_err(|reason| self.broken(reason))?;
                self.open(&dir)?
            }
        };
        let store = Arc::new(opened);
        *current = Some(store.clone());
        Ok(store)
    }

    fn open(&self, dir: &Path) -> Result<Store, SourceError> {
        Store::open(dir, &self.url, self.objects.clone())
    }

    fn create(&self, dir: &Path) -> Result<(), String> {
        std::fs::remove_dir_all(dir).ok();
        std::fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        let kind = gix::create::Kind::Bare;
        let options = gix::open::Options::isolated();
        gix::ThreadSafeRepository::init_opts(dir, kind, gix::create::Options::default(), options)
            .map_err(|error| chain(&error))?;
        std::fs::write(self.root.join("url"), &self.url).map_err(|error| error.to_string())
    }

    /// Makes room where too many packs have come together: the next fetch begins in an empty
    /// directory, and the old one goes once nobody reads it.
    pub(crate) fn renew_if_worn(&self) -> Result<(), SourceError> {
        let generation = self.generation();
        let packs = self.dir_of(generation).join("objects/pack");
        let count = std::fs::read_dir(packs).map_or(0, |files| {
            let is_pack = |path: &Path| path.extension().is_some_and(|end| end == "pack");
            files.flatten().filter(|file| is_pack(&file.path())).count()
        });
        if count <= self.packs_max {
            return Ok(());
        }
        let next = self.dir_of(generation + 1);
        self.create(&next).map_err(|reason| self.broken(reason))?;
        let store = Arc::new(self.open(&next)?);
        std::fs::write(self.root.join("current"), (generation + 1).to_string())
            .map_err(|error| self.broken(error.to_string()))?;
        if let Some(old) = self.current.lock().replace(store) {
            old.remove_when_unused();
        }
        Ok(())
    }

    fn generation(&self) -> u64 {
        let written = std::fs::read_to_string(self.root.join("current"));
        written.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    fn dir_of(&self, generation: u64) -> PathBuf {
        self.root.join(generation.to_string())
    }

    fn remove_generations_but(&self, kept: u64) {
        let Ok(files) = std::fs::read_dir(&self.root) else { return };
        for file in files.flatten() {
            let name = file.file_name();
            let number = name.to_str().and_then(|name| name.parse::<u64>().ok());
            if number.is_some_and(|number| number != kept) {
                std::fs::remove_dir_all(file.path()).ok();
            }
        }
    }

    fn broken(&self, reason: String) -> SourceError {
        SourceError::Store { url: self.url.clone(), reason }
    }

    /// A handle for talking to the server: what it sends may allocate only so much.
    fn handle(&self, store: &Store) -> Result<gix::Repository, gix::Error> {
        let limit = format!("gitoxide.objects.allocLimit={}", self.allocation_bytes_max);
        let options = gix::open::Options::isolated()
            .with(gix::sec::Trust::Full)
            .config_overrides([limit.as_str(), "core.logAllRefUpdates=false"]);
        Ok(gix::ThreadSafeRepository::open_opts(store.path(), options)?.to_thread_local())
    }

    /// What the server's names point at; `also` are full names beyond branches and tags.
    pub(crate) fn list(
        &self,
        store: &Store,
        transport: GitTransport,
        also: &[String],
    ) -> Result<RefList, gix::Error> {
        let repo = self.handle(store)?;
        let mut specs = vec!["HEAD".to_owned()];
        specs.extend(same_names(also));
        let remote = remote(&repo, specs.iter().map(String::as_str))?;
        let connection =
            remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None));
        let (map, _) = connection.ref_map(Discard, Default::default())?;
        let mut list = RefList::default();
        for reference in map.remote_refs {
            let (name, target) = listed(reference);
            list.insert(name, target);
        }
        Ok(list)
    }

    /// Brings objects here.
    pub(crate) fn fetch(
        &self,
        store: &Store,
        transport: GitTransport,
        wanted: &Wanted<'_>,
        depth: Option<std::num::NonZeroU32>,
        interrupted: &AtomicBool,
    ) -> Result<(), gix::Error> {
        let repo = self.handle(store)?;
        let specs: Vec<String> = match wanted {
            Wanted::Everything { also } => same_names(also).collect(),
            Wanted::Commit(id) => vec![id.to_string()],
        };
        let remote = remote(&repo, specs.iter().map(String::as_str))?;
        let connection =
            remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None));
        let mut fetch = connection.prepare_fetch(Discard, Default::default())?;
        if let Wanted::Everything { .. } = wanted {
            let there: HashSet<&[u8]> =
                fetch.ref_map().remote_refs.iter().map(|name| name.unpack().0.as_bytes()).collect();
            forget_refs(&repo, |name| there.contains(name))?;
        }
        fetch = fetch.with_write_packed_refs_only(true);
        if let Some(depth) = depth {
            fetch = fetch.with_shallow(gix::remote::fetch::Shallow::DepthAtRemote(depth));
        }
        fetch.receive(Discard, interrupted)?;
        Ok(())
    }
}

/// Branches, tags and some more, each under the name that it has on the server.
fn same_names(also: &[String]) -> impl Iterator<Item = String> {
    let names = ALWAYS.into_iter().chain(also.iter().map(String::as_str));
    names.map(|name| format!("+{name}:{name}"))
}

fn remote<'r, 's>(
    repo: &'r gix::Repository,
    specs: impl Iterator<Item = &'s str>,
) -> Result<gix::Remote<'r>, gix::Error> {
    // The transport knows the way; the library only wants to see a URL.
    let remote = repo.remote_at("https://repository.invalid/")?;
    remote
        .with_fetch_tags(gix::remote::fetch::Tags::None)
        .with_refspecs(specs.map(gix::bstr::BString::from), Direction::Fetch)
}

/// Removes names that the server has no more: `a` stands in the way of `a/b`.
fn forget_refs(repo: &gix::Repository, is_there: impl Fn(&[u8]) -> bool) -> Result<(), gix::Error> {
    use gix::refs::transaction::{Change, PreviousValue, RefEdit, RefLog};

    let mut edits = Vec::new();
    for reference in repo.references()?.all()?.flatten() {
        if !is_there(reference.name().as_bstr().as_bytes()) {
            edits.push(RefEdit {
                change: Change::Delete { expected: PreviousValue::Any, log: RefLog::AndReference },
                name: reference.name().to_owned(),
                deref: false,
            });
        }
    }
    if !edits.is_empty() {
        repo.edit_references(edits)?;
    }
    Ok(())
}

fn listed(reference: Ref) -> (String, RefTarget) {
    match reference {
        Ref::Peeled { full_ref_name, tag, object } => {
            (full_ref_name.to_string(), RefTarget::Object { id: tag, peeled: Some(object) })
        }
        Ref::Direct { full_ref_name, object } => {
            (full_ref_name.to_string(), RefTarget::Object { id: object, peeled: None })
        }
        Ref::Symbolic { full_ref_name, tag, object, .. } => {
            let target = match tag {
                Some(tag) => RefTarget::Object { id: tag, peeled: Some(object) },
                None => RefTarget::Object { id: object, peeled: None },
            };
            (full_ref_name.to_string(), target)
        }
        Ref::Unborn { full_ref_name, target } => {
            (full_ref_name.to_string(), RefTarget::Name(target.to_string()))
        }
    }
}
