//! `kustomize edit add label` and `add annotation`.

use std::collections::BTreeMap;

use super::Overlay;
use crate::error::KustomizeError;
use crate::kustomization::{Kustomization, Label};

/// Adds labels: to `commonLabels`, or to an item of `labels` of the same settings.
///
/// # Errors
///
/// Where a label is there already.
pub(super) fn add_labels(
    kustomization: &mut Kustomization,
    overlay: &Overlay,
) -> Result<(), KustomizeError> {
    if overlay.label_include_templates && !overlay.label_without_selector {
        return Err(KustomizeError::said(
            "--without-selector flag must be specified for --include-templates to work",
        ));
    }
    let added = as_arguments("label", &overlay.common_labels)?;
    let force = overlay.force_common_labels;
    if !overlay.label_without_selector {
        return add("label", kustomization.common_labels.get_or_insert_default(), added, force);
    }
    let labels = &mut kustomization.labels;
    let include_templates = overlay.label_include_templates;
    let is_alike =
        |label: &Label| !label.include_selectors && label.include_templates == include_templates;
    let place = labels.iter().position(is_alike).unwrap_or_else(|| {
        labels.push(Label { include_templates, ..Label::default() });
        labels.len() - 1
    });
    add("label", &mut labels[place].pairs, added, force)
}

/// Adds annotations.
///
/// # Errors
///
/// Where an annotation is there already.
pub(super) fn add_annotations(
    kustomization: &mut Kustomization,
    overlay: &Overlay,
) -> Result<(), KustomizeError> {
    let added = as_arguments("annotation", &overlay.common_annotations)?;
    let there = kustomization.common_annotations.get_or_insert_default();
    add("annotation", there, added, overlay.force_common_annotations)
}

/// Pairs after they went through a command line: cut at the first `:`, one pair of quotes
/// taken off.
fn as_arguments(
    kind: &str,
    pairs: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, KustomizeError> {
    let mut read = BTreeMap::new();
    for (key, value) in pairs {
        let argument = format!("{key}:{value}");
        match argument.split_once(':') {
            Some(("", _)) | None => {
                return Err(KustomizeError::said(format!(
                    "invalid {kind}: '{argument}' (need k:v pair where v may be quoted)"
                )));
            }
            Some((key, value)) => {
                let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                read.insert(key.to_owned(), inside.unwrap_or(value).to_owned());
            }
        }
    }
    Ok(read)
}

fn add(
    kind: &str,
    there: &mut BTreeMap<String, String>,
    added: BTreeMap<String, String>,
    force: bool,
) -> Result<(), KustomizeError> {
    for (key, value) in added {
        if !force && there.contains_key(&key) {
            return Err(KustomizeError::said(format!(
                "{kind} {key} already in kustomization file. Use --force to override."
            )));
        }
        there.insert(key, value);
    }
    Ok(())
}
