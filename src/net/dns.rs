//! The addresses of a carrier's name (RFC 3263): SRV records by priority and weight (RFC 2782), else the name's own
//! addresses. Only SRV needs a client of ours; addresses come from the system's resolver.

use getrandom::fill;
use paceline_core::sip::user_agent::Transport;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// Most SRV records taken of one answer, and most addresses of a name.
const RECORDS_MAX: usize = 32;
/// Longest wait for one server, whatever resolv.conf says.
const TIMEOUT_MAX: Duration = Duration::from_secs(5);
const ATTEMPTS_MAX: u32 = 3;
const SERVERS_MAX: usize = 3;

#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    #[error("{0} has no address")]
    NoAddress(String),
    #[error("the SRV records of {0} say that it offers no SIP over this transport")]
    NotOffered(String),
    #[error("the name server did not answer for {name}: {why}")]
    Server { name: String, why: String },
}

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvRecord {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub target: String,
}

/// The addresses of `host` in the order in which they are tried, each once. With a port the name's own addresses
/// are asked at once; without one its SRV records come first.
///
/// # Errors
/// The name has no address, or its SRV records say that there is no such service.
pub async fn resolve(
    host: &str,
    port: Option<u16>,
    transport: Transport,
    random: &mut ChaCha8Rng,
) -> Result<Vec<SocketAddr>, DnsError> {
    let default = port.unwrap_or(if transport == Transport::Tls { 5061 } else { 5060 });
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, default)]);
    }
    let mut found = Vec::new();
    if port.is_none() {
        // RFC 3263 section 4.1: without NAPTR the transport is the configured one.
        let service = match transport {
            Transport::Udp => "_sip._udp",
            Transport::Tcp => "_sip._tcp",
            Transport::Tls => "_sips._tcp",
        };
        let name = format!("{service}.{host}");
        let records = match query_srv(&Servers::of_system(), &name).await {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!("{error}; its own addresses are used");
                Vec::new()
            }
        };
        if let [only] = records.as_slice()
            && only.target.is_empty()
        {
            return Err(DnsError::NotOffered(host.to_owned()));
        }
        for record in in_order(records, random) {
            match addresses(&record.target, record.port).await {
                Ok(all) => found.extend(all),
                Err(error) => tracing::warn!("{} of the SRV records of {host}: {error}", record.target),
            }
        }
    }
    if found.is_empty() {
        found = addresses(host, default).await?;
    }
    let mut once: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !once.contains(&address) && once.len() < RECORDS_MAX {
            once.push(address);
        }
    }
    Ok(once)
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, DnsError> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found: Vec<_> = found.map(Iterator::collect).unwrap_or_default();
    if found.is_empty() { Err(DnsError::NoAddress(host.to_owned())) } else { Ok(found) }
}

/// Records in the order in which a client tries them (RFC 2782): ascending priority; within one, drawn by weight.
pub fn in_order(mut records: Vec<SrvRecord>, random: &mut ChaCha8Rng) -> Vec<SrvRecord> {
    // Records of weight 0 stand first, so that they are drawn rarely where others have weight.
    records.sort_by_key(|record| (record.priority, record.weight, record.port));
    let mut ordered = Vec::new();
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = records.iter().take_while(|record| record.priority == priority);
        let total: u64 = group.map(|record| u64::from(record.weight)).sum();
        let drawn = random.random_range(0..=total);
        let mut running = 0;
        let at = records.iter().position(|record| {
            running += u64::from(record.weight);
            running >= drawn
        });
        ordered.push(records.remove(at.unwrap_or(0)));
    }
    ordered
}

/// The name servers to ask.
#[derive(Clone, Debug)]
struct Servers {
    all: Vec<SocketAddr>,
    timeout: Duration,
    attempts: u32,
}

impl Servers {
    /// Those of `/etc/resolv.conf`; without it, the one on this machine.
    fn of_system() -> Self {
        let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
        let (config, _) = resolv_conf::Config::parse_with_errors(&text);
        let all = config.get_nameservers_or_local().into_iter().take(SERVERS_MAX);
        Servers {
            all: all.map(|server| SocketAddr::new(IpAddr::from(server), 53)).collect(),
            timeout: Duration::from_secs(u64::from(config.timeout.max(1))).min(TIMEOUT_MAX),
            attempts: config.attempts.clamp(1, ATTEMPTS_MAX),
        }
    }
}

/// The SRV records of a name; empty = it has none.
async fn query_srv(servers: &Servers, name: &str) -> Result<Vec<SrvRecord>, DnsError> {
    let failed = |why: String| DnsError::Server { name: name.to_owned(), why };
    let mut id = [0; 2];
    fill(&mut id).map_err(|error| failed(error.to_string()))?;
    let id = u16::from_be_bytes(id);
    let owner = Name::new(name).map_err(|error| failed(error.to_string()))?;
    let mut query = Packet::new_query(id);
    query.set_flags(PacketFlag::RECURSION_DESIRED);
    query.questions.push(Question::new(owner, QTYPE::TYPE(TYPE::SRV), QCLASS::CLASS(CLASS::IN), false));
    let query = query.build_bytes_vec().map_err(|error| failed(error.to_string()))?;
    let mut why = "no name server".to_owned();
    for _ in 0..servers.attempts {
        for server in &servers.all {
            match tokio::time::timeout(servers.timeout, ask(*server, id, &query, name)).await {
                Ok(Ok(records)) => return Ok(records),
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => why = format!("{server} is silent"),
            }
        }
    }
    Err(failed(why))
}

async fn ask(server: SocketAddr, id: u16, query: &[u8], name: &str) -> io::Result<Vec<SrvRecord>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = vec![0; 4_096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        // A forged or late answer is passed over; the time-out bounds the wait.
        match read_answer(&buffer[..length], id, name) {
            Answer::Foreign => {}
            Answer::Truncated => return ask_by_tcp(server, id, query, name).await,
            Answer::Records(records) => return Ok(records),
            Answer::Failed(why) => return Err(io::Error::other(why)),
        }
    }
}

async fn ask_by_tcp(server: SocketAddr, id: u16, query: &[u8], name: &str) -> io::Result<Vec<SrvRecord>> {
    let mut stream = TcpStream::connect(server).await?;
    let mut framed = (query.len() as u16).to_be_bytes().to_vec();
    framed.extend_from_slice(query);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    match read_answer(&answer, id, name) {
        Answer::Records(records) => Ok(records),
        Answer::Failed(why) => Err(io::Error::other(why)),
        Answer::Foreign | Answer::Truncated => Err(io::Error::other("an answer to another question")),
    }
}

enum Answer {
    /// Not the answer to our question.
    Foreign,
    /// It did not fit a datagram.
    Truncated,
    Records(Vec<SrvRecord>),
    Failed(String),
}

fn read_answer(bytes: &[u8], id: u16, name: &str) -> Answer {
    let Ok(packet) = Packet::parse(bytes) else { return Answer::Foreign };
    let asked = packet.questions.first().is_some_and(|question| {
        question.qname.to_string().trim_end_matches('.').eq_ignore_ascii_case(name.trim_end_matches('.'))
    });
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !asked {
        return Answer::Foreign;
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Answer::Truncated;
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        other => return Answer::Failed(format!("the name server says {other:?}")),
    }
    let records = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::SRV(srv) => Some(SrvRecord {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_string().trim_end_matches('.').to_owned(),
        }),
        _ => None,
    });
    Answer::Records(records.take(RECORDS_MAX).collect())
}

#[cfg(test)]
#[path = "dns_tests.rs"]
mod tests;
