//! Why a chart gave no manifests.

use std::fmt;

use filetree::TreeError;

/// Why a chart gave no manifests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelmError {
    /// The chart, its values or its templates are at fault.
    #[error(transparent)]
    Failed(Box<Failure>),

    /// Charts that `Chart.yaml` names are not in `charts/`: fetch them, put them there, and ask
    /// again.
    #[error("{}", needs_words(needs))]
    Needs {
        /// All dependencies of the root chart: upstream fetches them together.
        needs: Vec<NeededChart>,
        /// The names of those that are missing.
        missing: Vec<String>,
        /// The content of `Chart.lock` (or `requirements.lock`), where there is one.
        lock: Option<Vec<u8>>,
    },
}

/// A chart to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededChart {
    /// Its name.
    pub name: String,
    /// A range of versions, as the parent has it.
    pub version: String,
    /// `https://…`, `oci://…`, `file://…`, `@name` or empty (then it must be in `charts/`).
    pub repository: String,
    /// Whether it is missing, or there already.
    pub missing: bool,
}

fn needs_words(needs: &[NeededChart]) -> String {
    let missing: Vec<&str> =
        needs.iter().filter(|need| need.missing).map(|need| need.name.as_str()).collect();
    format!(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    )
}

/// What is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The chart's files.
    Chart,
    /// Values: files, parameters, or what the schema says of them.
    Values,
    /// A template, or what the chart makes of the values in it.
    Template,
    /// What a template gave is no manifest.
    Output,
    /// The rendering would take too much, or was stopped.
    Limit,
    /// The files could not be read; asking again may help.
    Files,
}

/// What is wrong, where, and what to do.
///
/// `Display` begins with the words of Helm, so that who looks for them finds them; what Helm
/// does not say follows on lines of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(crate) fault: Fault,
    pub(crate) words: String,
    pub(crate) about: Box<About>,
}

/// What Helm does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) place: Option<Place>,
    pub(crate) stack: Vec<Frame>,
    pub(crate) origin: Option<String>,
    pub(crate) hint: Option<String>,
    /// Whether `place` is a file of the chart, and not one that the caller named.
    pub(crate) in_chart: bool,
}

/// A place in a file of the chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From the chart's folder, as it is stored: `charts/common/templates/_names.tpl`.
    pub file: String,
    /// Counted from 1; 0 where unknown.
    pub line: u32,
    /// Counted from 1; 0 where unknown.
    pub column: u32,
}

/// One step on the way to a failure, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where.
    pub place: Place,
    /// What was executed there: `include "common.names" .`.
    pub node: String,
}

impl Failure {
    fn new(fault: Fault, words: String) -> Self {
        let about =
            About { place: None, stack: Vec::new(), origin: None, hint: None, in_chart: true };
        Self { fault, words, about: Box::new(about) }
    }

    pub(crate) fn chart(words: String) -> Self {
        Self::new(Fault::Chart, words)
    }

    pub(crate) fn values(words: String) -> Self {
        Self::new(Fault::Values, words)
    }

    pub(crate) fn template(words: String) -> Self {
        Self::new(Fault::Template, words)
    }

    pub(crate) fn output(words: String) -> Self {
        Self::new(Fault::Output, words)
    }

    pub(crate) fn limit(words: String) -> Self {
        Self::new(Fault::Limit, words)
    }

    pub(crate) fn tree(error: TreeError) -> Self {
        Self::new(Fault::Files, error.to_string())
    }

    pub(crate) fn at_file(self, file: &str) -> Self {
        self.at(file, 0, 0)
    }

    pub(crate) fn at(mut self, file: &str, line: u32, column: u32) -> Self {
        self.about.place = Some(Place { file: file.to_owned(), line, column });
        self
    }

    pub(crate) fn outside_of_chart(mut self) -> Self {
        self.about.in_chart = false;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.about.hint = Some(hint.into());
        self
    }

    /// The failure of a subchart, told by its parent.
    pub(crate) fn inside(mut self, folder: &str, who: &str) -> Self {
        self.words = format!("{who}: {}", self.words);
        if let Some(place) = &mut self.about.place
            && !place.file.starts_with(folder)
        {
            place.file = format!("{folder}{}", place.file);
        }
        self
    }

    /// The same failure with its files named from the root of what holds the chart; `folder`
    /// is the chart's place there (`""` for the root itself).
    #[must_use]
    pub fn seen_from_root(mut self, folder: &str) -> Self {
        if folder.is_empty() || !self.about.in_chart {
            return self;
        }
        for place in self
            .about
            .place
            .iter_mut()
            .chain(self.about.stack.iter_mut().map(|frame| &mut frame.place))
        {
            place.file = format!("{folder}/{}", place.file);
        }
        self.about.in_chart = false;
        self
    }

    /// What is at fault.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What Helm says; may have several lines.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Where it is wrong.
    pub fn place(&self) -> Option<&Place> {
        self.about.place.as_ref()
    }

    /// What led there, outermost first; empty outside of templates.
    pub fn stack(&self) -> &[Frame] {
        &self.about.stack
    }

    /// Where the value came from that a template stumbled over.
    pub fn origin(&self) -> Option<&str> {
        self.about.origin.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.about.hint.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words.trim_end())?;
        if let Some(place) = &self.about.place {
            write!(f, "\n  at {place}")?;
        }
        for frame in self.about.stack.iter().rev() {
            write!(f, "\n  called from {}: {{{{ {} }}}}", frame.place, frame.node)?;
        }
        if let Some(origin) = &self.about.origin {
            write!(f, "\n  {origin}")?;
        }
        if let Some(hint) = &self.about.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

impl From<Failure> for HelmError {
    fn from(failure: Failure) -> Self {
        HelmError::Failed(Box::new(failure))
    }
}
