//! Turns a request into the bytes of a message. No network, no clock.
