mod emit;
mod json;
mod json_text;
mod limits;
mod mutated;
mod splitting;
