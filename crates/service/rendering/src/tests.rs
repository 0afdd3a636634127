mod cache;
mod disk;
mod service;
