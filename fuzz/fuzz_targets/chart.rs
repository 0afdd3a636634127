//! A chart of one template and its values, `\0` in between, within small limits.
#![no_main]

use filetree::{MapTree, TreePath};
use helm::{Cache, ChartSource, Limits, Profile, Request, ValuesFile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (template, values) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let path = |text: &str| TreePath::parse(text).expect("a path");
    let tree = MapTree::new()
        .with(&path("Chart.yaml"), "apiVersion: v2\nname: c\nversion: 1.0.0\n")
        .with(&path("templates/a.yaml"), template);
    let values = [ValuesFile { name: "values".to_owned(), content: values.into() }];
    let request = Request {
        chart: ChartSource::Directory { tree: &tree, path: &TreePath::root() },
        vendored: &[],
        release_name: "r",
        namespace: "n",
        kube_version: None,
        api_versions: &[],
        values_files: &values,
        set: &[],
        set_string: &[],
        set_file: &[],
        read_file: &|_| Err("no files".to_owned()),
        include_definitions: true,
        skip_tests: false,
        skip_schema_validation: false,
        profile: Profile::default(),
        limits: Limits { steps_max: 100_000, bytes_max: 10 << 20 },
        objects: |_| Ok(Vec::new()),
    };
    let mut chance = sprig::Pinned;
    let _ = helm::render(&request, &mut chance, &mut || false, &Cache::default());
});
