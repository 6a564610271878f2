//! Registrar authentication against hand-written requests: digest answers, replays, password guessing.

use super::*;
use crate::sip::auth::{Challenge, Credentials, authorize, strongest};
use crate::sip::message::Message;
use crate::sip::peer::Peer;

const REALM: &str = "calls.example";

fn registrar() -> Registrar {
    let mut registrar = Registrar::new(RegistrarConfig::new(REALM), 7, ["192.0.2.5:5060"].into_iter());
    for (user, password) in [("1001", "right"), ("1002", "other")] {
        registrar.set_account(PhoneAccount::with_password(user, AgentId(1), REALM, password));
    }
    registrar
}

fn peer(text: &str) -> Peer {
    Peer { transport: Transport::Udp, address: text.parse().expect("an address") }
}

fn from() -> Peer {
    peer("198.51.100.7:5060")
}

/// The strongest (or the last) challenge issued to this peer now.
fn challenge(registrar: &Registrar, now: Time, from: Peer, strong: bool) -> Challenge {
    let all: Vec<Challenge> = registrar
        .challenges(now, from, false, "Phone")
        .iter()
        .flat_map(|line| Challenge::parse_all(line, false))
        .collect();
    if strong { strongest(all).remove(0) } else { all[1].clone() }
}

fn answer(challenge: &Challenge, user: &str, password: &str, nc: u32) -> String {
    let credentials = Credentials { username: user, password };
    authorize(challenge, &credentials, "REGISTER", "sip:calls.example", b"", nc, "abc")
}

fn register(authorization: &str) -> String {
    format!(
        "REGISTER sip:calls.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@calls.example>;tag=a\r\nTo: <sip:1001@calls.example>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\
         Authorization: {authorization}\r\nContent-Length: 0\r\n\r\n"
    )
}

fn authenticate(registrar: &mut Registrar, now: Time, from: Peer, authorization: &str) -> AuthOutcome {
    let text = register(authorization);
    registrar.authenticate(now, from, &Message::parse(text.as_bytes()).expect("a message"))
}

fn authenticated() -> AuthOutcome {
    AuthOutcome::Authenticated { user: "1001".into() }
}

#[test]
fn the_right_password_is_proven_by_either_hash_and_the_stronger_is_offered_first() {
    for strong in [true, false] {
        let mut registrar = registrar();
        let challenge = challenge(&registrar, Time::ZERO, from(), strong);
        assert_eq!(challenge.algorithm == crate::sip::auth::Algorithm::Sha256, strong);
        let right = answer(&challenge, "1001", "right", 1);
        assert_eq!(authenticate(&mut registrar, Time::ZERO, from(), &right), authenticated());
    }
    let lines = registrar().challenges(Time::ZERO, from(), true, "Phone");
    assert!(lines[0].contains("algorithm=SHA-256") && lines[1].contains("algorithm=MD5"), "{lines:?}");
    assert!(lines.iter().all(|line| line.ends_with("stale=true")), "{lines:?}");
}

#[test]
fn a_wrong_password_and_an_unknown_user_get_the_same_response() {
    let mut registrar = registrar();
    for user in ["1001", "9999", ""] {
        let challenge = challenge(&registrar, Time::ZERO, from(), true);
        let wrong = answer(&challenge, user, "wrong", 1);
        assert_eq!(
            authenticate(&mut registrar, Time::ZERO, from(), &wrong),
            AuthOutcome::Forbidden,
            "{user}"
        );
    }
    assert_eq!(
        authenticate(&mut registrar, Time::ZERO, from(), "Basic abc"),
        AuthOutcome::Challenge { stale: false }
    );
}

#[test]
fn a_digest_answer_is_accepted_once_and_only_unaltered() {
    let mut registrar = registrar();
    let challenge = challenge(&registrar, Time::ZERO, from(), true);
    let stale = AuthOutcome::Challenge { stale: true };
    let right = answer(&challenge, "1001", "right", 1);
    let foreign = right.replace("uri=\"sip:calls.example\"", "uri=\"sip:calls.example.evil\"");
    let bare = right.replace(", qop=auth, nc=00000001, cnonce=\"abc\"", "");
    let recounted = right.replace("nc=00000001", "nc=00000009");
    let other_user = right.replace("\"1001\"", "\"1002\"");
    for (name, altered) in [("uri", foreign), ("qop", bare), ("nc", recounted), ("user", other_user)] {
        assert_ne!(altered, right, "{name}");
        assert_eq!(
            authenticate(&mut registrar, Time::ZERO, from(), &altered),
            AuthOutcome::Forbidden,
            "{name}"
        );
    }
    assert_eq!(authenticate(&mut registrar, Time::ZERO, from(), &right), authenticated());
    assert_eq!(authenticate(&mut registrar, Time::ZERO, from(), &right), stale, "the same again");
    assert_eq!(
        authenticate(&mut registrar, Time::ZERO, from(), &answer(&challenge, "1001", "right", 2)),
        authenticated()
    );
}

#[test]
fn the_digest_is_for_the_same_user_at_the_same_host() {
    let registrar = registrar();
    for (digest, request, same) in [
        ("sip:calls.example", "sip:calls.example", true),
        ("sip:calls.example:5060;transport=tcp", "sip:CALLS.example", true),
        ("sip:192.0.2.5:5060", "sip:calls.example", true),
        ("sip:192.0.2.5:5060", "sip:8000@calls.example", true),
        ("sip:8000@192.0.2.5", "sip:8000@calls.example", true),
        ("sip:8001@calls.example", "sip:8000@calls.example", false),
        ("sip:evil.example", "sip:calls.example", false),
        ("sip:evil.example", "sip:8000@evil.example", false),
        ("tel:8000", "sip:8000@calls.example", false),
        ("", "sip:calls.example", false),
    ] {
        assert_eq!(registrar.is_digest_uri_for(digest, request), same, "{digest} {request}");
    }
}

#[test]
fn a_product_that_cannot_read_the_stronger_challenge_is_not_shut_out() {
    for (product, algorithms) in [
        ("Linphone Desktop/5.0", &["SHA-256", "MD5"][..]),
        ("baresip v3.5.0 (x86_64/linux)", &["SHA-256", "MD5"]),
        ("baresip v1.0.0 (x86_64/linux)", &["MD5"]),
        ("", &["MD5", "SHA-256"]),
    ] {
        let lines = registrar().challenges(Time::ZERO, from(), false, product);
        assert_eq!(lines.len(), algorithms.len(), "{product}");
        for (line, algorithm) in lines.iter().zip(algorithms) {
            assert!(line.contains(&format!("algorithm={algorithm},")), "{product}: {line}");
        }
    }
}

#[test]
fn a_nonce_runs_out_unless_it_was_proven() {
    let mut registrar = registrar();
    let old = challenge(&registrar, Time::ZERO, from(), true);
    let used = challenge(&registrar, Time::from_millis(1), from(), true);
    assert_eq!(
        authenticate(&mut registrar, Time::from_millis(1), from(), &answer(&used, "1001", "right", 1)),
        authenticated()
    );
    let later = Time::from_millis(61_000);
    let stale = AuthOutcome::Challenge { stale: true };
    assert_eq!(authenticate(&mut registrar, later, from(), &answer(&old, "1001", "right", 1)), stale);
    assert_eq!(
        authenticate(&mut registrar, later, from(), &answer(&used, "1001", "right", 2)),
        authenticated()
    );
    assert_eq!(authenticate(&mut registrar, later, from(), &answer(&used, "1002", "other", 1)), stale);
    let elsewhere = peer("198.51.100.8:5060");
    let fresh = challenge(&registrar, later, elsewhere, true);
    assert_eq!(
        authenticate(&mut registrar, later, from(), &answer(&fresh, "1001", "right", 1)),
        stale,
        "another's nonce"
    );
}

/// Guesses come from many sockets of one address. The right password after them shows that the network is
/// throttled.
#[test]
fn after_twenty_wrong_answers_a_network_is_throttled() {
    let mut registrar = registrar();
    let fresh = challenge(&registrar, Time::ZERO, from(), true);
    assert_eq!(
        authenticate(&mut registrar, Time::ZERO, from(), &answer(&fresh, "1001", "right", 1)),
        authenticated()
    );
    for n in 0..25_u16 {
        let at = peer(&format!("198.51.100.7:{}", 10_000 + n));
        let fresh = challenge(&registrar, Time::from_millis(5), at, true);
        let wrong = answer(&fresh, "1001", "wrong", 1);
        assert_eq!(authenticate(&mut registrar, Time::from_millis(5), at, &wrong), AuthOutcome::Forbidden);
    }
    let now = Time::from_millis(10);
    let at = peer("198.51.100.7:20000");
    let next = challenge(&registrar, now, at, true);
    assert_eq!(
        authenticate(&mut registrar, now, at, &answer(&next, "1001", "right", 1)),
        AuthOutcome::Forbidden
    );
    // The phone behind the same address continues with its nonce, and other addresses are unaffected.
    assert_eq!(
        authenticate(&mut registrar, now, from(), &answer(&fresh, "1001", "right", 2)),
        authenticated()
    );
    let other = peer("198.51.100.99:5060");
    let theirs = challenge(&registrar, now, other, true);
    assert_eq!(
        authenticate(&mut registrar, now, other, &answer(&theirs, "1001", "right", 1)),
        authenticated()
    );
    let minute = Time::from_millis(61_000);
    let next = challenge(&registrar, minute, at, true);
    assert_eq!(authenticate(&mut registrar, minute, at, &answer(&next, "1001", "right", 1)), authenticated());
}

#[test]
fn one_guessing_socket_does_not_throttle_a_phone_at_the_same_address() {
    let mut registrar = registrar();
    let guesser = peer("198.51.100.7:33333");
    for n in 0..500 {
        let now = Time::from_millis(n);
        let fresh = challenge(&registrar, now, guesser, false);
        let wrong = answer(&fresh, "1001", &format!("{n}"), 1);
        assert_eq!(authenticate(&mut registrar, now, guesser, &wrong), AuthOutcome::Forbidden);
    }
    let now = Time::from_millis(500);
    let fresh = challenge(&registrar, now, from(), true);
    assert_eq!(
        authenticate(&mut registrar, now, from(), &answer(&fresh, "1001", "right", 1)),
        authenticated()
    );
}

#[test]
fn an_account_is_throttled_across_all_networks() {
    let mut registrar = registrar();
    for n in 0..100_u32 {
        let at = peer(&format!("203.0.{}.{}:5060", n / 50, n % 50 + 1));
        let fresh = challenge(&registrar, Time::ZERO, at, true);
        authenticate(&mut registrar, Time::ZERO, at, &answer(&fresh, "1001", "wrong", 1));
    }
    let at = peer("203.0.113.200:5060");
    let fresh = challenge(&registrar, Time::ZERO, at, true);
    assert_eq!(
        authenticate(&mut registrar, Time::ZERO, at, &answer(&fresh, "1001", "right", 1)),
        AuthOutcome::Forbidden
    );
    let other = answer(&fresh, "1002", "other", 1);
    assert_eq!(
        authenticate(&mut registrar, Time::ZERO, at, &other),
        AuthOutcome::Authenticated { user: "1002".into() }
    );
}

#[test]
fn a_changed_password_revokes_proven_nonces() {
    let mut registrar = registrar();
    let fresh = challenge(&registrar, Time::ZERO, from(), true);
    assert_eq!(
        authenticate(&mut registrar, Time::ZERO, from(), &answer(&fresh, "1001", "right", 1)),
        authenticated()
    );
    registrar.set_account(PhoneAccount::with_password("1001", AgentId(1), REALM, "new"));
    let old = answer(&fresh, "1001", "right", 2);
    assert_eq!(authenticate(&mut registrar, Time::ZERO, from(), &old), AuthOutcome::Forbidden);
}

/// A mutated right answer is never accepted twice or for another user.
#[test]
fn a_mutated_digest_answer_is_not_accepted() {
    use rand::{RngExt, SeedableRng};
    let mut taken = 0;
    for seed in 0..3_000_u64 {
        let mut chance = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut registrar = registrar();
        let fresh = challenge(&registrar, Time::ZERO, from(), seed % 2 == 0);
        let right = answer(&fresh, "1001", "right", 1);
        let mut bytes = right.clone().into_bytes();
        for _ in 0..chance.random_range(1..3) {
            let at = chance.random_range(7..bytes.len());
            bytes[at] = chance.random_range(b' '..b'~');
        }
        let Ok(mutated) = String::from_utf8(bytes) else { continue };
        let text = register(&mutated);
        let Ok(message) = Message::parse(text.as_bytes()) else { continue };
        if let AuthOutcome::Authenticated { user } = registrar.authenticate(Time::ZERO, from(), &message) {
            // Accepted only if the change is irrelevant: case of a hex digit or of a name.
            assert_eq!(user, "1001", "seed {seed}: {mutated}");
            assert!(mutated.eq_ignore_ascii_case(&right) || mutated.len() == right.len(), "seed {seed}");
            taken += 1;
            assert_eq!(
                authenticate(&mut registrar, Time::ZERO, from(), &right),
                AuthOutcome::Challenge { stale: true }
            );
        }
    }
    assert!(taken < 300, "{taken} of 3000 changes did not matter");
}
