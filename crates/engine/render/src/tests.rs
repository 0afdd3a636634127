mod charts;
mod directory;
mod known;
mod sources;
