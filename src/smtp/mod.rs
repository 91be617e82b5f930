//! The SMTP protocol: `wire` knows its words, `client` speaks it outward.
