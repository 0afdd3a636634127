//! `manifests/crds`: our kinds, as a cluster is told of them.

use anyhow::Result;

use crate::{write_file, yaml};

/// Writes one file a kind.
pub fn write() -> Result<()> {
    for (path, text) in files() {
        write_file(&path, &text)?;
    }
    Ok(())
}

/// Path and text of each file.
fn files() -> Vec<(String, String)> {
    crd::definitions()
        .iter()
        .map(|definition| {
            let name = definition.kind.to_lowercase();
            let text = format!(
                "# Printed by `cargo run -p xtask -- crds` from the tables in crates/model/crd.\n{}",
                yaml::print(&definition.object())
            );
            (format!("manifests/crds/{name}-crd.yaml"), text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_printed_definitions_are_fresh() {
        for (path, text) in super::files() {
            crate::assert_fresh(&path, &text, "crds");
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_object() {
        for ((path, text), definition) in super::files().iter().zip(crd::definitions()) {
            let read = goyaml::to_json(text.as_bytes()).expect("YAML");
            assert!(read == definition.object(), "`{path}` is not what it should be");
        }
    }
}
