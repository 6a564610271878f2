//! The sample campaign's list: its numbers are unassigned, and its planted faults are all found.

use super::files::read_spec;
use paceline::lists::ListSpec;
use paceline::lists::clean::NumberRanges;
use std::path::Path;

#[test]
fn sample_numbers_are_unassigned_and_the_planted_faults_are_found() {
    let campaigns = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    let spec = ListSpec {
        file: campaigns.join("jade-garden/list.csv"),
        region: "CN".into(),
        blacklists: vec![campaigns.join("blacklist.csv")],
        ..ListSpec::default()
    };
    let read = read_spec(&spec, &[]).expect("the sample list");
    let mut ranges = NumberRanges::default();
    for lead in &read.leads {
        for (number, _) in &lead.phones {
            assert!(!ranges.is_in_use(*number), "row {}: {number} may belong to somebody", lead.row);
        }
    }
    for reason in ["invalid_number", "emergency_number", "duplicate", "blacklisted"] {
        assert!(read.report.refused.contains_key(reason), "no {reason} in {:?}", read.report.refused);
    }
    assert!((290..=320).contains(&read.report.rows_read), "{}", read.report.rows_read);
    assert!(read.report.households > 150 && read.report.households < read.report.leads);
    assert_eq!(read.report.blacklists[1].unreadable, 0);
}
