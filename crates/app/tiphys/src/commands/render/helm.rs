//! Helm's flags of `render`.

use std::path::{Path, PathBuf};

use ::helm::{
    Cache, Chance, ChartSource, Contents, HelmError, Limits, Profile, Request, ValuesFile,
};
use ::render::{
    ChartMeans, NO_NAME, NO_NAMESPACE, Printed, READING_ALONE, READING_TEXTS, Reach, RenderError,
    one_by_one, plain_version, render_chart,
};
use anyhow::{Context, Result};
use crd::{ApplicationSourceHelm, HelmParameter};
use rendering::LocalError;

use super::failed;
use crate::commands::failure::refused;

/// Flags that make the source a chart, and say what it is rendered with.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Charts")]
pub struct HelmFlags {
    /// Name of the release
    #[arg(long, value_name = "NAME")]
    release_name: Option<String>,
    /// Namespace of the release
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Kubernetes version that templates see
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// API versions that templates see besides Helm's own; may be given several times
    #[arg(long, value_name = "VERSION")]
    api_versions: Vec<String>,
    /// A file of values, anywhere on this host; may be given several times
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    values: Vec<PathBuf>,
    /// Values: name=value,name=value; may be given several times
    #[arg(long, value_name = "VALUES")]
    set: Vec<String>,
    /// Values that stay text: name=value,name=value; may be given several times
    #[arg(long, value_name = "VALUES")]
    set_string: Vec<String>,
    /// Values from files of this host: name=file,name=file; may be given several times
    #[arg(long, value_name = "FILES")]
    set_file: Vec<String>,
    /// Leave the chart's crds folders out
    #[arg(long)]
    skip_crds: bool,
    /// Leave hooks out that are tests
    #[arg(long)]
    skip_tests: bool,
    /// Do not hold values against the chart's schema
    #[arg(long)]
    skip_schema_validation: bool,
    /// Version of Helm to be like
    #[arg(long, value_name = "VERSION", value_parser = ["3", "4"])]
    helm_version: Option<String>,
    /// Where randomness and time come from: the same each time, new each time, or fixed values
    /// for tests
    #[arg(long, value_name = "SOURCE")]
    random: Option<Random>,
}

/// Where randomness and time come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Random {
    Stable,
    Fresh,
    Pinned,
}

impl HelmFlags {
    /// Turns a switch on; `false` where there is none of that name.
    pub(super) fn switch(&mut self, name: &str) -> bool {
        let switch = match name {
            "skip-crds" => &mut self.skip_crds,
            "skip-tests" => &mut self.skip_tests,
            "skip-schema-validation" => &mut self.skip_schema_validation,
            _ => return false,
        };
        *switch = true;
        true
    }

    /// Takes a flag's value; `None` where that is not for here.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "release-name" => self.release_name = Some(value.to_owned()),
            "namespace" => self.namespace = Some(value.to_owned()),
            "kube-version" => self.kube_version = Some(value.to_owned()),
            "api-versions" => self.api_versions.push(value.to_owned()),
            "values" => self.values.push(value.into()),
            "set" => self.set.push(value.to_owned()),
            "set-string" => self.set_string.push(value.to_owned()),
            "set-file" => self.set_file.push(value.to_owned()),
            "helm-version" => {
                matches!(value, "3" | "4").then(|| self.helm_version = Some(value.to_owned()))?;
            }
            "random" => {
                self.random = Some(match value {
                    "stable" => Random::Stable,
                    "fresh" => Random::Fresh,
                    "pinned" => Random::Pinned,
                    _ => return None,
                });
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether one of them was given.
    pub fn any(&self) -> bool {
        let Self {
            release_name,
            namespace,
            kube_version,
            api_versions,
            values,
            set,
            set_string,
            set_file,
            skip_crds,
            skip_tests,
            skip_schema_validation,
            helm_version,
            random,
        } = self;
        release_name.is_some()
            || namespace.is_some()
            || kube_version.is_some()
            || !api_versions.is_empty()
            || !values.is_empty()
            || !set.is_empty()
            || !set_string.is_empty()
            || !set_file.is_empty()
            || *skip_crds
            || *skip_tests
            || *skip_schema_validation
            || helm_version.is_some()
            || random.is_some()
    }
}

impl HelmFlags {
    /// What was given, as a source has it; files of values are read from this host.
    pub fn block(&self) -> Result<Option<ApplicationSourceHelm>> {
        if !self.any() {
            return Ok(None);
        }
        let mut parameters = set_parameters(&self.set, false)?;
        parameters.extend(set_parameters(&self.set_string, true)?);
        for parameter in set_parameters(&self.set_file, true)? {
            let file = &parameter.value;
            let text = std::fs::read_to_string(file)
                .map_err(|cause| refused(format!("`{file}` cannot be read: {cause}")))?;
            parameters.push(HelmParameter { value: as_it_stands(&text), ..parameter });
        }
        for parameter in &mut parameters {
            // A source's parameters have variables in them, and flags have none.
            parameter.value = parameter.value.replace('$', "$$");
        }
        let mut values = String::new();
        for file in &self.values {
            let name = file.display();
            let text = std::fs::read_to_string(file)
                .map_err(|cause| refused(format!("`{name}` cannot be read: {cause}")))?;
            values.push_str("---\n");
            values.push_str(&text);
            values.push('\n');
        }
        Ok(Some(ApplicationSourceHelm {
            release_name: self.release_name.clone().unwrap_or_default(),
            namespace: self.namespace.clone().unwrap_or_default(),
            kube_version: self.kube_version.clone().unwrap_or_default(),
            api_versions: one_by_one(&self.api_versions),
            values,
            parameters,
            skip_crds: self.skip_crds,
            skip_tests: self.skip_tests,
            skip_schema_validation: self.skip_schema_validation,
            ..ApplicationSourceHelm::default()
        }))
    }
}

/// Flags of the form `name=value,name=value` as a source's parameters.
fn set_parameters(flags: &[String], force_string: bool) -> Result<Vec<HelmParameter>> {
    let mut parameters = Vec::new();
    for flag in flags {
        for setting in settings(flag) {
            let Some((name, value)) = setting.split_once('=') else {
                return Err(refused(format!("key {setting:?} has no value")));
            };
            parameters.push(HelmParameter {
                name: name.to_owned(),
                value: value.to_owned(),
                force_string,
                ..HelmParameter::default()
            });
        }
    }
    Ok(parameters)
}

/// Cuts a flag at its commas, those in `{…}` and behind a `\\` left out.
fn settings(flag: &str) -> Vec<&str> {
    let (mut found, mut start, mut in_list, mut escaped) = (Vec::new(), 0, false, false);
    for (at, char) in flag.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' if flag[start..at].ends_with('=') => in_list = true,
            '}' => in_list = false,
            ',' if !in_list => {
                found.push(&flag[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&flag[start..]);
    found.retain(|setting| !setting.is_empty());
    found
}

/// A text in which nothing has a meaning to `--set-string`.
fn as_it_stands(text: &str) -> String {
    let special = |char: &char| matches!(char, '\\' | ',' | '{');
    text.chars().flat_map(|char| special(&char).then_some('\\').into_iter().chain([char])).collect()
}

/// Renders a chart of this host to its objects; as JSON texts where `as_json` wants it and they
/// are at hand.
pub(super) fn render(
    path: &Path,
    root: Option<&Path>,
    flags: &HelmFlags,
    as_json: bool,
) -> Result<Vec<Printed>> {
    let place = rendering::place_of(path).map_err(misused)?;
    if place.is_file() {
        let name = path.display().to_string();
        let bytes = std::fs::read(&place)
            .map_err(|cause| refused(format!("`{name}` cannot be read: {cause}")))?;
        let chart = ChartSource::Archive { bytes: bytes.into(), name: &name };
        return with_chart(chart, flags, as_json);
    }
    let (tree, relative) = rendering::tree_around(path, &place, root).map_err(misused)?;
    with_chart(ChartSource::Directory { tree: &tree, path: &relative }, flags, as_json)
}

/// The path is at fault.
fn misused(error: LocalError) -> anyhow::Error {
    refused(error.to_string())
}

fn with_chart(chart: ChartSource<'_>, flags: &HelmFlags, as_json: bool) -> Result<Vec<Printed>> {
    let reading = if as_json { READING_TEXTS } else { READING_ALONE };
    let mut values_files = Vec::new();
    for file in &flags.values {
        let name = file.display().to_string();
        let content = std::fs::read(file)
            .map_err(|cause| refused(format!("`{name}` cannot be read: {cause}")))?;
        values_files.push(ValuesFile { name, content: content.into() });
    }
    let read_file = |path: &str| match std::fs::read(path) {
        Ok(content) => Ok(content.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("open {path}: no such file or directory"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => {
            Err(format!("read {path}: is a directory"))
        }
        Err(error) => Err(format!("open {path}: {error}")),
    };
    let profile = flags.helm_version.as_deref().and_then(Profile::parse).unwrap_or_default();
    let kube_version = flags.kube_version.as_deref().filter(|version| !version.is_empty());
    let kube_version = kube_version.map(plain_version);
    let release_name = flags.release_name.as_deref().unwrap_or(NO_NAME);
    let namespace = flags.namespace.as_deref().unwrap_or(NO_NAMESPACE);
    let request = Request {
        chart,
        vendored: &[],
        release_name,
        namespace,
        kube_version: kube_version.as_deref(),
        api_versions: &one_by_one(&flags.api_versions),
        values_files: &values_files,
        set: &flags.set,
        set_string: &flags.set_string,
        set_file: &flags.set_file,
        read_file: &read_file,
        include_definitions: !flags.skip_crds,
        skip_tests: flags.skip_tests,
        skip_schema_validation: flags.skip_schema_validation,
        profile,
        limits: Limits::default(),
        reading,
    };
    let mut fill = |bytes: &mut [u8]| {
        getrandom::fill(bytes).expect("the host gives randomness");
    };
    let now = jiff::Timestamp::now();
    let mut pinned;
    let mut fresh;
    let mut stable;
    let chance: &mut dyn Chance = match flags.random {
        Some(Random::Pinned) => {
            pinned = sprig::Pinned;
            &mut pinned
        }
        Some(Random::Fresh) => {
            fresh = sprig::Fresh::new(now.as_nanosecond(), &mut fill);
            &mut fresh
        }
        Some(Random::Stable) | None => {
            stable = sprig::Stable::new(key(release_name, namespace), this_year_ns(now)?);
            &mut stable
        }
    };
    let cache = Cache::for_one();
    let means = &mut ChartMeans {
        cache: &cache,
        profile,
        chance,
        should_stop: &mut || false,
        limits: Limits::default(),
    };
    let rendered = render_chart(request.clone(), &Reach::default(), means);
    let rendering = rendered.map_err(|error| match &error {
        // Nobody fetches here: what Helm says of a chart that is missing comes first.
        RenderError::Needs { .. } | RenderError::ValueFiles { .. } => {
            let alone = ::helm::render(&request, means.chance, means.should_stop, means.cache);
            match alone {
                Err(missing @ HelmError::Needs { .. }) => failed(format!("{missing}\n  {error}")),
                _ => failed(error.to_string()),
            }
        }
        _ => failed(error.to_string()),
    })?;
    // The process ends soon: taking it apart would be for nothing.
    std::mem::forget(cache);
    let mut shown = Vec::with_capacity(rendering.documents.len());
    for document in rendering.documents {
        match document.contents {
            Contents::Objects(objects) => {
                shown.extend(objects.into_iter().map(|made| Printed::Object(made.object)));
            }
            Contents::Texts(texts) => shown.extend(texts.into_iter().map(Printed::Json)),
        }
    }
    Ok(shown)
}

/// What a release's random values depend on; on a host of one's own they need no secret.
fn key(release_name: &str, namespace: &str) -> [u8; 32] {
    let mut key = [0; 32];
    for (at, byte) in format!("{namespace}/{release_name}").bytes().enumerate() {
        key[at % 32] ^= byte.rotate_left((at / 32) as u32);
    }
    key
}

/// The beginning of the year: what is printed twice in a year is the same.
fn this_year_ns(now: jiff::Timestamp) -> Result<i128> {
    let now = now.to_zoned(jiff::tz::TimeZone::UTC);
    let start = now.first_of_year().and_then(|day| day.start_of_day());
    Ok(start.context("every year has a beginning")?.timestamp().as_nanosecond())
}

#[cfg(test)]
mod tests;
