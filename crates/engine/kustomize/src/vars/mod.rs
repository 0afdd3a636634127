//! `vars`: `$(NAME)` in texts stands for a field of some resource.

mod expand;

use std::collections::BTreeMap;

use crate::config::FieldSpec;
use crate::error::KustomizeError;
use crate::fields::{FieldPath, Made};
use crate::kustomization::Var;
use crate::node::{Node, Scalar, Tag, Text};
use crate::replacements::{lookup, split_path};
use crate::resid::ResId;
use crate::resource::Resource;
use expand::expand;

/// Variables by name, as they come together over all kustomizations of a build.
#[derive(Clone, Debug, Default)]
pub struct Vars(BTreeMap<String, Var>);

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum VarValue {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A mapping or a list, which cannot stand in a text.
    Collection,
}

impl Vars {
    /// Adds a kustomization's own variables, and remembers them at the resources that they
    /// take their values from.
    ///
    /// # Errors
    ///
    /// Where several resources could be meant, or a name is taken.
    pub fn add(&mut self, vars: &[Var], resources: &mut [Resource]) -> Result<(), KustomizeError> {
        for var in vars {
            let wanted = &var.object;
            let is_meant = |id: &ResId| match wanted.namespace.is_empty() {
                true => id.same_gvkn(wanted),
                false => id == wanted,
            };
            let mut meant = Vec::new();
            for (place, resource) in resources.iter().enumerate() {
                if is_meant(&resource.id()) || resource.previous_ids().any(|id| is_meant(&id)) {
                    meant.push(place);
                }
            }
            match meant[..] {
                [] => {}
                [place] => resources[place].ref_vars.push(var.name.clone().into()),
                _ => {
                    return Err(KustomizeError::said(format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        meant.len(),
                        shown(var)
                    )));
                }
            }
        }
        vars.iter().try_for_each(|var| self.add_one(var.clone()))
    }

    /// Adds the variables of a kustomization below.
    ///
    /// # Errors
    ///
    /// Where a name is taken.
    pub fn merge(&mut self, other: Self) -> Result<(), KustomizeError> {
        other.0.into_values().try_for_each(|var| self.add_one(var))
    }

    fn add_one(&mut self, var: Var) -> Result<(), KustomizeError> {
        if self.0.contains_key(&var.name) {
            let problem = format!("var '{}' already encountered", var.name);
            return Err(KustomizeError::said(problem));
        }
        self.0.insert(var.name.clone(), var);
        Ok(())
    }

    /// Writes the values where the variables stand, in the fields that may hold them. Returns
    /// the names of variables that stand nowhere, for a warning.
    ///
    /// # Errors
    ///
    /// Where a variable has no resource or its field is missing, and where a field holds what
    /// is no text.
    pub fn resolve(
        &self,
        resources: &mut [Resource],
        fields: &[FieldSpec],
    ) -> Result<Vec<String>, KustomizeError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = BTreeMap::new();
        for var in self.0.values() {
            values.insert(var.name.as_str(), value_of(var, resources)?);
        }
        let mut used: BTreeMap<String, ()> = BTreeMap::new();
        let fields: Vec<FieldPath> = fields.iter().map(FieldPath::from).collect();
        for resource in resources {
            resource.change(|resource| {
                let mut lookup = |name: &str| {
                    let value = values.get(name).filter(|v| **v != VarValue::Collection)?;
                    used.insert(name.to_owned(), ());
                    Some(value.clone())
                };
                fields.iter().try_for_each(|field| {
                    let object = &mut resource.node;
                    field.visit(object, Made::Nothing, &mut |node| replace(node, &mut lookup))
                })
            })?;
        }
        let unused = self.0.keys().filter(|name| !used.contains_key(*name));
        Ok(unused.cloned().collect())
    }
}

fn value_of(var: &Var, resources: &[Resource]) -> Result<VarValue, KustomizeError> {
    let is_source = |resource: &&Resource| resource.ref_vars.iter().any(|name| **name == *var.name);
    let Some(resource) = resources.iter().find(is_source) else {
        return Err(KustomizeError::said(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            shown(var)
        )));
    };
    let missing = || {
        KustomizeError::said(format!(
            "field specified in var '{}' not found in corresponding resource",
            shown(var)
        ))
    };
    let path: Vec<String> = split_path(&var.field_path).into_iter().flat_map(split_index).collect();
    let node = lookup(&resource.node, &path).ok().flatten().ok_or_else(missing)?;
    let Node::Scalar(scalar) = node else { return Ok(VarValue::Collection) };
    let text = &*scalar.text;
    Ok(match scalar.tag {
        Tag::Int => VarValue::Int(text.parse().map_err(|_| missing())?),
        Tag::Float => VarValue::Float(text.parse().map_err(|_| missing())?),
        Tag::Bool => VarValue::Bool(match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
            "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
            _ => return Err(missing()),
        }),
        _ => VarValue::Text(text.to_owned()),
    })
}

/// `ports[0]` is `ports` and `0`.
fn split_index(part: String) -> Vec<String> {
    let cut = part.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    match cut {
        Some((name, index))
            if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let name = Some(name.to_owned()).filter(|name| !name.is_empty());
            name.into_iter().chain([index.to_owned()]).collect()
        }
        _ => vec![part],
    }
}

/// A variable as Go prints the struct: the object is its group, version and kind there.
fn shown(var: &Var) -> String {
    format!("{{{} {} {{{}}}}}", var.name, var.object.gvk, var.field_path)
}

type Lookup<'a> = dyn FnMut(&str) -> Option<VarValue> + 'a;

fn replace(node: &mut Node, lookup: &mut Lookup<'_>) -> Result<(), KustomizeError> {
    match node {
        Node::Scalar(scalar) => {
            replace_scalar(scalar, lookup);
            Ok(())
        }
        Node::Mapping(mapping) => {
            if let Some(entry) = mapping.entries().iter().find(|entry| !is_text(&entry.key)) {
                let (text, tag) = (&entry.key.text, entry.key.tag.short());
                return Err(KustomizeError::said(format!(
                    "invalid map key: value='{text}', tag='{tag}'"
                )));
            }
            for entry in mapping.entries_mut() {
                if let Node::Scalar(scalar) = &mut entry.value {
                    replace_scalar(scalar, lookup);
                }
            }
            Ok(())
        }
        Node::Sequence(sequence) => {
            for item in sequence.items_mut() {
                match item {
                    Node::Scalar(scalar) if is_text(scalar) => replace_scalar(scalar, lookup),
                    _ => return Err(KustomizeError::said("invalid value type expect a string")),
                }
            }
            Ok(())
        }
    }
}

fn is_text(scalar: &Scalar) -> bool {
    matches!(scalar.tag, Tag::Str | Tag::Unset)
}

/// Writes the values into one text. One variable alone keeps the type of its value.
fn replace_scalar(scalar: &mut Scalar, lookup: &mut Lookup<'_>) {
    if !is_text(scalar) {
        return;
    }
    let made = expand(&scalar.text, lookup);
    let (text, tag): (Text, Tag) = match made {
        VarValue::Int(value) => (value.to_string().into(), Tag::Int),
        VarValue::Bool(value) => (value.to_string().into(), Tag::Bool),
        VarValue::Float(value) => (value.to_string().into(), Tag::Float),
        VarValue::Text(text) if text == *scalar.text => (scalar.text.clone(), Tag::Str),
        VarValue::Text(text) => (text.into(), Tag::Str),
        VarValue::Collection => return,
    };
    *scalar = Scalar { text, tag, quoted: false };
}

#[cfg(test)]
mod tests;
