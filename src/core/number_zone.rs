//! The time zones in which a number's owner may be: by country code, in North America by area code. Where a country
//! or an area code has several zones, all of them are given, and calling hours must hold in each.
//!
//! Sources: ITU E.164 country codes, the NANPA area code maps, the IANA time zone database. An area code that is
//! not in the table (a new overlay, a toll-free number) has every zone of its country code.

use crate::number::PhoneNumber;

/// The zones of a number. Empty = the country is not in the table.
pub fn zones_of_number(number: PhoneNumber) -> &'static [&'static str] {
    let digits = number.as_u64();
    let len = digits.ilog10() + 1;
    let leading = |count: u32| digits / 10u64.pow(len - count);
    if leading(1) == 1 && len == 11 {
        return zones_of_area(leading(4) - 1_000);
    }
    (1..=3)
        .rev()
        .map(|count| zones_of_country(leading(count)))
        .find(|zones| !zones.is_empty())
        .unwrap_or_default()
}

/// The zones of a country calling code. Empty = not in the table.
pub fn zones_of_country(code: u64) -> &'static [&'static str] {
    let found = COUNTRIES.binary_search_by_key(&code, |(code, _)| u64::from(*code));
    found.map_or(&[], |at| COUNTRIES[at].1)
}

/// The zones of an area code of the North American numbering plan.
fn zones_of_area(area: u64) -> &'static [&'static str] {
    let listed = AREAS.iter().find(|(_, areas)| areas.iter().any(|listed| u64::from(*listed) == area));
    listed.map_or(NORTH_AMERICA, |(zones, _)| zones)
}

const NORTH_AMERICA: &[&str] = &[
    "America/St_Johns",
    "America/Halifax",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
];

type Areas = (&'static [&'static str], &'static [u16]);

#[rustfmt::skip]
const AREAS: &[Areas] = &[
    (&["America/New_York"], &[
        201, 202, 203, 207, 212, 215, 216, 220, 223, 227, 229, 231, 234, 239, 240, 248, 252, 260, 267, 269, 272, 276, 283, 301,
        302, 304, 305, 313, 315, 317, 321, 324, 326, 329, 330, 332, 336, 339, 347, 351, 352, 363, 380, 386, 401, 404, 407, 410,
        412, 413, 419, 434, 436, 440, 443, 445, 463, 470, 472, 475, 478, 484, 502, 508, 513, 516, 517, 518, 540, 551, 561, 567,
        570, 571, 582, 585, 586, 603, 607, 609, 610, 614, 616, 617, 624, 631, 640, 645, 646, 656, 667, 678, 679, 680, 681, 686,
        689, 703, 704, 706, 716, 717, 718, 724, 727, 728, 732, 734, 740, 743, 754, 757, 762, 765, 770, 771, 772, 774, 781, 786,
        802, 803, 804, 810, 813, 814, 826, 828, 835, 838, 839, 843, 845, 848, 854, 856, 857, 859, 860, 862, 863, 864, 865, 878,
        904, 908, 910, 912, 914, 917, 919, 929, 934, 937, 941, 943, 947, 948, 954, 959, 973, 978, 980, 984, 989,
    ]),
    // Western Kentucky, southern and northern Indiana, eastern Tennessee, Michigan's Upper Peninsula, Florida's panhandle.
    (&["America/New_York", "America/Chicago"], &[270, 364, 423, 448, 574, 606, 812, 850, 906, 930]),
    (&["America/Chicago"], &[
        205, 210, 214, 217, 218, 219, 224, 225, 228, 235, 251, 254, 256, 262, 274, 281, 309, 312, 314, 316, 318, 319, 320, 325,
        327, 331, 334, 337, 346, 353, 361, 402, 405, 409, 414, 417, 430, 447, 457, 464, 469, 471, 479, 501, 504, 507, 512, 515,
        531, 534, 539, 557, 563, 572, 573, 580, 601, 608, 612, 615, 618, 621, 629, 630, 636, 641, 651, 659, 660, 662, 682, 708,
        712, 713, 715, 726, 730, 731, 737, 763, 769, 773, 779, 806, 815, 816, 817, 830, 832, 847, 861, 870, 872, 901, 903, 913,
        918, 920, 924, 931, 936, 938, 940, 945, 952, 956, 972, 975, 979, 985,
    ]),
    // Western Kansas, Nebraska, the Dakotas, west Texas.
    (&["America/Chicago", "America/Denver"], &[308, 432, 605, 620, 701, 785]),
    (&["America/Denver"], &[303, 307, 385, 406, 435, 505, 575, 719, 720, 801, 915, 970, 983]),
    // Idaho, eastern Oregon, Nevada's border.
    (&["America/Denver", "America/Los_Angeles"], &[208, 458, 541, 775, 986]),
    (&["America/Phoenix"], &[480, 520, 602, 623]),
    // The Navajo Nation keeps daylight saving time.
    (&["America/Phoenix", "America/Denver"], &[928]),
    (&["America/Los_Angeles"], &[
        206, 209, 213, 253, 279, 310, 323, 341, 350, 357, 360, 369, 408, 415, 424, 425, 442, 503, 509, 510, 530, 559, 562, 564,
        619, 626, 628, 650, 657, 661, 669, 702, 707, 714, 725, 738, 747, 760, 805, 818, 820, 831, 837, 840, 858, 909, 916, 925,
        949, 951, 971,
    ]),
    (&["America/Anchorage", "America/Adak"], &[907]),
    (&["Pacific/Honolulu"], &[808]),
    (&["America/Toronto"], &[
        226, 249, 263, 289, 343, 354, 365, 382, 416, 437, 438, 450, 468, 514, 519, 548, 579, 613, 647, 683, 705, 742, 753, 819,
        873, 905, 942,
    ]),
    (&["America/Toronto", "America/Halifax"], &[367, 418, 581]),
    (&["America/Toronto", "America/Winnipeg"], &[807]),
    (&["America/Halifax"], &[428, 506, 782, 902]),
    (&["America/St_Johns", "America/Halifax"], &[709, 879]),
    (&["America/Winnipeg"], &[204, 431, 584]),
    (&["America/Regina", "America/Edmonton"], &[306, 474, 639]),
    (&["America/Edmonton"], &[368, 403, 587, 780, 825]),
    (&["America/Vancouver", "America/Edmonton", "America/Dawson_Creek"], &[236, 250, 257, 604, 672, 778]),
    (&["America/Whitehorse", "America/Edmonton", "America/Winnipeg", "America/Toronto"], &[867]),
    (&["America/Puerto_Rico"], &[264, 268, 284, 340, 473, 664, 721, 758, 767, 784, 787, 869, 939]),
    (&["America/Santo_Domingo"], &[809, 829, 849]),
    (&["America/Jamaica"], &[345, 658, 876]),
    (&["America/Nassau"], &[242]),
    (&["America/Grand_Turk"], &[649]),
    (&["America/Port_of_Spain"], &[868]),
    (&["America/Barbados"], &[246]),
    (&["Atlantic/Bermuda"], &[441]),
    (&["Pacific/Guam"], &[670, 671]),
    (&["Pacific/Pago_Pago"], &[684]),
];

/// Country calling codes, ascending.
#[rustfmt::skip]
const COUNTRIES: &[(u16, &[&str])] = &[
    (1, NORTH_AMERICA),
    (7, &["Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Almaty",
          "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka"]),
    (20, &["Africa/Cairo"]), (27, &["Africa/Johannesburg"]),
    (30, &["Europe/Athens"]), (31, &["Europe/Amsterdam"]), (32, &["Europe/Brussels"]), (33, &["Europe/Paris"]),
    (34, &["Europe/Madrid", "Atlantic/Canary"]), (36, &["Europe/Budapest"]), (39, &["Europe/Rome"]),
    (40, &["Europe/Bucharest"]), (41, &["Europe/Zurich"]), (43, &["Europe/Vienna"]), (44, &["Europe/London"]),
    (45, &["Europe/Copenhagen"]), (46, &["Europe/Stockholm"]), (47, &["Europe/Oslo"]), (48, &["Europe/Warsaw"]),
    (49, &["Europe/Berlin"]), (51, &["America/Lima"]),
    (52, &["America/Mexico_City", "America/Cancun", "America/Hermosillo", "America/Mazatlan", "America/Tijuana"]),
    (53, &["America/Havana"]), (54, &["America/Argentina/Buenos_Aires"]),
    (55, &["America/Noronha", "America/Sao_Paulo", "America/Manaus", "America/Rio_Branco"]),
    (56, &["America/Santiago", "America/Punta_Arenas", "Pacific/Easter"]), (57, &["America/Bogota"]),
    (58, &["America/Caracas"]), (60, &["Asia/Kuala_Lumpur"]),
    (61, &["Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Australia/Darwin", "Australia/Perth"]),
    (62, &["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]), (63, &["Asia/Manila"]),
    (64, &["Pacific/Auckland", "Pacific/Chatham"]), (65, &["Asia/Singapore"]), (66, &["Asia/Bangkok"]),
    (81, &["Asia/Tokyo"]), (82, &["Asia/Seoul"]), (84, &["Asia/Ho_Chi_Minh"]), (86, &["Asia/Shanghai"]),
    (90, &["Europe/Istanbul"]), (91, &["Asia/Kolkata"]), (92, &["Asia/Karachi"]), (93, &["Asia/Kabul"]),
    (94, &["Asia/Colombo"]), (95, &["Asia/Yangon"]), (98, &["Asia/Tehran"]),
    (211, &["Africa/Juba"]), (212, &["Africa/Casablanca"]), (213, &["Africa/Algiers"]), (216, &["Africa/Tunis"]),
    (218, &["Africa/Tripoli"]), (221, &["Africa/Dakar"]), (225, &["Africa/Abidjan"]), (233, &["Africa/Accra"]),
    (234, &["Africa/Lagos"]), (237, &["Africa/Douala"]), (243, &["Africa/Kinshasa", "Africa/Lubumbashi"]),
    (244, &["Africa/Luanda"]), (249, &["Africa/Khartoum"]), (250, &["Africa/Kigali"]), (251, &["Africa/Addis_Ababa"]),
    (254, &["Africa/Nairobi"]), (255, &["Africa/Dar_es_Salaam"]), (256, &["Africa/Kampala"]), (258, &["Africa/Maputo"]),
    (260, &["Africa/Lusaka"]), (263, &["Africa/Harare"]), (264, &["Africa/Windhoek"]), (267, &["Africa/Gaborone"]),
    (351, &["Europe/Lisbon", "Atlantic/Azores"]), (352, &["Europe/Luxembourg"]), (353, &["Europe/Dublin"]),
    (354, &["Atlantic/Reykjavik"]), (355, &["Europe/Tirane"]), (356, &["Europe/Malta"]), (357, &["Asia/Nicosia"]),
    (358, &["Europe/Helsinki"]), (359, &["Europe/Sofia"]), (370, &["Europe/Vilnius"]), (371, &["Europe/Riga"]),
    (372, &["Europe/Tallinn"]), (373, &["Europe/Chisinau"]), (374, &["Asia/Yerevan"]), (375, &["Europe/Minsk"]),
    (380, &["Europe/Kyiv"]), (381, &["Europe/Belgrade"]), (382, &["Europe/Podgorica"]), (385, &["Europe/Zagreb"]),
    (386, &["Europe/Ljubljana"]), (387, &["Europe/Sarajevo"]), (389, &["Europe/Skopje"]), (420, &["Europe/Prague"]),
    (421, &["Europe/Bratislava"]), (423, &["Europe/Vaduz"]),
    (501, &["America/Belize"]), (502, &["America/Guatemala"]), (503, &["America/El_Salvador"]),
    (504, &["America/Tegucigalpa"]), (505, &["America/Managua"]), (506, &["America/Costa_Rica"]),
    (507, &["America/Panama"]), (509, &["America/Port-au-Prince"]), (591, &["America/La_Paz"]), (592, &["America/Guyana"]),
    (593, &["America/Guayaquil", "Pacific/Galapagos"]), (595, &["America/Asuncion"]), (597, &["America/Paramaribo"]),
    (598, &["America/Montevideo"]),
    (673, &["Asia/Brunei"]), (675, &["Pacific/Port_Moresby", "Pacific/Bougainville"]), (679, &["Pacific/Fiji"]),
    (852, &["Asia/Hong_Kong"]), (853, &["Asia/Macau"]), (855, &["Asia/Phnom_Penh"]), (856, &["Asia/Vientiane"]),
    (880, &["Asia/Dhaka"]), (886, &["Asia/Taipei"]),
    (960, &["Indian/Maldives"]), (961, &["Asia/Beirut"]), (962, &["Asia/Amman"]), (963, &["Asia/Damascus"]),
    (964, &["Asia/Baghdad"]), (965, &["Asia/Kuwait"]), (966, &["Asia/Riyadh"]), (967, &["Asia/Aden"]),
    (968, &["Asia/Muscat"]), (970, &["Asia/Gaza", "Asia/Hebron"]), (971, &["Asia/Dubai"]), (972, &["Asia/Jerusalem"]),
    (973, &["Asia/Bahrain"]), (974, &["Asia/Qatar"]), (975, &["Asia/Thimphu"]), (976, &["Asia/Ulaanbaatar", "Asia/Hovd"]),
    (977, &["Asia/Kathmandu"]), (992, &["Asia/Dushanbe"]), (993, &["Asia/Ashgabat"]), (994, &["Asia/Baku"]),
    (995, &["Asia/Tbilisi"]), (996, &["Asia/Bishkek"]), (998, &["Asia/Tashkent"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn zones(digits: u64) -> &'static [&'static str] {
        zones_of_number(PhoneNumber::from_e164(digits).expect("a number"))
    }

    #[test]
    fn a_number_has_the_zones_of_its_country_or_area() {
        assert_eq!(zones(8_613_800_138_000), ["Asia/Shanghai"]);
        assert_eq!(zones(14_155_550_171), ["America/Los_Angeles"]);
        assert_eq!(zones(12_125_550_172), ["America/New_York"]);
        assert_eq!(zones(442_079_460_929), ["Europe/London"]);
        assert_eq!(zones(85_221_234_567), ["Asia/Hong_Kong"]);
        assert_eq!(zones(18_005_550_100), NORTH_AMERICA, "a toll-free number may ring anywhere");
        assert_eq!(zones(79_161_234_567).len(), 12);
        assert!(zones(88_161_234_567_890).is_empty(), "satellite phones have no zone");
    }

    #[test]
    fn every_zone_is_known_and_no_code_stands_twice() {
        let listed = AREAS.iter().map(|(zones, _)| *zones).chain(COUNTRIES.iter().map(|(_, zones)| *zones));
        for zone in listed.flatten() {
            assert!(crate::campaign::CallingWindows::timezone_known(zone), "{zone}");
        }
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0), "ascending, each once");
        let mut areas = BTreeSet::new();
        for area in AREAS.iter().flat_map(|(_, areas)| *areas) {
            assert!(areas.insert(*area), "{area} stands twice");
            assert!((201..=989).contains(area));
        }
    }
}
