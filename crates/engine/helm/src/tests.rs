mod archives;
mod charts;
mod parts;
mod quick;
mod schemas;
mod setting;
mod support;
