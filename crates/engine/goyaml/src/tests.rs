mod emit;
mod json;
mod limits;
mod mutated;
mod splitting;
