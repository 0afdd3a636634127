//! AWS's files of profiles: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;

use crate::surroundings::{CloudError, Surroundings};

/// What both files say of one profile; the file of credentials wins.
#[derive(Default)]
pub(crate) struct Profile(BTreeMap<String, String>);

impl Profile {
    /// Reads a profile; empty where no file names it.
    pub fn read(surroundings: &Surroundings<'_>, name: &str) -> Self {
        let home = surroundings.get("HOME").unwrap_or_default();
        let place = |variable: &str, usual: &str| {
            surroundings.get(variable).unwrap_or_else(|| format!("{home}/.aws/{usual}"))
        };
        let config = place("AWS_CONFIG_FILE", "config");
        let credentials = place("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let mut profile = Self::default();
        // A file that is not there says nothing.
        for (path, names) in [
            (config, [format!("profile {name}"), name.to_owned()]),
            (credentials, [name.to_owned(), name.to_owned()]),
        ] {
            if let Ok(text) = surroundings.read(&path) {
                profile.take(&text, &names);
            }
        }
        profile
    }

    fn take(&mut self, text: &str, names: &[String; 2]) {
        let mut ours = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                ours = names.iter().any(|name| name == section.trim());
            } else if let Some((key, value)) = line.split_once('=').filter(|_| ours) {
                self.0.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What a profile that is used must not leave out.
    pub fn need(&self, name: &str, key: &str) -> Result<&str, CloudError> {
        self.get(key).ok_or_else(|| CloudError::Unusable {
            what: format!("the AWS profile `{name}`"),
            why: format!("it has no `{key}`"),
        })
    }
}
