//! Runs a little of the comparison with the real program; see the module for more.

#[path = "../../../tool/difftest/src/kustomizations/mod.rs"]
mod kustomizations;

/// `KUSTOMIZATIONS="merges 0 1000" cargo test …` runs that by hand.
#[test]
fn our_builds_are_those_of_the_real_kustomize() {
    if let Ok(arguments) = std::env::var("KUSTOMIZATIONS") {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        kustomizations::run(&arguments).expect("the comparison runs");
    }
}
