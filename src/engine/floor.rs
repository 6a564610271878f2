//! The agents' side of the loop: agents' phones and legs, consulted and inbound legs, prompts, recordings,
//! and actions that wait for the dialer's answer. Calls to leads are in `outputs`.

use super::outputs::{Callee, RingTimes};
use super::{Engine, LiveEvent, PhoneBoard};
use crate::net::rtp::{MediaCommand, Recording};
use crate::store::{Command, LegInfo};
use paceline_core::agent::{Agent, AgentAction, Endpoint, Refusal, SeatView};
use paceline_core::call::{Ended, Progress};
use paceline_core::call_note::{NoteKind, Played};
use paceline_core::dialer::Input;
use paceline_core::dialer::input::ArrivedCall;
use paceline_core::dialer::output::{LegKind, SoundName, Spoken};
use paceline_core::ids::{AgentId, CallId, CampaignId, TrunkId};
use paceline_core::media::MediaCapabilities;
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::sip::user_agent::{
    Caller, IncomingCall, Peer, PhoneAccount, PhoneLink, PhoneRequest, Transport,
};
use paceline_core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How long a call to an agent's telephone or a consulted party may take until it rings, unless the trunk
/// says otherwise.
const SIDE_LEG_SETUP: Duration = Duration::from_secs(30);

/// Agents and legs that are no attempts, as the engine knows them.
#[derive(Debug, Default)]
pub(super) struct FloorState {
    /// SIP user of each agent with a phone account.
    sip_users: BTreeMap<AgentId, String>,
    names: BTreeMap<AgentId, String>,
    /// Actions that the dialer has not answered yet.
    pending_actions: BTreeMap<u64, oneshot::Sender<Result<(), Refusal>>>,
    last_action: u64,
    /// The agent of each agent's leg.
    pub(super) legs: BTreeMap<CallId, AgentId>,
    /// What the store keeps of each live leg that is no attempt.
    pub(super) unsaved_legs: BTreeMap<CallId, LegInfo>,
}

/// An agent's leg to ring, as the dialer asks for it.
pub(super) struct AgentCall {
    pub leg: CallId,
    pub agent: AgentId,
    pub endpoint: Endpoint,
    pub trunk: Option<TrunkId>,
    pub auto_answer: bool,
    pub shown: Option<PhoneNumber>,
    pub ring: Duration,
}

impl FloorState {
    pub(super) fn has_agent(&self, agent: AgentId) -> bool {
        self.names.contains_key(&agent)
    }
}

impl Engine {
    pub(super) fn forward_agent_action(
        &mut self,
        agent: AgentId,
        act: AgentAction,
        answer: oneshot::Sender<Result<(), Refusal>>,
    ) {
        self.floor.last_action += 1;
        let ask = self.floor.last_action;
        self.floor.pending_actions.insert(ask, answer);
        self.handle(Input::AgentActed { request: ask, agent, action: act });
    }

    pub(super) fn answer_agent_action(&mut self, ask: u64, refusal: Option<Refusal>) {
        if let Some(answer) = self.floor.pending_actions.remove(&ask) {
            // The requester may have gone away.
            let _ = answer.send(refusal.map_or(Ok(()), Err));
        }
    }

    pub(super) fn define_agent(&mut self, agent: Agent, phone: Option<super::PhoneSecret>) {
        let (id, now) = (agent.id, self.clock.now());
        self.floor.names.insert(id, agent.name.clone());
        let user = phone.as_ref().map(|phone| phone.user.clone());
        if let Some(before) = self.floor.sip_users.remove(&id).filter(|before| Some(before) != user.as_ref())
        {
            self.ua.remove_phone(now, &before);
        }
        self.handle(Input::AgentDefined(Box::new(agent)));
        if let Some(phone) = phone {
            self.floor.sip_users.insert(id, phone.user.clone());
            let account = PhoneAccount {
                user: phone.user,
                agent: id,
                ha1_md5: phone.ha1_md5,
                ha1_sha256: phone.ha1_sha256,
            };
            let user = account.user.clone();
            self.ua.set_phone(now, account);
            self.ask_saved_phones(id, &user);
        }
        self.carry_out_ua_outputs();
    }

    pub(super) fn remove_agent(&mut self, agent: AgentId) {
        if let Some(user) = self.floor.sip_users.remove(&agent) {
            self.ua.remove_phone(self.clock.now(), &user);
            self.carry_out_ua_outputs();
        }
        self.floor.names.remove(&agent);
        self.handle(Input::AgentRemoved { agent });
    }

    pub(super) fn update_phone(&mut self, agent: AgentId, link: Option<PhoneLink>) {
        let ready = link.is_some();
        match link {
            Some(link) => {
                let leg_stats = self.board.phones.get(&agent).and_then(|phone| phone.leg_stats);
                let phone = PhoneBoard {
                    contacts: link.contacts,
                    address: link.address,
                    transport: transport_word(link.transport),
                    product: link.product,
                    latency: link.latency,
                    leg_stats,
                };
                self.board.phones.insert(agent, phone);
            }
            None => {
                self.board.phones.remove(&agent);
            }
        }
        // Registered phones have limits of their own at the sockets.
        self.sockets.set_phones(self.ua.phone_peers());
        self.handle(Input::PhoneChanged { agent, ready });
    }

    pub(super) fn publish_seat(&mut self, seat: SeatView, logged: bool) {
        let seat = Arc::new(seat);
        if logged {
            self.send_to_store(Command::LogSeat(Box::new((*seat).clone())));
        }
        self.board.seats.insert(seat.agent, seat.clone());
        // Fails when there are no subscribers.
        let _ = self.live.send(LiveEvent::Seat(seat));
    }

    pub(super) fn call_agent(&mut self, call: AgentCall) {
        let AgentCall { leg, agent, endpoint, trunk, auto_answer, shown, ring } = call;
        let far = match (endpoint, trunk) {
            (Endpoint::Telephone(_), Some(trunk)) => self.ua.trunk_peer(trunk),
            _ => self
                .board
                .phones
                .get(&agent)
                .map(|phone| Peer { transport: Transport::Udp, address: phone.address }),
        };
        let Some(media) = self.open_side_leg(leg, far) else { return };
        self.floor.legs.insert(leg, agent);
        let about = LegInfo { agent: Some(agent), ..LegInfo::new(LegKind::Agent) };
        self.floor.unsaved_legs.insert(leg, about);
        let now = self.clock.now();
        match (endpoint, trunk) {
            (Endpoint::Phone, _) => {
                let Some(user) = self.floor.sip_users.get(&agent).cloned() else {
                    return self.fail_leg(leg, "the agent has no phone here");
                };
                let shown = shown.map(PhoneNumber::national);
                self.ua.call_phone(
                    now,
                    PhoneRequest {
                        call: leg,
                        user,
                        from_user: shown.clone().unwrap_or_else(|| "paceline".into()),
                        from_name: shown.unwrap_or_else(|| "Paceline".into()),
                        auto_answer,
                        ring,
                        media: MediaCapabilities {
                            address: media,
                            codecs: paceline_core::media::Codec::ALL.to_vec(),
                        },
                    },
                );
                self.save_leg_dialog(leg);
                self.carry_out_ua_outputs();
            }
            (Endpoint::Telephone(number), Some(trunk)) => {
                self.place_side_leg(leg, trunk, number, None, ring, media)
            }
            (Endpoint::Telephone(_), None) => self.fail_leg(leg, "no trunk for the agent's telephone"),
        }
    }

    pub(super) fn call_consulted(
        &mut self,
        leg: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<ShownNumber>,
        ring: Duration,
    ) {
        let about = LegInfo { number: Some(number), ..LegInfo::new(LegKind::Consulted) };
        if let Some(media) = self.open_side_leg(leg, self.ua.trunk_peer(trunk)) {
            self.floor.unsaved_legs.insert(leg, about);
            self.place_side_leg(leg, trunk, number, caller_id, ring, media);
        }
    }

    /// Places a leg that is no attempt through a trunk.
    fn place_side_leg(
        &mut self,
        leg: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<ShownNumber>,
        ring: Duration,
        media: SocketAddr,
    ) {
        let setup = self.trunks.get(&trunk).and_then(|parts| parts.limits.setup).unwrap_or(SIDE_LEG_SETUP);
        let to = Callee { number, caller_id, region: self.region_of(None) };
        let Some(request) = self.call_request(leg, trunk, &to, RingTimes { setup, ring }, media) else {
            return self.fail_leg(leg, "the trunk is gone");
        };
        self.ua.place(self.clock.now(), request);
        self.save_leg_dialog(leg);
        self.carry_out_ua_outputs();
    }

    /// Saves what is needed to end this leg after a crash (its dialog or ringing INVITEs). Called before its
    /// messages are sent, so the store learns of it first.
    pub(super) fn save_leg_dialog(&mut self, leg: CallId) {
        let ends = self.ua.open_dialogs(leg);
        if let Some(about) = self.floor.unsaved_legs.get(&leg).copied().filter(|_| !ends.is_empty()) {
            let dialog = serde_json::to_string(&ends).unwrap_or_default();
            self.send_to_store(Command::LegPlaced { leg, about, dialog });
        }
    }

    /// Removes a leg that has ended.
    pub(super) fn forget_leg(&mut self, leg: CallId) {
        self.floor.legs.remove(&leg);
        self.floor.unsaved_legs.remove(&leg);
    }

    /// The store has looked an inbound caller up.
    pub(super) fn note_caller(&mut self, arrived: &ArrivedCall) {
        let known = arrived.known.as_ref();
        let about = LegInfo {
            number: arrived.number,
            campaign: known.map(|known| known.campaign),
            lead: known.and_then(|known| known.lead.as_ref()).map(|lead| lead.id),
            ..LegInfo::new(LegKind::Inbound)
        };
        // The caller may have hung up meanwhile.
        if self.ua.has_call(arrived.call) {
            self.floor.unsaved_legs.insert(arrived.call, about);
        }
    }

    fn open_side_leg(&mut self, leg: CallId, far: Option<Peer>) -> Option<SocketAddr> {
        match self.open_media(leg, far) {
            Ok(address) => {
                self.open_legs.insert(leg);
                Some(address)
            }
            Err(error) => {
                tracing::warn!(%error, "a leg could not be opened");
                self.fail_leg(leg, &error.to_string());
                None
            }
        }
    }

    /// Reports a leg that failed on our side as ended.
    fn fail_leg(&mut self, leg: CallId, cause: &str) {
        self.close_leg(leg);
        self.forget_leg(leg);
        let ended = Ended {
            outcome: Outcome::AgentFailed,
            by: EndedBy::Dialer,
            sip_code: None,
            cause: cause.into(),
            retry_after: None,
            try_next_trunk: false,
        };
        self.failed_legs.push((leg, ended));
    }

    /// Feeds the failed legs to the dialer, once its current outputs are carried out.
    pub(super) fn report_failed_legs(&mut self) {
        while let Some((call, ended)) = self.failed_legs.pop() {
            self.handle(Input::CallProgressed { call, progress: Progress::Ended(ended) });
        }
    }

    pub(super) fn play(&mut self, leg: CallId, sound: SoundName) {
        let awaits_keys = matches!(sound, SoundName::Spoken(Spoken::EnterAgentNumber));
        let played = match sound {
            SoundName::HoldMusic => Played::HoldMusic,
            SoundName::RingBack => Played::RingBack,
            SoundName::Sorry(_) => Played::AbandonMessage,
            SoundName::AgentNumber(_) | SoundName::Spoken(_) => Played::Prompt,
        };
        self.note_step(leg, NoteKind::Play, played.word());
        let (sound, plays) = match sound {
            SoundName::HoldMusic => (self.prompts.hold_music(), 0),
            SoundName::RingBack => (self.prompts.ring_back(), 0),
            SoundName::Sorry(campaign) => (self.abandon_message(campaign), 1),
            SoundName::AgentNumber(number) => (self.prompts.agent_number(&number), 1),
            SoundName::Spoken(what) => (self.prompts.spoken(what), 1),
        };
        if awaits_keys {
            self.media.command(leg, MediaCommand::DetectTones);
        }
        self.media.command(leg, MediaCommand::Play { sound, plays });
    }

    fn abandon_message(&self, campaign: CampaignId) -> Arc<crate::audio::Sound> {
        self.abandon_messages.get(&campaign).cloned().unwrap_or_else(|| self.prompts.sorry())
    }

    /// Starts or stops a recording. Media writes the file; the store learns of it once the file is complete.
    pub(super) fn record(&mut self, call: CallId, campaign: CampaignId, agent: Option<AgentId>, on: bool) {
        if !on {
            return self.media.command(call, MediaCommand::StopRecording);
        }
        let utc = crate::net::clock::Clock::utc();
        let began_at = jiff::Timestamp::from_millisecond(utc.as_millis()).unwrap_or_default();
        let day = began_at.strftime("%Y-%m-%d").to_string();
        let name = self.board.campaigns.get(&campaign).map_or("calls", |board| board.name.as_str());
        let path = self.recordings.join(name).join(day).join(format!("{}.wav", call.0));
        let seat = agent.and_then(|agent| self.board.seats.get(&agent));
        // From the call itself: the board lags behind it.
        let caller = || self.floor.unsaved_legs.get(&call).and_then(|about| about.number);
        let number = self.calls.get(&call).map(|facts| facts.number).or_else(caller);
        let meta = serde_json::json!({
            "call": call,
            "campaign": name,
            "agent": seat.map(|seat| seat.number.clone()),
            "number": number.map(PhoneNumber::national),
            "began_at": began_at.to_string(),
        });
        self.recordings_open += usize::from(self.open_legs.contains(&call));
        self.media.command(call, MediaCommand::Record(Recording::start(path, &meta)));
    }

    /// An inbound call: rings, and asks the store to look the caller's number up.
    pub(super) fn handle_inbound_call(&mut self, incoming: IncomingCall) {
        let now = self.clock.now();
        match incoming.caller {
            Caller::Trunk(trunk) if !self.is_stopping => {
                self.ua.ring(now, incoming.call);
                let digits = incoming.from_user.trim_start_matches('+');
                let number = PhoneNumber::chinese(digits.as_bytes())
                    .ok()
                    .or_else(|| digits.parse().ok().and_then(PhoneNumber::from_e164));
                self.send_to_store(Command::IdentifyCaller { call: incoming.call, trunk, number });
            }
            // Agents dial through the console, so that every call is saved: a call dialled on a phone is
            // declined.
            _ => self.ua.reject(now, incoming.call, 603, "Decline", &[]),
        }
        self.carry_out_ua_outputs();
    }

    pub(super) fn answer_call(&mut self, call: CallId) {
        let now = self.clock.now();
        match self.open_media(call, self.ua.call_peer(call)) {
            Ok(address) => {
                self.open_legs.insert(call);
                let codecs = paceline_core::media::Codec::ALL.to_vec();
                self.ua.answer(now, call, MediaCapabilities { address, codecs });
                self.save_leg_dialog(call);
            }
            Err(error) => {
                tracing::warn!(%error, "a caller could not be answered");
                self.ua.reject(now, call, 503, "Service Unavailable", &[]);
            }
        }
        self.carry_out_ua_outputs();
    }
}

pub(super) const fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}
