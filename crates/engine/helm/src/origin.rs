//! Where a value came from that a template stumbled over.

use crate::cache::Cache;
use crate::chart::{ChartId, Charts};
use crate::error::Failure;
use crate::frozen::Frozen;
use crate::hints::values_path;
use crate::request::Request;

/// Everything that gives values.
pub(crate) struct Origins<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) cache: &'a Cache,
    pub(crate) charts: &'a Charts,
    pub(crate) root: ChartId,
}

impl Origins<'_> {
    /// Says who set the value that the failing place names; `None` where it names none.
    pub(crate) fn tell(&self, failure: &Failure) -> Option<String> {
        let place = failure.place()?;
        let node = failure.words.split(" at <").last()?.split('>').next()?;
        let path = values_path(node)?;
        let (above, defaults) = self.chart_of(&place.file);
        let whole: Vec<&str> = match path {
            path if path.starts_with("global.") => path.split('.').collect(),
            path => above.iter().map(String::as_str).chain(path.split('.')).collect(),
        };
        let flag = whole.join(".");
        for (name, lines) in [
            ("--set-file", self.request.set_file),
            ("--set-string", self.request.set_string),
            ("--set", self.request.set),
        ] {
            let sets = |line: &String| {
                line.split(',').any(|one| one.split('=').next().is_some_and(|key| key == flag))
            };
            if lines.iter().any(sets) {
                return Some(format!("`.Values.{path}` comes from a parameter: {name} {flag}"));
            }
        }
        for file in self.request.values_files.iter().rev() {
            let values = self.cache.values(&file.content, self.request.profile).ok()?;
            if holds(&values, &whole) {
                return Some(format!("`.Values.{path}` comes from {}, at `{flag}`", file.name));
            }
        }
        for (depth, chart) in defaults.iter().enumerate() {
            let below = &whole[depth.min(whole.len())..];
            if let Some(values) = &self.charts.content(*chart).values
                && holds(values, below)
            {
                let folder = self.charts.folder(*chart);
                let at = below.join(".");
                return Some(format!("`.Values.{path}` comes from {folder}values.yaml, at `{at}`"));
            }
        }
        Some(format!("`.Values.{path}` is set nowhere; a values file would set it at `{flag}`"))
    }

    /// The names of the charts that lead to a file's chart, the root left out, and those charts,
    /// the root first.
    fn chart_of(&self, file: &str) -> (Vec<String>, Vec<ChartId>) {
        let mut names = Vec::new();
        let mut charts = vec![self.root];
        let mut at = self.root;
        while let Some(sub) =
            self.charts.dependencies(at).find(|sub| file.starts_with(self.charts.folder(*sub)))
        {
            names.push(self.charts.name(sub).to_owned());
            charts.push(sub);
            at = sub;
        }
        (names, charts)
    }
}

fn holds(values: &Frozen, path: &[&str]) -> bool {
    let [name, rest @ ..] = path else { return true };
    match values {
        Frozen::Map(entries) => entries
            .iter()
            .find(|(key, _)| key.as_bytes() == name.as_bytes())
            .is_some_and(|(_, value)| holds(value, rest)),
        _ => false,
    }
}
