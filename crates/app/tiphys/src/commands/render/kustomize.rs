//! Kustomize's flags of `render`.

use anyhow::{Result, bail};
use crd::{ApplicationSourceKustomize, IntOrString, KustomizeReplica};

use crate::commands::input;

/// Flags that make the source a kustomization, and say what is changed before it is built.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Kustomizations")]
pub struct KustomizeFlags {
    /// Put before every name
    #[arg(long, value_name = "PREFIX", alias = "nameprefix")]
    name_prefix: Option<String>,
    /// Put behind every name
    #[arg(long, value_name = "SUFFIX", alias = "namesuffix")]
    name_suffix: Option<String>,
    /// Namespace of every object
    #[arg(long, value_name = "NAMESPACE")]
    kustomize_namespace: Option<String>,
    /// Another image: name=new:tag, name:tag or name@digest; may be given several times
    #[arg(long, value_name = "IMAGE", alias = "kustomize-image")]
    image: Vec<String>,
    /// Another count: name=count; may be given several times
    #[arg(long, value_name = "REPLICA", alias = "kustomize-replica")]
    replica: Vec<String>,
    /// A label of every object: key=value; may be given several times
    #[arg(long, value_name = "LABEL", alias = "kustomize-common-label")]
    common_label: Vec<String>,
    /// An annotation of every object: key=value; may be given several times
    #[arg(long, value_name = "ANNOTATION", alias = "kustomize-common-annotation")]
    common_annotation: Vec<String>,
    /// Labels replace those of the kustomization
    #[arg(long, alias = "kustomize-force-common-label")]
    force_common_label: bool,
    /// Annotations replace those of the kustomization
    #[arg(long, alias = "kustomize-force-common-annotation")]
    force_common_annotation: bool,
    /// Labels stay out of selectors and templates
    #[arg(long, alias = "kustomize-label-without-selector")]
    label_without_selector: bool,
    /// Labels that stay out of selectors go into templates
    #[arg(long, alias = "kustomize-label-include-templates")]
    label_include_templates: bool,
    /// A component to add; may be given several times
    #[arg(long, value_name = "PATH")]
    component: Vec<String>,
    /// Leave components out that are not there
    #[arg(long)]
    ignore_missing_components: bool,
    /// Flags of `kustomize build`, as kustomize.buildOptions has them
    #[arg(long, value_name = "FLAGS", default_value = "", allow_hyphen_values = true)]
    pub kustomize_build_options: String,
}

impl KustomizeFlags {
    /// What was given, as a source has it; `None` where nothing says that it is a kustomization.
    pub fn block(&self) -> Result<Option<ApplicationSourceKustomize>> {
        let mut replicas = Vec::with_capacity(self.replica.len());
        for text in &self.replica {
            let parsed = text.split_once('=');
            let Some((name, Ok(count))) = parsed.map(|(name, count)| (name, count.parse::<i64>()))
            else {
                bail!("expected parameter of the form: name=count. Received: {text}");
            };
            replicas.push(KustomizeReplica {
                name: name.to_owned(),
                count: IntOrString::Int(count),
                ..KustomizeReplica::default()
            });
        }
        let block = ApplicationSourceKustomize {
            name_prefix: self.name_prefix.clone().unwrap_or_default(),
            name_suffix: self.name_suffix.clone().unwrap_or_default(),
            namespace: self.kustomize_namespace.clone().unwrap_or_default(),
            images: self.image.clone(),
            replicas,
            common_labels: input::pairs(&self.common_label)?.into_iter().collect(),
            common_annotations: input::pairs(&self.common_annotation)?.into_iter().collect(),
            force_common_labels: self.force_common_label,
            force_common_annotations: self.force_common_annotation,
            label_without_selector: self.label_without_selector,
            label_include_templates: self.label_include_templates,
            components: self.component.clone(),
            ignore_missing_components: self.ignore_missing_components,
            ..ApplicationSourceKustomize::default()
        };
        let any = block != ApplicationSourceKustomize::default()
            || !self.kustomize_build_options.is_empty();
        Ok(any.then_some(block))
    }
}
