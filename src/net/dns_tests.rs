//! The client against a small name server on loopback; the order of RFC 2782.

use super::*;
use rand::SeedableRng;
use simple_dns::ResourceRecord;
use simple_dns::rdata::SRV;
use std::collections::BTreeMap;

fn record(priority: u16, weight: u16, target: &str) -> SrvRecord {
    SrvRecord { priority, weight, port: 5060, target: target.into() }
}

#[test]
fn priorities_ascend_and_weights_decide_how_often_one_comes_first() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let records = [
        record(20, 0, "last"),
        record(10, 30, "a"),
        record(10, 10, "b"),
        record(10, 0, "c"),
        record(5, 0, "first"),
    ];
    let mut second: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..4_000 {
        let order = in_order(records.to_vec(), &mut random);
        assert_eq!(order.len(), records.len());
        assert!(order.is_sorted_by_key(|record| record.priority));
        *second.entry(order[1].target.clone()).or_default() += 1;
    }
    assert!((2_700..3_200).contains(&second["a"]), "{second:?}");
    assert!((800..1_250).contains(&second["b"]), "{second:?}");
    assert!(second.get("c").is_none_or(|count| *count < 300), "{second:?}");
    assert!(in_order(Vec::new(), &mut random).is_empty());
}

fn srv<'a>(name: &'a str, priority: u16, port: u16, target: &'a str) -> ResourceRecord<'a> {
    let target = Name::new(target).expect("a name");
    let data = RData::SRV(SRV { priority, weight: 1, port, target });
    ResourceRecord::new(Name::new(name).expect("a name"), CLASS::IN, 5, data)
}

/// Answers `count` datagrams with what `answer` makes of each query.
async fn server(answer: impl Fn(&Packet<'_>) -> Vec<Vec<u8>> + Send + 'static) -> Servers {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 2_000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let query = Packet::parse(&buffer[..length]).expect("a query");
            for bytes in answer(&query) {
                socket.send_to(&bytes, from).await.expect("sent");
            }
        }
    });
    Servers { all: vec![address], timeout: Duration::from_secs(20), attempts: 1 }
}

fn reply(query: &Packet<'_>, records: Vec<ResourceRecord<'_>>, rcode: RCODE) -> Vec<u8> {
    let mut reply = Packet::new_reply(query.id());
    reply.questions = query.questions.clone();
    *reply.rcode_mut() = rcode;
    reply.answers = records.into_iter().map(ResourceRecord::into_owned).collect();
    reply.build_bytes_vec_compressed().expect("a packet")
}

const NAME: &str = "_sip._udp.carrier.test";

#[tokio::test]
async fn srv_records_are_read_and_answers_to_other_questions_passed_over() {
    let servers = server(|query| {
        let good = vec![srv(NAME, 2, 5070, "t2.carrier.test"), srv(NAME, 1, 5080, "t1.carrier.test")];
        let mut forged = Packet::new_reply(query.id().wrapping_add(1));
        forged.questions = query.questions.clone();
        vec![
            b"nonsense".to_vec(),
            forged.build_bytes_vec().expect("a packet"),
            reply(query, good, RCODE::NoError),
        ]
    })
    .await;
    let records = query_srv(&servers, NAME).await.expect("records");
    let found: Vec<_> =
        records.iter().map(|record| (record.priority, record.port, record.target.as_str())).collect();
    assert_eq!(found, [(2, 5070, "t2.carrier.test"), (1, 5080, "t1.carrier.test")]);
}

#[tokio::test]
async fn a_name_without_records_has_none_and_a_failing_server_is_named() {
    let servers = server(|query| vec![reply(query, Vec::new(), RCODE::NameError)]).await;
    assert_eq!(query_srv(&servers, NAME).await.expect("no records"), []);
    let servers = server(|query| vec![reply(query, Vec::new(), RCODE::ServerFailure)]).await;
    let error = query_srv(&servers, NAME).await.expect_err("a failure");
    assert!(error.to_string().contains(NAME) && error.to_string().contains("ServerFailure"), "{error}");
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_fails() {
    let failing = server(|query| vec![reply(query, Vec::new(), RCODE::Refused)]).await;
    let sound =
        server(|query| vec![reply(query, vec![srv(NAME, 1, 5060, "t.carrier.test")], RCODE::NoError)]).await;
    let servers = Servers { all: vec![failing.all[0], sound.all[0]], ..sound };
    assert_eq!(query_srv(&servers, NAME).await.expect("records").len(), 1);
}

#[tokio::test]
async fn a_truncated_answer_is_asked_again_over_tcp() {
    let servers = server(|query| {
        let mut short = Packet::new_reply(query.id());
        short.questions = query.questions.clone();
        short.set_flags(PacketFlag::TRUNCATION);
        vec![short.build_bytes_vec().expect("a packet")]
    })
    .await;
    let listener = tokio::net::TcpListener::bind(servers.all[0]).await.expect("the same port over TCP");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let length = stream.read_u16().await.expect("a length");
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.expect("a query");
        let query = Packet::parse(&query).expect("a query");
        let bytes = reply(&query, vec![srv(NAME, 1, 5060, "t.carrier.test")], RCODE::NoError);
        stream.write_u16(bytes.len() as u16).await.expect("written");
        stream.write_all(&bytes).await.expect("written");
    });
    assert_eq!(query_srv(&servers, NAME).await.expect("records").len(), 1);
}

#[tokio::test]
async fn an_address_needs_no_name_server() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let found = resolve("[::1]", Some(5070), Transport::Udp, &mut random).await.expect("an address");
    assert_eq!(found, ["[::1]:5070".parse().expect("an address")]);
    let found = resolve("192.0.2.1", None, Transport::Tls, &mut random).await.expect("an address");
    assert_eq!(found, ["192.0.2.1:5061".parse().expect("an address")]);
}
