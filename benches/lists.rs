//! Import speed: reads, cleans, deduplicates and scrubs a list with at most twice the CPU of a bare
//! csv-crate loop that does the same, under 300 MB. Each contestant runs in a process of its own, so that
//! CPU time and peak memory are its own. `--full` adds five million rows.
//!
//! `cargo bench --bench lists [-- --full]`

use paceline::lists::{BATCH_ROWS, Batch, LeadRow, ListSpec, import};
use paceline_core::number::PhoneNumber;
use polars::prelude::{CsvReadOptions, SerReader};
use rustc_hash::FxHashSet;
use std::convert::Infallible;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, flag, who, list, blacklist, ..] = args.as_slice()
        && flag == "--contestant"
    {
        return contest(who, Path::new(list), Path::new(blacklist));
    }
    let sizes: &[u64] =
        if args.iter().any(|a| a == "--full") { &[1_000_000, 5_000_000] } else { &[1_000_000] };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let blacklist = dir.path().join("blacklist.csv");
    write_blacklist(&blacklist);
    for rows in sizes {
        let list = dir.path().join(format!("{rows}.csv"));
        write_list(&list, *rows);
        let bytes = std::fs::metadata(&list).map_or(0, |m| m.len());
        println!("\n{rows} rows, 10 columns, {} MB", bytes >> 20);
        let bare = measure("bare", &list, &blacklist);
        for who in ["bare", "bare-rows", "paceline", "polars"] {
            let run = if who == "bare" { bare.clone() } else { measure(who, &list, &blacklist) };
            println!(
                "  {who:10} {:7.2} CPU-s  {:4.2} x bare  {:5} MB peak  {}",
                run.cpu_secs,
                run.cpu_secs / bare.cpu_secs,
                run.peak_mb,
                run.said
            );
        }
        if let Err(error) = std::fs::remove_file(&list) {
            eprintln!("{}: {error}", list.display());
        }
    }
}

#[derive(Clone)]
struct Run {
    cpu_secs: f64,
    peak_mb: u64,
    said: String,
}

/// Runs one contestant, which prints `cpu_secs peak_kb text` from its own counters.
fn measure(who: &str, list: &Path, blacklist: &Path) -> Run {
    let me = std::env::current_exe().expect("the path of this program");
    let out = Command::new(me).args(["--contestant", who]).args([list, blacklist]).output().expect("a child");
    let text = String::from_utf8_lossy(&out.stdout);
    let mut words = text.splitn(3, ' ');
    let mut number = || words.next().and_then(|w| w.parse::<f64>().ok()).unwrap_or(f64::NAN);
    let (cpu_secs, peak_kb) = (number(), number());
    Run { cpu_secs, peak_mb: peak_kb as u64 / 1024, said: words.next().unwrap_or("failed").trim().into() }
}

fn contest(who: &str, list: &Path, blacklist: &Path) {
    let said = match who {
        "bare" => bare(list, blacklist, false),
        "bare-rows" => bare(list, blacklist, true),
        "polars" => plain_polars(list),
        _ => ours(list, blacklist),
    };
    let (cpu_secs, peak_kb) = own_usage();
    println!("{cpu_secs} {peak_kb} {said}");
}

fn ours(list: &Path, blacklist: &Path) -> String {
    let spec = ListSpec {
        file: list.into(),
        region: "CN".into(),
        blacklists: vec![PathBuf::from(blacklist)],
        ..ListSpec::default()
    };
    let mut sum = 0u64;
    let report = import(&spec, &mut std::iter::empty(), &mut |batch: &Batch| {
        let numbers = batch.leads.iter().flat_map(|lead| &lead.phones).map(|(number, _)| number.as_u64());
        sum = numbers.fold(sum, u64::wrapping_add);
        Ok::<(), Infallible>(())
    });
    match report {
        Ok(report) => format!("{} leads, {} refused, sum {sum}", report.leads, report.refused_rows),
        Err(error) => error.to_string(),
    }
}

/// The baseline: the same result without flaw detection, reasons or report. `rows`: also builds what a
/// store needs, owned rows with name and household in batches, and counts the households.
fn bare(list: &Path, blacklist: &Path, rows: bool) -> String {
    let normalise = |cell: &[u8]| -> Option<u64> {
        let (mut value, mut count) = (0u64, 0);
        for byte in cell {
            if byte.is_ascii_digit() {
                value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                count += 1;
            }
        }
        let value = if count >= 13 { value % 100_000_000_000 } else { value };
        (13_000_000_000..20_000_000_000).contains(&value).then_some(value + 8_600_000_000_000)
    };
    let mut blocked = FxHashSet::default();
    let mut record = csv::ByteRecord::new();
    let mut reader = csv::Reader::from_path(blacklist).expect("the blacklist");
    while reader.read_byte_record(&mut record).expect("a row") {
        blocked.extend(normalise(&record[0]));
    }
    let mut seen = FxHashSet::default();
    let mut reader = csv::Reader::from_path(list).expect("the list");
    let (mut leads, mut refused, mut sum) = (0u64, 0u64, 0u64);
    let (mut batch, mut flats, mut handed) = (Vec::new(), FxHashSet::default(), 0);
    while reader.read_byte_record(&mut record).expect("a row") {
        match normalise(&record[1]) {
            Some(number) if !blocked.contains(&number) && seen.insert(number) => {
                leads += 1;
                sum = sum.wrapping_add(number);
                if rows {
                    let text = |at: usize| String::from_utf8_lossy(&record[at]).into_owned();
                    flats.insert(text(2));
                    batch.push(LeadRow {
                        row: leads,
                        household: Some(text(2)),
                        name: Some(text(0)),
                        phones: PhoneNumber::from_e164(number).map(|n| (n, text(1))).into_iter().collect(),
                        cells: (0..record.len()).map(text).collect(),
                        ..LeadRow::default()
                    });
                    if batch.len() == BATCH_ROWS {
                        handed += batch.drain(..).map(|lead| lead.cells.len()).sum::<usize>();
                    }
                }
            }
            _ => refused += 1,
        }
    }
    std::hint::black_box(handed);
    format!("{leads} leads, {refused} refused, sum {sum}")
}

/// polars reading the whole list at once, nothing else.
fn plain_polars(list: &Path) -> String {
    let options = CsvReadOptions::default().with_infer_schema_length(Some(0));
    let read = options.try_into_reader_with_file_path(Some(list.into())).and_then(|reader| reader.finish());
    read.map_or_else(|error| error.to_string(), |frame| format!("{} rows, only read", frame.height()))
}

/// CPU seconds and peak resident memory of this process in kB.
fn own_usage() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: f64 = stat
        .rsplit(')')
        .next()
        .map(|rest| rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum())
        .unwrap_or(f64::NAN);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    (ticks / 100.0, peak.trim().trim_end_matches("kB").trim().parse().unwrap_or(0))
}

/// One number in ten appears twice, in several spellings; every hundredth is invalid.
fn write_list(path: &Path, rows: u64) {
    let mut out = BufWriter::new(File::create(path).expect("the list"));
    let write = |out: &mut BufWriter<File>, line: String| out.write_all(line.as_bytes()).expect("disk space");
    write(&mut out, "姓名,手机号码,房号,面积,楼层,朝向,年份,城市,备注,编号\n".into());
    for row in 0..rows {
        let number = number_of(if row % 10 == 9 { row / 2 } else { row });
        let phone = match row % 100 {
            0 => format!("1{row}"),
            1..=9 => format!("+86 {number}"),
            10..=14 => format!("86-{number}"),
            _ => number.to_string(),
        };
        write(
            &mut out,
            format!(
                "王芳{row},{phone},{}栋-{},89.5,{},南,2019,深圳,回访,{row}\n",
                row % 60,
                row / 60,
                row % 30
            ),
        );
    }
    out.flush().expect("disk space");
}

fn write_blacklist(path: &Path) {
    let mut out = BufWriter::new(File::create(path).expect("the blacklist"));
    out.write_all(b"phone\n").expect("disk space");
    for row in 0..200_000u64 {
        writeln!(out, "{}", number_of(row * 17)).expect("disk space");
    }
    out.flush().expect("disk space");
}

/// A number in the mobile ranges, a different one for each row.
fn number_of(row: u64) -> u64 {
    13_000_000_000 + row.wrapping_mul(2_654_435_761) % 6_999_999_937
}
