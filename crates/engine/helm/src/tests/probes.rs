//! The probes of the corpus, byte for byte.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

use filetree::{MapTree, TreePath};

use crate::cache::Cache;
use crate::{Profile, Request, render_texts};

use super::support::request;

fn corpus() -> Option<PathBuf> {
    let place = match std::env::var_os("TIPHYS_CORPUS") {
        Some(place) => PathBuf::from(place),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpus"),
    };
    place.join("probes").is_dir().then(|| place.join("probes"))
}

#[test]
fn values_print_as_both_helms_print_them() {
    let Some(probes) = corpus() else {
        println!("skipped: no corpus");
        return;
    };
    let chart = probes.join("helm-values-probe");
    let mut tree = MapTree::new();
    for file in ["Chart.yaml", "values.yaml", "templates/a.txt"] {
        let content = std::fs::read(chart.join(file)).unwrap();
        tree.insert(TreePath::parse(file).unwrap(), &content);
    }
    for (profile, printed) in [(Profile::V4, "v4"), (Profile::V3, "v3")] {
        let expected = std::fs::read(probes.join(format!("helm-values-probe.{printed}.out")));
        let expected = String::from_utf8_lossy(&expected.unwrap()).into_owned();
        // The first line names the template.
        let expected = expected.split_once('\n').map_or("", |(_, text)| text);
        let request = Request {
            release_name: "release-name",
            namespace: "default",
            kube_version: Some("1.33.4-gke.5"),
            profile,
            ..request(&tree)
        };
        let texts =
            render_texts(&request, &mut sprig::Pinned, &mut || false, &Cache::default()).unwrap();
        let ours = String::from_utf8_lossy(&texts[0].text).into_owned();
        for (at, (ours, expected)) in ours.lines().zip(expected.lines()).enumerate() {
            assert_eq!(ours, expected, "{printed} line {}", at + 1);
        }
        assert_eq!(ours.trim_end(), expected.trim_end(), "{printed}");
    }
}
