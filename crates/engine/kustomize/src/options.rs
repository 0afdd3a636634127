//! What `kustomize build` is told besides the directory.

use crate::edit::Overlay;
use crate::error::KustomizeError;
use crate::loader::LoadRestrictor;

/// In which order objects come out where the kustomization does not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// By kinds that others need, as kustomize does by default.
    #[default]
    Legacy,
    /// As they were read.
    None,
}

/// The flags of `kustomize build`, and what is changed before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `--load-restrictor`
    pub load_restrictor: LoadRestrictor,
    /// `--reorder`
    pub reorder: Reorder,
    /// `--enable-helm`
    pub enable_helm: bool,
    /// `--helm-kube-version`
    pub helm_kube_version: Option<String>,
    /// `--helm-api-versions`
    pub helm_api_versions: Vec<String>,
    /// `--enable-managedby-label`
    pub managed_by_label: bool,
    /// An Application's own parameters, put into the kustomization as `kustomize edit` does.
    pub overlay: Overlay,
}

/// Flags with a value that say nothing about objects.
const IGNORED_WITH_VALUE: [&str; 4] = ["--helm-command", "--output", "-o", "--network-name"];
/// Flags that would let a kustomization run programs.
const REFUSED: [&str; 7] = [
    "--enable-alpha-plugins",
    "--enable-exec",
    "--network",
    "--as-current-user",
    "--mount",
    "--env",
    "-e",
];

impl Options {
    /// Reads flags as a shell would split them (Argo CD's `kustomize.buildOptions`).
    ///
    /// # Errors
    ///
    /// For a flag that is unknown, that lacks its value, or that would run programs.
    pub fn parse(flags: &str) -> Result<Self, KustomizeError> {
        let mut options = Self::default();
        options.add(&crate::options::words(flags)?)?;
        Ok(options)
    }

    /// Reads flags on top of what is set.
    ///
    /// # Errors
    ///
    /// As [`Options::parse`].
    pub fn add(&mut self, flags: &[String]) -> Result<(), KustomizeError> {
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            let (name, given) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (&**flag, None),
            };
            let mut value = || {
                let value = given.clone().or_else(|| flags.next().cloned());
                value.ok_or_else(|| KustomizeError::said(format!("flag needs an argument: {name}")))
            };
            match name {
                "--enable-helm" => self.enable_helm = switch(name, given.as_deref())?,
                "--enable-managedby-label" => {
                    self.managed_by_label = switch(name, given.as_deref())?;
                }
                "--helm-debug" => {
                    switch(name, given.as_deref())?;
                }
                "--load-restrictor" | "--load_restrictor" => {
                    self.load_restrictor = match &*value()? {
                        "LoadRestrictionsRootOnly" | "rootOnly" => LoadRestrictor::RootOnly,
                        "LoadRestrictionsNone" | "none" => LoadRestrictor::None,
                        other => {
                            return Err(KustomizeError::said(format!(
                                "illegal flag value --load-restrictor {other}; legal values: \
                                 [LoadRestrictionsRootOnly LoadRestrictionsNone]"
                            )));
                        }
                    };
                }
                "--reorder" => {
                    self.reorder = match &*value()? {
                        "legacy" => Reorder::Legacy,
                        "none" => Reorder::None,
                        other => {
                            return Err(KustomizeError::said(format!(
                                "illegal flag value --reorder {other}; legal values: [legacy none]"
                            )));
                        }
                    };
                }
                "--helm-kube-version" => self.helm_kube_version = Some(value()?),
                "--helm-api-versions" => {
                    let versions = value()?;
                    self.helm_api_versions.extend(versions.split(',').map(str::to_owned));
                }
                name if REFUSED.contains(&name) => {
                    let on = given.as_deref().is_none_or(|given| given != "false");
                    if on {
                        return Err(KustomizeError::said(format!(
                            "`{name}` is refused: kustomizations run no programs and no containers \
                             here"
                        )));
                    }
                }
                name if IGNORED_WITH_VALUE.contains(&name) => {
                    value()?;
                }
                name => return Err(KustomizeError::said(format!("unknown flag: {name}"))),
            }
        }
        Ok(())
    }
}

fn switch(name: &str, given: Option<&str>) -> Result<bool, KustomizeError> {
    match given {
        None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(true),
        Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(KustomizeError::said(format!(
            "invalid argument {other:?} for {name:?} flag: strconv.ParseBool: parsing {other:?}: \
             invalid syntax"
        ))),
    }
}

/// Splits text at blanks; quotes hold a word together.
fn words(text: &str) -> Result<Vec<String>, KustomizeError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(next) if next == char => break,
                        Some('\\') if char == '"' => word.extend(chars.next()),
                        Some(next) => word.push(next),
                        None => {
                            return Err(KustomizeError::said(format!(
                                "unterminated quote in build options `{text}`"
                            )));
                        }
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::{Options, Reorder};
    use crate::loader::LoadRestrictor;

    #[test]
    fn flags_are_read_as_a_shell_splits_them() {
        let options = Options::parse(
            "--enable-helm --load-restrictor LoadRestrictionsNone --reorder='none' \
             --helm-api-versions a/v1 --helm-api-versions=b/v1",
        )
        .unwrap();
        assert!(options.enable_helm);
        assert_eq!(options.load_restrictor, LoadRestrictor::None);
        assert_eq!(options.reorder, Reorder::None);
        assert_eq!(options.helm_api_versions, ["a/v1", "b/v1"]);
    }

    #[test]
    fn flags_that_run_programs_are_refused() {
        let error = Options::parse("--enable-alpha-plugins").unwrap_err().to_string();
        assert!(error.contains("--enable-alpha-plugins"), "{error}");
        assert!(Options::parse("--nonsense").is_err());
    }
}
