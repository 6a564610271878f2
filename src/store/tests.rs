//! The store against itself and against the disk.
