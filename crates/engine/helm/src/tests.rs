mod archives;
mod charts;
mod parts;
mod probes;
mod quick;
mod schemas;
mod setting;
mod support;
