//! What templates gave before, and what they had read.
//!
//! A template's documents are a function of the chart's files, the profile, the cluster's
//! version and what it read of its root object: values, the release, the chart's metadata. A
//! [`Memo`] keeps them with their reads. Where all that was read is as it was, the template is
//! not executed, whatever else has changed. Templates that change what others read, or ask for
//! chance or the time, are always executed.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::TemplateSet;
use goval::{Budget, Questions, Reads, Watching};
use hashbrown::{DefaultHashBuilder, HashMap};

use crate::asked::Asked;
use crate::chart::{ChartId, Charts};
use crate::document::Parsed;
use crate::file::File;
use crate::profile::Profile;
use crate::request::Request;
use crate::root_object::Renderable;

/// So many answers of one template are kept, those that were of use last.
const VARIANTS_MAX: usize = 64;
/// Questions that take more bytes are forgotten, with all that refers to them.
const QUESTIONS_BYTES_MAX: usize = 2 << 20;
/// A machine takes so many steps at once from its budget: with less left than it needs and that,
/// the budget may end on the way.
const STEPS_AT_ONCE: u64 = 4096;
/// Objects take about so many times the bytes of their text.
const OBJECTS_PER_TEXT: usize = 4;
/// So do parsed templates.
const TREES_PER_TEXT: usize = 3;

/// Memos of charts, up to a number of bytes; the longest unused go.
pub(crate) struct Memory {
    bytes_max: usize,
    hasher: DefaultHashBuilder,
    /// The one used last is the last one.
    kept: Mutex<VecDeque<Memo>>,
}

/// What one chart's templates gave.
///
/// A rendering takes it out of the [`Memory`] and puts it back: another one that comes in
/// between works without, or with one of its own.
pub(crate) struct Memo {
    hash: u64,
    subject: Subject,
    set: Option<TemplateSet>,
    pub(crate) questions: Questions,
    /// By the place of the template.
    variants: Vec<Vec<Variant>>,
    definitions: HashMap<String, (Arc<[u8]>, Arc<Parsed>)>,
    /// What the cluster serves, and how many lists came before.
    api_versions: (u64, Vec<String>),
    bytes: usize,
}

/// What must be the same for a memo to be of use.
struct Subject {
    kube_version: Option<String>,
    templates: Vec<(String, String, Arc<[u8]>)>,
    /// Of each chart.
    files: Vec<Vec<File>>,
}

/// What one template gave once.
struct Variant {
    run: Run,
    /// Which list of API versions its questions were held against last.
    api_versions: u64,
    documents: Arc<[Known]>,
}

/// One execution of one template.
pub(crate) struct Run {
    /// The template's place.
    pub(crate) at: usize,
    pub(crate) reads: Reads,
    pub(crate) asked: Asked,
    /// What it took.
    pub(crate) cost: Budget,
}

/// A document that was read before.
pub(crate) struct Known {
    /// With its line break.
    pub(crate) text: Arc<[u8]>,
    pub(crate) parsed: Arc<Parsed>,
}

impl Memory {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, hasher: DefaultHashBuilder::default(), kept: Mutex::default() }
    }

    /// Whether it keeps anything.
    pub(crate) fn keeps(&self) -> bool {
        self.bytes_max > 0
    }

    /// The memo of these templates, or a new one.
    pub(crate) fn take(
        &self,
        request: &Request<'_>,
        charts: &Charts,
        ids: &[ChartId],
        templates: &[Renderable],
    ) -> Memo {
        let mut hasher = self.hasher.build_hasher();
        request.kube_version.hash(&mut hasher);
        for template in templates {
            template.name.hash(&mut hasher);
        }
        let hash = hasher.finish();
        let found = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |memo: &Memo| {
                memo.hash == hash && memo.subject.is_of(request, charts, ids, templates)
            };
            kept.iter().rposition(is_it).and_then(|at| kept.remove(at))
        };
        let mut memo = found.unwrap_or_else(|| Memo {
            hash,
            subject: Subject::of(request, charts, ids, templates),
            set: None,
            questions: Questions::default(),
            variants: Vec::new(),
            definitions: HashMap::new(),
            api_versions: (0, Vec::new()),
            bytes: 0,
        });
        memo.variants.resize_with(templates.len(), Vec::new);
        if memo.api_versions.1 != request.api_versions {
            memo.api_versions = (memo.api_versions.0 + 1, request.api_versions.to_vec());
        }
        memo
    }

    /// Keeps a memo, where there is room.
    pub(crate) fn put(&self, mut memo: Memo) {
        memo.shrink(self.bytes_max / 2);
        if memo.bytes > self.bytes_max {
            return;
        }
        let mut gone = Vec::new();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(memo);
        let mut bytes: usize = kept.iter().map(|memo| memo.bytes).sum();
        while bytes > self.bytes_max {
            let Some(oldest) = kept.pop_front() else { break };
            bytes -= oldest.bytes;
            gone.push(oldest);
        }
        // What goes is freed when nobody waits for it.
        drop(kept);
    }
}

impl Subject {
    fn of(
        request: &Request<'_>,
        charts: &Charts,
        ids: &[ChartId],
        templates: &[Renderable],
    ) -> Self {
        let template =
            |one: &Renderable| (one.name.clone(), one.stored_at.clone(), one.text.clone());
        Self {
            kube_version: request.kube_version.map(str::to_owned),
            templates: templates.iter().map(template).collect(),
            files: ids.iter().map(|id| charts.content(*id).files.clone()).collect(),
        }
    }

    fn is_of(
        &self,
        request: &Request<'_>,
        charts: &Charts,
        ids: &[ChartId],
        templates: &[Renderable],
    ) -> bool {
        self.kube_version.as_deref() == request.kube_version
            && self.templates.len() == templates.len()
            && self.files.len() == ids.len()
            && self.templates.iter().zip(templates).all(|((name, stored_at, text), other)| {
                *name == other.name
                    && *stored_at == other.stored_at
                    && same_bytes(text, &other.text)
            })
            && self.files.iter().zip(ids).all(|(files, id)| {
                let others = &charts.content(*id).files;
                files.len() == others.len()
                    && files.iter().zip(others).all(|(one, other)| {
                        one.name == other.name && same_bytes(one.data(), other.data())
                    })
            })
    }
}

/// Most are the very same.
fn same_bytes(one: &Arc<[u8]>, other: &Arc<[u8]>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

impl Memo {
    /// Whether such renderings are remembered.
    ///
    /// Those of Helm 3 are not: its `.Chart` is no map, which could watch itself.
    pub(crate) fn is_for(request: &Request<'_>) -> bool {
        request.profile == Profile::V4 && request.reading.as_text.is_none()
    }

    /// The templates, parsed.
    pub(crate) fn set(&self) -> Option<TemplateSet> {
        self.set.clone()
    }

    pub(crate) fn keep_set(&mut self, set: &TemplateSet) {
        self.set = Some(set.clone());
    }

    /// What a template gives, where it was executed before and has read the same; its cost is
    /// paid, and what it asked is told.
    pub(crate) fn known(
        &mut self,
        at: usize,
        watching: &Watching,
        budget: &mut Budget,
        asked: &mut Asked,
    ) -> Option<Arc<[Known]>> {
        let (list, has) = &self.api_versions;
        let variants = &mut self.variants[at];
        let found = variants.iter_mut().position(|variant| {
            let Run { reads, asked, cost, .. } = &variant.run;
            let affordable = budget.fuel >= cost.fuel.saturating_add(STEPS_AT_ONCE)
                && budget.bytes >= cost.bytes;
            let same = variant.api_versions == *list
                || asked.holds(true, false, |one| has.iter().any(|known| known == one));
            let holds = affordable && same && watching.holds(reads);
            if holds {
                variant.api_versions = *list;
            }
            holds
        })?;
        variants[..=found].rotate_right(1);
        let Variant { run, documents, .. } = &variants[0];
        budget.fuel -= run.cost.fuel;
        budget.bytes -= run.cost.bytes;
        asked.add(&run.asked);
        Some(documents.clone())
    }

    /// Keeps what an execution gave.
    pub(crate) fn keep(&mut self, run: Run, documents: Arc<[Known]>) {
        let api_versions = self.api_versions.0;
        let variants = &mut self.variants[run.at];
        variants.truncate(VARIANTS_MAX - 1);
        variants.insert(0, Variant { run, api_versions, documents });
    }

    /// A file of definitions, read before or now.
    pub(crate) fn definition(
        &mut self,
        place: &str,
        text: &Arc<[u8]>,
        read: impl FnOnce() -> Arc<Parsed>,
    ) -> Arc<Parsed> {
        if let Some((known, parsed)) = self.definitions.get(place)
            && same_bytes(known, text)
        {
            return parsed.clone();
        }
        let parsed = read();
        self.definitions.insert(place.to_owned(), (text.clone(), parsed.clone()));
        parsed
    }

    /// Forgets what is too much, and weighs the rest.
    fn shrink(&mut self, bytes_max: usize) {
        if self.questions.bytes() > QUESTIONS_BYTES_MAX {
            self.questions = Questions::default();
            self.variants.iter_mut().for_each(Vec::clear);
        }
        let definitions: usize =
            self.definitions.values().map(|(text, _)| text.len() * OBJECTS_PER_TEXT).sum();
        loop {
            let variants: usize = self.variants.iter().flatten().map(Variant::bytes).sum();
            self.bytes = definitions + variants + self.questions.bytes() + self.subject.bytes();
            if self.bytes <= bytes_max || variants == 0 {
                return;
            }
            let most = self.variants.iter().map(Vec::len).max().unwrap_or_default();
            self.variants.iter_mut().for_each(|variants| variants.truncate(most / 2));
        }
    }
}

impl Subject {
    fn bytes(&self) -> usize {
        let name = |(name, stored_at, text): &(String, String, Arc<[u8]>)| {
            // Others may hold the text and what it was parsed to, too.
            name.len() + stored_at.len() + text.len() * TREES_PER_TEXT
        };
        let files = self.files.iter().flatten().count() * size_of::<File>();
        self.templates.iter().map(name).sum::<usize>() + files
    }
}

impl Variant {
    fn bytes(&self) -> usize {
        let documents = self.documents.iter();
        let documents: usize =
            documents.map(|known| known.text.len() * (1 + OBJECTS_PER_TEXT) + 128).sum();
        size_of::<Self>() + self.run.reads.bytes() + documents
    }
}
