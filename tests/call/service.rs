//! Our side for phones: the user agent with its registrar on real sockets, driven by a thread of its own.

use paceline::net::sip::{SipEvent, SipSocketConfig, SipSockets, TlsConfig};
use paceline_core::call::Progress;
use paceline_core::ids::{AgentId, CallId};
use paceline_core::media::{Codec, MediaCapabilities};
use paceline_core::sip::user_agent::{
    Incoming, PhoneAccount, PhoneLink, PhoneRequest, RegistrarConfig, Transport, UaConfig, UaEvent, UaOutput,
    UserAgent,
};
use paceline_core::time::Time;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Longer than any step of these tests takes.
const PATIENCE: Duration = Duration::from_secs(40);

type Command = Box<dyn FnOnce(&mut UserAgent, Time) + Send>;

/// A running service. It ends when dropped.
pub struct Service {
    addresses: Vec<(Transport, SocketAddr)>,
    commands: mpsc::UnboundedSender<Command>,
    events: std_mpsc::Receiver<UaEvent>,
    /// Keeps the certificate's folder alive.
    _dir: TempDir,
    _runtime: Runtime,
}

impl Service {
    /// Accounts 1001 to 1003, all with the password `secret`, on UDP, TCP and TLS of loopback.
    pub fn start() -> Service {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Service::at(
            [Transport::Udp, Transport::Tcp, Transport::Tls].map(|transport| (transport, any)).to_vec(),
            4_711,
        )
    }

    /// The next process at the same addresses, after a kill of this one.
    pub fn restart(self) -> Service {
        let addresses = self.addresses.clone();
        drop(self);
        Service::at(addresses, 4_712)
    }

    fn at(listen: Vec<(Transport, SocketAddr)>, seed: u64) -> Service {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let dir = tempfile::tempdir().expect("a directory");
        let mut config = SipSocketConfig::new(listen);
        config.untrusted_per_sec = NonZeroU32::new(100);
        config.tls = Some(TlsConfig::self_signed(dir.path(), &["127.0.0.1".into()]).expect("a certificate"));
        let (inbound, arrived) = mpsc::channel(4_096);
        let sockets = runtime.block_on(SipSockets::bind(config, inbound)).expect("free ports");
        let addresses = sockets.addresses().to_vec();
        let sent_by = addresses.iter().map(|(transport, address)| (*transport, address.to_string()));
        let mut ua = UserAgent::new(UaConfig {
            sent_by: sent_by.collect(),
            product: "Paceline/test".into(),
            seed,
            incoming: Incoming::Nobody,
            registrar: Some(RegistrarConfig::new("127.0.0.1")),
        });
        for user in 1..=3 {
            let account =
                PhoneAccount::with_password(&format!("100{user}"), AgentId(user), "127.0.0.1", "secret");
            ua.set_phone(Time::ZERO, account);
        }
        let (commands, wanted) = mpsc::unbounded_channel();
        let (said, events) = std_mpsc::channel();
        runtime.spawn(run(ua, sockets, arrived, wanted, said));
        Service { addresses, commands, events, _dir: dir, _runtime: runtime }
    }

    pub fn address(&self, transport: Transport) -> SocketAddr {
        self.addresses.iter().find(|(known, _)| *known == transport).expect("it listens").1
    }

    pub fn command(&self, command: impl FnOnce(&mut UserAgent, Time) + Send + 'static) {
        assert!(self.commands.send(Box::new(command)).is_ok(), "the service runs");
    }

    /// Waits for the first event that `wanted` accepts; the others are skipped.
    pub fn wait_for<T>(&self, what: &str, mut wanted: impl FnMut(&UaEvent) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut passed = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else { panic!("no {what}; only {passed:?}") };
            if let Some(found) = wanted(&event) {
                return found;
            }
            passed.push(event);
        }
    }

    /// Waits until the phone of this account is registered.
    pub fn wait_for_link(&self, user: &str) -> PhoneLink {
        self.wait_for(&format!("registration of {user}"), |event| match event {
            UaEvent::PhoneChanged { user: known, link, .. } if known == user => link.clone(),
            _ => None,
        })
    }

    pub fn wait_for_progress(&self, call: CallId, wanted: impl Fn(&Progress) -> bool) -> Progress {
        self.wait_for("progress", |event| match event {
            UaEvent::Progress { call: known, progress } if *known == call && wanted(progress) => {
                Some(progress.clone())
            }
            _ => None,
        })
    }

    pub fn call(&self, call: CallId, user: &str, media: SocketAddr) {
        let request = PhoneRequest {
            call,
            user: user.into(),
            from_user: "13800138000".into(),
            from_name: "Wang Li".into(),
            auto_answer: true,
            ring: Duration::from_secs(15),
            media: MediaCapabilities { address: media, codecs: vec![Codec::Pcma, Codec::Pcmu] },
        };
        self.command(move |ua, now| ua.call_phone(now, request));
    }
}

async fn run(
    mut ua: UserAgent,
    sockets: SipSockets,
    mut arrived: mpsc::Receiver<SipEvent>,
    mut wanted: mpsc::UnboundedReceiver<Command>,
    said: std_mpsc::Sender<UaEvent>,
) {
    let start = Instant::now();
    let now = || Time::from_millis(start.elapsed().as_millis() as u64);
    loop {
        while let Some(output) = ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => sockets.send(to, bytes),
                UaOutput::Event(event) => {
                    if matches!(event, UaEvent::PhoneChanged { .. }) {
                        sockets.set_phones(ua.phone_peers());
                    }
                    let _ = said.send(event);
                }
            }
        }
        let wake = ua.next_wake().map_or(Duration::from_secs(60), |wake| wake.since(now()));
        tokio::select! {
            event = arrived.recv() => match event {
                Some(SipEvent::Message { from, bytes }) => ua.handle_message(now(), from, &bytes),
                Some(SipEvent::Failed { peer }) => ua.handle_transport_error(now(), peer),
                None => return,
            },
            command = wanted.recv() => match command {
                Some(command) => command(&mut ua, now()),
                None => return,
            },
            () = tokio::time::sleep(wake) => {}
        }
        ua.handle_timeout(now());
    }
}
