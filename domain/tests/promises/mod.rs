//! What is promised to the readers of the log, one file each: wire form, sealing, cqrs-es, pages.

mod cqrs;
mod file;
mod page;
mod sealing;
mod visitor;
mod wire_form;
