//! Any bytes as a list: no panic, and every row that was read is counted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paceline::lists::{Batch, ListSpec, import};
use std::convert::Infallible;

fuzz_target!(|data: &[u8]| {
    let file = std::env::temp_dir().join(format!("paceline-fuzz-{}.csv", std::process::id()));
    std::fs::write(&file, data).expect("a temporary file");
    let spec = ListSpec { file, ..ListSpec::default() };
    let mut rows = 0;
    let report = import(&spec, &mut std::iter::empty(), &mut |batch: &Batch| {
        rows += (batch.leads.len() + batch.refused.len()) as u64;
        Ok::<(), Infallible>(())
    });
    if let Ok(report) = report {
        assert!(report.reconciles());
        assert_eq!(report.rows_read, rows);
    }
});
