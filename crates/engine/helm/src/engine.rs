//! Executing a chart's templates, in Helm's order.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{Cause, ExecError, Functions, Hooks, Leads, ParseError, Parsed, TemplateSet};
use goval::{Budget, Context, Map, MapType, Str, Value};

use crate::cache::Cache;
use crate::error::{Failure, Frame, Place};
use crate::file::base;
use crate::functions::{WARN_END, WARN_START, table};
use crate::impure::Chance;
use crate::profile::Profile;
use crate::root_object::Renderable;

/// A file that was rendered.
pub(crate) struct Rendered {
    /// `parent/charts/child/templates/x.yaml`.
    pub(crate) name: String,
    pub(crate) stored_at: String,
    pub(crate) text: Vec<u8>,
}

/// What one rendering works with besides its templates.
pub(crate) struct Means<'a> {
    pub(crate) profile: Profile,
    pub(crate) cache: &'a Cache,
    pub(crate) chance: &'a mut dyn Chance,
    pub(crate) budget: &'a mut Budget,
    pub(crate) should_stop: &'a mut dyn FnMut() -> bool,
}

/// Renders every file but those whose names begin with `_`, which only define.
///
/// # Errors
///
/// The first mistake, in Helm's words.
pub(crate) fn render(
    templates: Vec<Renderable>,
    means: &mut Means<'_>,
) -> Result<Vec<Rendered>, Failure> {
    let functions = table(means.profile);
    let templates = ordered(templates);
    let stored: BTreeMap<&str, &str> =
        templates.iter().map(|one| (one.name.as_str(), one.stored_at.as_str())).collect();
    let mut set = TemplateSet::new("gotpl");
    for template in &templates {
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
    let mut rendered = Vec::with_capacity(templates.len());
    for template in &templates {
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
        means.chance.enter(&template.name);
        template.data.insert("Template".into(), about.into());
        let mut hooks =
            Host { cache: means.cache, profile: means.profile, should_stop: means.should_stop };
        let mut context = Context { impure: means.chance, budget: means.budget, host: &mut () };
        let data = Value::Map(template.data.clone());
        let text = gotmpl::execute(&set, &template.name, &data, &mut context, &mut hooks)
            .map_err(|error| not_executed(&error, &stored, means.profile))?;
        rendered.push(Rendered {
            name: template.name.clone(),
            stored_at: template.stored_at.clone(),
            text: gotmpl::without_no_value(text),
        });
    }
    Ok(rendered)
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
fn ordered(templates: Vec<Renderable>) -> Vec<Renderable> {
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

fn not_executed(error: &ExecError, stored: &BTreeMap<&str, &str>, profile: Profile) -> Failure {
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
