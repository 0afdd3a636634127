mod charts;
mod directory;
mod sources;
