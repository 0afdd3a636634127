//! `docs/settings.md`: the table of settings.

use anyhow::Result;

use crate::write_file;

const PATH: &str = "docs/settings.md";

/// Writes the page.
pub fn write() -> Result<()> {
    write_file(PATH, &settings::docs_page())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_printed_settings_are_fresh() {
        crate::assert_fresh(super::PATH, &settings::docs_page(), "settings-doc");
    }

    #[test]
    fn what_an_installation_begins_with_reads_without_a_fault() {
        let mut raw = settings::RawSettings::default();
        for object in settings::initial_objects("argocd") {
            raw.take(&object);
        }
        let yaml = |text: &str| goyaml::to_json(text.as_bytes()).map_err(|cause| cause.to_string());
        let (read, problems) = settings::Settings::read(&raw, &yaml);
        assert_eq!(problems, []);
        assert_eq!(read.resources.filter.exclusions.len(), 7);
        let ignored = read.resources.ignored_updates();
        assert_eq!(ignored["argoproj.io/Application"].jq_path_expressions.len(), 6);
    }
}
