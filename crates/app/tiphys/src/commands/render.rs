//! `render PATH`: a directory or a packed chart of this host to objects.

mod helm;
mod jsonnet;
mod kustomize;
mod remote;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::render::Printed;
use anyhow::Result;
use crd::ApplicationSource;
use rendering::{render_path, render_path_printed};

use super::failure::{Failure, GENERAL_ERROR, refused};
use super::output::print_pieces;
use super::yaml;

/// Arguments of `render`.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// The directory to render, from its files as they are, committed or not; or a packed chart
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// What the files may reach; the git work tree around PATH, else PATH, where it is not given
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    root: Option<PathBuf>,
    /// Output format, one of yaml|json
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
    /// Render PATH of this repository instead of this host's files
    #[arg(long, value_name = "URL", conflicts_with = "root")]
    repo: Option<String>,
    /// The repository's branch, tag or commit
    #[arg(long, value_name = "REVISION", requires = "repo", default_value = "")]
    revision: String,
    #[command(flatten)]
    helm: helm::HelmFlags,
    #[command(flatten)]
    kustomize: kustomize::KustomizeFlags,
    #[command(flatten)]
    jsonnet: jsonnet::DirectoryFlags,
}

impl Arguments {
    /// Reads what stands behind `render` where it is what charts are mostly rendered with.
    /// `None` says nothing about it: to describe all flags takes longer than to render a small
    /// chart, and this does without.
    pub fn of_usual_words(words: &[OsString]) -> Option<Self> {
        let mut read = Self { output: "yaml".to_owned(), ..Self::default() };
        let mut path = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let word = word.to_str()?;
            let name = match word.strip_prefix("--") {
                None if word == "-o" => "output",
                None if word.starts_with('-') || word.is_empty() || path.is_some() => return None,
                None => {
                    path = Some(word);
                    continue;
                }
                Some(name) if read.helm.switch(name) => continue,
                Some(name) => name,
            };
            let value = words.next()?.to_str()?;
            if value.is_empty() || value.starts_with('-') {
                return None;
            }
            match name {
                "output" => read.output = value.to_owned(),
                "root" => read.root = Some(value.into()),
                name => read.helm.take(name, value)?,
            }
        }
        read.path = path?.into();
        Some(read)
    }
}

/// Prints the objects as they are rendered, in their order.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    if !matches!(arguments.output.as_str(), "yaml" | "json") {
        return Err(refused(super::output::unknown(&arguments.output).to_string()));
    }
    let file = arguments.path.file_name().and_then(std::ffi::OsStr::to_str);
    let program = file.filter(|name| name.ends_with(".jsonnet"));
    // A flag of one engine says which engine it is.
    let source = ApplicationSource {
        kustomize: arguments.kustomize.block()?.map(Box::new),
        directory: arguments.jsonnet.block(program).map(Box::new),
        ..ApplicationSource::default()
    };
    let objects = match &arguments.repo {
        Some(url) => {
            let path = directory(&arguments.path, program.is_some());
            let objects = remote::render(url, path, &arguments, source)?;
            objects.into_iter().map(Printed::Object).collect()
        }
        None if arguments.helm.any() || (arguments.path.is_file() && program.is_none()) => {
            if source.kustomize.is_some() || source.directory.is_some() {
                return Err(refused(
                    "these flags belong to several engines; give those of one".to_owned(),
                ));
            }
            let as_json = arguments.output == "json";
            helm::render(&arguments.path, arguments.root.as_deref(), &arguments.helm, as_json)?
        }
        None => plain(&arguments, &source, program.is_some())?,
    };
    print_pieces(|print| show(&objects, &arguments.output, print))?;
    // The process ends: taking millions of values apart one by one would be for nothing.
    std::mem::forget(objects);
    Ok(ExitCode::SUCCESS)
}

/// What kind of source it is shows in its files, where no flag says it.
fn plain(
    arguments: &Arguments,
    source: &ApplicationSource,
    is_program: bool,
) -> Result<Vec<Printed>> {
    let options = options(arguments);
    let path = directory(&arguments.path, is_program);
    let root = arguments.root.as_deref();
    let rendered = match arguments.output.as_str() {
        "json" => render_path_printed(path, root, source, &options),
        _ => render_path(path, root, source, &options)
            .map(|objects| objects.into_iter().map(Printed::Object).collect()),
    };
    match rendered {
        Ok(objects) => Ok(objects),
        Err(error) if error.is_usage() => Err(refused(format!("{:#}", anyhow::Error::from(error)))),
        Err(error) => Err(failed(format!("{:#}", anyhow::Error::from(error)))),
    }
}

/// The directory that is rendered: of a program the one in which it stands.
fn directory(path: &Path, is_program: bool) -> &Path {
    match path.parent() {
        Some(parent) if is_program && parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) if is_program => parent,
        _ => path,
    }
}

fn options(arguments: &Arguments) -> ::render::Options {
    ::render::Options {
        kustomize_build_options: arguments.kustomize.kustomize_build_options.clone(),
        hashes: false,
        ..::render::Options::default()
    }
}

/// The files are at fault, not how the command was used.
fn failed(message: String) -> anyhow::Error {
    Failure { message, code: GENERAL_ERROR }.into()
}

/// Gives out the objects' text, piece by piece.
fn show(
    objects: &[Printed],
    output: &str,
    print: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<()> {
    if output == "json" {
        return show_list(objects, print);
    }
    for object in objects {
        let text = match object {
            Printed::Object(object) => yaml::text(object),
            Printed::Json(json) => yaml::text(&serde_json::from_str(json)?),
            Printed::Pieces(pieces) => yaml::text(&serde_json::from_str(&pieces.concat())?),
        };
        print("---\n")?;
        print(&text)?;
    }
    Ok(())
}

/// Gives out a JSON list, exactly as `serde_json` prints it with indentation.
fn show_list(objects: &[Printed], print: &mut dyn FnMut(&str) -> io::Result<()>) -> Result<()> {
    if objects.is_empty() {
        return Ok(print("[]\n")?);
    }
    let mut before = "[\n  ";
    for object in objects {
        print(before)?;
        before = ",\n  ";
        match object {
            Printed::Json(json) => print(json)?,
            Printed::Pieces(pieces) => pieces.iter().try_for_each(|piece| print(piece))?,
            Printed::Object(object) => print(&goyaml::json_text_of(object))?,
        }
    }
    Ok(print("\n]\n")?)
}
