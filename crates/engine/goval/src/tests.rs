mod data;
mod json;
mod nesting;
mod numbers;
mod printing;
mod quoting;
