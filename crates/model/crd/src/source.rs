//! Where manifests come from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::shape::shape;
use crate::values::IntOrString;

shape! {
    /// One source of manifests: a place in a repository or a chart, and how it is rendered.
    pub struct ApplicationSource {
        /// URL of the repository that holds the manifests.
        repo_url: String = "repoURL" required,
        /// Folder inside a Git repository, from its root.
        path: String = "path",
        /// Branch, tag, commit or range of versions; `HEAD` where empty.
        target_revision: String = "targetRevision",
        /// Options for Helm charts.
        helm: Option<Box<ApplicationSourceHelm>> = "helm",
        /// Options for Kustomize.
        kustomize: Option<Box<ApplicationSourceKustomize>> = "kustomize",
        /// Options for plain directories and Jsonnet.
        directory: Option<Box<ApplicationSourceDirectory>> = "directory",
        /// Options for a config management plugin.
        plugin: Option<Box<ApplicationSourcePlugin>> = "plugin",
        /// Name of the chart; set exactly when the source is a Helm repository.
        chart: String = "chart",
        /// Name under which other sources reach this source's files as `$name`.
        r#ref: String = "ref",
        /// Name of this source, for commands that address one of several.
        name: String = "name",
        /// Only tags with this prefix count for a range of versions; the prefix is cut off first.
        tag_prefix: String = "tagPrefix",
    }
}

shape! {
    /// Options for Helm charts.
    pub struct ApplicationSourceHelm {
        /// Value files, from the chart's folder; later ones win.
        value_files: Vec<String> = "valueFiles",
        /// Values set one by one, as `helm template --set` does.
        parameters: Vec<HelmParameter> = "parameters",
        /// Name of the release; the Application's name where empty.
        release_name: String = "releaseName",
        /// Values as one YAML text.
        values: String = "values",
        /// Values read from files, as `--set-file` does.
        file_parameters: Vec<HelmFileParameter> = "fileParameters",
        /// Once chose the version of Helm; accepted, and without effect.
        version: String = "version",
        /// Whether chart dependencies on other hosts see the repository's credentials.
        pass_credentials: bool = "passCredentials",
        /// Whether value files that do not exist are passed over.
        ignore_missing_value_files: bool = "ignoreMissingValueFiles",
        /// Whether the chart's `crds` folder is left out.
        skip_crds: bool = "skipCrds",
        /// Values as an object; wins over `values`.
        values_object: Option<Value> = "valuesObject" { "type": "object" },
        /// Namespace that templates see; the destination's where empty.
        namespace: String = "namespace",
        /// Kubernetes version that templates see; the destination's where empty.
        kube_version: String = "kubeVersion",
        /// API versions that templates see; the destination's where empty.
        api_versions: Vec<String> = "apiVersions",
        /// Whether test hooks are left out.
        skip_tests: bool = "skipTests",
        /// Whether values are not checked against the chart's JSON schema.
        skip_schema_validation: bool = "skipSchemaValidation",
    }
}

shape! {
    /// One value for a chart.
    pub struct HelmParameter {
        /// Path of the value, as `image.tag`.
        name: String = "name",
        /// The value.
        value: String = "value",
        /// Whether `true` and `1` stay text.
        force_string: bool = "forceString",
    }
}

shape! {
    /// One value for a chart, read from a file.
    pub struct HelmFileParameter {
        /// Path of the value, as `config.body`.
        name: String = "name",
        /// The file.
        path: String = "path",
    }
}

shape! {
    /// Options for Kustomize.
    pub struct ApplicationSourceKustomize {
        /// Put before every name.
        name_prefix: String = "namePrefix",
        /// Put behind every name.
        name_suffix: String = "nameSuffix",
        /// Images to replace: `[old=]image[:tag|@digest]`.
        images: Vec<String> = "images",
        /// Labels to set on everything.
        common_labels: BTreeMap<String, String> = "commonLabels",
        /// Which of the configured versions of Kustomize to use.
        version: String = "version",
        /// Annotations to set on everything.
        common_annotations: BTreeMap<String, String> = "commonAnnotations",
        /// Whether `commonLabels` replaces labels that are there already.
        force_common_labels: bool = "forceCommonLabels",
        /// Whether `commonAnnotations` replaces annotations that are there already.
        force_common_annotations: bool = "forceCommonAnnotations",
        /// Namespace to set on everything.
        namespace: String = "namespace",
        /// Whether variables of the build environment are replaced in `commonAnnotations`.
        common_annotations_envsubst: bool = "commonAnnotationsEnvsubst",
        /// Numbers of replicas to set.
        replicas: Vec<KustomizeReplica> = "replicas",
        /// Patches to apply.
        patches: Vec<KustomizePatch> = "patches",
        /// Components to add.
        components: Vec<String> = "components",
        /// Whether components that do not exist are passed over.
        ignore_missing_components: bool = "ignoreMissingComponents",
        /// Whether `commonLabels` stays out of selectors and templates.
        label_without_selector: bool = "labelWithoutSelector",
        /// Kubernetes version that inflated charts see.
        kube_version: String = "kubeVersion",
        /// API versions that inflated charts see.
        api_versions: Vec<String> = "apiVersions",
        /// Whether labels without selectors still reach templates.
        label_include_templates: bool = "labelIncludeTemplates",
    }
}

shape! {
    /// A number of replicas for one name.
    pub struct KustomizeReplica {
        /// Name of the Deployment or StatefulSet.
        name: String = "name" required,
        /// How many.
        count: IntOrString = "count" required,
    }
}

shape! {
    /// One patch, in the file or in place.
    pub struct KustomizePatch {
        /// File that holds the patch.
        path: String = "path",
        /// The patch itself.
        patch: String = "patch",
        /// What to patch.
        target: Option<KustomizeSelector> = "target",
        /// Kustomize's switches for the patch, as `allowNameChange`.
        options: BTreeMap<String, bool> = "options",
    }
}

shape! {
    /// What a patch applies to; fields but the selectors are regular expressions.
    pub struct KustomizeSelector {
        /// API group.
        group: String = "group",
        /// API version.
        version: String = "version",
        /// Kind.
        kind: String = "kind",
        /// Name.
        name: String = "name",
        /// Namespace.
        namespace: String = "namespace",
        /// Annotations, in the language of label selectors.
        annotation_selector: String = "annotationSelector",
        /// Labels.
        label_selector: String = "labelSelector",
    }
}

shape! {
    /// Options for plain directories and Jsonnet.
    pub struct ApplicationSourceDirectory {
        /// Whether folders below are read as well.
        recurse: bool = "recurse",
        /// Options for Jsonnet files.
        jsonnet: ApplicationSourceJsonnet = "jsonnet",
        /// Glob over paths; what matches is left out.
        exclude: String = "exclude",
        /// Glob over paths; what does not match is left out.
        include: String = "include",
        /// Whether files of any extension are read as manifests.
        disable_extension_filter: bool = "disableExtensionFilter",
    }
}

shape! {
    /// Options for Jsonnet files.
    pub struct ApplicationSourceJsonnet {
        /// External variables.
        ext_vars: Vec<JsonnetVar> = "extVars",
        /// Arguments of the top-level function.
        tlas: Vec<JsonnetVar> = "tlas",
        /// Further folders to import from.
        libs: Vec<String> = "libs",
    }
}

shape! {
    /// A variable for Jsonnet.
    pub struct JsonnetVar {
        /// Name.
        name: String = "name" required,
        /// Text, or code.
        value: String = "value" required,
        /// Whether the value is Jsonnet code.
        code: bool = "code",
    }
}

shape! {
    /// Options for a config management plugin.
    pub struct ApplicationSourcePlugin {
        /// Name; empty lets the plugins decide by discovery.
        name: String = "name",
        /// Environment variables, which the plugin sees with `ARGOCD_ENV_` before their names.
        env: Vec<EnvEntry> = "env",
        /// Parameters.
        parameters: Vec<ApplicationSourcePluginParameter> = "parameters",
    }
}

shape! {
    /// An environment variable.
    pub struct EnvEntry {
        /// Name.
        name: String = "name" required,
        /// Value.
        value: String = "value" required,
    }
}

shape! {
    /// A parameter for a plugin: a text, a map or a list. Empty and absent are different things.
    pub struct ApplicationSourcePluginParameter {
        /// Name.
        name: String = "name",
        /// The value of a parameter of type string.
        string: Option<String> = "string",
        /// The value of a parameter of type map.
        map: Option<BTreeMap<String, String>> = "map",
        /// The value of a parameter of type array.
        array: Option<Vec<String>> = "array",
    }
}
