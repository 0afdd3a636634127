//! Go struct declarations, read as far as their JSON and protobuf forms ask.
//!
//! Not a Go parser: it knows the shape in which the Kubernetes API packages are written (one
//! declaration a line, tags in back quotes) and fails loudly on anything else that it meets
//! inside a struct.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A type expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A name: of the same package, or `pkg.Name` with the package's path resolved.
    Named { package: Option<String>, name: String },
    /// `*T`.
    Pointer(Box<Expr>),
    /// `[]T`.
    List(Box<Expr>),
    /// `map[K]V`, the key left out: it is a string in every API type.
    Map(Box<Expr>, Box<Expr>),
}

/// One field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// Empty for an embedded field.
    pub go_name: String,
    /// The field's type.
    pub expr: Expr,
    /// The tags by key.
    pub tags: BTreeMap<String, String>,
}

/// What a name of a package means.
#[derive(Clone, Debug)]
pub enum Decl {
    /// A struct.
    Struct(Vec<Field>),
    /// A named type over another.
    Other(Expr),
}

/// The declarations of one package, by name.
pub type Package = BTreeMap<String, Decl>;

/// Where the modules of one minor lie.
pub struct Sources {
    /// Pairs of module path and folder.
    pub modules: Vec<(String, PathBuf)>,
    packages: BTreeMap<String, Package>,
}

impl Sources {
    /// Sources of these modules, nothing read yet.
    pub fn new(modules: Vec<(String, PathBuf)>) -> Sources {
        Sources { modules, packages: BTreeMap::new() }
    }

    /// Returns a declaration, reading its package at the first question.
    pub fn decl(&mut self, package: &str, name: &str) -> Result<Option<Decl>> {
        if !self.packages.contains_key(package) {
            let read = self.read(package)?;
            self.packages.insert(package.to_owned(), read);
        }
        Ok(self.packages[package].get(name).cloned())
    }

    fn read(&self, package: &str) -> Result<Package> {
        let folder = self
            .modules
            .iter()
            .find_map(|(module, folder)| {
                let rest = package.strip_prefix(module.as_str())?;
                rest.starts_with('/').then(|| folder.join(&rest[1..]))
            })
            .with_context(|| format!("no module holds `{package}`"))?;
        let mut found = Package::new();
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .with_context(|| format!("reading {}", folder.display()))?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        for file in files {
            let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            let skipped = !name.ends_with(".go")
                || name.ends_with("_test.go")
                || name.ends_with(".pb.go")
                || name.starts_with("zz_")
                || name.contains("protomessage");
            if !skipped {
                read_file(&file, &mut found).with_context(|| format!("in {}", file.display()))?;
            }
        }
        Ok(found)
    }
}

fn read_file(file: &Path, into: &mut Package) -> Result<()> {
    let text = without_block_comments(&fs::read_to_string(file)?);
    let mut imports: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = text.lines();
    let mut in_imports = false;
    while let Some(line) = lines.next() {
        if line.starts_with("import (") {
            in_imports = true;
        } else if in_imports && line.starts_with(')') {
            in_imports = false;
        } else if in_imports || line.starts_with("import ") {
            add_import(line.trim_start_matches("import "), &mut imports);
        } else if let Some(rest) = line.strip_prefix("type ") {
            let rest = rest.split("//").next().unwrap_or_default().trim();
            let Some((name, what)) = rest.split_once(' ') else { continue };
            if name == "(" || name.contains('[') {
                continue;
            }
            let what = what.trim_start_matches("= ").trim();
            if what == "struct {" {
                let fields = read_struct(&mut lines, &imports)
                    .with_context(|| format!("in struct {name}"))?;
                into.insert(name.to_owned(), Decl::Struct(fields));
            } else if what == "struct{}" {
                into.insert(name.to_owned(), Decl::Struct(Vec::new()));
            } else if !what.starts_with("interface") && !what.starts_with("func") {
                into.insert(name.to_owned(), Decl::Other(expression(what, &imports)?));
            }
        }
    }
    Ok(())
}

fn without_block_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        if !inside && line.trim_start().starts_with("/*") {
            inside = true;
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        if inside && line.contains("*/") {
            inside = false;
        }
    }
    kept
}

fn add_import(line: &str, imports: &mut BTreeMap<String, String>) {
    let Some((before, rest)) = line.split_once('"') else { return };
    let Some((path, _)) = rest.split_once('"') else { return };
    let alias = match before.trim() {
        "" => path.rsplit('/').next().unwrap_or(path),
        alias => alias,
    };
    imports.insert(alias.to_owned(), path.to_owned());
}

fn read_struct<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    imports: &BTreeMap<String, String>,
) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for line in lines {
        if line.starts_with('}') {
            return Ok(fields);
        }
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with("//") {
            continue;
        }
        let (head, tags) = match trimmed.split_once('`') {
            Some((head, rest)) => {
                let (tags, _) = rest.split_once('`').context("an open tag")?;
                (head.trim(), tags)
            }
            None => (trimmed.split("//").next().unwrap_or_default().trim(), ""),
        };
        let (go_name, type_text) = match head.split_once(char::is_whitespace) {
            Some((name, rest)) => (name, rest.trim()),
            None => ("", head),
        };
        fields.push(Field {
            go_name: go_name.to_owned(),
            expr: expression(type_text, imports)?,
            tags: read_tags(tags),
        });
    }
    bail!("the struct does not end")
}

fn read_tags(mut text: &str) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    while let Some((key, rest)) = text.split_once(":\"") {
        let Some((value, rest)) = rest.split_once('"') else { break };
        tags.insert(key.trim().to_owned(), value.to_owned());
        text = rest;
    }
    tags
}

fn expression(text: &str, imports: &BTreeMap<String, String>) -> Result<Expr> {
    if let Some(rest) = text.strip_prefix('*') {
        return Ok(Expr::Pointer(Box::new(expression(rest, imports)?)));
    }
    if let Some(rest) = text.strip_prefix("[]") {
        return Ok(Expr::List(Box::new(expression(rest, imports)?)));
    }
    if let Some(rest) = text.strip_prefix("map[") {
        let (key, value) = rest.split_once(']').context("an open map")?;
        return Ok(Expr::Map(
            Box::new(expression(key, imports)?),
            Box::new(expression(value, imports)?),
        ));
    }
    Ok(match text.split_once('.') {
        Some((alias, name)) => Expr::Named {
            package: Some(imports.get(alias).cloned().unwrap_or_else(|| alias.to_owned())),
            name: name.to_owned(),
        },
        None => Expr::Named { package: None, name: text.to_owned() },
    })
}
