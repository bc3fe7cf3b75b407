//! kamen-dos-samples: to be written.
