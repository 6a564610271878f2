//! Carries out the dialer's outputs: sends them to user agent, store, media, metrics and live events.

use super::floor::AgentCall;
use super::{AttemptFacts, Engine, LiveEvent};
use crate::net::rtp::{MediaCommand, MediaError};
use crate::store::{Command, KEY_PRESS_SOURCE, SUMMARY_SOURCE};
use crate::text::Lang;
use paceline_core::call::{Ended, Progress};
use paceline_core::call_note::{NoteKind, Played};
use paceline_core::campaign::is_system_name;
use paceline_core::dialer::output::{AttemptRequest, DoNotCallBy, TestRefusal};
use paceline_core::dialer::{Input, LineView, Output};
use paceline_core::ids::{CallId, CampaignId, TrunkId};
use paceline_core::media::MediaCapabilities;
use paceline_core::number::{PhoneNumber, ShownNumber};
use paceline_core::outcome::{EndedBy, Outcome};
use paceline_core::sip::user_agent::{CallRequest, Peer};
use paceline_core::time::{Duration, Time};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// How long a call may take until the phone rings, and how long it may ring then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RingTimes {
    pub setup: Duration,
    pub ring: Duration,
}

/// The number that a trunk calls, what it shows, and the country of the campaign's list.
pub(super) struct Callee {
    pub number: PhoneNumber,
    pub caller_id: Option<ShownNumber>,
    pub region: String,
}

impl Engine {
    pub(super) fn carry_out(&mut self, now: Time, output: Output) {
        match output {
            Output::OpenAttempt(request) => self.open_attempt(now, *request),
            Output::PlaceCall { call, trunk, number, caller_id, setup, ring } => {
                self.place_call(now, call, trunk, number, caller_id, RingTimes { setup, ring });
            }
            Output::SaveAnswer { call, at } => {
                let dialog =
                    self.ua.saved_dialog(call).and_then(|dialog| serde_json::to_string(&dialog).ok());
                self.send_to_store(Command::SaveAnswer { call, at, dialog: dialog.unwrap_or_default() });
                if let Some(facts) = self.calls.get(&call) {
                    self.minutes.count_answered(facts.campaign);
                }
            }
            Output::Acknowledge { call } => {
                self.note_step(call, NoteKind::AnswerSaved, "");
                self.ua.acknowledge(now, call);
                self.carry_out_ua_outputs();
            }
            Output::PlayAnnouncement { call, campaign, plays, pause } => {
                // A repeat plays what the callee has heard, also where the campaign has another sound by now.
                let heard = self.calls.get(&call).and_then(|facts| facts.sound.clone());
                let sound = heard.or_else(|| self.sounds.get(&campaign).cloned());
                if let Some(sound) = sound.clone() {
                    self.media.command(call, MediaCommand::PlayAfter { pause, sound, plays });
                }
                if self.board.campaigns.get(&campaign).is_some_and(|board| board.key_watch.awaits_keys()) {
                    self.media.command(call, MediaCommand::DetectTones);
                }
                self.note_step(call, NoteKind::Play, Played::Announcement.word());
                if let Some(facts) = self.calls.get_mut(&call) {
                    facts.announcing = true;
                    facts.sound = sound;
                }
            }
            Output::HangUp { call, cause } => {
                self.note_step(call, NoteKind::HangUp, cause.word());
                self.media.command(call, MediaCommand::StopPlaying);
                self.ua.hang_up(now, call, cause);
                self.carry_out_ua_outputs();
            }
            Output::SaveResult(result) => {
                if result.outcome == Outcome::Abandoned {
                    self.minutes.count_abandoned(result.campaign);
                }
                if let Some(board) = self.board.campaigns.get_mut(&result.campaign) {
                    board.count_result(&result);
                    let trunk = self.calls.get(&result.attempt.call()).map(|facts| facts.trunk);
                    let trunk = trunk.and_then(|trunk| self.trunks.get(&trunk));
                    let trunk = trunk.map_or("", |trunk| trunk.limits.name.as_str());
                    self.metrics.count_call_ended(&board.name, trunk, &result);
                    if let Some(calls) = board.key_watch.call_ended(trunk, &result) {
                        tracing::warn!(
                            campaign = board.name,
                            trunk,
                            "{calls} callees heard the whole announcement and not one key came, neither as RTP event \
                             nor by SIP INFO nor as a tone: this trunk seems to tell no keys; press one on a test \
                             call, and ask the carrier for RFC 4733 (telephone-event)"
                        );
                    }
                }
                self.count_code(&result);
                if let Some(number) = self.calls.get(&result.attempt.call()).and_then(|facts| facts.caller_id)
                {
                    self.metrics.count_caller_id(number, result.outcome);
                }
                self.close_leg(result.attempt.call());
                let facts = self.calls.remove(&result.attempt.call());
                self.save_result(result, facts.is_some_and(|facts| facts.closing));
            }
            Output::SaveLead(update) => self.send_to_store(Command::SaveLead(update)),
            Output::ReturnLeads { leads, .. } => self.send_to_store(Command::ReturnLeads { leads }),
            Output::TakeBack { campaign, attempts, next_at } => {
                self.send_to_store(Command::TakeBack { campaign, attempts, next_at });
            }
            Output::MakeDue { leads, at, .. } => self.send_to_store(Command::MakeDue { leads, at }),
            Output::LineChanged { campaign, line } => self.take_line(campaign, line),
            Output::CloseLeads { campaign, reason } => {
                self.send_to_store(Command::CloseLeads { campaign, reason })
            }
            Output::FetchLeads { campaign, count, untried } => {
                self.send_to_store(Command::FetchLeads { campaign, count, untried })
            }
            Output::Blacklist { campaign, number, by } => {
                let source = match by {
                    DoNotCallBy::Key => KEY_PRESS_SOURCE,
                    DoNotCallBy::Summary => SUMMARY_SOURCE,
                };
                let source = source.to_owned();
                self.send_to_store(Command::Blacklist { campaign: Some(campaign), number, source });
            }
            Output::Decided { campaign, decision } => {
                if let Some(board) = self.board.campaigns.get(&campaign) {
                    self.metrics.count_decision(&board.name, decision);
                }
                let board = self.board.campaigns.get(&campaign);
                let is_own = board.is_some_and(|board| is_system_name(&board.name));
                self.decisions += 1;
                if self.live.receiver_count() > 0 && !is_own {
                    let at = crate::net::clock::Clock::utc();
                    let view = Box::new(self.dialer.view(campaign));
                    let id = self.decisions;
                    let _ = self.live.send(LiveEvent::Decision { id, campaign, at, decision, view });
                }
                tracing::debug!(%campaign, place = decision.place, why = decision.why.word(), "decided");
            }
            Output::CampaignFinished { campaign } => {
                if let Some(board) = self.board.campaigns.get_mut(&campaign) {
                    board.finished = true;
                }
                self.board_due = now;
                let _ = self.live.send(LiveEvent::Finished { campaign });
            }
            Output::ActionAnswered { request: ask, refusal } => self.answer_agent_action(ask, refusal),
            Output::SeatChanged { seat, logged } => self.publish_seat(*seat, logged),
            Output::CallAgent { leg, agent, endpoint, trunk, auto_answer, shown, ring } => {
                self.call_agent(AgentCall { leg, agent, endpoint, trunk, auto_answer, shown, ring });
            }
            Output::CallConsulted { leg, trunk, number, caller_id, ring } => {
                self.call_consulted(leg, trunk, number, caller_id, ring);
            }
            Output::AnswerCall { call } => self.answer_call(call),
            Output::Join { leg, mix, voice } => {
                self.note_join(leg, voice);
                self.media.command(leg, MediaCommand::Join { mix, voice });
            }
            Output::Leave { leg } => {
                self.note_step(leg, NoteKind::Leave, "");
                self.media.command(leg, MediaCommand::Leave);
            }
            Output::Play { leg, sound } => self.play(leg, sound),
            Output::StopPlaying { leg } => {
                self.note_step(leg, NoteKind::StopPlaying, "");
                self.media.command(leg, MediaCommand::StopPlaying);
            }
            Output::SendDigits { leg, keys } => {
                self.note_step(leg, NoteKind::SendDigits, "");
                self.media.command(leg, MediaCommand::SendDigits(keys));
            }
            Output::Record { call, campaign, agent, on } => {
                self.note_step(call, if on { NoteKind::Record } else { NoteKind::StopRecording }, "");
                self.record(call, campaign, agent, on);
            }
            Output::TestRefused { campaign: _, number, why, trunk: Some(trunk) } => {
                self.answer_refused_test(trunk, number, why);
            }
            Output::TestRefused { campaign, number, why, trunk: None } => {
                let why = match why {
                    TestRefusal::NoCallerId => {
                        "the register lets none of the campaign's caller IDs be shown; see the caller IDs"
                    }
                    TestRefusal::NoTrunk | TestRefusal::TrunkFull => {
                        "no trunk of the campaign may carry this number; see `allow` and `deny` of its trunks"
                    }
                };
                if let Some(board) = self.board.campaigns.get_mut(&campaign) {
                    board.test_refused = Some(why.into());
                }
                self.test_calls.refused(campaign, number, why);
                self.board_due = now;
            }
            Output::ProbeLeg { leg } => {
                self.ua.probe_leg(now, leg);
                self.carry_out_ua_outputs();
            }
            Output::FetchLead { campaign, lead, agent } => {
                self.send_to_store(Command::FetchLead { campaign, lead, agent });
            }
            Output::SaveSummary(record) => self.send_to_store(Command::SaveSummary(record)),
            Output::SaveLeg(record) => {
                self.forget_leg(record.leg);
                self.send_to_store(Command::SaveLeg(record));
            }
        }
    }

    /// The trunk's name, and its account where that may be what the carrier refuses.
    fn refused_by(&self, view: &LineView) -> String {
        let name = self.trunk_name(view.trunk);
        let account = self.trunks.get(&view.trunk).map_or("", |parts| parts.sip.username.as_str());
        match view.trouble.sip_code {
            Some(401 | 403 | 407) if !account.is_empty() => format!("{name} (account {account})"),
            _ => name,
        }
    }

    /// Reports a change of the line guards in words: log, board, store.
    fn take_line(&mut self, campaign: CampaignId, line: Option<LineView>) {
        let words = |lang: Lang| {
            line.map(|view| lang.line_trouble(&self.refused_by(&view), &view.trouble)).unwrap_or_default()
        };
        let (stored, shown) = (words(Lang::En), words(Lang::of_process()));
        let trunk = line.map(|view| self.refused_by(&view)).unwrap_or_default();
        let board = self.board.campaigns.get_mut(&campaign);
        let before = board.map(|board| {
            board.line_trunk = trunk;
            std::mem::replace(&mut board.line, shown)
        });
        let before = before.unwrap_or_default();
        match line {
            Some(_) => tracing::warn!(%campaign, "{stored}"),
            None if !before.is_empty() => tracing::info!(%campaign, "the line works again"),
            None => {}
        }
        self.send_to_store(Command::SaveLineTrouble { campaign, words: stored });
    }

    fn open_attempt(&mut self, now: Time, request: AttemptRequest) {
        let call = request.attempt.call();
        let region = self.region_of(Some(request.campaign));
        let to = Callee { number: request.number, caller_id: request.caller_id, region };
        // No media yet: the identity does not depend on it.
        let media = SocketAddr::new(self.media_address.first, 0);
        let Some(wanted) = self.call_request(call, request.trunk, &to, RingTimes::default(), media) else {
            tracing::error!(trunk = %request.trunk, "the dialer chose a trunk that does not exist");
            return;
        };
        let identity = self.ua.identity(&wanted);
        let trunk_name = self.trunks.get(&request.trunk).map(|trunk| trunk.limits.name.clone());
        if request.lead.is_none() {
            self.test_calls.opened(request.campaign, request.number, call);
        }
        self.calls.insert(
            call,
            AttemptFacts {
                campaign: request.campaign,
                number: request.number,
                trunk: request.trunk,
                caller_id: request.caller_id,
                test: request.lead.is_none(),
                placed: now,
                announcing: false,
                sound: None,
                closing: false,
            },
        );
        self.step_log.begin(call, &identity.call_id);
        self.note_test_opening(&request);
        self.send_to_store(Command::OpenAttempt {
            call_id: identity.call_id.clone(),
            dialog: serde_json::to_string(&identity).unwrap_or_default(),
            trunk: trunk_name.unwrap_or_default(),
            request: Box::new(request),
        });
    }

    fn place_call(
        &mut self,
        now: Time,
        call: CallId,
        trunk: TrunkId,
        number: PhoneNumber,
        caller_id: Option<ShownNumber>,
        times: RingTimes,
    ) {
        let media = match self.open_media(call, self.ua.trunk_peer(trunk)) {
            Ok(address) => address,
            Err(error) => {
                tracing::warn!(%error, "a call could not be placed");
                return self.fail_call(call, error.to_string());
            }
        };
        let campaign = self.calls.get(&call).map(|facts| facts.campaign);
        let to = Callee { number, caller_id, region: self.region_of(campaign) };
        let Some(request) = self.call_request(call, trunk, &to, times, media) else {
            return self.fail_call(call, "the trunk is gone".into());
        };
        self.open_legs.insert(call);
        if let Some(facts) = self.calls.get_mut(&call) {
            facts.placed = now;
            let campaign = self.board.campaigns.get_mut(&facts.campaign);
            if let (Some(board), Some(trunk)) = (campaign, self.trunks.get(&trunk)) {
                board.count_placed(now);
                self.minutes.count_placed(facts.campaign);
                self.metrics.count_call_placed(&board.name, &trunk.limits.name);
            }
        }
        self.ua.place(now, request);
        self.carry_out_ua_outputs();
    }

    /// Country of a campaign's list. A leg of no campaign takes the one that all open campaigns share; empty =
    /// unknown.
    pub(super) fn region_of(&self, campaign: Option<CampaignId>) -> String {
        if let Some(region) = campaign.and_then(|campaign| self.regions.get(&campaign)) {
            return region.clone();
        }
        let mut regions = self.regions.values();
        let first = regions.next();
        first.filter(|first| regions.all(|other| other == *first)).cloned().unwrap_or_default()
    }

    pub(super) fn call_request(
        &self,
        call: CallId,
        trunk: TrunkId,
        to: &Callee,
        times: RingTimes,
        media: SocketAddr,
    ) -> Option<CallRequest> {
        let parts = self.trunks.get(&trunk)?;
        Some(CallRequest {
            call,
            trunk,
            user: parts.dialplan.callee(to.number, &to.region),
            caller_id: to.caller_id.map(|number| parts.dialplan.caller_id(number, &to.region)),
            setup: times.setup,
            ring: times.ring,
            media: MediaCapabilities { address: media, codecs: parts.codecs.clone() },
        })
    }

    /// Opens a leg's media in the address family of its far side; the address for SDP.
    pub(super) fn open_media(&self, leg: CallId, far: Option<Peer>) -> Result<SocketAddr, MediaError> {
        let ours = self.media_address.near(far.map(|far| far.address.ip()));
        let opened = match self.media_address.second == Some(ours) {
            false => self.media.open_leg(leg)?,
            true if ours.is_loopback() => self.media.open_leg_at(leg, ours)?,
            true if ours.is_ipv6() => self.media.open_leg_at(leg, Ipv6Addr::UNSPECIFIED.into())?,
            true => self.media.open_leg_at(leg, Ipv4Addr::UNSPECIFIED.into())?,
        };
        Ok(SocketAddr::new(ours, opened.port()))
    }

    /// Reports a call that failed on our side as ended (`LineFault`).
    fn fail_call(&mut self, call: CallId, cause: String) {
        let ended = Ended {
            outcome: Outcome::LineFault,
            by: EndedBy::Dialer,
            sip_code: None,
            cause,
            retry_after: None,
            try_next_trunk: false,
        };
        self.handle(Input::CallProgressed { call, progress: Progress::Ended(ended) });
    }

    pub(super) fn close_leg(&mut self, call: CallId) {
        if self.open_legs.remove(&call) {
            self.media.command(call, MediaCommand::Close);
            if let Some(facts) = self.calls.get_mut(&call).filter(|facts| facts.test) {
                facts.closing = true;
            }
        }
    }

    /// Queues a command for the store. Order is kept; the backlog waits while the channel is full.
    pub(super) fn send_to_store(&mut self, command: Command) {
        self.store_waiting.push_back(command);
        self.flush_store();
    }

    pub(super) fn flush_store(&mut self) {
        while let Ok(place) = self.store.try_reserve() {
            let Some(command) = self.store_waiting.pop_front() else { return };
            place.send(command);
        }
    }
}
