//! Lists read from real files: torture files, encodings, workbooks, blacklists, bytes gone wrong.

mod files;
mod mutation;
mod samples;
