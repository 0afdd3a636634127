//! The build environment: variables that sources may use, and how they are replaced.

use crd::ApplicationSource;

/// The variables of one rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildEnv {
    variables: Vec<(&'static str, String)>,
}

impl BuildEnv {
    /// The variables that upstream gives.
    pub fn new(
        source: &ApplicationSource,
        app_name: &str,
        namespace: &str,
        project: &str,
        revision: &str,
    ) -> Self {
        let short = |length: usize| revision.get(..length).unwrap_or(revision).to_owned();
        Self {
            variables: vec![
                ("ARGOCD_APP_NAME", app_name.to_owned()),
                ("ARGOCD_APP_NAMESPACE", namespace.to_owned()),
                ("ARGOCD_APP_PROJECT_NAME", project.to_owned()),
                ("ARGOCD_APP_REVISION", revision.to_owned()),
                ("ARGOCD_APP_REVISION_SHORT", short(7)),
                ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
                ("ARGOCD_APP_SOURCE_REPO_URL", source.repo_url.clone()),
                ("ARGOCD_APP_SOURCE_PATH", source.path.clone()),
                ("ARGOCD_APP_SOURCE_TARGET_REVISION", source.target_revision.clone()),
            ],
        }
    }

    /// Names and values, in upstream's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn value(&self, name: &str) -> &str {
        self.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Replaces `$NAME` and `${NAME}` as Go's `os.Expand` does; `$$` is a `$`, an unknown name
    /// is nothing.
    pub fn substitute(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (name, used) = variable(after);
            match name {
                _ if after.is_empty() => out.push('$'),
                "" if used == 0 => out.push('$'),
                "$" => out.push('$'),
                name => out.push_str(self.value(name)),
            }
            rest = &after[used..];
        }
        out.push_str(rest);
        out
    }
}

/// The variable's name behind a `$`, and how many bytes belong to it.
fn variable(after: &str) -> (&str, usize) {
    let special =
        |byte: u8| matches!(byte, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9');
    match after.as_bytes() {
        [b'{', one, b'}', ..] if special(*one) => (&after[1..2], 3),
        [b'{', ..] => match after.find('}') {
            Some(1) => ("", 2),
            Some(end) => (&after[1..end], end + 1),
            // An open brace is dropped, and what follows stays.
            None => ("", 1),
        },
        [one, ..] if special(*one) => (&after[..1], 1),
        bytes => {
            let end = bytes
                .iter()
                .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))
                .unwrap_or(bytes.len());
            (&after[..end], end)
        }
    }
}
