//! The same questions to a real server and to ours, where the real one's programs are.

use kubetest::programs_dir;

use super::Both;
use super::catalog::Catalog;
use super::generate::{self, Taste};

/// How many scenarios of each taste are played: a few seconds.
const SCENARIOS: u64 = 25;

#[test]
fn random_clients_find_no_difference() {
    if programs_dir().is_none() {
        eprintln!("skipped: no kube programs (run `make kube`)");
        return;
    }
    let catalog = Catalog::read().unwrap();
    let both = Both::start(None, &catalog).unwrap();
    for taste in [Taste::Mixed, Taste::Apply, Taste::Read] {
        for seed in 0..SCENARIOS {
            let scenario = generate::scenario(&catalog, seed, taste, None);
            if let Some(difference) = both.difference(&scenario).unwrap() {
                panic!("{taste:?}, seed {seed}: {:#?}", difference.lines);
            }
        }
    }
}
