//! Questions to a person in front of a terminal.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::Result;

use super::output::print;

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, to this.
    Yes,
    /// No, to this.
    No,
    /// Yes, to this and all that follow.
    All,
}

/// Whether somebody reads what is printed.
pub fn somebody_reads() -> bool {
    io::stdout().is_terminal()
}

/// Asks until the answer is one of `y`, `n` and, where it may be, `a`. No more input is a no.
pub fn ask(question: &str, all: bool) -> Result<Answer> {
    loop {
        print(question)?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(Answer::No);
        }
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => return Ok(Answer::Yes),
            "n" | "no" => return Ok(Answer::No),
            "a" | "all" if all => return Ok(Answer::All),
            _ => {}
        }
    }
}
