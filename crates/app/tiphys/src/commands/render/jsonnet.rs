//! Jsonnet's and plain directories' flags of `render`.

use crd::{ApplicationSourceDirectory, ApplicationSourceJsonnet, JsonnetVar};

/// Flags that make the source a plain directory, with Jsonnet or without.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Plain directories and Jsonnet")]
pub struct DirectoryFlags {
    /// Read the folders below as well
    #[arg(long, alias = "directory-recurse")]
    recurse: bool,
    /// Glob of files to read
    #[arg(long, value_name = "GLOB", alias = "directory-include")]
    include: Option<String>,
    /// Glob of files to leave out
    #[arg(long, value_name = "GLOB", alias = "directory-exclude")]
    exclude: Option<String>,
    /// Argument of the top-level function: name=text; may be given several times
    #[arg(long, value_name = "VARIABLE")]
    jsonnet_tla_str: Vec<String>,
    /// Argument of the top-level function: name=code; may be given several times
    #[arg(long, value_name = "VARIABLE")]
    jsonnet_tla_code: Vec<String>,
    /// External variable: name=text; may be given several times
    #[arg(long, value_name = "VARIABLE")]
    jsonnet_ext_var_str: Vec<String>,
    /// External variable: name=code; may be given several times
    #[arg(long, value_name = "VARIABLE")]
    jsonnet_ext_var_code: Vec<String>,
    /// Further folder to import from, from the root; may be given several times
    #[arg(long, value_name = "DIR")]
    jsonnet_libs: Vec<String>,
}

impl DirectoryFlags {
    /// What was given, as a source has it; `None` where nothing says that it is a plain
    /// directory. `file` is the one file that is meant.
    pub fn block(&self, file: Option<&str>) -> Option<ApplicationSourceDirectory> {
        let variables = |texts: &[String], codes: &[String]| {
            let variable = |text: &String, code| {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                JsonnetVar {
                    name: name.to_owned(),
                    value: value.to_owned(),
                    code,
                    ..JsonnetVar::default()
                }
            };
            let texts = texts.iter().map(|text| variable(text, false));
            texts.chain(codes.iter().map(|text| variable(text, true))).collect()
        };
        let only = file.map(|file| {
            let special = |char: char| "*?[]{}\\!".contains(char);
            file.chars()
                .flat_map(|char| special(char).then_some('\\').into_iter().chain([char]))
                .collect()
        });
        let block = ApplicationSourceDirectory {
            recurse: self.recurse,
            include: only.or_else(|| self.include.clone()).unwrap_or_default(),
            exclude: self.exclude.clone().unwrap_or_default(),
            jsonnet: ApplicationSourceJsonnet {
                tlas: variables(&self.jsonnet_tla_str, &self.jsonnet_tla_code),
                ext_vars: variables(&self.jsonnet_ext_var_str, &self.jsonnet_ext_var_code),
                libs: self.jsonnet_libs.clone(),
                ..ApplicationSourceJsonnet::default()
            },
            ..ApplicationSourceDirectory::default()
        };
        (block != ApplicationSourceDirectory::default()).then_some(block)
    }
}
