pub(crate) mod expression;
mod impure;
mod rows;
