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
/// Switches for programs and containers. They may stand there; a kustomization that wants such a
/// program is refused, because nothing here runs any.
const OF_PROGRAMS: [&str; 4] =
    ["--enable-alpha-plugins", "--enable-exec", "--network", "--as-current-user"];
/// As [`OF_PROGRAMS`], with a value.
const OF_PROGRAMS_WITH_VALUE: [&str; 3] = ["--mount", "--env", "-e"];

impl Options {
    /// Reads flags that are split at blanks and nowhere else (Argo CD's `kustomize.buildOptions`).
    ///
    /// # Errors
    ///
    /// For a flag that is unknown or that lacks its value.
    pub fn parse(flags: &str) -> Result<Self, KustomizeError> {
        let mut options = Self::default();
        let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
        options.add(&flags)?;
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
                "--helm-api-versions" => self.helm_api_versions.push(value()?),
                name if OF_PROGRAMS.contains(&name) => {
                    let on = switch(name, given.as_deref())?;
                    // Upstream takes charts for one kind of plugin.
                    self.enable_helm |= on && name == "--enable-alpha-plugins";
                }
                name if IGNORED_WITH_VALUE.contains(&name)
                    || OF_PROGRAMS_WITH_VALUE.contains(&name) =>
                {
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

#[cfg(test)]
mod tests {
    use super::{Options, Reorder};
    use crate::loader::LoadRestrictor;

    #[test]
    fn flags_are_split_at_blanks() {
        let options = Options::parse(
            "--enable-helm --load-restrictor LoadRestrictionsNone --reorder=none \
             --helm-api-versions a/v1 --helm-api-versions=b/v1",
        )
        .unwrap();
        assert!(options.enable_helm);
        assert_eq!(options.load_restrictor, LoadRestrictor::None);
        assert_eq!(options.reorder, Reorder::None);
        assert_eq!(options.helm_api_versions, ["a/v1", "b/v1"]);
    }

    #[test]
    fn quotes_are_part_of_a_value() {
        assert!(Options::parse("--reorder 'none'").is_err());
    }

    #[test]
    fn flags_that_would_run_programs_may_stand_there() {
        let options = Options::parse("--enable-alpha-plugins --enable-exec -e A=b").unwrap();
        assert!(options.enable_helm, "charts are plugins to upstream");
        assert!(Options::parse("--nonsense").is_err());
    }
}
