//! What a kustomization makes: `configMapGenerator`, `secretGenerator`, `helmCharts`,
//! `generators`.

use super::origin::{ConfiguredBy, ORIGIN};
use super::plugin::{self, Plugin};
use super::{Build, Gathered, Target};
use crate::charts::Inflation;
use crate::error::{Inside, KustomizeError};
use crate::generate::{Generated, generate};
use crate::kustomization::{GeneratorArgs, GeneratorOptions, HelmChart, HelmGlobals};
use crate::resmap;
use crate::resource::Resource;

impl Target<'_> {
    pub(super) fn generate(
        &self,
        build: &mut Build<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), KustomizeError> {
        let kustomization = &self.kustomization;
        let plugins = self.plugins(build, &kustomization.generators);
        let plugins = plugins.inside(|| "loading generator plugins")?;
        let options = kustomization.generator_options.as_ref();
        let lists = [
            (Generated::ConfigMap, "ConfigMapGenerator", &kustomization.config_map_generator),
            (Generated::Secret, "SecretGenerator", &kustomization.secret_generator),
        ];
        for (what, kind, list) in lists {
            for args in list {
                let local = GeneratorOptions::over(args.options.clone(), options);
                let args = GeneratorArgs { options: local, ..args.clone() };
                let made = generate(what, &args, self.loader, self.made_here())
                    .inside(|| self.place(kind))?;
                self.absorb(build, gathered, vec![made], None, ConfiguredBy::builtin(kind))?;
            }
        }
        let globals = kustomization.helm_globals.clone().unwrap_or_default();
        for chart in &kustomization.helm_charts {
            let mut chart = chart.clone();
            if chart.namespace.is_empty() {
                chart.namespace = match &*kustomization.namespace {
                    "" => self.charts_namespace.clone(),
                    namespace => namespace.to_owned(),
                };
            }
            let kind = "HelmChartInflationGenerator";
            let made = self.render(build, &chart, &globals).inside(|| self.place(kind))?;
            self.absorb(build, gathered, made, None, ConfiguredBy::builtin(kind))?;
        }
        for (config, plugin) in plugins {
            let made = match plugin {
                Plugin::Generate(what, args) => {
                    vec![generate(what, &args, self.loader, self.made_here())?]
                }
                Plugin::Chart(chart, globals) => self.render(build, &chart, &globals)?,
                Plugin::Made(resource) => vec![*resource],
                Plugin::Step(..) => {
                    return Err(KustomizeError::said(format!(
                        "plugin {} not a generator",
                        super::called(&config)
                    )));
                }
            };
            let (api_version, kind) = (config.gvk().api_version(), config.kind());
            let by = ConfiguredBy {
                api_version: &api_version,
                kind,
                name: config.name(),
                namespace: config.namespace(),
            };
            self.absorb(build, gathered, made, Some(&config), by)?;
        }
        Ok(())
    }

    /// Where something is configured, for an error.
    pub(super) fn place(&self, kind: &str) -> String {
        format!("in `{}`: {kind}", self.file())
    }

    fn absorb(
        &self,
        build: &Build<'_>,
        gathered: &mut Gathered,
        made: Vec<Resource>,
        config: Option<&Resource>,
        by: ConfiguredBy<'_>,
    ) -> Result<(), KustomizeError> {
        let mut made = made;
        self.prepare(build, &mut made);
        resmap::refuse_twins(&made)?;
        if let Some(origin) = &self.origin {
            let file = match config {
                Some(config) => origin.configured_in(config, self.file_name),
                None => origin.file(self.file_name),
            };
            let text = origin.made_yaml(&file, by);
            for resource in &mut made {
                if resource.metadata_entry("annotations", ORIGIN).is_none() {
                    resource.set_metadata_entry("annotations", ORIGIN, text.clone());
                }
            }
        }
        resmap::absorb(&mut gathered.resources, made)
            .inside(|| format!("merging from generator in `{}`", self.file()))
    }

    fn render(
        &self,
        build: &Build<'_>,
        chart: &HelmChart,
        globals: &HelmGlobals,
    ) -> Result<Vec<Resource>, KustomizeError> {
        let inflation = Inflation {
            loader: self.loader,
            options: build.options,
            charts: build.charts,
            fetched: build.fetched,
            origin: self.made_here(),
        };
        inflation.render(chart, globals)
    }

    /// The plugins that a list names: configurations inline, or files and directories of them.
    pub(super) fn plugins(
        &self,
        build: &mut Build<'_>,
        entries: &[String],
    ) -> Result<Vec<(Resource, Plugin)>, KustomizeError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut configs = Gathered::nothing();
        let mut paths = Vec::new();
        for entry in entries {
            match crate::read::resources(entry.as_bytes(), &self.made_here()) {
                Ok(inline) => resmap::append_all(&mut configs.resources, inline)?,
                Err(_) => paths.push(entry.clone()),
            }
        }
        self.take_in(build, &mut configs, &paths)?;
        let mut plugins = Vec::new();
        for config in configs.resources {
            let source = self.source(build);
            let plugin = plugin::of(&config, self, &source)?;
            plugins.push((config, plugin));
        }
        Ok(plugins)
    }

    /// The directory's own name.
    pub(super) fn directory_name(&self) -> &str {
        self.loader.root().file_name()
    }
}
