//! Loopback tests of the sockets: messages arrive complete and in order, and untrusted sources cannot
//! exhaust them.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

const PATIENCE: Duration = Duration::from_secs(20);

async fn bind(change: impl FnOnce(&mut SipSocketConfig)) -> (SipSockets, mpsc::Receiver<SipEvent>) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = SipSocketConfig::new(vec![(Transport::Udp, any), (Transport::Tcp, any)]);
    config.untrusted_per_sec = None;
    change(&mut config);
    let (inbound, events) = mpsc::channel(64);
    (SipSockets::bind(config, inbound).await.expect("free ports"), events)
}

async fn next(events: &mut mpsc::Receiver<SipEvent>) -> SipEvent {
    tokio::time::timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("sockets are alive")
}

fn message(number: usize, body: &str) -> Vec<u8> {
    format!("OPTIONS sip:x SIP/2.0\r\nCSeq: {number} OPTIONS\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[tokio::test]
async fn datagrams_go_both_ways() {
    let (sockets, mut events) = bind(|_| {}).await;
    let far = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let far_peer = Peer { transport: Transport::Udp, address: far.local_addr().expect("bound") };
    far.send_to(b"hello", sockets.addresses()[0].1).await.expect("sent");
    assert_eq!(next(&mut events).await, SipEvent::Message { from: far_peer, bytes: b"hello".to_vec() });
    for number in 0..50 {
        sockets.send(far_peer, message(number, ""));
    }
    let mut buffer = [0; 2_048];
    for number in 0..50 {
        let (length, _) = far.recv_from(&mut buffer).await.expect("received");
        assert_eq!(buffer[..length], message(number, ""));
    }
    assert_eq!((sockets.totals().received, sockets.totals().sent), (1, 50));
}

#[tokio::test]
async fn keep_alives_are_not_messages() {
    let (sockets, mut events) = bind(|_| {}).await;
    let far = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    for bytes in [&b"\r\n\r\n"[..], b"\0\0\0\0", b"", b"real"] {
        far.send_to(bytes, sockets.addresses()[0].1).await.expect("sent");
    }
    let SipEvent::Message { bytes, .. } = next(&mut events).await else { panic!("a failure") };
    assert_eq!(bytes, b"real");
}

#[tokio::test]
async fn a_stream_is_cut_into_messages_and_used_both_ways() {
    let (sockets, mut events) = bind(|_| {}).await;
    let mut far = TcpStream::connect(sockets.addresses()[1].1).await.expect("connected");
    let whole: Vec<u8> = (0..3).flat_map(|number| message(number, "body")).collect();
    let (first, second) = whole.split_at(70);
    far.write_all(first).await.expect("written");
    far.write_all(second).await.expect("written");
    let from = Peer { transport: Transport::Tcp, address: far.local_addr().expect("bound") };
    for number in 0..3 {
        assert_eq!(next(&mut events).await, SipEvent::Message { from, bytes: message(number, "body") });
    }
    sockets.send(from, message(7, "answer"));
    let mut answer = vec![0; message(7, "answer").len()];
    far.read_exact(&mut answer).await.expect("on the same connection");
    assert_eq!(answer, message(7, "answer"));
}

#[tokio::test]
async fn a_ping_gets_a_pong() {
    let (sockets, _events) = bind(|_| {}).await;
    let mut far = TcpStream::connect(sockets.addresses()[1].1).await.expect("connected");
    far.write_all(b"\r\n\r\n").await.expect("written");
    let mut pong = [0; 2];
    tokio::time::timeout(PATIENCE, far.read_exact(&mut pong)).await.expect("in time").expect("a pong");
    assert_eq!(&pong, b"\r\n");
}

#[tokio::test]
async fn one_connection_is_made_and_kept() {
    let (ours, mut events) = bind(|_| {}).await;
    let (theirs, mut their_events) = bind(|_| {}).await;
    let peer = Peer { transport: Transport::Tcp, address: theirs.addresses()[1].1 };
    ours.send(peer, message(1, ""));
    ours.send(peer, message(2, ""));
    let mut from = Vec::new();
    for number in 1..=2 {
        let SipEvent::Message { from: sender, bytes } = next(&mut their_events).await else {
            panic!("failed")
        };
        assert_eq!(bytes, message(number, ""));
        from.push(sender);
    }
    assert_eq!(from[0], from[1]);
    theirs.send(from[0], message(3, ""));
    assert_eq!(next(&mut events).await, SipEvent::Message { from: peer, bytes: message(3, "") });
    drop(theirs);
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer });
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_reported() {
    let (sockets, mut events) = bind(|_| {}).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let peer = Peer { transport: Transport::Tcp, address: free.expect("a free port") };
    sockets.send(peer, message(1, ""));
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer });
    let tls = Peer { transport: Transport::Tls, ..peer };
    sockets.send(tls, message(1, ""));
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer: tls });
}

#[tokio::test]
async fn a_stream_that_is_no_sip_is_closed() {
    let (sockets, mut events) = bind(|_| {}).await;
    let mut far = TcpStream::connect(sockets.addresses()[1].1).await.expect("connected");
    let peer = Peer { transport: Transport::Tcp, address: far.local_addr().expect("bound") };
    far.write_all(b"INVITE sip:x SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n")
        .await
        .expect("written");
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer });
}

#[tokio::test]
async fn an_idle_connection_is_closed_unless_trusted() {
    let (sockets, mut events) = bind(|config| {
        config.idle = Duration::from_millis(200);
        config.untrusted_per_sec = NonZeroU32::new(20);
    })
    .await;
    let stranger = TcpStream::connect(sockets.addresses()[1].1).await.expect("connected");
    let peer = Peer { transport: Transport::Tcp, address: stranger.local_addr().expect("bound") };
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer });
    sockets.trust([peer.address.ip()]);
    let mut trunk = TcpStream::connect(sockets.addresses()[1].1).await.expect("connected");
    trunk.write_all(&message(1, "")).await.expect("written");
    assert!(matches!(next(&mut events).await, SipEvent::Message { .. }));
    let mut byte = [0];
    let closed = tokio::time::timeout(Duration::from_millis(600), trunk.read(&mut byte)).await;
    assert!(closed.is_err(), "closed: {closed:?}");
}

#[tokio::test]
async fn idle_and_half_sent_connections_are_closed_whoever_opened_them() {
    let (sockets, mut events) = bind(|config| {
        config.idle = Duration::from_millis(300);
        config.untrusted_per_sec = NonZeroU32::new(20);
    })
    .await;
    sockets.trust([std::net::Ipv4Addr::LOCALHOST.into()]);
    let address = sockets.addresses()[1].1;
    let peer_of =
        |stream: &TcpStream| Peer { transport: Transport::Tcp, address: stream.local_addr().expect("bound") };
    // Trusted, and never says anything; only pings; sends half a message, byte by byte.
    let silent = TcpStream::connect(address).await.expect("connected");
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer: peer_of(&silent) });
    for drip in [&b"\r\n\r\n"[..], b"O"] {
        let mut far = TcpStream::connect(address).await.expect("connected");
        let peer = peer_of(&far);
        let (mut read, mut write) = far.split();
        let dripping = async {
            loop {
                let _ = write.write_all(drip).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let closed = async {
            let mut buffer = [0; 64];
            while read.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
        };
        tokio::select! {
            () = dripping => {}
            () = closed => {}
            () = tokio::time::sleep(PATIENCE) => panic!("still open: {drip:?}"),
        }
        assert_eq!(next(&mut events).await, SipEvent::Failed { peer });
    }
    // A trusted one that has spoken may idle, not stop in the middle of a message.
    let mut trunk = TcpStream::connect(address).await.expect("connected");
    trunk.write_all(&message(1, "")).await.expect("written");
    assert!(matches!(next(&mut events).await, SipEvent::Message { .. }));
    trunk.write_all(b"OPTIONS sip:x SIP/2.0\r\n").await.expect("written");
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer: peer_of(&trunk) });
}

#[tokio::test]
async fn a_thousand_idle_connections_do_not_keep_an_honest_one_out() {
    for trusted in [false, true] {
        let (sockets, mut events) = bind(|config| {
            config.connections_max = 50;
            config.untrusted_per_sec = NonZeroU32::new(20);
        })
        .await;
        if trusted {
            // A trunk behind the same address.
            sockets.trust([std::net::Ipv4Addr::LOCALHOST.into()]);
        }
        let address = sockets.addresses()[1].1;
        let mut honest = TcpStream::connect(address).await.expect("connected");
        honest.write_all(&message(1, "")).await.expect("written");
        let mut open = Vec::new();
        for _ in 0..200 {
            open.push(TcpStream::connect(address).await.expect("the kernel accepts"));
        }
        let mut second = TcpStream::connect(address).await.expect("connected");
        second.write_all(&message(2, "")).await.expect("written");
        let mut heard = 0;
        while heard < 2 {
            if let SipEvent::Message { .. } = next(&mut events).await {
                heard += 1;
            }
        }
        // The first one was open all the time.
        honest.write_all(&message(3, "")).await.expect("written");
        let third = loop {
            if let SipEvent::Message { bytes, .. } = next(&mut events).await {
                break bytes;
            }
        };
        assert_eq!(third, message(3, ""));
    }
}

#[tokio::test]
async fn a_trunk_may_have_an_authority_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let [(server, mut asked), (client, _answered)] = over_tls(dir.path(), false).await;
    let address = server.addresses()[0].1;
    client.use_authorities(address, &dir.path().join("sip-cert.pem")).expect("a certificate");
    client.send(Peer { transport: Transport::Tls, address }, message(1, ""));
    assert!(matches!(next(&mut asked).await, SipEvent::Message { .. }));
    let error = client.use_authorities(address, &dir.path().join("none.pem")).expect_err("no file");
    assert!(error.to_string().contains("none.pem"), "{error}");
}

#[tokio::test]
async fn both_families_listen_side_by_side_and_send_by_their_own() {
    let any = |text: &str| text.parse::<SocketAddr>().expect("an address");
    let listen = vec![
        (Transport::Udp, any("[::]:0")),
        (Transport::Udp, any("0.0.0.0:0")),
        (Transport::Tcp, any("[::]:0")),
        (Transport::Tcp, any("0.0.0.0:0")),
    ];
    let (sockets, mut events) = bind(|config| config.listen = listen).await;
    for (at, local) in [(0, "[::1]:0"), (1, "127.0.0.1:0")] {
        let far = UdpSocket::bind(local).await.expect("a free port");
        let peer = Peer { transport: Transport::Udp, address: far.local_addr().expect("bound") };
        sockets.send(peer, message(1, ""));
        let mut buffer = [0; 2_048];
        let (_, from) = far.recv_from(&mut buffer).await.expect("received");
        let bound = sockets.addresses()[at].1;
        assert_eq!((from.port(), from.is_ipv6()), (bound.port(), bound.is_ipv6()));
    }
    let mut far = TcpStream::connect(("::1", sockets.addresses()[2].1.port())).await.expect("connected");
    far.write_all(&message(2, "")).await.expect("written");
    let SipEvent::Message { from, .. } = next(&mut events).await else { panic!("a failure") };
    assert!(from.address.is_ipv6() && from.transport == Transport::Tcp);
}

#[tokio::test]
async fn an_untrusted_address_at_its_limit_loses_its_oldest_connection() {
    let (sockets, mut events) = bind(|config| config.untrusted_per_sec = NonZeroU32::new(20)).await;
    let address = sockets.addresses()[1].1;
    let mut phone = TcpStream::connect(address).await.expect("connected");
    let phone_peer = Peer { transport: Transport::Tcp, address: phone.local_addr().expect("bound") };
    sockets.set_phones(BTreeSet::from([phone_peer]));
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(TcpStream::connect(address).await.expect("the kernel accepts"));
    }
    // A new connection still works, and the phone has kept its own.
    for stream in open.iter_mut().rev().take(1).chain([&mut phone]) {
        stream.write_all(b"\r\n\r\n").await.expect("written");
        let mut pong = [0; 2];
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut pong)).await.expect("in time").expect("a pong");
    }
    for _ in 0..200 - 64 {
        let SipEvent::Failed { peer } = next(&mut events).await else { panic!("a message") };
        assert_ne!(peer, phone_peer);
    }
}

/// A TLS server with a self-signed certificate, and a client that trusts it if `believes`.
async fn over_tls(dir: &std::path::Path, believes: bool) -> [(SipSockets, mpsc::Receiver<SipEvent>); 2] {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let made = TlsConfig::self_signed(dir, &["sip.example".into(), "127.0.0.1".into()]).expect("made");
    let authorities = believes.then(|| made.cert.clone());
    let server = bind(|config| {
        config.listen = vec![(Transport::Tls, any)];
        config.tls = Some(made);
    })
    .await;
    let client = bind(|config| config.authorities = authorities).await;
    [server, client]
}

#[tokio::test]
async fn messages_go_both_ways_over_tls() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in [None, Some("sip.example")] {
        let [(server, mut asked), (client, mut answered)] = over_tls(dir.path(), true).await;
        let peer = Peer { transport: Transport::Tls, address: server.addresses()[0].1 };
        if let Some(name) = name {
            client.require_certificate_name(peer.address, name);
        }
        client.send(peer, message(1, "over TLS"));
        let SipEvent::Message { from, bytes } = next(&mut asked).await else { panic!("failed") };
        assert_eq!((from.transport, bytes), (Transport::Tls, message(1, "over TLS")));
        server.send(from, message(2, ""));
        assert_eq!(next(&mut answered).await, SipEvent::Message { from: peer, bytes: message(2, "") });
    }
}

#[tokio::test]
async fn an_untrusted_certificate_or_another_name_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    for (believes, name) in [(false, None), (true, Some("other.example"))] {
        let [(server, _asked), (client, mut answered)] = over_tls(dir.path(), believes).await;
        let peer = Peer { transport: Transport::Tls, address: server.addresses()[0].1 };
        if let Some(name) = name {
            client.require_certificate_name(peer.address, name);
        }
        client.send(peer, message(1, ""));
        assert_eq!(next(&mut answered).await, SipEvent::Failed { peer });
    }
}

#[tokio::test]
async fn a_certificate_is_made_once_and_its_key_is_ours_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let names = ["sip.example".to_string()];
    let made = TlsConfig::self_signed(&dir.path().join("new"), &names).expect("made");
    let text = std::fs::read(&made.cert).expect("written");
    assert_eq!(TlsConfig::self_signed(&dir.path().join("new"), &names).expect("found"), made);
    assert_eq!(std::fs::read(&made.cert).expect("still there"), text);
    let mode = std::fs::metadata(&made.key).expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    made.check().expect("usable");
    std::fs::write(&made.key, "no key").expect("written");
    let error = made.check().expect_err("no key").to_string();
    assert!(error.contains("sip-key.pem"), "{error}");
}

#[tokio::test]
async fn tls_without_a_certificate_is_refused_in_words() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (inbound, _) = mpsc::channel(1);
    let config = SipSocketConfig::new(vec![(Transport::Tls, any)]);
    let error = SipSockets::bind(config, inbound).await.expect_err("no certificate").to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_peer_without_tls_is_disconnected() {
    let dir = tempfile::tempdir().expect("a directory");
    let [(server, mut events), _] = over_tls(dir.path(), true).await;
    let mut far = TcpStream::connect(server.addresses()[0].1).await.expect("connected");
    let peer = Peer { transport: Transport::Tls, address: far.local_addr().expect("bound") };
    far.write_all(&message(1, "")).await.expect("written");
    assert_eq!(next(&mut events).await, SipEvent::Failed { peer });
}

#[tokio::test]
async fn a_flooding_untrusted_source_is_rate_limited() {
    let (sockets, mut events) = bind(|config| config.untrusted_per_sec = NonZeroU32::new(5)).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let trunk = UdpSocket::bind("127.0.0.2:0").await.expect("a free port");
    sockets.trust(["127.0.0.2".parse().expect("an address")]);
    for number in 0..400 {
        stranger.send_to(&message(number, ""), sockets.addresses()[0].1).await.expect("sent");
    }
    trunk.send_to(b"last", sockets.addresses()[0].1).await.expect("sent");
    let mut taken = 0;
    while next(&mut events).await
        != (SipEvent::Message {
            from: Peer { transport: Transport::Udp, address: trunk.local_addr().expect("bound") },
            bytes: b"last".to_vec(),
        })
    {
        taken += 1;
    }
    assert_eq!(taken + sockets.totals().refused, 400);
    assert!(taken < 200, "{taken} of 400 were taken");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let (sockets, _events) = bind(|_| {}).await;
    let taken = sockets.addresses()[0].1;
    let (inbound, _) = mpsc::channel(1);
    let config = SipSocketConfig::new(vec![(Transport::Udp, taken)]);
    let error = SipSockets::bind(config, inbound).await.expect_err("in use").to_string();
    assert!(error.contains(&taken.to_string()), "{error}");
}
