//! Which fields the transformers work on.
//!
//! Users add to the defaults with `configurations` and `crds`.

mod crds;
mod file;

pub(crate) use crds::from_crds;
pub(crate) use file::from_file;

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::kustomization::{Fields, Problem};
use crate::node::Text;
use crate::order;
use crate::resid::Gvk;

/// A field of some kinds of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSpec {
    /// The kinds; empty parts select any.
    pub gvk: Gvk,
    /// Keys from the object's root, parted by `/`; `[]` behind one says that it is a list.
    pub path: Text,
    /// Whether what is missing on the way is made.
    pub create: bool,
}

impl FieldSpec {
    /// A field of objects of every kind.
    pub fn anywhere(path: &'static str, create: bool) -> Self {
        Self { gvk: Gvk::default(), path: path.into(), create }
    }

    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("FieldSpec", value)?;
        let read = Self {
            gvk: crate::kustomization::gvk(&mut fields)?,
            path: fields.text("path")?.into(),
            create: fields.flag("create")?,
        };
        fields.end().map(|()| read)
    }
}

/// Fields in kustomize's order.
pub type FieldSpecs = Vec<FieldSpec>;

/// Adds a field; the same field of kinds that it covers is enough.
///
/// # Errors
///
/// Where that one differs in whether missing parents are made.
pub(crate) fn merge_one(specs: &mut FieldSpecs, more: FieldSpec) -> Result<(), Problem> {
    let same =
        specs.iter().find(|known| known.path == more.path && known.gvk.is_selected(&more.gvk));
    match same {
        Some(known) if known.create != more.create => Err("conflicting fieldspecs".to_owned()),
        Some(_) => Ok(()),
        None => {
            specs.push(more);
            Ok(())
        }
    }
}

/// Adds fields, as [`merge_one`].
pub(crate) fn merge_all(specs: &mut FieldSpecs, more: &[FieldSpec]) -> Result<(), Problem> {
    more.iter().try_for_each(|one| merge_one(specs, one.clone()))
}

/// The fields that hold the names of objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameReference {
    /// The kind that is named.
    pub target: Gvk,
    /// Where it is named.
    pub referrers: FieldSpecs,
}

/// All fields that transformers work on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct TransformerConfig {
    pub name_prefix: FieldSpecs,
    pub name_suffix: FieldSpecs,
    pub namespace: FieldSpecs,
    pub common_labels: FieldSpecs,
    pub labels: FieldSpecs,
    pub template_labels: FieldSpecs,
    pub common_annotations: FieldSpecs,
    pub name_reference: Vec<NameReference>,
    pub var_reference: FieldSpecs,
    pub images: FieldSpecs,
    pub replicas: FieldSpecs,
}

impl TransformerConfig {
    /// The lists by their names in files, `nameReference` left out.
    fn lists_mut(&mut self) -> [(&'static str, &mut FieldSpecs); 10] {
        [
            ("namePrefix", &mut self.name_prefix),
            ("nameSuffix", &mut self.name_suffix),
            ("namespace", &mut self.namespace),
            ("commonLabels", &mut self.common_labels),
            ("labels", &mut self.labels),
            ("templateLabels", &mut self.template_labels),
            ("commonAnnotations", &mut self.common_annotations),
            ("varReference", &mut self.var_reference),
            ("images", &mut self.images),
            ("replicas", &mut self.replicas),
        ]
    }

    fn sort(&mut self) {
        for (_, list) in self.lists_mut() {
            list.sort_by_cached_key(|spec| order::kind_key(&spec.gvk));
        }
        self.name_reference.sort_by_cached_key(|reference| order::kind_key(&reference.target));
    }

    fn add(&mut self, more: &TransformerConfig) -> Result<(), Problem> {
        let mut more_lists = more.clone();
        for ((name, list), (_, more)) in self.lists_mut().into_iter().zip(more_lists.lists_mut()) {
            merge_all(list, more)
                .map_err(|problem| format!("failed to merge {name} fieldSpec: {problem}"))?;
        }
        for reference in &more.name_reference {
            self.add_reference(reference.clone())?;
        }
        self.sort();
        Ok(())
    }

    fn add_reference(&mut self, more: NameReference) -> Result<(), Problem> {
        let mut found = false;
        for known in &mut self.name_reference {
            if known.target == more.target {
                merge_all(&mut known.referrers, &more.referrers).map_err(|problem| {
                    format!("failed to merge NameReference fieldSpec: {problem}")
                })?;
                found = true;
            }
        }
        if !found {
            self.name_reference.push(more);
        }
        Ok(())
    }
}

/// A configuration that many kustomizations of one build share.
#[derive(Clone, Debug)]
pub struct SharedConfig {
    config: Arc<TransformerConfig>,
    /// Whether the defaults are in it.
    with_defaults: bool,
}

impl SharedConfig {
    /// No fields at all.
    pub fn empty() -> Self {
        Self { config: Arc::default(), with_defaults: false }
    }

    /// The defaults.
    pub fn defaults() -> Self {
        Self { config: defaults().clone(), with_defaults: true }
    }

    /// What is in it.
    pub fn get(&self) -> &Arc<TransformerConfig> {
        &self.config
    }

    /// Adds another one's fields.
    ///
    /// # Errors
    ///
    /// Where the two differ in whether missing parents of a field are made.
    pub fn merge(&mut self, other: &SharedConfig) -> Result<(), Problem> {
        if Arc::ptr_eq(&self.config, &other.config) {
            return Ok(());
        }
        if *self.config == TransformerConfig::default() {
            *self = other.clone();
            return Ok(());
        }
        if self.with_defaults && Arc::ptr_eq(&other.config, defaults()) {
            return Ok(());
        }
        self.with_defaults |= other.with_defaults;
        Arc::make_mut(&mut self.config).add(&other.config)
    }

    /// Adds fields.
    ///
    /// # Errors
    ///
    /// As [`SharedConfig::merge`].
    pub(crate) fn merge_config(&mut self, more: TransformerConfig) -> Result<(), Problem> {
        if more == TransformerConfig::default() {
            return Ok(());
        }
        self.merge(&Self { config: Arc::new(more), with_defaults: false })
    }
}

fn defaults() -> &'static Arc<TransformerConfig> {
    static DEFAULTS: OnceLock<Arc<TransformerConfig>> = OnceLock::new();
    DEFAULTS.get_or_init(|| Arc::new(read_defaults(include_str!("defaults.txt"))))
}

fn read_defaults(table: &'static str) -> TransformerConfig {
    let mut config = TransformerConfig::default();
    let mut list: Option<&'static str> = None;
    let any =
        |word: Option<&'static str>| Text::from(word.filter(|word| *word != "-").unwrap_or(""));
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix('[').and_then(|head| head.strip_suffix(']')) {
            let mut words = head.split(' ');
            let name = words.next();
            if name == Some("nameReference") {
                let kind = any(words.next());
                let version = any(words.next());
                let target = Gvk { group: any(words.next()), version, kind };
                config.name_reference.push(NameReference { target, referrers: Vec::new() });
                list = None;
            } else {
                list = name;
            }
            continue;
        }
        let mut words = line.split(' ');
        let path = any(words.next());
        let kind = any(words.next());
        let version = any(words.next());
        let gvk = Gvk { group: any(words.next()), version, kind };
        let spec = FieldSpec { gvk, path, create: words.next() == Some("+") };
        match list {
            Some(list) => {
                for (name, specs) in config.lists_mut() {
                    if name == list {
                        specs.push(spec.clone());
                    }
                }
            }
            None => {
                if let Some(reference) = config.name_reference.last_mut() {
                    reference.referrers.push(spec);
                }
            }
        }
    }
    config.sort();
    config
}

#[cfg(test)]
mod tests;
