//! What a setting is called, where it stands, and what it may hold.

/// Where a setting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// ConfigMap `argocd-cm`.
    Main,
    /// ConfigMap `argocd-cmd-params-cm`.
    Parameters,
    /// ConfigMap `argocd-rbac-cm`.
    Rbac,
    /// Secret `argocd-secret`.
    Secret,
    /// The process's environment, and no ConfigMap.
    Environment,
}

impl Place {
    /// Every place, in the order of the documentation.
    pub const ALL: [Place; 5] =
        [Self::Main, Self::Parameters, Self::Rbac, Self::Secret, Self::Environment];

    /// The object's name, or `environment`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "argocd-cm",
            Self::Parameters => "argocd-cmd-params-cm",
            Self::Rbac => "argocd-rbac-cm",
            Self::Secret => "argocd-secret",
            Self::Environment => "environment",
        }
    }
}

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`, or another word that Go takes for one.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A Go duration (`90s`, `1h30m`), or days as in `7d`.
    Duration,
    /// A Kubernetes quantity in bytes (`10M`, `1Gi`).
    Size,
    /// Any text.
    Text,
    /// Texts with commas in between.
    List,
    /// YAML.
    Yaml,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// As the documentation says it.
    pub fn describe(self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Int => "integer".into(),
            Self::Float => "number".into(),
            Self::Duration => "duration".into(),
            Self::Size => "size".into(),
            Self::Text => "text".into(),
            Self::List => "list".into(),
            Self::Yaml => "YAML".into(),
            Self::Choice(words) => words
                .iter()
                .map(|word| if word.is_empty() { "\"\"" } else { word })
                .collect::<Vec<_>>()
                .join(" \\| "),
        }
    }
}

/// How far a setting is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does what it says.
    Built,
    /// What it would change is not built yet.
    NotBuiltYet,
    /// It is accepted and changes nothing: it tunes a part that does not exist here.
    NoEffect,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Where it stands.
    pub place: Place,
    /// Its name. `<…>` is any text; at the end it may hold dots.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its value where it is absent; `""` is none.
    pub default: &'static str,
    /// Environment variables that win over it, first ones first.
    pub env: &'static [&'static str],
    /// What it does: one sentence.
    pub doc: &'static str,
    /// How far it is built.
    pub state: State,
}

impl Key {
    pub(crate) const fn new(
        place: Place,
        name: &'static str,
        kind: Kind,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { place, name, kind, default, env: &[], doc, state: State::Built }
    }

    pub(crate) const fn env(mut self, env: &'static [&'static str]) -> Self {
        self.env = env;
        self
    }

    pub(crate) const fn later(mut self) -> Self {
        self.state = State::NotBuiltYet;
        self
    }

    pub(crate) const fn no_effect(mut self) -> Self {
        self.state = State::NoEffect;
        self
    }

    /// Whether a name in a ConfigMap or Secret is this key.
    pub fn matches(&self, name: &str) -> bool {
        let mut pattern = self.name;
        let mut rest = name;
        while let Some((before, behind)) = pattern.split_once('<') {
            let Some(tail) = rest.strip_prefix(before) else { return false };
            let Some((_, after)) = behind.split_once('>') else { return false };
            let end = match after.chars().next() {
                None => tail.len(),
                Some(_) => match tail.find(after) {
                    Some(end) => end,
                    None => return false,
                },
            };
            if end == 0 {
                return false;
            }
            rest = &tail[end..];
            pattern = after;
        }
        rest == pattern
    }

    /// Whether the name holds a part that is any text.
    pub fn is_pattern(&self) -> bool {
        self.name.contains('<')
    }
}
