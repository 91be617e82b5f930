//! What Sealpost decides. No IO, clock, randomness or `async` of its own: all that arrives in the command.
