//! Habits of carriers: where they want the caller ID, and answers that RFC 3261 did not promise.

use super::desk::*;
use crate::call::{HangUpCause, Progress};
use crate::outcome::{EndedBy, Outcome};
use crate::sip::auth::{Answer, Qop};
use crate::sip::headers::HeaderName;
use crate::sip::user_agent::{CallRequest, CallerIdHeader, Incoming, SipTrunk};
use crate::time::Duration;

fn place(trunk: SipTrunk, request: CallRequest) -> (Desk, String) {
    let mut desk = Desk::with(config(Incoming::Anybody), trunk);
    desk.ua.place(desk.now, request);
    let invite = desk.one();
    desk.progress();
    (desk, invite)
}

#[test]
fn the_caller_id_stands_where_the_trunk_wants_it() {
    let identity = [HeaderName::PPreferredIdentity, HeaderName::PAssertedIdentity, HeaderName::RemotePartyId];
    for (choice, account, from, name, value) in [
        (CallerIdHeader::From, "alice", "075512345678", identity[0], "<sip:075512345678@carrier.example>"),
        (
            CallerIdHeader::PPreferredIdentity,
            "alice",
            "alice",
            identity[0],
            "<sip:075512345678@carrier.example>",
        ),
        (
            CallerIdHeader::PAssertedIdentity,
            "alice",
            "alice",
            identity[1],
            "<sip:075512345678@carrier.example>",
        ),
        (
            CallerIdHeader::RemotePartyId,
            "alice",
            "alice",
            identity[2],
            "<sip:075512345678@carrier.example>;party=calling;screen=yes;privacy=off",
        ),
        (
            CallerIdHeader::PAssertedIdentity,
            "",
            "075512345678",
            identity[1],
            "<sip:075512345678@carrier.example>",
        ),
    ] {
        let trunk = SipTrunk { caller_id_header: choice, username: account.into(), ..trunk() };
        let (_, invite) = place(trunk, request());
        let written = header(&invite, HeaderName::From);
        assert!(written.starts_with(&format!("<sip:{from}@carrier.example>;tag=")), "{choice:?}: {written}");
        for other in identity {
            assert_eq!(header(&invite, other), if other == name { value } else { "" }, "{choice:?}");
        }
        let contact = header(&invite, HeaderName::Contact);
        assert!(contact.starts_with(&format!("<sip:{from}@")), "{contact}");
    }
}

#[test]
fn without_a_caller_id_the_account_stands_in_from_alone() {
    let trunk = SipTrunk { caller_id_header: CallerIdHeader::PAssertedIdentity, ..trunk() };
    let (_, invite) = place(trunk, CallRequest { caller_id: None, ..request() });
    assert!(header(&invite, HeaderName::From).starts_with("<sip:alice@"));
    assert_eq!(header(&invite, HeaderName::PAssertedIdentity), "");
}

#[test]
fn domain_and_proxy_are_two_things() {
    let trunk = SipTrunk { host: "sip.example".into(), from_domain: "from.example".into(), ..trunk() };
    let (_, invite) = place(trunk, CallRequest { caller_id: Some("+8675512345678".into()), ..request() });
    assert_eq!(first_line(&invite), "INVITE sip:013800138000@sip.example SIP/2.0");
    assert_eq!(header(&invite, HeaderName::To), "<sip:013800138000@sip.example>");
    assert!(header(&invite, HeaderName::From).starts_with("<sip:+8675512345678@from.example>"));
}

#[test]
fn a_password_is_for_its_realm_only() {
    let challenge = |realm: &str| format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n\"");
    for (realm, challenged, answers) in
        [("", "any", true), ("Our PBX", "Our PBX", true), ("Our PBX", "other", false)]
    {
        let (mut desk, invite) = place(SipTrunk { realm: realm.into(), ..trunk() }, request());
        desk.receive(&answer(&invite, "401 Unauthorized", "x", &[&challenge(challenged)], ""));
        let sent = desk.sent();
        assert_eq!(sent.iter().any(|text| text.starts_with("INVITE ")), answers, "{realm:?} {challenged:?}");
    }
}

#[test]
fn an_answer_without_a_to_tag_is_an_answer() {
    let (mut desk, invite) = Desk::calling();
    let ok = answer(&invite, "200 OK", "", &[], SDP);
    desk.receive(&ok);
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.receive(&ok);
    desk.silent();
    let saved = desk.ua.saved_dialog(CALL).and_then(|saved| saved.confirmed).expect("a dialog");
    assert_eq!(saved.remote_tag, "");
    desk.ua.acknowledge(desk.now, CALL);
    let ack = desk.one();
    assert_eq!(header(&ack, HeaderName::To), "<sip:013800138000@carrier.example>");
    desk.receive(&ok);
    assert_eq!(desk.one(), ack, "a repeated answer gets its ACK again");
    // The far side's BYE carries no tag either.
    desk.receive(&far_request(&ok, "BYE", 1, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 200"));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Callee));
}

#[test]
fn our_bye_to_a_far_side_without_a_tag_has_none() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "200 OK", "", &[], SDP));
    desk.ua.acknowledge(desk.now, CALL);
    desk.sent();
    desk.hang_up(HangUpCause::Finished);
    assert_eq!(header(&desk.one(), HeaderName::To), "<sip:013800138000@carrier.example>");
}

#[test]
fn a_saved_dialog_without_a_remote_tag_is_ended_without_one() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "200 OK", "", &[], SDP));
    let saved = desk.ua.saved_dialog(CALL).expect("a dialog");
    let mut next = Desk::new();
    next.ua.end_saved_dialog(next.now, saved);
    let sent = next.sent();
    assert!(!sent.is_empty());
    for text in sent {
        assert_eq!(header(&text, HeaderName::To), "<sip:013800138000@carrier.example>");
    }
}

#[test]
fn early_media_without_a_tag_is_heard_and_kept_for_an_answer_without_sdp() {
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "183 Session Progress", "", &[], SDP));
    assert_eq!(desk.media().len(), 1);
    desk.receive(&answer(&invite, "200 OK", "far", &[], ""));
    desk.ua.acknowledge(desk.now, CALL);
    assert_eq!(desk.sent().len(), 1, "no BYE for missing media");
}

#[test]
fn auth_int_covers_the_offer() {
    let (mut desk, invite) = Desk::calling();
    let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"";
    desk.receive(&answer(&invite, "401 Unauthorized", "x", &[digest], ""));
    let again = desk.sent().pop().expect("a second INVITE");
    let given = Answer::parse(&header(&again, HeaderName::Authorization)).expect("a digest answer");
    let (_, body) = again.split_once("\r\n\r\n").expect("a body");
    assert!(body.starts_with("v=0"), "{body}");
    assert_eq!(given.qop, Qop::AuthInt);
    assert!(given.is_right("secret", "INVITE", body.as_bytes()));
    assert!(!given.is_right("secret", "INVITE", b""));
}

/// The description as a part beside another body.
fn mixed(body: &str) -> String {
    format!(
        "--x\r\nContent-Type: application/rtp-extra\r\n\r\nno matter\r\n--x\r\nContent-Type: \
         application/sdp\r\n\r\n{body}--x--\r\n"
    )
}

#[test]
fn a_description_inside_multipart_is_read_in_answers_and_offers() {
    let (mut desk, invite) = Desk::calling();
    let kind = "Content-Type: multipart/mixed;boundary=x";
    let ok = answer(&invite, "200 OK", "far", &[kind], &mixed(SDP));
    desk.receive(&ok);
    assert_eq!(desk.media()[0].0.rtp, "203.0.113.10:4000".parse().expect("an address"));
    desk.ua.acknowledge(desk.now, CALL);
    desk.sent();
    let offer = SDP.replace("audio 4000", "audio 4444");
    desk.receive(&far_request(&ok, "INVITE", 1, &[kind], &mixed(&offer)));
    let reply = desk.sent().into_iter().find(|text| text.starts_with("SIP/2.0 200")).expect("a 200");
    assert!(reply.contains("m=audio"), "{reply}");
    assert_eq!(desk.media()[0].0.rtp, "203.0.113.10:4444".parse().expect("an address"));
}

#[test]
fn a_bye_before_our_ack_ends_an_answered_call() {
    let (mut desk, invite) = Desk::calling();
    let ok = answer(&invite, "200 OK", "far", &[], SDP);
    desk.receive(&ok);
    assert_eq!(desk.progress(), [Progress::Answered]);
    desk.receive(&far_request(&ok, "BYE", 1, &[], ""));
    assert!(desk.one().starts_with("SIP/2.0 200"));
    let ended = desk.ended();
    assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Callee));
    // The command of the dialer comes late; a repeated answer still gets its ACK.
    desk.ua.acknowledge(desk.now, CALL);
    desk.silent();
    desk.receive(&ok);
    assert!(desk.sent().iter().any(|text| text.starts_with("ACK ")));
}

#[test]
fn a_bye_that_overtakes_the_answer_is_answered_and_the_answer_decides() {
    for early in [false, true] {
        let (mut desk, invite) = Desk::calling();
        if early {
            desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
            desk.progress();
        }
        let ok = answer(&invite, "200 OK", "far", &[], SDP);
        desk.receive(&far_request(&ok, "BYE", 1, &[], ""));
        assert!(desk.one().starts_with("SIP/2.0 200"));
        assert_eq!(desk.progress(), [], "the answer decides");
        desk.wait(Duration::from_millis(500));
        desk.receive(&ok);
        match desk.progress().as_slice() {
            [Progress::Answered, Progress::Ended(ended)] => {
                assert_eq!((ended.outcome, ended.by), (Outcome::Answered, EndedBy::Callee));
            }
            other => panic!("{other:?}"),
        }
        desk.receive(&ok);
        assert!(desk.sent().iter().any(|text| text.starts_with("ACK ")));
    }
    let (mut desk, invite) = Desk::calling();
    desk.receive(&answer(&invite, "180 Ringing", "far", &[], ""));
    let ok = answer(&invite, "200 OK", "far", &[], SDP);
    desk.receive(&far_request(&ok, "BYE", 1, &[], ""));
    desk.receive(&answer(&invite, "487 Request Terminated", "far", &[], ""));
    desk.progress().into_iter().for_each(|progress| match progress {
        Progress::Ended(ended) => assert_eq!(ended.outcome, Outcome::NoAnswer),
        other => assert_eq!(other, Progress::Ringing),
    });
    assert!(!desk.ua.has_call(CALL));
}

#[test]
fn an_unknown_uri_scheme_is_refused_with_416_for_every_method() {
    for method in ["INVITE", "OPTIONS", "REGISTER", "MESSAGE", "INFO", "BYE", "SUBSCRIBE", "REFER", "CANCEL"]
    {
        let mut desk = Desk::new();
        desk.receive(&format!(
            "{method} nobodyknows:room7 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: {method}\r\n\
             CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        ));
        assert!(desk.one().starts_with("SIP/2.0 416 "), "{method}");
    }
}
