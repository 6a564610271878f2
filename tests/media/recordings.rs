//! Recordings compared with what was played: both channels, levels, gaps and timing; and their recovery
//! after a crash.

use super::floor::{Floor, Person, find, linear, presence, voice};
use paceline::audio::Sound;
use paceline::net::rtp::{
    Encoding, MediaCommand, MediaEvent, Recording, Voice, prune_recordings, recover_recordings,
};
use paceline_core::ids::CallId;
use paceline_core::media::{Codec, g711};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Left and right channel of the file.
fn channels(file: &Path, encoding: Encoding) -> (Vec<i16>, Vec<i16>) {
    let bytes = fs::read(file).unwrap();
    let (head, bits): (usize, u16) = match encoding {
        Encoding::Pcm => (44, 16),
        Encoding::Alaw => (58, 8),
    };
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&bytes[..4], b"RIFF");
    assert_eq!((word(4), word(head - 4)), (bytes.len() - 8, bytes.len() - head), "sizes in the head");
    assert_eq!(u16::from_le_bytes([bytes[34], bytes[35]]), bits);
    let samples: Vec<i16> = match encoding {
        Encoding::Pcm => bytes[head..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect(),
        Encoding::Alaw => g711::decode_alaw(&bytes[head..]),
    };
    (samples.iter().copied().step_by(2).collect(), samples.iter().copied().skip(1).step_by(2).collect())
}

fn record(floor: &Floor, person: &Person, path: &Path, encoding: Encoding) {
    let meta = BTreeMap::from([("call", "17"), ("agent", "8001")]);
    let recording = Recording::start(path, &meta).encoded(encoding);
    floor.ours.room.command(person.leg, MediaCommand::Record(recording));
}

fn recorded(floor: &Floor, leg: CallId) -> (PathBuf, f64) {
    floor.ours.wait_for(|event| match event {
        MediaEvent::Recorded { leg: found, path, seconds, lost_frames } if *found == leg => {
            assert_eq!(*lost_frames, 0);
            Some((path.clone(), *seconds))
        }
        MediaEvent::RecordingFailed { error, .. } => panic!("{error}"),
        _ => None,
    })
}

#[test]
fn both_channels_hold_received_and_sent_audio_aligned_in_time() {
    for encoding in [Encoding::Pcm, Encoding::Alaw] {
        let dir = tempfile::tempdir().unwrap();
        let floor = Floor::open(2);
        let (callee, agent) = (floor.person(1, Codec::Pcma), floor.person(2, Codec::Pcma));
        let coach = floor.person(3, Codec::Pcma);
        let wanted = dir.path().join("2026/call-17.wav");
        record(&floor, &callee, &wanted, encoding);
        // Announcement before the bridge, conversation, and a whisper to the agent alone.
        let announcement = voice(2_000.0, 0.4);
        let play = MediaCommand::Play { sound: announcement.clone(), plays: 1 };
        floor.ours.room.command(callee.leg, play);
        floor.ours.wait_heard(callee.leg, &paceline_core::call::Heard::PlayEnded);
        floor.join(&callee, Voice::Everyone);
        floor.join(&agent, Voice::Everyone);
        floor.join(&coach, Voice::Only(agent.leg));
        let (question, answer, whisper) = (voice(300.0, 1.0), voice(900.0, 1.0), voice(1_400.0, 0.6));
        floor.say_both((&agent, &question), (&callee, &answer));
        floor.say(&coach, &whisper);
        floor.wait_delivered(&agent, &callee);
        floor.ours.room.command(callee.leg, MediaCommand::StopRecording);
        let (path, seconds) = recorded(&floor, callee.leg);
        assert_eq!(path, wanted);
        let (left, right) = channels(&path, encoding);
        assert_eq!(left.len(), right.len());
        assert!((left.len() as f64 / 8_000.0 - seconds).abs() < 0.001, "{seconds} s");
        let place = |heard: &[i16], sound: &Sound| {
            let (at, alike, level) = find(heard, &linear(sound, Codec::Pcma));
            assert!(alike > 0.99 && level.abs() < 0.1, "alike {alike:.4}, {level:.2} dB");
            at as i64
        };
        let asked = place(&right, &question);
        let answered = place(&left, &answer);
        let announced = place(&right, &announcement);
        assert!(announced < asked);
        // Both were started in the same tick; the difference is the network path.
        assert!((asked - answered).abs() < 800, "{asked} and {answered}");
        for channel in [&left, &right] {
            assert!(presence(channel, &linear(&whisper, Codec::Pcma)) < 0.3, "the whisper is not in it");
        }
        let gap = &left[..answered as usize - 400];
        assert!(gap.iter().all(|sample| sample.abs() < 20), "silence before the answer");
        let about: serde_json::Value =
            serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
        assert_eq!((&about["meta"]["agent"], &about["complete"]), (&"8001".into(), &true.into()));
    }
}

#[test]
fn a_name_in_use_gets_a_number_and_closing_the_leg_ends_the_recording() {
    let dir = tempfile::tempdir().unwrap();
    let floor = Floor::open(1);
    let callee = floor.person(1, Codec::G722);
    let wanted = dir.path().join("call.wav");
    for expected in ["call.wav", "call-2.wav", "call-3.wav"] {
        record(&floor, &callee, &wanted, Encoding::Pcm);
        let told = voice(500.0, 0.6);
        floor.say(&callee, &told);
        if expected == "call-3.wav" {
            floor.ours.room.command(callee.leg, MediaCommand::Close);
        } else {
            floor.ours.room.command(callee.leg, MediaCommand::StopRecording);
        }
        let (path, _) = recorded(&floor, callee.leg);
        assert_eq!(path.file_name().unwrap(), expected);
        let (left, _) = channels(&path, Encoding::Pcm);
        let (_, alike, _) = find(&left, &linear(&told, Codec::G722));
        assert!(alike > 0.97, "{alike}");
    }
}

#[test]
fn a_recording_that_cannot_be_written_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let floor = Floor::open(1);
    let callee = floor.person(1, Codec::Pcma);
    fs::write(dir.path().join("file"), b"not a folder").unwrap();
    record(&floor, &callee, &dir.path().join("file/call.wav"), Encoding::Pcm);
    let leg = floor.ours.wait_for(|event| match event {
        MediaEvent::RecordingFailed { leg, .. } => Some(*leg),
        _ => None,
    });
    assert_eq!(leg, callee.leg);
}

#[test]
fn recordings_cut_off_by_a_crash_are_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.wav");
    let floor = Floor::open(1);
    let callee = floor.person(1, Codec::Pcma);
    for encoding in [Encoding::Pcm, Encoding::Alaw] {
        record(&floor, &callee, &whole, encoding);
        let told = voice(500.0, 1.0);
        floor.say(&callee, &told);
        floor.ours.room.command(callee.leg, MediaCommand::StopRecording);
        let (path, _) = recorded(&floor, callee.leg);
        let bytes = fs::read(&path).unwrap();
        // Cut in the middle of a sample, with unpatched sizes in the header.
        for cut in [0, 20, 57, 61, bytes.len() - 1, bytes.len() / 2 + 1] {
            let cut_dir = dir.path().join("cut/below");
            fs::create_dir_all(&cut_dir).unwrap();
            let mut left_behind = bytes[..cut].to_vec();
            left_behind.iter_mut().take(8).skip(4).for_each(|byte| *byte = 0);
            fs::write(cut_dir.join("a.wav.part"), &left_behind).unwrap();
            fs::copy(path.with_extension("json"), cut_dir.join("a.json")).unwrap();
            fs::write(
                cut_dir.join("other.part"),
                b"this is long enough and not a recording of ours, so it stays",
            )
            .unwrap();
            fs::write(cut_dir.join("short.wav.part"), b"short, and of another program").unwrap();
            let recovered = recover_recordings(&dir.path().join("cut")).unwrap();
            assert!(cut_dir.join("other.part").exists() && cut_dir.join("short.wav.part").exists());
            if cut < 58 && !(encoding == Encoding::Pcm && cut == 57) {
                assert!(recovered.is_empty(), "no sound in {cut} bytes");
                assert!(!cut_dir.join("a.wav.part").exists());
            } else {
                assert_eq!(recovered.len(), 1, "{cut} bytes");
                let (left, right) = channels(&recovered[0].path, encoding);
                assert_eq!(left.len(), right.len());
                assert_eq!(left.len() as f64 / 8_000.0, recovered[0].seconds);
                if cut > 10_000 {
                    assert!(left[..] == channels(&path, encoding).0[..left.len()]);
                }
            }
            fs::remove_dir_all(dir.path().join("cut")).unwrap();
        }
    }
}

#[test]
fn old_recordings_are_deleted_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let floor = Floor::open(1);
    let callee = floor.person(1, Codec::Pcma);
    let mut paths = Vec::new();
    for name in ["old/call.wav", "new.wav"] {
        record(&floor, &callee, &dir.path().join(name), Encoding::Pcm);
        floor.ours.room.command(callee.leg, MediaCommand::StopRecording);
        paths.push(recorded(&floor, callee.leg).0);
    }
    let long_ago = SystemTime::now() - Duration::from_secs(100 * 86_400);
    let age = |path: &Path| fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
    fs::write(dir.path().join("music.wav"), b"RIFF somebody's own").unwrap();
    age(&dir.path().join("music.wav"));
    age(&paths[0]);
    let pruned = prune_recordings(dir.path(), SystemTime::now() - Duration::from_secs(90 * 86_400)).unwrap();
    assert_eq!(pruned.recordings, 1);
    assert!(!paths[0].exists() && !paths[0].with_extension("json").exists());
    assert!(paths[1].exists() && paths[1].with_extension("json").exists());
    assert!(dir.path().join("music.wav").exists());
}
