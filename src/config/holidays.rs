//! The holidays of an organisation: no campaign of it calls on these days, beside the campaign's own.

use super::units;
use paceline_core::campaign::CallingWindows;
use paceline_core::campaign::window::Holiday;

/// A day or a range: `2027-01-01`, `2027-02-05..2027-02-12`.
///
/// # Errors
/// What was found and what to write.
pub fn parse_days(text: &str) -> Result<Holiday, (String, String)> {
    units::parse_holiday(text)
}

/// As [`parse_days`] takes it.
pub fn written(holiday: &Holiday) -> String {
    match holiday.first == holiday.last {
        true => holiday.first.to_string(),
        false => format!("{}..{}", holiday.first, holiday.last),
    }
}

/// Adds an organisation's days to a campaign's own. What a later version wrote in another form is left out.
pub fn add(windows: &mut CallingWindows, days: &[String]) {
    windows.holidays.extend(days.iter().filter_map(|text| parse_days(text).ok()));
    windows.holidays.sort_unstable();
    windows.holidays.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisations_days_join_the_campaigns_own() {
        let mut windows = CallingWindows::daily("Asia/Shanghai", 480, 1200);
        let days =
            ["2027-02-05..2027-02-12".to_owned(), "2027/1/1".into(), "soon".into(), "2027-01-01".into()];
        add(&mut windows, &days);
        let shown: Vec<String> = windows.holidays.iter().map(written).collect();
        assert_eq!(shown, ["2027-01-01", "2027-02-05..2027-02-12"]);
        assert!(parse_days("2027-02-12..2027-02-05").is_err());
    }
}
