//! What people look at: folds of the log into rows, and the queries over them.
