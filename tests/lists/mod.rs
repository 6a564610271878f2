//! Lists read from real files: malformed files, encodings, workbooks, blacklists, mutated bytes.

mod files;
mod mutation;
mod samples;
