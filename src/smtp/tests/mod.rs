//! Lets the client talk to our own receiver and to scripted servers that misbehave, over loopback.

mod certificates;
mod doubt;
mod greeting;
mod login;
mod mailroom;
mod pipelining;
mod receiver;
mod script;
mod securing;
mod securing_badly;
mod transacting;
