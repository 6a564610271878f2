//! Test vectors of the RFCs, `rsip`'s digests as an oracle, and our client against our server.

use super::*;
use rsip::headers::auth::AuthQop;
use rsip::services::DigestGenerator;

fn challenge(line: &str) -> Challenge {
    let mut all = Challenge::parse_all(line, false);
    assert_eq!(all.len(), 1, "{line}");
    all.remove(0)
}

fn response(value: &str) -> String {
    Answer::parse(value).unwrap_or_else(|| panic!("{value}")).response
}

#[test]
fn the_rfc_test_vectors_hold() {
    let old = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
        opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let new = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let new_cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let table = [
        // RFC 2069 section 2.4, as corrected.
        (old.to_string(), "CircleOfLife", "", "1949323746fe6a43ef61f9606e7febea"),
        // RFC 2617 section 3.5.
        (
            format!("{old}, qop=\"auth,auth-int\""),
            "Circle Of Life",
            "0a4f113b",
            "6629fae49393a05397450978507c4ef1",
        ),
        // RFC 7616 section 3.9.1.
        (format!("{new}, algorithm=MD5"), "Circle of Life", new_cnonce, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            format!("{new}, algorithm=SHA-256"),
            "Circle of Life",
            new_cnonce,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ];
    for (line, password, cnonce, expected) in table {
        let credentials = Credentials { username: "Mufasa", password };
        let value = authorize(&challenge(&line), &credentials, "GET", "/dir/index.html", b"", 1, cnonce);
        assert_eq!(response(&value), expected, "{line}");
        assert_eq!(value.contains("algorithm="), line.contains("algorithm="), "{value}");
        let answer = Answer::parse(&value).expect("an answer");
        assert!(answer.is_right(password, "GET", b"") && !answer.is_right("guess", "GET", b""), "{value}");
    }
}

#[test]
fn the_answer_echoes_the_challenge_parameters() {
    let line = "Digest realm=\"a \\\"b\\\"\",nonce=\"n,1\" , algorithm=sha-256,qop=\"auth-int , auth\",opaque=\"o\",stale=True";
    let challenge = challenge(line);
    assert!(challenge.stale);
    let credentials = Credentials { username: "me\"\r\nX: y", password: "p" };
    let value = authorize(&challenge, &credentials, "INVITE", "sip:b@c", b"", 0x1a, "cn");
    let (head, tail) = value.split_once("response=\"").expect("a response");
    assert_eq!(
        head,
        "Digest username=\"me\\\"X: y\", realm=\"a \\\"b\\\"\", nonce=\"n,1\", uri=\"sip:b@c\", "
    );
    assert_eq!(&tail[64..], "\", algorithm=SHA-256, opaque=\"o\", qop=auth, nc=0000001a, cnonce=\"cn\"");
    let answer = Answer::parse(&value).expect("an answer");
    assert_eq!((answer.nc, answer.cnonce.as_str(), answer.opaque.as_deref()), (26, "cn", Some("o")));
}

#[test]
fn rsip_computes_the_same_digests() {
    let uri = rsip::Uri::try_from("sip:13800138000@carrier.example").expect("a URI");
    let method = rsip::Method::Invite;
    for (algorithm, theirs) in
        [("MD5", rsip::headers::auth::Algorithm::Md5), ("SHA-256", rsip::headers::auth::Algorithm::Sha256)]
    {
        for (qop, nc) in [(None, 1), (Some("auth"), 1), (Some("auth"), 9), (Some("auth-int"), 3)] {
            // `rsip` always hashes an empty body, with MD5, and writes nc in decimal.
            if qop == Some("auth-int") && algorithm != "MD5" {
                continue;
            }
            let list = qop.map(|qop| format!(", qop=\"{qop}\"")).unwrap_or_default();
            let line = format!("Digest realm=\"r\", nonce=\"n\", algorithm={algorithm}{list}");
            let credentials = Credentials { username: "u", password: "p" };
            let value = authorize(
                &challenge(&line),
                &credentials,
                "INVITE",
                "sip:13800138000@carrier.example",
                b"",
                nc,
                "c",
            );
            let cnonce = "c".to_string();
            let qop = qop.map(|qop| match qop {
                "auth" => AuthQop::Auth { cnonce, nc: nc as u8 },
                _ => AuthQop::AuthInt { cnonce, nc: nc as u8 },
            });
            let generator = DigestGenerator {
                username: "u",
                password: "p",
                nonce: "n",
                uri: &uri,
                realm: "r",
                method: &method,
                qop: qop.as_ref(),
                algorithm: theirs,
            };
            assert_eq!(response(&value), generator.compute(), "{line}");
        }
    }
}

#[test]
fn session_keys_and_bodies_enter_the_digest() {
    let line = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess, qop=\"auth-int\"";
    let credentials = Credentials { username: "u", password: "p" };
    let value = authorize(&challenge(line), &credentials, "INVITE", "sip:b", b"v=0", 1, "c");
    let hash = |text: &str| Algorithm::Md5.hash(text.as_bytes());
    let key = hash(&format!("{}:n:c", hash("u:r:p")));
    let request = hash(&format!("INVITE:sip:b:{}", hash("v=0")));
    assert_eq!(response(&value), hash(&format!("{key}:n:00000001:c:auth-int:{request}")));
    let answer = Answer::parse(&value).expect("an answer");
    assert!(answer.is_right("p", "INVITE", b"v=0"));
    assert!(!answer.is_right("p", "INVITE", b"v=1") && !answer.is_right("p", "BYE", b"v=0"));
}

#[test]
fn the_strongest_of_several_challenges_is_answered_once_per_realm() {
    let line = "Digest realm=\"a\", nonce=\"1\", algorithm=MD5, Basic realm=\"a\", \
        Digest realm=\"a\", nonce=\"2\", algorithm=SHA-512-256, Digest nonce=\"3\",realm=\"a\",algorithm=SHA-256, \
        Digest realm=\"b\", nonce=\"4\", Digest realm=\"c\", nonce=\"5\", qop=\"token\", Digest nonce=\"6\"";
    let all = Challenge::parse_all(line, true);
    let nonces: Vec<_> = all.iter().map(|challenge| challenge.nonce.as_str()).collect();
    assert_eq!(nonces, ["1", "3", "4"], "what we cannot answer is left out");
    let chosen: Vec<_> =
        strongest(all).into_iter().map(|challenge| (challenge.realm, challenge.nonce)).collect();
    assert_eq!(chosen, [("a".into(), "3".into()), ("b".into(), "4".into())]);
}

#[test]
fn our_client_satisfies_our_server_until_the_nonce_expires() {
    let mint = NonceMint::new([7; 32], Duration::from_secs(60));
    let made = Time::from_millis(1_000_000);
    for algorithm in Algorithm::ALL {
        let challenge = challenge(&mint.challenge(made, "paceline", algorithm, false));
        let credentials = Credentials { username: "1001", password: "secret" };
        let value = authorize(&challenge, &credentials, "REGISTER", "sip:paceline", b"", 1, "ours");
        let answer = Answer::parse(&value).expect("an answer");
        assert!(answer.is_right("secret", "REGISTER", b""), "{value}");
        let later = made + Duration::from_secs(60);
        assert_eq!(mint.check(later, "paceline", &answer.nonce), NonceState::Fresh);
        let too_late = later + Duration::from_millis(1);
        assert_eq!(mint.check(too_late, "paceline", &answer.nonce), NonceState::Stale);
        assert_eq!(mint.check(later, "elsewhere", &answer.nonce), NonceState::Forged);
        let other = NonceMint::new([8; 32], Duration::from_secs(60));
        assert_eq!(other.check(later, "paceline", &answer.nonce), NonceState::Forged);
    }
    for forged in ["", "0", &"0".repeat(48), &"é".repeat(24), &"z".repeat(48)] {
        assert_eq!(mint.check(made, "paceline", forged), NonceState::Forged, "{forged}");
    }
}
