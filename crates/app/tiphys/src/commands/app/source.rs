//! From flags to one source, and back to none.

use anyhow::{Result, bail};
use crd::{ApplicationSource, ApplicationSourcePlugin, EnvEntry, JsonnetVar, KustomizeReplica};

use super::flags::Given;
use super::spec::{set_file_parameter, set_parameter, set_values};
use crate::commands::input;

/// Writes what was given into a source.
pub fn write(given: &Given, source: &mut ApplicationSource) -> Result<()> {
    for name in given.names() {
        let text = || given.text(name);
        match name {
            "repo" => source.repo_url = text(),
            "path" => source.path = text(),
            "helm-chart" => source.chart = text(),
            "revision" => source.target_revision = text(),
            "tag-prefix" => source.tag_prefix = text(),
            "ref" => source.r#ref = text(),
            "source-name" => source.name = text(),
            "config-management-plugin" => {
                source.plugin =
                    Some(Box::new(ApplicationSourcePlugin { name: text(), ..Default::default() }));
            }
            "plugin-env" => {
                let plugin = source.plugin.get_or_insert_default();
                for entry in given.list(name) {
                    set_env(plugin, &entry)?;
                }
            }
            _ => {
                write_helm(given, name, source)?;
                write_kustomize(given, name, source)?;
                write_directory(given, name, source);
            }
        }
    }
    drop_blank(&mut source.helm);
    drop_blank(&mut source.kustomize);
    Ok(())
}

/// The options, made where there are none.
fn made<T: Default>(options: &mut Option<Box<T>>) -> &mut T {
    options.get_or_insert_default()
}

/// Takes options away that say nothing.
fn drop_blank<T: Default + PartialEq>(options: &mut Option<T>) {
    if options.as_ref().is_some_and(|options| *options == T::default()) {
        *options = None;
    }
}

fn write_helm(given: &Given, name: &str, source: &mut ApplicationSource) -> Result<()> {
    let options = &mut source.helm;
    // An empty text leaves what is there, as upstream does.
    let text = |field: &mut String| {
        let text = given.text(name);
        if !text.is_empty() {
            *field = text;
        }
    };
    match name {
        "values" => made(options).value_files = given.list(name),
        "ignore-missing-value-files" => made(options).ignore_missing_value_files |= given.on(name),
        "values-literal-file" => set_values(made(options), &given.text(name))?,
        "release-name" => text(&mut made(options).release_name),
        "helm-version" => text(&mut made(options).version),
        "helm-pass-credentials" => made(options).pass_credentials |= given.on(name),
        "helm-skip-crds" => made(options).skip_crds |= given.on(name),
        "helm-skip-schema-validation" => made(options).skip_schema_validation |= given.on(name),
        "helm-skip-tests" => made(options).skip_tests |= given.on(name),
        "helm-namespace" => text(&mut made(options).namespace),
        "helm-kube-version" => text(&mut made(options).kube_version),
        "helm-api-versions" => made(options).api_versions = given.list(name),
        "helm-set" | "helm-set-string" => {
            for one in given.list(name) {
                set_parameter(made(options), &one, name == "helm-set-string")?;
            }
        }
        "helm-set-file" => {
            for one in given.list(name) {
                set_file_parameter(made(options), &one)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn write_kustomize(given: &Given, name: &str, source: &mut ApplicationSource) -> Result<()> {
    let options = &mut source.kustomize;
    let text = |field: &mut String| {
        let text = given.text(name);
        if !text.is_empty() {
            *field = text;
        }
    };
    match name {
        "nameprefix" => text(&mut made(options).name_prefix),
        "namesuffix" => text(&mut made(options).name_suffix),
        "kustomize-version" => text(&mut made(options).version),
        "kustomize-namespace" => text(&mut made(options).namespace),
        "kustomize-kube-version" => text(&mut made(options).kube_version),
        "kustomize-api-versions" => made(options).api_versions = given.list(name),
        "kustomize-common-label" => {
            made(options).common_labels = input::pairs(&given.list(name))?.into_iter().collect();
        }
        "kustomize-common-annotation" => {
            made(options).common_annotations =
                input::pairs(&given.list(name))?.into_iter().collect();
        }
        "kustomize-label-without-selector" => {
            made(options).label_without_selector |= given.on(name)
        }
        "kustomize-label-include-templates" => {
            made(options).label_include_templates |= given.on(name)
        }
        "kustomize-force-common-label" => made(options).force_common_labels |= given.on(name),
        "kustomize-force-common-annotation" => {
            made(options).force_common_annotations |= given.on(name);
        }
        "ignore-missing-components" => made(options).ignore_missing_components |= given.on(name),
        "kustomize-image" => {
            for image in given.list(name) {
                set_image(&mut made(options).images, image);
            }
        }
        "kustomize-replica" => {
            for one in given.list(name) {
                set_replicas(&mut made(options).replicas, &one)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The name of the image that an override is about: `old` of `old=new:tag`, `image` of
/// `image:tag` and of `image@digest`.
pub fn image_name(text: &str) -> &str {
    if let Some((old, _)) = text.split_once('=') {
        return old;
    }
    if let Some((image, _)) = text.split_once('@') {
        return image;
    }
    // A colon before a slash belongs to a registry's port.
    match text.rsplit_once(':') {
        Some((image, tag)) if !tag.contains('/') => image,
        _ => text,
    }
}

fn set_image(images: &mut Vec<String>, image: String) {
    match images.iter_mut().find(|have| image_name(have) == image_name(&image)) {
        Some(have) => *have = image,
        None => images.push(image),
    }
}

fn set_replicas(replicas: &mut Vec<KustomizeReplica>, text: &str) -> Result<()> {
    let parsed = text.split_once('=').and_then(|(name, count)| Some((name, count.parse().ok()?)));
    let Some((name, count)) = parsed else {
        bail!("expected parameter of the form: name=count. Received: {text}");
    };
    let replica = KustomizeReplica {
        name: name.to_owned(),
        count: crd::IntOrString::Int(count),
        ..KustomizeReplica::default()
    };
    match replicas.iter_mut().find(|have| have.name == name) {
        Some(have) => *have = replica,
        None => replicas.push(replica),
    }
    Ok(())
}

fn set_env(plugin: &mut ApplicationSourcePlugin, text: &str) -> Result<()> {
    let Some((name, value)) = text.split_once('=') else {
        bail!("Expected env entry of the form: param=value. Received: {text}");
    };
    let entry = EnvEntry { name: name.to_owned(), value: value.to_owned(), ..EnvEntry::default() };
    match plugin.env.iter_mut().find(|have| have.name == name) {
        Some(have) => *have = entry,
        None => plugin.env.push(entry),
    }
    Ok(())
}

fn write_directory(given: &Given, name: &str, source: &mut ApplicationSource) {
    let options = &mut source.directory;
    let variables = |code: bool| {
        given.list(name).into_iter().map(move |text| {
            let (name, value) = text.split_once('=').unwrap_or((&text, ""));
            JsonnetVar {
                name: name.to_owned(),
                value: value.to_owned(),
                code,
                ..JsonnetVar::default()
            }
        })
    };
    match name {
        "directory-recurse" => made(options).recurse = given.on(name),
        "directory-disable-extension-filter" => {
            made(options).disable_extension_filter = given.on(name);
        }
        "directory-include" => made(options).include = given.text(name),
        "directory-exclude" => made(options).exclude = given.text(name),
        "jsonnet-tla-str" | "jsonnet-tla-code" => {
            made(options).jsonnet.tlas.extend(variables(name.ends_with("code")));
        }
        "jsonnet-ext-var-str" | "jsonnet-ext-var-code" => {
            made(options).jsonnet.ext_vars.extend(variables(name.ends_with("code")));
        }
        "jsonnet-libs" => made(options).jsonnet.libs.extend(given.list(name)),
        _ => {}
    }
}
