//! Is this object well?
//!
//! [`assess`] looks at one live object and answers with a health status and a message for
//! people, in the words that Argo CD's users know. It knows the kinds of Kubernetes and some 250
//! kinds of others (`rules`); rules that users write come first ([`Rules`]). It looks at nothing but the object: what an object's children
//! do, the object's own status must say.

mod assess;
mod kinds;
mod object;
mod rules;
mod steps;
mod users;
mod verdicts;

pub use assess::{Health, Rules, assess, is_worse};
pub use users::UserScripts;

#[cfg(test)]
mod tests;
