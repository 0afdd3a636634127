//! Executing a chart's templates, in Helm's order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{Cause, ExecError, Functions, Hooks, Leads, ParseError, Parsed, TemplateSet};
use goval::{Budget, Context, Map, MapType, Str, Value, Watching};

use crate::asked::Asked;
use crate::cache::Cache;
use crate::error::{Failure, Frame, Place};
use crate::file::base;
use crate::functions::{WARN_END, WARN_START, table};
use crate::impure::{Chance, Noted};
use crate::memo::{Known, Memo, Run};
use crate::profile::Profile;
use crate::root_object::{Renderable, Roots};

/// A file that was rendered.
pub(crate) struct Rendered {
    /// `parent/charts/child/templates/x.yaml`.
    pub(crate) name: String,
    pub(crate) stored_at: String,
    pub(crate) body: Body,
}

/// What a file gave.
pub(crate) enum Body {
    /// Its text, with the line break behind it that Helm's printing adds; and how it was made,
    /// where that can be remembered.
    Text(Vec<u8>, Option<Run>),
    /// What it would give again.
    Known(Arc<[Known]>),
}

/// What one rendering works with besides its templates.
pub(crate) struct Means<'a> {
    pub(crate) profile: Profile,
    pub(crate) cache: &'a Cache,
    pub(crate) chance: &'a mut dyn Chance,
    pub(crate) budget: &'a mut Budget,
    pub(crate) should_stop: &'a mut dyn FnMut() -> bool,
    pub(crate) asked: &'a RefCell<Asked>,
}

/// Renders every file but those whose names begin with `_`, which only define. The templates
/// stand in their order ([`ordered`]).
///
/// # Errors
///
/// The first mistake, in Helm's words.
pub(crate) fn render(
    templates: &[Renderable],
    roots: &Roots,
    means: &mut Means<'_>,
    memo: Option<&mut Memo>,
) -> Result<Vec<Rendered>, Failure> {
    let set = match memo.as_ref().and_then(|memo| memo.set()) {
        Some(set) => set,
        None => parsed(templates, means)?,
    };
    let watched_memo = memo.and_then(|memo| {
        memo.keep_set(&set);
        let questions = std::mem::take(&mut memo.questions);
        let watching = Watching::begin(questions, &roots.data, roots.constants.clone())?;
        Some((memo, watching))
    });
    let Some((memo, watching)) = watched_memo else {
        return render_all(templates, means, |_, template, means| {
            execute(template, templates, &set, means).map(|text| Body::Text(text, None))
        });
    };
    let rendered = render_all(templates, means, |at, template, means| {
        let known = memo.known(at, &watching, means.budget, &mut means.asked.borrow_mut());
        match known {
            Some(known) => Ok(Body::Known(known)),
            None => watched(at, template, templates, &set, means, &watching),
        }
    });
    memo.questions = watching.end();
    rendered
}

fn render_all(
    templates: &[Renderable],
    means: &mut Means<'_>,
    mut body: impl FnMut(usize, &Renderable, &mut Means<'_>) -> Result<Body, Failure>,
) -> Result<Vec<Rendered>, Failure> {
    let mut rendered = Vec::with_capacity(templates.len());
    for (at, template) in templates.iter().enumerate() {
        if base(&template.name).starts_with('_') {
            continue;
        }
        let about = Map::of(
            MapType::Named(means.profile.values_type()),
            [
                ("Name".into(), template.name.as_str().into()),
                ("BasePath".into(), template.base_path.clone().into()),
            ],
        );
        // It follows from the templates' names and their order.
        about.set_constant();
        template.data.insert_unseen("Template".into(), about.into());
        rendered.push(Rendered {
            name: template.name.clone(),
            stored_at: template.stored_at.clone(),
            body: body(at, template, means)?,
        });
    }
    Ok(rendered)
}

fn parsed(templates: &[Renderable], means: &Means<'_>) -> Result<TemplateSet, Failure> {
    let functions = table(means.profile);
    let mut set = TemplateSet::new("gotpl");
    for template in templates {
        let parsed = means
            .cache
            .template(&template.text, means.profile, || {
                Parsed::new(template.text.clone(), functions)
            })
            .and_then(|parsed| set.add(&template.name, &parsed));
        if let Err(error) = parsed {
            return Err(not_parsed(&error, template));
        }
    }
    Ok(set)
}

/// Executes a template, and notes what it reads and takes.
fn watched(
    at: usize,
    template: &Renderable,
    templates: &[Renderable],
    set: &TemplateSet,
    means: &mut Means<'_>,
    watching: &Watching,
) -> Result<Body, Failure> {
    let before = means.budget.clone();
    let asked_before = means.asked.take();
    let mut chance = Noted::new(&mut *means.chance);
    watching.start();
    let text = execute(
        template,
        templates,
        set,
        &mut Means {
            chance: &mut chance,
            budget: &mut *means.budget,
            should_stop: &mut *means.should_stop,
            ..*means
        },
    );
    let reads = watching.stop();
    let by_chance = chance.was_asked();
    let asked = means.asked.replace(asked_before);
    means.asked.borrow_mut().add(&asked);
    let cost =
        Budget { fuel: before.fuel - means.budget.fuel, bytes: before.bytes - means.budget.bytes };
    let run = reads.filter(|_| !by_chance).map(|reads| Run { at, reads, asked, cost });
    Ok(Body::Text(text?, run))
}

/// Executes a template; a line break stands behind its text.
fn execute(
    template: &Renderable,
    templates: &[Renderable],
    set: &TemplateSet,
    means: &mut Means<'_>,
) -> Result<Vec<u8>, Failure> {
    means.chance.enter(&template.name);
    let mut hooks =
        Host { cache: means.cache, profile: means.profile, should_stop: means.should_stop };
    let mut context = Context { impure: means.chance, budget: means.budget, host: &mut () };
    let data = Value::Map(template.data.clone());
    let text = gotmpl::execute(set, &template.name, &data, &mut context, &mut hooks)
        .map_err(|error| not_executed(&error, templates, means.profile))?;
    let mut text = gotmpl::without_no_value(text);
    text.push(b'\n');
    Ok(text)
}

struct Host<'a> {
    cache: &'a Cache,
    profile: Profile,
    should_stop: &'a mut dyn FnMut() -> bool,
}

impl Hooks for Host<'_> {
    fn should_stop(&mut self) -> bool {
        (self.should_stop)()
    }

    fn parse_tpl(
        &mut self,
        text: &Str,
        functions: &Arc<Functions>,
    ) -> Result<Arc<Parsed>, ParseError> {
        let content: Arc<[u8]> = text.as_bytes().into();
        self.cache.template(&content, self.profile, || Parsed::new(content.clone(), functions))
    }
}

/// Deepest first, and inside of a depth against the alphabet: what comes later may define over
/// what came before. Of two files with one name the later counts.
pub(crate) fn ordered(templates: Vec<Renderable>) -> Vec<Renderable> {
    let by_name: BTreeMap<String, Renderable> =
        templates.into_iter().map(|template| (template.name.clone(), template)).collect();
    let mut ordered: Vec<Renderable> = by_name.into_values().collect();
    let depth = |name: &str| name.bytes().filter(|byte| *byte == b'/').count();
    ordered.sort_by(|one, other| {
        let key = |name: &str| depth(name);
        (key(&other.name), &other.name).cmp(&(key(&one.name), &one.name))
    });
    ordered
}

fn not_parsed(error: &ParseError, template: &Renderable) -> Failure {
    let text = error.text(&template.name);
    let location = text.split(": ").nth(1).unwrap_or(&template.name);
    let message = text.rsplit(": ").next().unwrap_or(&text);
    let failure = Failure::template(format!("parse error at ({location}): {message}")).at(
        &template.stored_at,
        error.line as u32,
        0,
    );
    match crate::hints::for_parsing(message) {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

fn not_executed(error: &ExecError, templates: &[Renderable], profile: Profile) -> Failure {
    let stored: BTreeMap<&str, &str> =
        templates.iter().map(|one| (one.name.as_str(), one.stored_at.as_str())).collect();
    let words = words(error, profile);
    let mut failure = match error.cause {
        Cause::Budget | Cause::Stopped => Failure::limit(words),
        Cause::Template | Cause::Function { .. } | Cause::Tpl(_) => Failure::template(words),
    };
    let mut frames = Vec::new();
    for place in &error.stack {
        let (file, line, column) = match stored.get(&*place.file) {
            Some(file) => ((*file).to_owned(), place.line as u32, place.column as u32 + 1),
            None => {
                ("the text given to tpl".to_owned(), place.line as u32, place.column as u32 + 1)
            }
        };
        frames.push(Frame { place: Place { file, line, column }, node: place.node.clone() });
    }
    if let Some(last) = frames.pop() {
        failure.about.place = Some(last.place);
        failure.about.stack = frames;
        failure.about.hint = crate::hints::for_execution(&error.message, &last.node);
    }
    failure
}

/// How Go says that a template is not there.
const NO_TEMPLATE: &str = "template: no template ";

/// Helm's text for an error of Go's template engine.
fn words(error: &ExecError, profile: Profile) -> String {
    let whole = error.to_string();
    let mut tokens = whole.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next())
    else {
        return whole;
    };
    if error.stack.is_empty() {
        return whole;
    }
    if let Some(start) = rest.find(WARN_START)
        && let Some(end) = rest.rfind(WARN_END)
        && start + WARN_START.len() <= end
    {
        let message = &rest[start + WARN_START.len()..end];
        return format!("execution error at ({location}): {message}");
    }
    // Helm 4 breaks Go's one line into several, unless something else stands in the chain.
    let no_template = match &error.cause {
        Cause::Function { said, .. } if said.starts_with(NO_TEMPLATE) => Some(said),
        Cause::Template if error.message.starts_with(NO_TEMPLATE) => Some(&error.message),
        _ => None,
    };
    let only_templates = (error.cause == Cause::Template || no_template.is_some())
        && !error.stack.iter().any(|place| matches!(place.leads, Some(Leads::Tpl { .. })));
    if profile == Profile::V3 || !only_templates {
        return whole;
    }
    let mut lines = String::new();
    let visible: Vec<_> =
        error.stack.iter().filter(|place| place.leads != Some(Leads::Template)).collect();
    for (at, place) in visible.iter().enumerate() {
        let message = match (&place.leads, at + 1 == visible.len()) {
            (Some(Leads::Include { function }), _) => format!("error calling {function}:"),
            _ => error.message.split(" template:").next().unwrap_or_default().to_owned(),
        };
        lines.push_str(&format!(
            "{}:{}:{}\n  executing {} at <{}>:\n    {message}\n",
            place.file,
            place.line,
            place.column,
            goval::quote(&place.template),
            place.node
        ));
    }
    if let Some(said) = no_template {
        lines.push_str(said);
    }
    lines.trim().to_owned()
}
