mod data;
mod limits;
mod tables;
mod world;
