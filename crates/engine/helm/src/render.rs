//! A chart and values to documents: `helm template`, step by step.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use goval::{Budget, Map, Value, scan};

use crate::archive;
use crate::asked::Asked;
use crate::cache::Cache;
use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::{ChartId, Charts};
use crate::coalesce::{Nulls, coalesce};
use crate::dependencies;
use crate::directory;
use crate::document;
use crate::engine::{self, Body, Means, Rendered};
use crate::error::{Failure, HelmError, NeededChart};
use crate::file::{File, ending};
use crate::head::Role;
use crate::impure::{Chance, Noted};
use crate::memo::{Known, Memo, Memory};
use crate::order::sort_by_kind;
use crate::origin::Origins;
use crate::release_name;
use crate::request::{ChartSource, Document, Part, Rendering, Request, Vendored};
use crate::root_object::{Release, renderables};
use crate::schema;
use crate::split::{split, trim_end};
use crate::strvals::{self, Values};
use crate::tables::merge_over;
use crate::values;
use crate::versions;

/// A template file's text after it was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText {
    /// `chart/templates/x.yaml`.
    pub name: String,
    /// What it gave.
    pub text: Vec<u8>,
}

/// Renders a chart to its documents, in Helm's order.
///
/// `should_stop` is asked every few thousand steps. The same request gives the same answer as
/// long as `chance` does.
///
/// # Errors
///
/// [`HelmError::Needs`] where charts must be fetched first, else what Helm refuses.
pub fn render(
    request: &Request<'_>,
    chance: &mut dyn Chance,
    should_stop: &mut dyn FnMut() -> bool,
    cache: &Cache,
) -> Result<Rendering, HelmError> {
    let asked = Rc::new(RefCell::new(Asked::default()));
    let keeps = cache.memory.keeps();
    let memory = (keeps && Memo::is_for(request)).then_some(&cache.memory);
    let Executed { charts, root, mut rendered, mut memo } =
        execute(request, chance, should_stop, cache, &asked, memory)?;
    let documents = documents(request, &charts, root, &mut rendered, cache, memo.as_mut());
    if let Some(memo) = memo {
        cache.memory.put(memo);
    }
    let documents = documents?;
    cache.let_go((charts, rendered));
    let asked = asked.borrow().clone();
    Ok(Rendering { documents, asked })
}

/// Executes a chart's templates, and gives their texts as they are before Helm cuts them,
/// sorted by name; `NOTES.txt` is among them.
///
/// # Errors
///
/// As [`render`].
pub fn render_texts(
    request: &Request<'_>,
    chance: &mut dyn Chance,
    should_stop: &mut dyn FnMut() -> bool,
    cache: &Cache,
) -> Result<Vec<TemplateText>, HelmError> {
    let asked = Rc::default();
    let executed = execute(request, chance, should_stop, cache, &asked, None)?;
    let text = |file: Rendered| match file.body {
        Body::Text(mut text, _) => {
            text.pop();
            Some(TemplateText { name: file.name, text })
        }
        Body::Known(_) => None,
    };
    let mut texts: Vec<TemplateText> = executed.rendered.into_iter().filter_map(text).collect();
    texts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(texts)
}

/// A chart whose templates were executed.
struct Executed {
    charts: Charts,
    root: ChartId,
    rendered: Vec<Rendered>,
    memo: Option<Memo>,
}

fn execute(
    request: &Request<'_>,
    chance: &mut dyn Chance,
    should_stop: &mut dyn FnMut() -> bool,
    cache: &Cache,
    asked: &Rc<RefCell<Asked>>,
    memory: Option<&Memory>,
) -> Result<Executed, HelmError> {
    let profile = request.profile;
    let kube_version = request.kube_version.unwrap_or(profile.kube_version());
    let kube_version = KubeVersion::parse(kube_version, profile).map_err(|problem| {
        Failure::values(format!("invalid kube version '{kube_version}': {problem}"))
    })?;
    let values = user_values(request, cache)?;
    let (mut charts, root) = load(request, cache)?;
    installable(&charts, root)?;
    nothing_missing(&charts, root)?;
    release_name::check(request.release_name)?;
    dependencies::process(&mut charts, root, &values, profile)?;
    let coalesced =
        coalesce(&charts, root, &values, Nulls::Remove, profile).map_err(Failure::values)?;
    if !request.skip_schema_validation && schema::any(&charts, root) {
        schema::validate(&charts, root, &coalesced, cache).map_err(|complaints| {
            Failure::values(format!(
                "values don't meet the specifications of the schema(s) in the following chart(s):\n{complaints}"
            ))
            .with_hint("correct the values, or skip the schema with skipSchemaValidation")
        })?;
    }
    let capabilities =
        Capabilities::new(profile, kube_version, request.api_versions, asked.clone());
    check_kube_version(&charts, root, &capabilities)?;
    let release = Release { name: request.release_name, namespace: request.namespace };
    let (templates, roots) =
        renderables(&charts, root, &coalesced, release, &capabilities, profile);
    let templates = engine::ordered(templates);
    let mut memo = memory.map(|memory| memory.take(request, &charts, &roots.charts, &templates));
    let mut budget = Budget { fuel: request.limits.steps_max, bytes: request.limits.bytes_max };
    let mut chance = Noted::new(chance);
    let budget = &mut budget;
    let mut means = Means { profile, cache, chance: &mut chance, budget, should_stop, asked };
    let rendered = engine::render(&templates, &roots, &mut means, memo.as_mut());
    asked.borrow_mut().impure |= chance.was_asked();
    if rendered.is_err()
        && let (Some(memory), Some(memo)) = (memory, memo.take())
    {
        memory.put(memo);
    }
    let rendered = rendered.map_err(|mut failure| {
        failure.about.origin = Origins { request, cache, charts: &charts, root }.tell(&failure);
        failure
    })?;
    cache.let_go((templates, roots, coalesced, values));
    Ok(Executed { charts, root, rendered, memo })
}

fn load(request: &Request<'_>, cache: &Cache) -> Result<(Charts, ChartId), Failure> {
    let mut files = match &request.chart {
        ChartSource::Directory { tree, path } => Arc::new(directory::read(*tree, path, cache)?),
        ChartSource::Archive { bytes, name } => {
            if !archive::is_gzip(bytes) {
                return Err(Failure::chart(if ending(name) == ".yaml" || ending(name) == ".yml" {
                    format!("file '{name}' seems to be a YAML file, but expected a gzipped archive")
                } else {
                    format!(
                        "file '{name}' does not appear to be a gzipped archive; got 'application/octet-stream'"
                    )
                }));
            }
            // Helm says no more than that.
            cache.archive(bytes, archive::read).map_err(|problem| {
                Failure::chart("unable to load chart archive".to_owned()).with_hint(problem)
            })?
        }
    };
    for vendored in request.vendored {
        vendor(Arc::make_mut(&mut files), vendored, cache)?;
    }
    let chart_file = files.iter().find(|file| &*file.name == "Chart.yaml").ok_or_else(|| {
        Failure::chart(match request.chart {
            ChartSource::Archive { .. } => {
                "unable to detect chart version, no Chart.yaml found".to_owned()
            }
            // It is there, or the directory were none.
            ChartSource::Directory { .. } => "Chart.yaml file is missing".to_owned(),
        })
        .with_hint("the file Chart.yaml must be there, and .helmignore must not name it")
    })?;
    let metadata = cache.metadata(chart_file.data()).map_err(|problem| {
        // Helm looks for the version first, with a type of its own.
        let problem = problem
            .replace("into Go value of type v2.Metadata", "into Go value of type loader.chartBase")
            .replace("Metadata.apiVersion of type", "chartBase.apiVersion of type");
        Failure::chart(format!("cannot load Chart.yaml: {problem}")).at_file("Chart.yaml")
    })?;
    match metadata.api_version.as_str() {
        "v1" | "v2" => Charts::load(&files, request.profile, cache),
        // Helm reads charts of its next version, and does not install them.
        "v3" => {
            let (charts, root) = Charts::load(&files, request.profile, cache)?;
            let depends = charts.metadata(root).listed().next().is_some();
            let words = if depends {
                "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: unsupported chart dependency type"
            } else {
                "invalid chart apiVersion"
            };
            Err(Failure::chart(words.to_owned()).at_file("Chart.yaml"))
        }
        _ => Err(Failure::chart("unsupported chart version".to_owned()).at_file("Chart.yaml")),
    }
}

/// Puts a chart that was fetched where `helm dependency build` would put it.
fn vendor(files: &mut Vec<File>, vendored: &Vendored<'_>, cache: &Cache) -> Result<(), Failure> {
    match &vendored.chart {
        ChartSource::Archive { bytes, .. } => {
            let name = format!("charts/{}.tgz", vendored.name);
            files.retain(|file| *file.name != *name);
            files.push(File::new(&name, bytes.clone()));
        }
        ChartSource::Directory { tree, path } => {
            for file in directory::read(*tree, path, cache)? {
                files.push(file.renamed(&format!("charts/{}/{}", vendored.name, file.name)));
            }
        }
    }
    Ok(())
}

fn user_values(request: &Request<'_>, cache: &Cache) -> Result<Map, Failure> {
    let values = Map::new();
    for file in request.values_files {
        let read = cache.values(&file.content, request.profile).map_err(|error| {
            values::failure(&error, &file.name, &format!("failed to parse {}", file.name))
                .outside_of_chart()
        })?;
        merge_over(&values, &read.thaw_map());
    }
    let files = |path: &str| {
        let bytes = (request.read_file)(path)?;
        Ok(Value::Str(bytes[..].into()))
    };
    let kinds = [
        ("--set", request.set, Values::Typed),
        ("--set-string", request.set_string, Values::Text),
        ("--set-file", request.set_file, Values::Files(&files)),
    ];
    for (flag, lines, kind) in &kinds {
        for line in *lines {
            strvals::parse_into(line, kind, &values).map_err(|problem| {
                Failure::values(format!("failed parsing {flag} data: {problem}")).with_hint(
                    "a comma, a dot or a bracket that is meant as text needs a `\\` before it",
                )
            })?;
        }
    }
    Ok(values)
}

fn installable(charts: &Charts, root: ChartId) -> Result<(), Failure> {
    match charts.metadata(root).kind.as_str() {
        "" | "application" => Ok(()),
        kind => Err(Failure::chart(format!("{kind} charts are not installable"))
            .at_file("Chart.yaml")
            .with_hint("a library is a dependency of other charts; point at one of those")),
    }
}

fn nothing_missing(charts: &Charts, root: ChartId) -> Result<(), HelmError> {
    let missing: Vec<String> =
        dependencies::missing(charts, root).iter().map(|listed| listed.name.clone()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let needs = charts.metadata(root).listed().map(|listed| NeededChart {
        name: listed.name.clone(),
        version: listed.version.clone(),
        repository: listed.repository.clone(),
        missing: missing.contains(&listed.name),
    });
    let lock = charts.content(root).lock.as_ref().map(|lock| lock.to_vec());
    Err(HelmError::Needs { needs: needs.collect(), missing, lock })
}

fn check_kube_version(
    charts: &Charts,
    root: ChartId,
    capabilities: &Capabilities,
) -> Result<(), Failure> {
    let wanted = &charts.metadata(root).kube_version;
    if wanted.is_empty() || versions::satisfies(wanted, capabilities.version().normal()) {
        return Ok(());
    }
    Err(Failure::chart(format!(
        "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {}",
        capabilities.version().given()
    ))
    .at_file("Chart.yaml")
    .with_hint("a range without `-0` at its end takes no pre-release; set kubeVersion to try another version"))
}

/// A document before it is put in its place.
struct Found<'a> {
    rendered: &'a Rendered,
    text: &'a [u8],
    with_break: Text<'a>,
    parsed: Arc<document::Parsed>,
    kind: String,
}

/// A document's text.
enum Text<'a> {
    /// For those who get it, too.
    Kept(Arc<[u8]>),
    /// Only to be read.
    Seen(Cow<'a, [u8]>),
}

impl<'a> Text<'a> {
    fn of(bytes: Cow<'a, [u8]>, request: &Request<'_>) -> Self {
        match request.reading.as_text {
            Some(_) => Text::Seen(bytes),
            None => Text::Kept(bytes.into()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Text::Kept(bytes) => bytes,
            Text::Seen(bytes) => bytes,
        }
    }

    fn kept(self) -> Option<Arc<[u8]>> {
        match self {
            Text::Kept(bytes) => Some(bytes),
            Text::Seen(_) => None,
        }
    }
}

/// Its text goes nowhere.
fn is_notes(file: &Rendered) -> bool {
    file.name.ends_with("NOTES.txt")
}

/// The parts of a file: each one's text, the same with its line break, and what it holds.
fn parts<'a>(
    file: &'a Rendered,
    request: &Request<'_>,
    cache: &Cache,
) -> Vec<(&'a [u8], Text<'a>, Arc<document::Parsed>)> {
    match &file.body {
        Body::Known(known) => {
            let part = |known: &'a Known| {
                let text = known.text.strip_suffix(b"\n").unwrap_or(&known.text);
                (text, Text::Kept(known.text.clone()), known.parsed.clone())
            };
            known.iter().map(part).collect()
        }
        Body::Text(whole, _) => {
            let part = |text: &'a [u8]| {
                let with_break = Text::of(with_break(whole, text), request);
                let parsed = read(&with_break, request, cache);
                (text, with_break, parsed)
            };
            let without = whole.strip_suffix(b"\n").unwrap_or(whole);
            split(without, request.profile).into_iter().map(part).collect()
        }
    }
}

/// Has the memo keep what a file holds, where it can be made again and nothing is wrong with it.
fn remember(file: &mut Rendered, request: &Request<'_>, cache: &Cache, memo: &mut Memo) {
    if !matches!(file.body, Body::Text(_, Some(_))) {
        return;
    }
    let parts = if is_notes(file) { Vec::new() } else { parts(file, request, cache) };
    let is_right = |parsed: &document::Parsed| parsed.head.is_ok() && parsed.contents.is_ok();
    if !parts.iter().all(|(_, _, parsed)| is_right(parsed)) {
        return;
    }
    let known = parts.into_iter().filter_map(|(_, text, parsed)| {
        let text = text.kept()?;
        Some(Known { text, parsed })
    });
    let known: Arc<[Known]> = known.collect();
    let body = std::mem::replace(&mut file.body, Body::Known(known.clone()));
    if let Body::Text(_, Some(run)) = body {
        memo.keep(run, known);
    }
}

/// The documents of files that have a line break behind what the templates gave.
fn documents(
    request: &Request<'_>,
    charts: &Charts,
    root: ChartId,
    rendered: &mut [Rendered],
    cache: &Cache,
    mut memo: Option<&mut Memo>,
) -> Result<Vec<Document>, Failure> {
    let profile = request.profile;
    rendered.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(memo) = memo.as_deref_mut() {
        rendered.iter_mut().for_each(|file| remember(file, request, cache, memo));
    }
    let mut manifests = Vec::new();
    let mut hooks = Vec::new();
    for file in rendered.iter().filter(|file| !is_notes(file)) {
        for (text, with_break, parsed) in parts(file, request, cache) {
            let head = parsed.head.as_ref().map_err(|problem| {
                let words = format!("YAML parse error on {}: {}", file.name, problem.words);
                not_a_manifest(words, file, text, problem)
            })?;
            let (role, kind) = (head.role, head.kind.clone());
            let found = Found { rendered: file, text, with_break, parsed, kind };
            match role {
                Role::Manifest => manifests.push(found),
                Role::Hook { test: true } if request.skip_tests => {}
                Role::Hook { .. } => hooks.push(found),
                Role::Unknown => {}
            }
        }
    }
    sort_by_kind(&mut manifests, |found| &found.kind, profile);
    sort_by_kind(&mut hooks, |found| &found.kind, profile);

    let mut documents = Vec::new();
    if request.include_definitions {
        definitions(charts, root, request, cache, &mut memo, &mut documents)?;
    }
    let last = manifests.len().checked_sub(1);
    for (at, found) in manifests.into_iter().enumerate() {
        // Helm trims its whole answer before it adds the hooks.
        let text = (Some(at) == last).then(|| trimmed(found.text)).flatten();
        documents.push(document(found, text, Part::Manifest, request, cache)?);
    }
    let last = hooks.len().checked_sub(1);
    for (at, found) in hooks.into_iter().enumerate() {
        // Argo CD takes one line break from the end of everything.
        let cut = Some(at) == last && found.text.ends_with(b"\n");
        let text = cut.then_some(Cow::Borrowed(found.text));
        documents.push(document(found, text, Part::Hook, request, cache)?);
    }
    Ok(documents)
}

/// A text with a line break behind it, which it has at the end of its file.
fn with_break<'a>(file: &'a [u8], text: &'a [u8]) -> Cow<'a, [u8]> {
    let tail = &file[file.len().saturating_sub(text.len() + 1)..];
    match tail.strip_suffix(b"\n") {
        Some(inside) if std::ptr::eq(inside, text) => Cow::Borrowed(tail),
        _ => Cow::Owned([text, b"\n"].concat()),
    }
}

/// A document without the white space at its end, but with a line break; `None` where that is
/// how it is found.
fn trimmed(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inside = trim_end(text);
    match text.get(inside.len())? {
        b'\n' => Some(Cow::Borrowed(&text[..=inside.len()])),
        _ => Some(Cow::Owned([inside, b"\n"].concat())),
    }
}

fn read(text: &Text<'_>, request: &Request<'_>, cache: &Cache) -> Arc<document::Parsed> {
    let read = || document::read(text.bytes(), request.profile, request.reading);
    let variant = variant(request.profile as u8, request);
    match text {
        Text::Kept(bytes) => cache.document(bytes, variant, read),
        Text::Seen(bytes) => cache.document(&**bytes, variant, read),
    }
}

/// Tells apart what was read into texts.
fn variant(of: u8, request: &Request<'_>) -> u8 {
    of << 1 | u8::from(request.reading.as_text.is_some())
}

/// A document in its place; `cut` is its text where that is not as it was found.
fn document<'a>(
    found: Found<'a>,
    cut: Option<Cow<'a, [u8]>>,
    part: Part,
    request: &Request<'_>,
    cache: &Cache,
) -> Result<Document, Failure> {
    let (text, parsed) = match cut {
        None => (found.with_break, found.parsed),
        Some(cut) => {
            let same = means_the_same(found.with_break.bytes(), &cut);
            let cut = Text::of(cut, request);
            let parsed = if same { found.parsed } else { read(&cut, request, cache) };
            (cut, parsed)
        }
    };
    let contents = match Arc::try_unwrap(parsed) {
        Ok(parsed) => parsed.contents,
        Err(shared) => shared.contents.clone(),
    };
    let contents = contents.map_err(|problem| {
        let words = format!("failed to unmarshal manifest: {}", problem.words);
        not_a_manifest(words, found.rendered, found.text, &problem)
    })?;
    Ok(Document {
        source: found.rendered.name.clone(),
        stored_at: found.rendered.stored_at.clone(),
        part,
        text: text.kept(),
        contents,
    })
}

/// Whether YAML says the same of both, the other being a beginning of the one.
///
/// Line breaks at the end mean something only to a block that keeps them, and its head has a
/// plus sign.
fn means_the_same(one: &[u8], other: &[u8]) -> bool {
    one.strip_prefix(other).is_some_and(|rest| rest.iter().all(|byte| *byte == b'\n'))
        && other.ends_with(b"\n")
        && !has_head_that_keeps(other)
}

/// Whether there may be the head of a block that keeps its line breaks.
fn has_head_that_keeps(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(found) = scan::find_byte(b'+', &text[from..]) {
        let at = from + found;
        if matches!(text[..at].last(), Some(b'|' | b'>' | b'0'..=b'9')) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// What a template gave is no manifest: the place is the template, the lines are its output's.
fn not_a_manifest(
    words: String,
    file: &Rendered,
    text: &[u8],
    problem: &document::Problem,
) -> Failure {
    let text = String::from_utf8_lossy(text);
    let mut failure = Failure::output(words).at_file(&file.stored_at);
    // A Secret's lines are nobody's business but its own.
    let shown = if text.contains("kind: Secret") {
        String::new()
    } else {
        let at = problem.line.saturating_sub(1) as usize;
        text.lines()
            .skip(at.saturating_sub(1))
            .take(3)
            .map(|line| format!("\n    | {line}"))
            .collect()
    };
    failure.about.origin =
        Some(format!("line {} of the document that it gave is wrong{shown}", problem.line));
    failure.with_hint("look at indentation (`nindent`) and at texts that need quotes")
}

/// The `crds` folders, the chart's own first.
fn definitions(
    charts: &Charts,
    chart: ChartId,
    request: &Request<'_>,
    cache: &Cache,
    memo: &mut Option<&mut Memo>,
    into: &mut Vec<Document>,
) -> Result<(), Failure> {
    let path = charts.full_path(chart);
    let folder = charts.folder(chart);
    for file in &charts.content(chart).files {
        let is_manifest = [".yaml", ".yml", ".json"]
            .iter()
            .any(|known| ending(&file.name).eq_ignore_ascii_case(known));
        if !file.name.starts_with("crds/") || !is_manifest {
            continue;
        }
        let read = || {
            cache.document(file.data(), variant(DEFINITIONS, request), || {
                document::read_definitions(file.data(), request.reading)
            })
        };
        let stored_at = format!("{folder}{}", file.name);
        let parsed = match memo {
            Some(memo) => memo.definition(&stored_at, file.data(), read),
            None => read(),
        };
        let contents = match Arc::try_unwrap(parsed) {
            Ok(parsed) => parsed.contents,
            Err(shared) => shared.contents.clone(),
        };
        let contents = contents.map_err(|problem| {
            Failure::output(format!("failed to unmarshal manifest: {}", problem.words))
                .at(&stored_at, problem.line, problem.column)
                .with_hint("correct the YAML there, or leave definitions out with skipCrds")
        })?;
        into.push(Document {
            source: format!("{path}/{}", file.name),
            stored_at,
            part: Part::Definition,
            text: request.reading.as_text.is_none().then(|| file.data().clone()),
            contents,
        });
    }
    for sub in charts.dependencies(chart).collect::<Vec<_>>() {
        definitions(charts, sub, request, cache, memo, into)?;
    }
    Ok(())
}

/// Tells definitions from rendered documents among the cached ones.
const DEFINITIONS: u8 = u8::MAX >> 1;
