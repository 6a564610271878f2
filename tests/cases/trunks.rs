//! Trunks as carriers want them: forms of numbers, headers, addresses, odd answers. Tests SIP, SDP and `[trunks]`.

use super::*;
use program::Running;
use std::time::Duration;

#[test]
fn a_200_without_a_to_tag_is_an_answer() {
    let carrier = Folder::of("30-09-answer-without-to-tag").carrier(&[]);
    let played = carrier.run().ended(DONE);
    played.attempt_has("15400300909", &[("outcome", "answered")]);
    assert_eq!(carrier.event("ack", "15400300909")["got"], true);
    assert!(sound::heard_secs(&carrier, "15400300909", 1_000.0) > 1.9, "the announcement is heard");
}

#[test]
fn a_trunk_with_an_ipv6_address_is_dialled() {
    let Ok(_) = std::net::UdpSocket::bind("[::1]:0") else {
        eprintln!("no IPv6 on this machine: not tested");
        return;
    };
    let carrier = Folder::of("35-trunk-ipv6").carrier(&[]);
    let played = carrier.run().ended(DONE);
    played.attempt_has("15400340000", &[("outcome", "answered")]);
    let invite = carrier.event("invite", "15400340000");
    let sdp = invite["sdp"].as_str().expect("SDP");
    assert!(sdp.contains("IN IP6 ::1") && !sdp.contains("IN IP4"), "{sdp}");
    assert!(invite["contact"].as_str().is_some_and(|it| it.contains("[::1]")), "{invite}");
    assert!(carrier.event("rtp", "15400340000")["n"].as_u64().is_some_and(|n| n > 50), "audio over IPv6");
}

#[test]
fn a_trunk_of_a_family_that_we_do_not_listen_on_is_refused_in_words() {
    let folder = Folder::of("35-trunk-ipv6").edit("trunk.toml", "udp://[::1]:", "udp://127.0.0.1:");
    let carrier = folder.write("peer.args", "").carrier(&[]);
    let played = carrier.run_for(20);
    assert!([USAGE, REFUSED, STOPPED].contains(&played.ended.code), "{}", played.ended.all());
    played.ended.says_one_of(&["IPv6"]);
}

#[test]
fn caller_ids_are_read_in_any_form() {
    let folder = Folder::of("41-caller-id-forms");
    for n in 1..=4 {
        folder.check_file(&format!("campaign-{n}.toml")).ended(DONE);
    }
    // 1 415 555 0100 is a number of California, and 141 5555 0100 could be a mobile of China.
    let checked = folder.check_file("campaign-5.toml");
    match checked.ended.code {
        REFUSED => checked.says(&["campaign-5.toml:8", "14155550100"]),
        code => checked.ended(code).says(&["+14155550100"]),
    };
    for odd in ["0085223456789", "8675512345678", "4008123456", "+1 (415) 555-0100"] {
        let folder = Folder::of("41-caller-id-forms").edit("campaign-1.toml", "+8675512345678", odd);
        folder.check_file("campaign-1.toml").ended(DONE);
    }
    for odd in ["12", "anonymous", "+86 110", "0755-1234567890123"] {
        let folder = Folder::of("41-caller-id-forms").edit("campaign-1.toml", "+8675512345678", odd);
        folder.check_file("campaign-1.toml").ended(REFUSED).says(&["campaign-1.toml:8", odd]);
    }
}

/// The users of the request URIs, sorted, and the From of the first INVITE.
#[track_caller]
fn sent(carrier: &Carrier) -> (Vec<String>, String) {
    carrier.run_for(25);
    let mut dialled = carrier.dialled();
    dialled.sort();
    let first = carrier.events("invite").into_iter().next().unwrap_or_else(|| panic!("nothing was dialled"));
    (dialled, first["frm"].as_str().expect("From").to_owned())
}

#[test]
fn numbers_leave_in_e164_where_the_trunk_wants_it() {
    let glued = "strip_prefix = \"0\"\nadd_prefix = \"+86\"";
    let form = "number_form = \"+e164\"\ncaller_id_form = \"+e164\"";
    let carrier = Folder::of("51-trunk-wants-e164").edit("trunk.toml", glued, form).carrier(&[]);
    let (dialled, from) = sent(&carrier);
    assert_eq!(dialled, ["+442079460906", "+8615400500001", "+864001234504", "+8675512345602"]);
    assert!(from.contains("sip:+8675512345678@"), "{from}");
}

const MIXED: &str = "phone\n15400500100\n0755-12345600\n+44 20 7946 0906\n+852 5123 4500\n+1 415 555 0100\n";

#[test]
fn each_form_of_a_number_is_built_from_the_number() {
    let numbers = ["15400500100", "75512345600", "442079460906", "85251234500", "14155550100"];
    at_once(&["+e164", "e164", "national", "national_trunk_prefix"], |&form| {
        let keys = format!("allow = [\"*\"]\nnumber_form = {form:?}\ncaller_id_form = {form:?}");
        let carrier = Folder::new(MIXED).trunk(&keys).carrier(&["--all", "0"]);
        let (dialled, from) = sent(&carrier);
        let home = match form {
            "+e164" => ["+8615400500100", "+8675512345600"],
            "e164" => ["8615400500100", "8675512345600"],
            "national" => ["15400500100", "75512345600"],
            _ => ["15400500100", "075512345600"],
        };
        let has = |number: &str| dialled.iter().any(|it| it == number);
        assert!(home.iter().all(|it| has(it)), "{form}: {dialled:?}");
        for abroad in &numbers[2..] {
            let [plus, zeros] = [format!("+{abroad}"), format!("00{abroad}")];
            let right = match form {
                "+e164" => has(&plus),
                "e164" => has(abroad),
                _ => has(&plus) || has(&zeros),
            };
            assert!(right, "{form}: {abroad} in {dialled:?}");
        }
        let shown = match form {
            "+e164" => "sip:+8675512345678@",
            "e164" => "sip:8675512345678@",
            "national" => "sip:75512345678@",
            _ => "sip:075512345678@",
        };
        assert!(from.contains(shown), "{form}: {from}");
        assert_eq!(dialled.len(), 5, "{form}");
    });
}

#[test]
fn national_forms_are_those_of_the_country() {
    let forms = [
        ("GB", "020 7946 0900", "national_trunk_prefix", "02079460900"),
        ("GB", "020 7946 0900", "national", "2079460900"),
        ("US", "(415) 555-0100", "national", "4155550100"),
        ("HK", "5123 4500", "national_trunk_prefix", "51234500"),
    ];
    at_once(&forms, |&(region, given, form, wanted)| {
        let folder = Folder::new(phones([given]))
            .edit("campaign.toml", "\"CN\"", &format!("{region:?}"))
            .edit("campaign.toml", "numbers = [\"075512345678\"]", "numbers = []");
        // `timezone` is said, so that hours and region do not contradict each other.
        let zone = match region {
            "GB" => "Europe/London",
            "US" => "America/Los_Angeles",
            _ => "Asia/Hong_Kong",
        };
        let folder = folder.set("calling", &format!("timezone = {zone:?}"));
        let carrier =
            folder.trunk(&format!("allow = [\"*\"]\nnumber_form = {form:?}")).carrier(&["--all", "0"]);
        assert_eq!(sent(&carrier).0, [wanted], "{region} {form}");
    });
}

#[test]
fn a_form_that_is_unknown_or_contradicts_is_refused() {
    for (keys, words) in [
        ("number_form = \"+86\"", "+86"),
        ("caller_id_form = \"international\"", "international"),
        ("caller_id_header = \"diversion\"", "diversion"),
    ] {
        let carrier = Folder::new(phones(["15400500100"])).trunk(keys).carrier(&["--all", "0"]);
        carrier.run().ended(USAGE).ended.says(&["paceline.toml", words]);
    }
}

#[test]
fn the_caller_id_goes_where_the_trunk_says() {
    let headers =
        [("p_asserted_identity", "pai"), ("p_preferred_identity", "ppi"), ("remote_party_id", "rpid")];
    at_once(&headers, |&(header, field)| {
        let folder = Folder::of("80-provider-wants-account-in-from");
        let carrier = folder.trunk(&format!("caller_id_header = {header:?}")).carrier(&[]);
        let (_, from) = sent(&carrier);
        assert!(from.contains("<sip:1234567e0@sip.example>"), "{header}: {from}");
        let invite = &carrier.events("invite")[0];
        let value = invite[field].as_str().unwrap_or_default();
        assert!(value.contains("075512345678") && !from.contains("075512345678"), "{header}: {invite}");
    });
    let carrier = Folder::of("80-provider-wants-account-in-from").carrier(&[]);
    let (_, from) = sent(&carrier);
    assert!(from.contains("sip:075512345678@sip.example"), "as before where the trunk says nothing: {from}");
}

#[test]
fn the_domain_and_the_proxy_are_apart() {
    let folder = Folder::of("80-provider-wants-account-in-from").trunk("domain = \"ims.example\"");
    let carrier = folder.edit("trunk.toml", "from_domain = \"sip.example\"\n", "").carrier(&[]);
    let (_, from) = sent(&carrier);
    let invite = &carrier.events("invite")[0];
    assert!(invite["ruri"].as_str().is_some_and(|it| it.ends_with("@ims.example")), "{invite}");
    assert!(from.contains("@ims.example") && invite["to"].to_string().contains("@ims.example"), "{invite}");
}

// Addresses.

#[test]
fn the_transport_of_the_uri_is_used() {
    let carrier = Folder::of("54-uri-says-tcp").carrier(&[]);
    carrier.run_for(20);
    assert_eq!(carrier.dialled(), ["15400540029"]);
    assert!(!carrier.events("tcp-open").is_empty());
}

#[test]
fn an_odd_part_of_the_uri_is_refused_in_words() {
    for (from, to, words) in [
        (";transport=tcp\"", ";transport=sctp\"", "sctp"),
        (";transport=tcp\"", ";transport=tcp\"\ntransport = \"udp\"", "transport"),
        (";transport=tcp\"", ";lines=2\"", "lines"),
        ("sip:127.0.0.1:@PEER@;transport=tcp", "tel:+8675512345678", "tel:"),
    ] {
        let carrier =
            Folder::of("54-uri-says-tcp").write("peer.args", "").edit("trunk.toml", from, to).carrier(&[]);
        let played = carrier.run_for(20).ended(USAGE);
        played.ended.says(&["paceline.toml:", words]);
    }
}

/// Runs behind a name server of its own; `None` without the right to a mount namespace.
fn run_with_dns(folder: Folder) -> Option<(Carrier, Played)> {
    let (carrier, run) = start_with_dns(folder, &["run", "campaign.toml", "--config", "paceline.toml"])?;
    let ended = run.end_within(Duration::from_secs(60));
    let played = Played::read(carrier.folder.dir.path(), ended);
    Some((carrier, played))
}

fn start_with_dns(folder: Folder, words: &[&str]) -> Option<(Carrier, Running)> {
    let may = std::process::Command::new("unshare").args(["-m", "true"]).output();
    if !may.is_ok_and(|it| it.status.success()) {
        eprintln!("no right to a mount namespace of its own here: not tested");
        return None;
    }
    let carrier = folder.carrier(&[]);
    let here = carrier.folder.path("").display().to_string();
    // Each run has an address of its own for its name server.
    let dns = format!("127.{}.{}.53", 1 + carrier.port % 200, carrier.port / 256);
    let (peer, here, dns_word) =
        (format!("PEER={}", carrier.port), format!("HERE={here}"), format!("DNS={dns}"));
    let script = carrier.folder.path("pre.sh").display().to_string();
    let before = ["unshare", "-m", "env", &peer, &here, &dns_word, "sh", &script];
    let running = Running::start(carrier.folder.dir.path(), words, &before);
    Some((carrier, running))
}

/// The name has no address at the start of the service, and one seconds later.
#[test]
fn a_name_that_is_not_there_yet_is_looked_up_again() {
    let folder = Folder::of("82-trunk-by-srv").write("peer.args", "--all 0");
    let folder = folder.edit("trunk.toml", "sip:carrier.test", "sip:late.carrier.test:@PEER@");
    let words = ["serve", "campaign.toml", "--config", "paceline.toml"];
    let Some((carrier, mut service)) = start_with_dns(folder, &words) else { return };
    service.wait_for("campaign bug is open");
    assert!(
        service.err().contains("late.carrier.test has no address; the trunk is not in use"),
        "{}",
        service.err()
    );
    carrier.wait_for("ack", 1);
    assert_eq!(carrier.dialled(), ["15400820029"], "{}", service.err());
    service.terminate();
    service.end_within(Duration::from_secs(20));
}

#[test]
fn a_carrier_is_found_by_srv() {
    let folder = Folder::of("82-trunk-by-srv").write("peer.args", "--all 0");
    let Some((carrier, played)) = run_with_dns(folder) else { return };
    assert_eq!(carrier.dialled(), ["15400820029"], "{}", played.ended.all());
    played.attempt_has("15400820029", &[("outcome", "answered")]);
}

/// 127.0.0.99 comes first and is silent or refuses; 127.0.0.1 is the carrier.
#[test]
fn the_next_address_of_a_name_is_tried() {
    let folder = Folder::of("82-trunk-by-srv").write("peer.args", "--all 0");
    let folder = folder.edit("trunk.toml", "sip:carrier.test", "sip:two.carrier.test:@PEER@");
    let Some((carrier, played)) = run_with_dns(folder) else { return };
    assert_eq!(carrier.dialled(), ["15400820029"], "{}", played.ended.all());
    assert_eq!(played.leads_in("done"), 1, "{}", played.shown());
}

#[test]
fn a_name_that_is_not_there_is_said_in_words() {
    let folder =
        Folder::of("82-trunk-by-srv").edit("trunk.toml", "sip:carrier.test", "sip:none.carrier.test");
    let Some((carrier, played)) = run_with_dns(folder) else { return };
    assert_eq!(carrier.dialled(), [""; 0]);
    assert_ne!(played.ended.code, DONE, "{}", played.ended.all());
    played.ended.says(&["none.carrier.test"]);
}

// Odd messages.

#[test]
fn odd_but_legal_answers_are_answers() {
    let numbers = ["15400880062", "15400880063", "15400880010", "15400880011", "15400880035"];
    let folder = Folder::new(phones(numbers)).trunk("username = \"10001\"\npassword = \"x\"");
    let carrier = folder.carrier(&[]);
    let played = carrier.run().ended(DONE);
    for number in numbers {
        played.attempt_has(number, &[("outcome", "answered")]);
    }
    assert_eq!(carrier.event("auth", numbers[0])["ok"], true, "qop=auth-int");
    for number in &numbers[..2] {
        assert!(carrier.event("rtp", number)["n"].as_u64().is_some_and(|n| n > 20), "audio to {number}");
    }
}

#[test]
fn a_bye_that_overtakes_our_ack_ends_the_call() {
    let carrier = Folder::new(phones(["15400880064"])).carrier(&[]);
    let played = carrier.run_for(30).ended(DONE);
    assert_eq!(carrier.event("bye-answer", "15400880064")["code"], 200);
    played.attempt_has("15400880064", &[("outcome", "answered"), ("ended_by", "callee")]);
}

// Ring time.

#[test]
fn ring_time_counts_from_the_first_ringing() {
    let carrier = Folder::of("70-50-ring-time-begins-before-it-rings").carrier(&[]);
    let played = carrier.run().ended(DONE);
    played.attempt_has("15400305050", &[("outcome", "answered")]);
}

#[test]
fn ringing_and_set_up_have_bounds_of_their_own() {
    let folder = Folder::new(phones(["15400890065", "15400890066"])).edit(
        "campaign.toml",
        "ring_secs = 12",
        "ring_secs = 5\nsetup_secs = 5",
    );
    let carrier = folder.carrier(&[]);
    let played = carrier.run_for(40);
    played.attempt_has("15400890066", &[("outcome", "no_answer")]);
    let rang: f64 = played.attempt("15400890066")["ring_secs"].parse().expect("seconds");
    assert!((4.5..6.5).contains(&rang), "it rang for {rang} s");
    // The call that never rang: cancelled at the bound of its set-up.
    let at = |event: &str, number: &str| carrier.event(event, number)["t"].as_f64().expect("a time");
    let setup = at("cancel", "15400890065") - at("invite", "15400890065");
    assert!((4.5..7.0).contains(&setup), "set-up was given up after {setup} s");
    let outcome = &played.attempt("15400890065")["outcome"];
    assert!(["no_answer", "unreachable", "line_fault"].contains(&outcome.as_str()), "{outcome}");
}

// Patterns.

#[test]
fn numbers_that_no_trunk_may_carry_are_counted_before_the_run() {
    // By default nothing goes abroad.
    let patterns = [
        ("", ["15400890100", "+44 20 7946 0900", "+852 5123 4500"], 2),
        ("allow = [\"1*\"]", ["15400890100", "0755-12345600", "+44 20 7946 0900"], 2),
        ("allow = [\"*\"]", ["15400890100", "0755-12345600", "+44 20 7946 0900"], 0),
        ("deny = [\"0755*\"]", ["15400890100", "0755-12345600", "021-12345600"], 1),
    ];
    at_once(&patterns, |&(keys, numbers, refused)| {
        let carrier = Folder::new(phones(numbers)).trunk(keys).carrier(&["--all", "0"]);
        let checked = carrier.folder.check().ended(DONE);
        let text = checked.ended.text();
        let counted = format!("{}{}", checked.report, text);
        assert!(refused == 0 || counted.contains("no_trunk"), "{keys}: {counted}");
        let played = carrier.run().ended(DONE);
        assert_eq!(carrier.dialled().len(), 3 - refused, "{keys}: {:?}", carrier.dialled());
        let reasons = played.leads.iter().filter(|row| row["reason"] == "no_trunk").count();
        assert_eq!(reasons, refused, "{keys}\n{}", played.shown());
    });
}

#[test]
fn a_call_test_shows_the_sip_ladder_and_its_meaning() {
    let carrier = Folder::new(phones(["15400890100"])).carrier(&["--by", "154008902=40"]);
    let test = |number: &str| {
        carrier.folder.program(&["trunk", "test", "main", number, "--config", "paceline.toml"])
    };
    let good = test("15400890300");
    assert_eq!(good.code, DONE, "{}", good.all());
    good.says(&["INVITE", "180", "200", "ACK", "BYE"]);
    let bad = test("15400890200");
    bad.says(&["INVITE", "403"]);
    let unknown =
        carrier.folder.program(&["trunk", "test", "other", "15400890100", "--config", "paceline.toml"]);
    assert!([USAGE, REFUSED].contains(&unknown.code), "{}", unknown.all());
    unknown.says(&["other", "main"]);
    assert_eq!(carrier.dialled(), ["15400890300", "15400890200"]);
}

/// The default pattern is of the list's country, which is not always China.
#[test]
fn a_list_of_another_country_may_call_its_own_country() {
    let folder = Folder::new(phones(["020 7946 0900", "15400890100", "+86 154 0089 0200"]))
        .edit("campaign.toml", "\"CN\"", "\"GB\"")
        .edit("campaign.toml", "numbers = [\"075512345678\"]", "numbers = []")
        .set("calling", "timezone = \"Europe/London\"");
    let carrier = folder.carrier(&["--all", "0"]);
    let played = carrier.run().ended(DONE);
    assert_eq!(carrier.dialled().len(), 1, "{:?}", carrier.dialled());
    let abroad = played.leads.iter().filter(|row| row["reason"] == "no_trunk").count();
    assert_eq!(abroad, 1, "{}", played.shown());
}
