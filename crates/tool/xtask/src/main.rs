//! Chores of the house: `cargo xtask CHORE`.

mod kubetypes;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("kubetypes") => kubetypes::run(arguments),
        Some(other) => bail!("no chore is called `{other}`"),
        None => bail!("name a chore: kubetypes"),
    }
}
