//! The `sealpost` program.

fn main() {}
