mod directory;
mod sources;
