//! The table of settings as a page for people.

use crate::key::{Key, Place, State};
use crate::keys;

/// Returns `docs/settings.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         <!-- Printed by `cargo xtask settings-doc` from crates/model/settings/src/keys. -->\n\n\
         Names and defaults are Argo CD's. Changes hold at once, without a restart, unless the\n\
         line says otherwise; the environment is read at the start. An environment variable wins\n\
         over the key beside it. A key that is unknown or stands in the wrong place is\n\
         reported by name. *Not built yet*: reported when it is set, and without effect. *No effect*:\n\
         accepted; it tunes a part that does not exist here.\n",
    );
    for place in Place::ALL {
        let (title, intro) = match place {
            Place::Main => ("ConfigMap `argocd-cm`", ""),
            Place::Parameters => ("ConfigMap `argocd-cmd-params-cm`", ""),
            Place::Rbac => ("ConfigMap `argocd-rbac-cm`", ""),
            Place::Secret => (
                "Secret `argocd-secret`",
                "Other keys may stand there for settings to refer to as `$key`.\n\n",
            ),
            Place::Environment => ("Environment variables that stand in no ConfigMap", ""),
        };
        page.push_str(&format!(
            "\n## {title}\n\n{intro}| Key | Kind | Default | What it does |\n|---|---|---|---|\n"
        ));
        for key in keys::of(place) {
            page.push_str(&row(key));
        }
    }
    page
}

fn row(key: &Key) -> String {
    let code = |text: &str| match text {
        "" => "–".to_owned(),
        text => format!("`{}`", text.replace('|', "\\|")),
    };
    let state = match key.state {
        State::Built => "",
        State::NotBuiltYet => " *Not built yet.*",
        State::NoEffect => " *No effect.*",
    };
    let env = match key.env {
        [] => String::new(),
        env => {
            format!("<br>{}", env.iter().map(|name| code(name)).collect::<Vec<_>>().join("<br>"))
        }
    };
    format!(
        "| {}{env} | {} | {} | {}{state} |\n",
        code(key.name),
        key.kind.describe(),
        code(key.default),
        key.doc
    )
}
