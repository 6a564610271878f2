//! The digits that leave on a trunk: a number in the form that the carrier wants, built from the number and the
//! plan of its country, never by gluing strings; then the trunk's own prefix rules.

use paceline_core::campaign::HomeCountry;
use paceline_core::number::{PhoneNumber, ShownNumber};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a number is written when it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NumberForm {
    /// `+8675512345678`, `+442079460906`.
    #[serde(rename = "+e164")]
    PlusE164,
    /// `8675512345678`, `442079460906`.
    #[serde(rename = "e164")]
    E164,
    /// As within the country, without its trunk prefix: `75512345678`, `2079460906`. A number of another country
    /// begins with the international prefix: `00442079460906`.
    #[serde(rename = "national")]
    National,
    /// As dialled within the country, with its trunk prefix where one is dialled: `075512345678`,
    /// `13800138000`, `02079460906`. A number of another country as in `national`.
    #[serde(rename = "national_trunk_prefix")]
    NationalTrunkPrefix,
}

/// How one trunk wants its numbers. A form of `None` is the form of China: `075512345678`, `13800138000`, and
/// `00` before the number of another country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialPlan {
    pub number_form: Option<NumberForm>,
    pub caller_id_form: Option<NumberForm>,
    /// Country of the carrier (ISO 3166 alpha-2); empty = the country of the campaign's list.
    pub region: String,
    /// Taken off the callee's number, then put before it.
    pub strip_prefix: String,
    pub add_prefix: String,
}

/// A number in some form, and whether it is written as one of another country.
struct Written {
    text: String,
    is_foreign: bool,
}

impl DialPlan {
    /// User part of the request URI for this callee. `list_region` = country of the campaign's list.
    pub fn callee(&self, number: PhoneNumber, list_region: &str) -> String {
        let written = self.write(self.number_form, number.into(), list_region);
        let strip = self.strip_prefix.as_str();
        if !written.is_foreign {
            let rest = written.text.strip_prefix(strip).unwrap_or(&written.text);
            return format!("{}{rest}", self.add_prefix);
        }
        // A country code put before the number of another country would make a stranger's number of it, and a
        // trunk prefix taken off its `00` would do the same.
        let digits = number.as_u64();
        match self.add_prefix.as_str() {
            add if add.starts_with('+') => format!("+{digits}"),
            add if add.starts_with("00") => format!("00{digits}"),
            "86" => digits.to_string(),
            add if strip.starts_with("00") => {
                format!("{add}{}", written.text.strip_prefix(strip).unwrap_or(&written.text))
            }
            add => format!("{add}{}", written.text),
        }
    }

    /// The shown number as this trunk sends it.
    pub fn caller_id(&self, number: ShownNumber, list_region: &str) -> String {
        self.write(self.caller_id_form, number, list_region).text
    }

    fn write(&self, form: Option<NumberForm>, number: ShownNumber, list_region: &str) -> Written {
        let home = [self.region.as_str(), list_region].into_iter().find(|region| !region.is_empty());
        let digits = number.as_u64().to_string();
        let whole = |text: String| Written { text, is_foreign: false };
        match form {
            None => {
                let text = number.national();
                Written { is_foreign: text.starts_with("00"), text }
            }
            Some(NumberForm::PlusE164) => whole(format!("+{digits}")),
            Some(NumberForm::E164) => whole(digits),
            Some(NumberForm::National) => national(number, home.unwrap_or("CN"), false),
            Some(NumberForm::NationalTrunkPrefix) => national(number, home.unwrap_or("CN"), true),
        }
    }

    /// Settings that contradict each other: the key, what was found, what to do.
    pub fn contradictions(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut faults = Vec::new();
        if !self.region.is_empty() && !is_region(&self.region) {
            let found = format!("`{}` is no country", self.region.escape_debug());
            faults.push(("region", found, "write its two letters, for example CN or GB"));
        }
        let (strip, add) = (self.strip_prefix.as_str(), self.add_prefix.as_str());
        let mut fault = |key, found: String, hint| faults.push((key, found, hint));
        match self.number_form {
            None => {}
            Some(NumberForm::PlusE164) => {
                if !strip.is_empty() {
                    let found = format!("strip_prefix = {strip:?} with number_form = \"+e164\"");
                    fault(
                        "strip_prefix",
                        found,
                        "remove it, or write the number_form that the carrier wants",
                    );
                }
                if !add.is_empty() {
                    let found = format!("add_prefix = {add:?} before the plus of number_form = \"+e164\"");
                    fault("add_prefix", found, "remove it, or write number_form = \"e164\"");
                }
            }
            Some(NumberForm::E164) => {
                if strip.starts_with(['0', '+']) {
                    let found = format!("strip_prefix = {strip:?}, but no country code begins with it");
                    fault("strip_prefix", found, "remove it");
                }
                if add.starts_with('+') {
                    let found = format!("add_prefix = {add:?} with number_form = \"e164\"");
                    fault("add_prefix", found, "write number_form = \"+e164\" without add_prefix");
                }
            }
            Some(form @ (NumberForm::National | NumberForm::NationalTrunkPrefix)) => {
                let word = if form == NumberForm::National { "national" } else { "national_trunk_prefix" };
                if strip.starts_with(['0', '+']) {
                    let found = format!("strip_prefix = {strip:?} with number_form = {word:?}");
                    fault("strip_prefix", found, "remove it: \"national\" has no trunk prefix");
                }
                if add.starts_with(['0', '+']) || add == "86" {
                    let found = format!("add_prefix = {add:?} with number_form = {word:?}");
                    let hint = "remove it: \"+e164\" and \"e164\" have the country code, \
                                \"national_trunk_prefix\" the 0";
                    fault("add_prefix", found, hint);
                }
            }
        }
        faults
    }
}

/// Numbers by which the forms of a trunk can be shown: two of the country, and one of another.
pub fn examples(region: &str) -> Vec<PhoneNumber> {
    let texts = match region {
        "" | "CN" => ["8613800138000", "8675512345678", "442079460906"].map(str::to_owned).to_vec(),
        _ => {
            let home = region.to_ascii_uppercase().parse::<Region>().ok();
            let home = home.and_then(|home| PHONE_NUMBER_UTIL.get_example_number(home).ok());
            let home = home.map(|number| dialled(&number.format_as(PhoneNumberFormat::E164)));
            home.into_iter().chain(["8613800138000".to_owned()]).collect()
        }
    };
    let digits = texts.iter().filter_map(|text| text.trim_start_matches('+').parse().ok());
    digits.filter_map(PhoneNumber::from_e164).collect()
}

/// Whether these two letters name a country with a number plan.
pub fn is_region(text: &str) -> bool {
    let region = text.to_ascii_uppercase().parse::<Region>();
    text.len() == 2
        && region.is_ok_and(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some())
}

/// The country of a list, for the patterns of trunks. `region` = ISO 3166 alpha-2; empty or unknown = China, as lists
/// read their numbers.
pub fn home_country(region: &str) -> HomeCountry {
    let home = region.to_ascii_uppercase().parse::<Region>().ok();
    let plan = |home: Region| Some((home, PHONE_NUMBER_UTIL.get_country_code_for_region(home)?));
    let Some((home, code)) = home.and_then(plan) else { return HomeCountry::china() };
    let Some(code) = u16::try_from(code).ok().filter(|code| *code != 86) else { return HomeCountry::china() };
    let areas = match (code, home) {
        (1, home) => north_american_areas(home),
        (7, Region::KZ) => (600..800).collect(),
        (7, _) => (300..600).chain(800..1000).collect(),
        _ => Vec::new(),
    };
    HomeCountry { code, trunk_prefix: trunk_prefix(region), areas }
}

/// What is dialled before a number within the country: the difference between the two national forms of its example.
fn trunk_prefix(region: &str) -> String {
    let Some(example) = examples(region).first().copied() else { return String::new() };
    let [with, without] = [true, false].map(|with| national(example.into(), region, with).text);
    with.strip_suffix(&without).unwrap_or_default().to_owned()
}

/// Area codes of one country of the North American plan. Toll-free numbers are every country's; what is no area
/// code of any country (a new one) is left out.
fn north_american_areas(home: Region) -> Vec<u16> {
    const TOLL_FREE: [u16; 7] = [800, 833, 844, 855, 866, 877, 888];
    let is_of_home = |area: &u16| {
        let number = PHONE_NUMBER_UTIL.parse(format!("+1{area}2345678"), None).ok();
        let region = number.and_then(|number| number.get_region_code());
        region == Some(home) || TOLL_FREE.contains(area)
    };
    (200..1000).filter(is_of_home).collect()
}

fn national(number: ShownNumber, home: &str, with_trunk_prefix: bool) -> Written {
    let digits = number.as_u64().to_string();
    let foreign = |text: String| Written { text, is_foreign: true };
    if home.eq_ignore_ascii_case("CN") {
        // The core knows China's plan, service numbers included.
        return match digits.strip_prefix("86") {
            Some(_) if with_trunk_prefix => Written { text: number.national(), is_foreign: false },
            Some(rest) => Written { text: rest.to_owned(), is_foreign: false },
            None => foreign(format!("00{digits}")),
        };
    }
    let by_idd = || foreign(format!("00{digits}"));
    let Ok(home) = home.to_ascii_uppercase().parse::<Region>() else { return by_idd() };
    let Ok(parsed) = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None) else { return by_idd() };
    let code = parsed.country_code.to_string();
    if PHONE_NUMBER_UTIL.get_country_code_for_region(home).map(|code| code.to_string()) != Some(code.clone())
    {
        return foreign(dialled(&parsed.format_out_of_country_calling_number(home)));
    }
    // E.164 keeps a leading zero that belongs to the number (Italy).
    let subscriber = digits.strip_prefix(&code).unwrap_or(&digits).to_owned();
    if !with_trunk_prefix {
        return Written { text: subscriber, is_foreign: false };
    }
    let mut text = dialled(&parsed.format_as(PhoneNumberFormat::National));
    // North America dials its trunk prefix and does not write it.
    if code == "1" && text == subscriber {
        text.insert(0, '1');
    }
    Written { text, is_foreign: false }
}

/// The digits of a formatted number, and a plus sign at its start.
fn dialled(text: &str) -> String {
    let plus = text.trim_start().starts_with('+');
    plus.then_some('+').into_iter().chain(text.chars().filter(char::is_ascii_digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use NumberForm::*;

    fn number(digits: u64) -> PhoneNumber {
        PhoneNumber::from_e164(digits).expect("a number")
    }

    fn callee(form: Option<NumberForm>, digits: u64, region: &str) -> String {
        DialPlan { number_form: form, ..DialPlan::default() }.callee(number(digits), region)
    }

    /// Number, region, and the number in each form.
    #[rustfmt::skip]
    const TABLE: &[(u64, &str, &str, &str)] = &[
        // (number, region, national, national_trunk_prefix)
        (8_613_800_138_000, "CN", "13800138000",      "13800138000"),
        (8_675_512_345_678, "CN", "75512345678",      "075512345678"),
        (861_062_345_678,   "",   "1062345678",       "01062345678"),
        (864_001_234_567,   "CN", "4001234567",       "4001234567"),
        (442_079_460_906,   "CN", "00442079460906",   "00442079460906"),
        (886_223_456_789,   "CN", "00886223456789",   "00886223456789"),
        (442_079_460_906,   "GB", "2079460906",       "02079460906"),
        (447_911_123_456,   "gb", "7911123456",       "07911123456"),
        (8_613_800_138_000, "GB", "008613800138000",  "008613800138000"),
        (14_155_550_100,    "US", "4155550100",       "14155550100"),
        (14_165_550_100,    "US", "4165550100",       "14165550100"),
        (442_079_460_906,   "US", "011442079460906",  "011442079460906"),
        (493_012_345_678,   "DE", "3012345678",       "03012345678"),
        (390_612_345_678,   "IT", "0612345678",       "0612345678"),
        (393_123_456_789,   "IT", "3123456789",       "3123456789"),
        (34_912_345_678,    "ES", "912345678",        "912345678"),
        (79_161_234_567,    "RU", "9161234567",       "89161234567"),
        (81_312_345_678,    "JP", "312345678",        "0312345678"),
        (8_613_800_138_000, "JP", "0108613800138000", "0108613800138000"),
        (85_223_456_789,    "HK", "23456789",         "23456789"),
    ];

    #[test]
    fn every_form_is_built_from_the_number() {
        for &(digits, region, without, with) in TABLE {
            assert_eq!(callee(Some(National), digits, region), without, "{digits} {region}");
            assert_eq!(callee(Some(NationalTrunkPrefix), digits, region), with, "{digits} {region}");
            assert_eq!(callee(Some(PlusE164), digits, region), format!("+{digits}"));
            assert_eq!(callee(Some(E164), digits, region), digits.to_string());
        }
    }

    #[test]
    fn without_a_form_a_number_leaves_as_it_is_dialled_in_china() {
        for &(digits, region, ..) in TABLE {
            assert_eq!(callee(None, digits, region), number(digits).national(), "{digits} {region}");
        }
    }

    #[test]
    fn a_country_code_is_never_put_before_a_number_of_another_country() {
        for (strip, add, home, abroad) in [
            ("0", "+86", "+8675512345678", "+442079460906"),
            ("0", "0086", "008675512345678", "00442079460906"),
            ("0", "86", "8675512345678", "442079460906"),
            ("0", "9", "975512345678", "900442079460906"),
            ("", "9", "9075512345678", "900442079460906"),
            ("00", "+", "+075512345678", "+442079460906"),
            ("00", "9", "9075512345678", "9442079460906"),
        ] {
            let plan = DialPlan { strip_prefix: strip.into(), add_prefix: add.into(), ..DialPlan::default() };
            assert_eq!(plan.callee(number(8_675_512_345_678), "CN"), home, "{strip} {add}");
            assert_eq!(plan.callee(number(442_079_460_906), "CN"), abroad, "{strip} {add}");
        }
    }

    #[test]
    fn the_caller_id_has_a_form_of_its_own_and_no_prefix() {
        let plan = DialPlan {
            caller_id_form: Some(PlusE164),
            add_prefix: "9".into(),
            region: "CN".into(),
            ..DialPlan::default()
        };
        assert_eq!(plan.caller_id(number(8_675_512_345_678).into(), "GB"), "+8675512345678");
        assert_eq!(plan.callee(number(8_675_512_345_678), "GB"), "9075512345678");
        let service = ShownNumber::chinese_service(b"95188").expect("a service number");
        for (form, text) in [
            (None, "95188"),
            (Some(PlusE164), "+8695188"),
            (Some(E164), "8695188"),
            (Some(National), "95188"),
            (Some(NationalTrunkPrefix), "95188"),
        ] {
            let plan = DialPlan { caller_id_form: form, ..DialPlan::default() };
            assert_eq!(plan.caller_id(service, "CN"), text);
        }
    }

    #[test]
    fn the_country_of_the_carrier_wins_over_that_of_the_list() {
        let plan = DialPlan { number_form: Some(National), region: "GB".into(), ..DialPlan::default() };
        assert_eq!(plan.callee(number(442_079_460_906), "CN"), "2079460906");
        assert_eq!(plan.callee(number(8_613_800_138_000), "CN"), "008613800138000");
    }

    #[test]
    fn every_country_has_examples() {
        for region in ["CN", "", "GB", "us", "DE", "JP", "IN", "BR"] {
            let all = examples(region);
            assert!(all.len() >= 2, "{region}: {all:?}");
        }
        assert_eq!(examples("no").len(), 2);
    }

    /// Under every form, two numbers never leave as the same digits, so no stranger is rung. The digits name
    /// the number again.
    #[test]
    fn two_numbers_never_leave_as_the_same_digits() {
        for region in ["CN", "GB", "US", "DE", "JP"] {
            for form in [None, Some(PlusE164), Some(E164), Some(National), Some(NationalTrunkPrefix)] {
                let mut seen = std::collections::BTreeMap::new();
                for &(digits, ..) in TABLE {
                    let text = callee(form, digits, region);
                    let before = seen.insert(text.clone(), digits);
                    assert!(before.is_none_or(|before| before == digits), "{text}: {before:?} and {digits}");
                }
            }
        }
    }

    #[test]
    fn the_home_country_has_its_own_numbers_alone() {
        for (region, code, prefix) in
            [("", 86, "0"), ("CN", 86, "0"), ("GB", 44, "0"), ("us", 1, "1"), ("HK", 852, ""), ("IT", 39, "")]
        {
            let home = home_country(region);
            assert_eq!((home.code, home.trunk_prefix.as_str()), (code, prefix), "{region}");
        }
        for (region, digits, is_home) in [
            ("US", 14_155_550_100, true),
            ("US", 18_005_550_100, true),
            ("US", 14_165_550_100, false),
            ("US", 18_765_550_100, false),
            ("CA", 14_165_550_100, true),
            ("CA", 18_005_550_100, true),
            ("JM", 18_765_550_100, true),
            ("RU", 79_161_234_567, true),
            ("RU", 77_011_234_567, false),
            ("KZ", 77_011_234_567, true),
            ("GB", 8_613_800_138_000, false),
        ] {
            assert_eq!(home_country(region).has(number(digits)), is_home, "{region} {digits}");
        }
    }

    #[test]
    fn contradictions_are_named() {
        let faults = |form, strip: &str, add: &str| {
            let plan = DialPlan {
                number_form: form,
                strip_prefix: strip.into(),
                add_prefix: add.into(),
                ..DialPlan::default()
            };
            plan.contradictions().into_iter().map(|(key, ..)| key).collect::<Vec<_>>()
        };
        assert!(faults(None, "0", "+86").is_empty());
        assert_eq!(faults(Some(PlusE164), "0", "+86"), ["strip_prefix", "add_prefix"]);
        assert_eq!(faults(Some(E164), "", "+"), ["add_prefix"]);
        assert_eq!(faults(Some(E164), "0", "00"), ["strip_prefix"]);
        assert_eq!(faults(Some(National), "0", "86"), ["strip_prefix", "add_prefix"]);
        assert!(faults(Some(E164), "86", "9").is_empty());
        assert!(faults(Some(NationalTrunkPrefix), "", "9").is_empty());
        let plan = DialPlan { region: "XX".into(), ..DialPlan::default() };
        assert_eq!(plan.contradictions()[0].0, "region");
    }
}
