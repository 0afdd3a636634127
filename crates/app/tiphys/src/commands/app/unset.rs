//! `app unset`.

use std::process::ExitCode;

use anyhow::Result;
use crd::ApplicationSource;

use super::source::image_name;
use super::source_position;
use super::told::{Reason, tell};
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;

/// Arguments of `app unset`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
    /// Which of several sources is meant, counted from 1
    #[arg(long, value_name = "NUMBER")]
    source_position: Option<i64>,
    /// Which of several sources is meant, by name
    #[arg(long, value_name = "NAME")]
    source_name: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// What is taken back.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// A Helm parameter, by name
    #[arg(short = 'p', long = "parameter", value_name = "NAME")]
    pub parameters: Vec<String>,
    /// A Helm values file
    #[arg(long, value_name = "FILE")]
    pub values: Vec<String>,
    /// The literal Helm values
    #[arg(long)]
    pub values_literal: bool,
    /// Passing over values files that do not exist
    #[arg(long)]
    pub ignore_missing_value_files: bool,
    /// Showing credentials to a chart's dependencies
    #[arg(long)]
    pub pass_credentials: bool,
    /// The text before every name
    #[arg(long)]
    pub nameprefix: bool,
    /// The text behind every name
    #[arg(long)]
    pub namesuffix: bool,
    /// The version of Kustomize
    #[arg(long)]
    pub kustomize_version: bool,
    /// The namespace for everything
    #[arg(long)]
    pub kustomize_namespace: bool,
    /// An image override, by the image's name
    #[arg(long = "kustomize-image", value_name = "IMAGE")]
    pub kustomize_images: Vec<String>,
    /// A number of replicas, by name
    #[arg(long = "kustomize-replica", value_name = "NAME")]
    pub kustomize_replicas: Vec<String>,
    /// Passing over components that do not exist
    #[arg(long)]
    pub ignore_missing_components: bool,
    /// An environment variable of the plugin, by name
    #[arg(long = "plugin-env", value_name = "NAME")]
    pub plugin_envs: Vec<String>,
    /// The name under which other sources reach this one's files
    #[arg(long)]
    pub r#ref: bool,
}

/// Takes the options back; nothing is written where nothing changes.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    if arguments.options == Options::default() {
        return Err(refused("Please name at least one option to unset"));
    }
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let change = |application: &mut crd::Application| {
        let spec = &mut application.spec;
        let source_name = arguments.source_name.as_deref();
        let position = source_position(spec, arguments.source_position, source_name)?;
        let source = match position {
            Some(position) => spec.sources.get_mut(position - 1),
            None => spec.source.as_mut(),
        };
        if let Some(source) = source {
            take_back(&arguments.options, source);
        }
        Ok(())
    };
    let before = session.application(&name).await?;
    let mut after = before.clone();
    change(&mut after)?;
    if before != after {
        let written = session.change(&name, change).await?;
        tell(session, &written, Reason::Updated, "updated application spec").await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes options back from one source.
pub fn take_back(options: &Options, source: &mut ApplicationSource) {
    if options.r#ref {
        source.r#ref.clear();
    }
    if let Some(kustomize) = &mut source.kustomize {
        for (asked, text) in [
            (options.nameprefix, &mut kustomize.name_prefix),
            (options.namesuffix, &mut kustomize.name_suffix),
            (options.kustomize_version, &mut kustomize.version),
            (options.kustomize_namespace, &mut kustomize.namespace),
        ] {
            if asked {
                text.clear();
            }
        }
        if options.ignore_missing_components {
            kustomize.ignore_missing_components = false;
        }
        let images = &options.kustomize_images;
        kustomize
            .images
            .retain(|have| !images.iter().any(|image| image_name(image) == image_name(have)));
        kustomize.replicas.retain(|have| !options.kustomize_replicas.contains(&have.name));
    }
    if let Some(helm) = &mut source.helm {
        helm.parameters.retain(|have| !options.parameters.contains(&have.name));
        helm.value_files.retain(|have| !options.values.contains(have));
        if options.values_literal {
            helm.values.clear();
            helm.values_object = None;
        }
        if options.ignore_missing_value_files {
            helm.ignore_missing_value_files = false;
        }
        if options.pass_credentials {
            helm.pass_credentials = false;
        }
    }
    if let Some(plugin) = &mut source.plugin {
        plugin.env.retain(|have| !options.plugin_envs.contains(&have.name));
    }
}
