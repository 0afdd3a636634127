mod archives;
mod charts;
mod parts;
mod schemas;
mod setting;
mod support;
