//! One press is one key, whatever way it comes. Tests the media threads and the SDP.

use super::*;

/// The numbers of `played` with their keys.
#[track_caller]
fn keys_are(played: &Played, wanted: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> =
        wanted.iter().map(|(n, _)| (*n, digits(&played.attempt(n)["keys"]))).collect();
    assert_eq!(found, wanted, "{}", played.shown());
}

/// Dials numbers whose last two digits are the behaviour; the announcement lasts two seconds.
fn dial(wanted: &[(&str, &str)]) -> Played {
    let list = phones(wanted.iter().map(|(number, _)| number));
    let carrier = Folder::new(list).write("notice.wav", sound::tone(2.0, 1_000.0, 8_000)).carrier(&[]);
    let played = carrier.run().ended(DONE);
    assert!(carrier.events("crash").is_empty(), "{:#?}", carrier.events("crash"));
    played
}

#[test]
fn one_press_with_running_timestamps_is_one_key() {
    let carrier = Folder::of("30-02-key-with-running-timestamps").carrier(&[]);
    let played = carrier.run().ended(DONE);
    keys_are(&played, &[("15400300202", "1"), ("15400300303", "1"), ("15400304646", "9")]);
    played.lead_has("15400300202", &[("result", "agree")]);
    // Repeated once: two plays of two seconds and the wait of three, no more.
    let talked: f64 = played.attempt("15400304646")["talk_secs"].parse().expect("seconds");
    assert!(talked < 9.0, "the announcement is repeated again and again: {talked} s");
}

#[test]
fn keys_in_the_audio_are_heard() {
    let carrier = Folder::of("30-07-key-in-the-audio").carrier(&[]);
    let played = carrier.run().ended(DONE);
    keys_are(&played, &[("15400300707", "1"), ("15400303333", "2")]);
    played.lead_has("15400300707", &[("result", "agree")]);
    played.lead_has("15400303333", &[("result", "against")]);
}

#[test]
fn a_press_is_one_key_whatever_is_lost_or_repeated() {
    let wanted = [
        ("15400830001", "1"), // no marker
        ("15400830004", "1"), // few updates, long gaps
        ("15400830026", "1"), // packets of 30 ms
        ("15400830031", "2"), // packets of 60 ms
        ("15400830051", "1"), // header extension, CSRC, padding
        ("15400830090", "1"), // no end packet
        ("15400830091", "2"), // end packets only
    ];
    keys_are(&dial(&wanted), &wanted);
}

#[test]
fn a_press_that_comes_in_several_ways_is_one_key() {
    let wanted = [
        ("15400840005", "2"), // INFO, application/dtmf
        ("15400840006", "2"), // INFO, application/dtmf-relay
        ("15400840052", "1"), // INFO and RTP
        ("15400840053", "1"), // RTP and tone
        ("15400840092", "1"), // INFO, RTP and tone
    ];
    keys_are(&dial(&wanted), &wanted);
}

#[test]
fn two_presses_are_two_keys() {
    let wanted = [
        ("15400850086", "11"), // the same digit twice
        ("15400850042", "12"),
        ("15400850043", "51"),
        ("15400850088", "12"), // tones of 60 ms, pauses of 60 ms
    ];
    keys_are(&dial(&wanted), &wanted);
}

#[test]
fn tones_with_twist_are_keys_and_other_sounds_are_none() {
    let wanted = [("15400860087", "29"), ("15400860089", ""), ("15400860000", "")];
    keys_are(&dial(&wanted), &wanted);
}
