//! From a line of a file to a batch: record, tokens, ids, example.
