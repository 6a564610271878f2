//! Lists read from real files: malformed files, encodings, workbooks, blacklists, mutated bytes.

mod exports;
mod files;
mod mutation;
mod samples;
mod sheets;
