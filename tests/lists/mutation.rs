//! Valid lists with bytes mutated from a seed: no panic, counts reconcile, no number appears that the file
//! does not hold, and polars reads the same cells as the csv crate.

use super::files::read_spec;
use encoding_rs::GB18030;
use paceline::lists::ListSpec;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CASES: u64 = 400;

fn seed_list() -> String {
    let mut text = String::from("姓名,手机号码,房号,\"备注\"\r\n");
    for row in 0..60 {
        text.push_str(&format!("王芳{row},154{row:08},{}栋-{row},\"a \"\"b\"\", c\"\r\n", row % 7));
    }
    text
}

#[test]
fn mutated_bytes_never_panic_and_never_make_numbers() {
    let dir = tempfile::TempDir::new().expect("a temporary directory");
    let text = seed_list();
    let bases = [
        text.clone().into_bytes(),
        GB18030.encode(&text).0.into_owned(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        b"\"\",\"\"\n\"\"\"\n\"15412340001\",\n".repeat(20),
    ];
    for seed in 0..CASES {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = bases[(seed % 4) as usize].clone();
        for _ in 0..random.random_range(1..12) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes[at] = random.next_u32() as u8,
                1 => bytes[at] = b"\",\n\r\0;\t1"[random.random_range(0..8)],
                2 => drop(bytes.drain(at..(at + 9).min(bytes.len()))),
                _ => bytes.insert(at, b"\"\n,\r"[random.random_range(0..4)]),
            }
        }
        let file = dir.path().join("list.csv");
        std::fs::write(&file, &bytes).expect("written");
        let Ok(read) = read_spec(&ListSpec { file, ..ListSpec::default() }, &[]) else { continue };
        let (little, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(&bytes);
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let held = [digits(&String::from_utf8_lossy(&bytes)), digits(&little)];
        for number in read.numbers() {
            let bare = number.trim_start_matches('0');
            assert!(held.iter().any(|h| h.contains(bare)), "seed {seed}: {number} is from nowhere");
        }
    }
}

#[test]
fn polars_and_the_csv_crate_read_the_same_cells() {
    let dir = tempfile::TempDir::new().expect("a temporary directory");
    let pieces = [
        "",
        "a",
        "15412340001",
        "\"x,y\"",
        "\"l1\nl2\"",
        "\"q\"\"q\"",
        "\"\"",
        " b ",
        "王",
        "\"\"\"\"",
        "#c",
        "0",
        "-",
        "\"x\r\ny\"",
    ];
    for seed in 0..200u64 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let width = random.random_range(1..6);
        let end = ["\n", "\r\n"][random.random_range(0..2)];
        let mut text = format!("phone{}{end}", ",c".repeat(width - 1));
        for row in 0..random.random_range(1..40) {
            let cells: Vec<&str> = (1..width).map(|_| pieces[random.random_range(0..pieces.len())]).collect();
            text.push_str(&format!("154{row:08}"));
            cells.iter().for_each(|cell| text.push_str(&format!(",{cell}")));
            text.push_str(end);
        }
        let file = dir.path().join("list.csv");
        std::fs::write(&file, &text).expect("written");
        let read = read_spec(&ListSpec { file, ..ListSpec::default() }, &[]).expect("a list");
        let mut oracle = csv::Reader::from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> =
            oracle.records().map(|r| r.expect("a row").iter().map(String::from).collect()).collect();
        let found: Vec<Vec<String>> = read.leads.iter().map(|lead| lead.cells.clone()).collect();
        assert_eq!(found, expected, "seed {seed}\n{text}");
    }
}
