//! Runs a little of the comparison with the real program, live; see the module for more.

#![expect(clippy::disallowed_methods, reason = "the real program is run, and reads from disk")]

#[path = "../../../tool/difftest/src/kustomizations/mod.rs"]
mod kustomizations;

/// `KUSTOMIZATIONS="merges 0 1000" cargo test -p kustomize --test differential -- --nocapture`
/// runs that by hand.
#[test]
fn our_builds_are_those_of_the_real_kustomize() {
    let by_hand = std::env::var("KUSTOMIZATIONS").ok();
    let runs = match &by_hand {
        Some(arguments) => vec![arguments.as_str()],
        None => vec!["merges 0 40", "trees 0 1 k-examples", "edits 0 1 k-examples"],
    };
    for arguments in runs {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        kustomizations::run(&arguments).expect("nothing differs");
    }
}
