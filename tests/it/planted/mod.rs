//! One run of the program into which every kind of personal text and secret is planted, and the search for them.

mod everything;
mod run;
mod search;
mod values;
