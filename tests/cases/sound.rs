//! Sound files, the announcement's clock, packet times and addresses. Tests the audio files and the media threads.

use super::*;
use serde_json::json;
use std::f64::consts::TAU;

/// A WAV file of one tone, 16 bit mono.
pub fn tone(secs: f64, hz: f64, rate: u32) -> Vec<u8> {
    wav(rate, &[&samples(secs, hz, rate)])
}

fn samples(secs: f64, hz: f64, rate: u32) -> Vec<u8> {
    let count = (secs * f64::from(rate)).round() as u32;
    let sample = |n: u32| (16_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16;
    (0..count).flat_map(|n| sample(n).to_le_bytes()).collect()
}

/// A WAV file with these `data` chunks and a `LIST` chunk between them.
fn wav(rate: u32, parts: &[&[u8]]) -> Vec<u8> {
    let mut body = chunk(b"fmt ", &format_fields(1, 1, rate, rate * 2, 2, 16));
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            body.extend(chunk(b"LIST", b"INFOISFT\x04\x00\x00\x00cut\0"));
        }
        body.extend(chunk(b"data", part));
    }
    riff(&body)
}

fn riff(body: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32 + 4).to_le_bytes());
    file.extend(b"WAVE");
    file.extend(body);
    file
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    chunk
}

fn format_fields(tag: u16, channels: u16, rate: u32, bytes: u32, align: u16, bits: u16) -> Vec<u8> {
    let mut fields = Vec::new();
    fields.extend(tag.to_le_bytes());
    fields.extend(channels.to_le_bytes());
    fields.extend(rate.to_le_bytes());
    fields.extend(bytes.to_le_bytes());
    fields.extend(align.to_le_bytes());
    fields.extend(bits.to_le_bytes());
    fields
}

fn linear(alaw: u8) -> f64 {
    let code = alaw ^ 0x55;
    let (exponent, mantissa) = ((code >> 4) & 7, f64::from(code & 15));
    let size = match exponent {
        0 => mantissa * 16.0 + 8.0,
        _ => (mantissa * 16.0 + 264.0) * f64::from(1_u32 << (exponent - 1)),
    };
    if code & 0x80 == 0 { -size } else { size }
}

/// Seconds of this pitch in what the carrier received, in blocks of 20 ms.
pub fn heard_secs(carrier: &Carrier, number: &str, hz: f64) -> f64 {
    let received = std::fs::read(carrier.folder.path(&format!("rx-{number}.al"))).unwrap_or_default();
    let blocks = received.chunks_exact(160).filter(|block| {
        let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
        for (n, byte) in block.iter().enumerate() {
            let (sample, angle) = (linear(*byte), TAU * hz * n as f64 / 8_000.0);
            re += sample * angle.cos();
            im += sample * angle.sin();
            all += sample * sample;
        }
        // Share of the block's energy at this pitch; silence has none.
        all > 160.0 * 200.0 * 200.0 && (re * re + im * im) * 2.0 / (160.0 * all) > 0.5
    });
    blocks.count() as f64 * 0.02
}

#[track_caller]
fn is_about(found: f64, wanted: f64, what: &str) {
    assert!((found - wanted).abs() <= 0.11, "{what}: {found} s, not {wanted} s");
}

/// Seconds of the announcement as `check` measured it.
fn measured_secs(folder: &Folder, campaign: &str) -> Option<f64> {
    let ended = folder.program(&["check", campaign, "--json"]);
    assert_eq!(ended.code, DONE, "{}", ended.all());
    let found: Value = serde_json::from_str(&ended.out).expect("JSON");
    found["sounds"][0]["measured"]["secs"].as_f64()
}

#[test]
fn clips_joined_into_one_mp3_play_to_the_end() {
    let carrier = Folder::of("60-mp3-joined")
        .write("trunk.toml", TRUNK)
        .write("list.csv", phones([15_400_600_100_u64]))
        .write("campaign.toml", CAMPAIGN)
        .carrier(&[]);
    for (campaign, sound) in [
        ("campaign-1.toml", "info.mp3"),
        ("campaign-2.toml", "rates.mp3"),
        ("campaign-3.toml", "channels.mp3"),
    ] {
        is_about(measured_secs(&carrier.folder, campaign).expect("seconds"), 1.0, sound);
        let name = sound.trim_end_matches(".mp3");
        let text = CAMPAIGN.replace("notice.wav", sound).replace("\"case\"", &format!("{name:?}"));
        let number = format!("1540060{}", 1_000 + 100 * name.len());
        std::fs::write(carrier.folder.path("campaign.toml"), text).expect("written");
        std::fs::write(carrier.folder.path("list.csv"), phones([&number])).expect("written");
        carrier.run().ended(DONE);
        for hz in [600.0, 1_400.0] {
            let heard = heard_secs(&carrier, &number, hz);
            assert!((0.36..0.64).contains(&heard), "{sound}: {hz} Hz is heard for {heard} s");
        }
    }
}

#[test]
fn a_tag_between_two_clips_does_not_end_the_announcement() {
    let clip = std::fs::read(sources().join("../fixtures/audio/cbr_mono_16k.mp3")).expect("a clip");
    let of = |file: &[u8]| {
        let folder = Folder::new(phones([15_400_600_001_u64])).write("notice.mp3", file);
        measured_secs(&folder.edit("campaign.toml", "notice.wav", "notice.mp3"), "campaign.toml")
            .expect("seconds")
    };
    let one = of(&clip);
    // ID3v2 with a picture of 300 kB; its size is written in seven bits a byte.
    let size = 300_000_u32;
    let mut tag = b"ID3\x03\x00\x00".to_vec();
    tag.extend([21, 14, 7, 0].map(|shift| ((size >> shift) & 0x7F) as u8));
    tag.extend(b"APIC");
    tag.extend((size - 10).to_be_bytes());
    tag.extend([0, 0]);
    tag.resize(10 + size as usize, 0xFF);
    is_about(of(&[&clip[..], &clip].concat()), 2.0 * one, "two clips");
    is_about(of(&[&tag[..], &clip].concat()), one, "a picture in front");
    is_about(of(&[&clip[..], &tag, &clip].concat()), 2.0 * one, "a tag with a picture between two clips");
    let mut old_tag = b"TAG".to_vec();
    old_tag.resize(128, b' ');
    is_about(of(&[&clip[..], &old_tag, &clip, &old_tag].concat()), 2.0 * one, "ID3v1 after each clip");
}

#[test]
fn a_wav_file_of_several_chunks_plays_whole() {
    let (first, second) = (samples(0.5, 600.0, 8_000), samples(0.5, 1_400.0, 8_000));
    let of = |file: Vec<u8>| {
        let folder = Folder::new(phones([15_400_600_001_u64])).write("notice.wav", file);
        measured_secs(&folder, "campaign.toml").expect("seconds")
    };
    is_about(of(wav(8_000, &[&first, &second])), 1.0, "two data chunks");
    is_about(of(wav(8_000, &[&first, &second, &first])), 1.5, "three data chunks");
    // A stream writes sizes that it does not know yet.
    let mut stream = wav(8_000, &[&first]);
    stream[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let data = stream.windows(4).position(|it| it == b"data").expect("data") + 4;
    stream[data..data + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    is_about(of(stream), 0.5, "unknown sizes");
    let joined = [wav(8_000, &[&first]), wav(8_000, &[&second])].concat();
    let folder = Folder::new(phones([15_400_600_001_u64])).write("notice.wav", joined);
    let checked = folder.check();
    let secs =
        (checked.ended.code == DONE).then(|| measured_secs(&folder, "campaign.toml").expect("seconds"));
    // Files joined by `cat`: whole, or refused with the seconds.
    assert!(secs.is_none_or(|it| (it - 1.0).abs() < 0.1), "{secs:?} s of 1.0\n{}", checked.ended.all());
}

#[test]
fn a_wav_header_with_absurd_fields_is_refused_in_words() {
    let data = samples(0.2, 600.0, 8_000);
    for (what, fields) in [
        ("no channel", format_fields(1, 0, 8_000, 16_000, 2, 16)),
        ("no block", format_fields(1, 1, 8_000, 16_000, 0, 16)),
        ("no rate", format_fields(1, 1, 0, 0, 2, 16)),
        ("a rate of 4 GHz", format_fields(1, 1, u32::MAX, u32::MAX, 2, 16)),
        ("65,535 channels", format_fields(1, u16::MAX, 8_000, u32::MAX, u16::MAX, 16)),
        ("no bits", format_fields(1, 1, 8_000, 16_000, 2, 0)),
        ("65,535 bits", format_fields(1, 1, 8_000, 16_000, u16::MAX, u16::MAX)),
        ("extensible and cut off", format_fields(0xFFFE, 1, 8_000, 16_000, 2, 16)),
    ] {
        let file = riff(&[chunk(b"fmt ", &fields), chunk(b"data", &data)].concat());
        let checked = Folder::new(phones([15_400_600_001_u64])).write("notice.wav", file).check();
        let text = checked.ended.text();
        assert!([DONE, REFUSED].contains(&checked.ended.code), "{what}: {}", checked.ended.all());
        assert!(!text.contains("panicked"), "{what}: {text}");
        assert!(checked.ended.code == DONE || text.contains("notice.wav"), "{what}: {text}");
    }
}

#[test]
fn the_announcement_waits_until_media_may_flow() {
    let carrier = Folder::of("30-36-plays-into-a-held-line").carrier(&[]);
    let played = carrier.run().ended(DONE);
    // Held for a second, two of announcement, three for keys.
    let talked: f64 = played.attempt("15400303636")["talk_secs"].parse().expect("seconds");
    assert!((5.8..7.5).contains(&talked), "the clock ran while nothing could be heard: {talked} s");
    is_about(heard_secs(&carrier, "15400303636", 1_000.0), 2.0, "the announcement");
}

#[test]
fn a_hold_in_the_middle_pauses_the_announcement() {
    let folder = Folder::new(phones([15_400_303_674_u64])).write("notice.wav", tone(2.0, 1_000.0, 8_000));
    let carrier = folder.carrier(&[]);
    carrier.run().ended(DONE);
    is_about(heard_secs(&carrier, "15400303674", 1_000.0), 2.0, "the announcement");
}

#[test]
fn a_pause_after_the_answer_is_a_setting() {
    let folder = Folder::new(phones([15_400_303_700_u64])).set("announcement", "pause_ms = 1200");
    let carrier = folder.carrier(&[]);
    let played = carrier.run().ended(DONE);
    is_about(heard_secs(&carrier, "15400303700", 1_000.0), 0.4, "the announcement");
    let talked: f64 = played.attempt("15400303700")["talk_secs"].parse().expect("seconds");
    assert!((2.4..4.0).contains(&talked), "1.2 + 0.4 + 1 s: {talked}");
    let wrong = Folder::new(phones([15_400_303_700_u64])).set("announcement", "pause_ms = 600000").check();
    wrong.ended(REFUSED).says(&["pause_ms"]);
}

#[test]
fn the_announcement_goes_where_the_answer_said() {
    let carrier = Folder::of("100-71-sends-from-another-port").carrier(&[]);
    let played = carrier.run().ended(DONE);
    is_about(heard_secs(&carrier, "15400307171", 1_000.0), 2.0, "the announcement");
    played.attempt_has("15400307171", &[("outcome", "answered"), ("result", "agree")]);
}

#[test]
fn a_trunk_may_follow_the_source_of_its_media() {
    let number = "15400307172";
    // 72: from another address; the SDP stands unless the trunk says otherwise.
    let by_sdp = Folder::of("100-71-sends-from-another-port").write("list.csv", phones([number]));
    let carrier = by_sdp.trunk("rtp_follow = \"sdp\"").carrier(&[]);
    carrier.run().ended(DONE);
    is_about(heard_secs(&carrier, number, 1_000.0), 2.0, "rtp_follow = sdp");
    let by_source = Folder::of("100-71-sends-from-another-port").trunk("rtp_follow = \"source\"");
    let carrier = by_source.carrier(&[]);
    carrier.run().ended(DONE);
    let heard = heard_secs(&carrier, "15400307171", 1_000.0);
    assert!(heard < 1.0, "the media follows its source: {heard} s at the address of the SDP");
    let odd = Folder::of("100-71-sends-from-another-port").trunk("rtp_follow = \"nat\"").carrier(&[]);
    odd.run().ended(USAGE).ended.says(&["rtp_follow: unknown value `nat`", "auto, sdp, source"]);
}

/// The carrier's address is loopback, so 10.255.255.1 cannot be where it listens.
#[test]
fn a_private_address_in_the_answer_gives_way_to_the_source() {
    let number = "15400307067";
    let carrier =
        Folder::of("100-71-sends-from-another-port").write("list.csv", phones([number])).carrier(&[]);
    carrier.run().ended(DONE);
    let heard = heard_secs(&carrier, number, 1_000.0);
    assert!(heard > 1.5, "{heard} s of 2 are heard");
}

#[test]
fn packets_have_the_length_that_the_answer_asks_for() {
    let numbers = ["15400310026", "15400310027", "15400310031", "15400310100"];
    let carrier = Folder::new(phones(numbers)).carrier(&[]);
    carrier.run().ended(DONE);
    for (number, bytes) in numbers.iter().zip([240, 80, 480, 160]) {
        let sizes = carrier.event("rtp", number)["sizes"].clone();
        let (all, right) =
            sizes.as_object().expect("sizes").iter().fold((0, 0), |(all, right), (size, count)| {
                let count = count.as_u64().unwrap_or(0);
                (all + count, right + if *size == bytes.to_string() { count } else { 0 })
            });
        assert!(all > 10 && right >= all - 4, "{number}: packets of {bytes} bytes; {sizes}");
        assert_ne!(sizes, json!({}));
    }
}
