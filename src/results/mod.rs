//! Results: attempts, leads and the summary as files for people and scripts.
