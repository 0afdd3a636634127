//! A kustomization with a patch and a resource, `\0` in between.
#![no_main]

use filetree::{MapTree, TreePath};
use kustomize::{Extras, Options, build};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let path = |text: &str| TreePath::parse(text).expect("a path");
    let tree = MapTree::new()
        .with(&path("kustomization.yaml"), next())
        .with(&path("patch.yaml"), next())
        .with(&path("a.yaml"), next());
    let _ = build(&tree, &TreePath::root(), &Options::default(), &Extras::default());
});
