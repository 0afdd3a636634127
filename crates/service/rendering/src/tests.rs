mod cache;
mod disk;
mod outside;
mod service;
