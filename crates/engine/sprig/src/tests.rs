mod impure;
mod rows;
pub(crate) mod template;
mod toml;
