mod pure;
mod proxy;
mod real;
mod scripted;
