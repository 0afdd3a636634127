mod proxy;
mod pure;
mod real;
mod scripted;
