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
}
