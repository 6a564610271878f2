//! Translates events from sockets, user agent, store, media threads and the API into dialer inputs.

use super::board::TrunkDown;
use super::event::Event;
use super::key_watch::KeyWatch;
use super::{CampaignChange, CampaignOpening, Engine, EngineRequest, RECOVERED_WAIT};
use crate::audio::Sound;
use crate::net::rtp::{MediaCommand, MediaEvent};
use crate::net::sip::SipEvent;
use crate::store::{Command, Reply};
use paceline_core::call::Progress;
use paceline_core::call_steps::Direction;
use paceline_core::campaign::Campaign;
use paceline_core::dialer::Input;
use paceline_core::dialer::input::{DialVerdict, ManagerAction, OpenWork, TrunkState};
use paceline_core::ids::{CampaignId, TrunkId};
use paceline_core::number_pattern::NumberPattern;
use paceline_core::outcome::Reason;
use paceline_core::sip::user_agent::{SavedDialog, TrunkUse};
use paceline_core::sip::{UaEvent, UaOutput};
use paceline_core::time::Duration;
use std::sync::Arc;

impl Engine {
    pub(super) fn handle_event(&mut self, event: Event) {
        match event {
            Event::Sip(SipEvent::Message { from, bytes }) => {
                self.step_log.message(self.clock.now(), Direction::In, from, &bytes);
                self.ua.handle_message(self.clock.now(), from, &bytes);
                self.carry_out_ua_outputs();
            }
            Event::Sip(SipEvent::Failed { peer }) => {
                self.ua.handle_transport_error(self.clock.now(), peer);
                self.carry_out_ua_outputs();
            }
            Event::Store(reply) => self.handle_reply(reply),
            Event::Media(MediaEvent::Heard { leg, heard }) => {
                self.note_heard(leg, &heard);
                self.handle(Input::MediaHeard { call: leg, heard });
            }
            Event::Media(MediaEvent::Measured { leg, stats }) => {
                self.take_leg_stats(leg, stats);
            }
            Event::Media(MediaEvent::Recorded { leg, path, seconds, lost_frames }) => {
                self.recordings_open = self.recordings_open.saturating_sub(1);
                let path = path.strip_prefix(&self.recordings).unwrap_or(&path).display().to_string();
                self.send_to_store(Command::SaveRecording { call: leg, path, seconds, lost_frames });
            }
            // Media has logged the error.
            Event::Media(MediaEvent::RecordingFailed { .. }) => {
                self.recordings_open = self.recordings_open.saturating_sub(1);
            }
            Event::Media(MediaEvent::Closed { leg, stats }) => {
                tracing::debug!(call = %leg, ?stats, "leg closed");
                self.note_closed_leg(leg, &stats);
            }
            Event::Request(ask) => self.handle_request(ask),
            Event::Woken => {}
        }
    }

    /// Carries out the user agent's outputs until there are none.
    pub(super) fn carry_out_ua_outputs(&mut self) {
        while let Some(output) = self.ua.poll() {
            match output {
                UaOutput::Transmit { to, bytes } => {
                    self.step_log.message(self.clock.now(), Direction::Out, to, &bytes);
                    self.sockets.send(to, bytes);
                }
                UaOutput::Event(event) => self.handle_ua_event(event),
            }
        }
    }

    fn handle_ua_event(&mut self, event: UaEvent) {
        match event {
            UaEvent::Progress { call, progress } => {
                if matches!(progress, Progress::Ended(_)) {
                    self.close_leg(call);
                    self.floor.unsaved_legs.remove(&call);
                }
                if let (Progress::Answered, Some(facts)) = (&progress, self.calls.get(&call))
                    && let Some(board) = self.board.campaigns.get(&facts.campaign)
                {
                    self.metrics.observe_ring_time(&board.name, self.clock.now().since(facts.placed));
                }
                // For legs that are no attempts; an attempt's answer is saved by `Output::SaveAnswer`.
                if progress == Progress::Answered {
                    self.save_leg_dialog(call);
                }
                self.handle(Input::CallProgressed { call, progress });
            }
            UaEvent::Media { call, mut target, early: _ } => {
                // An agent's phone has no trunk: its media is followed.
                if let Some(parts) = self.ua.trunk_of_call(call).and_then(|trunk| self.trunks.get(&trunk)) {
                    target.follow = parts.rtp_follow;
                }
                self.media.command(call, MediaCommand::Connect(target));
            }
            UaEvent::Digit { call, digit } => {
                // The media thread knows the keys that came by RTP: one press is reported once.
                self.media.command(call, MediaCommand::PressedByInfo(digit));
            }
            UaEvent::Incoming(incoming) => self.handle_inbound_call(*incoming),
            UaEvent::PhoneChanged { user: _, agent, link } => self.update_phone(agent, link),
            UaEvent::LegProbed { call, alive } => self.handle(Input::LegProbed { leg: call, alive }),
            UaEvent::PhoneRestarted { agent, same_device } => {
                self.handle(Input::PhoneRestarted { agent, same_device });
            }
            UaEvent::PhoneRegistered { user, agent } => self.save_phone_contacts(agent, &user),
            // REFER from a phone's own button is refused: transfers go through the console, which knows
            // groups and leads.
            UaEvent::Transfer { call, target: _ } => {
                self.ua.report_transfer(self.clock.now(), call, false);
                self.carry_out_ua_outputs();
            }
            UaEvent::Registered { trunk, expires } => {
                tracing::debug!(trunk = self.trunk_name(trunk), ?expires, "registered");
            }
            UaEvent::RegistrationFailed { trunk, code, reason } => {
                tracing::warn!(
                    trunk = self.trunk_name(trunk),
                    ?code,
                    reason,
                    "a registration at the trunk failed"
                );
                self.trunk_tests.note_failure(trunk, code, &reason);
            }
            UaEvent::TrunkChanged { trunk, state } => self.take_trunk_use(trunk, &state),
            UaEvent::TargetsFailed { trunk } => self.look_up_trunk(trunk),
            UaEvent::SavedDialogAnswered { call_id } => {
                self.send_to_store(Command::RecoveredAnswer { call_id });
            }
            UaEvent::SavedDialogEnded { call_id, reached } => {
                let id = self.recovered_dialogs.remove(&call_id);
                // A call that rang several phones has a dialog for each; it has ended with the last of them.
                if let Some(id) = id.filter(|id| !self.recovered_dialogs.values().any(|other| other == id)) {
                    self.send_to_store(Command::DialogEnded { id, reached });
                }
                if !reached {
                    tracing::warn!(
                        call_id,
                        "a call of the last run could not be ended: the far end was not reached"
                    );
                }
            }
        }
    }

    pub(super) fn take_trunk_use(&mut self, trunk: TrunkId, state: &TrunkUse) {
        let name = self.trunk_name(trunk);
        self.trunk_tests.set_state(trunk, state);
        match state {
            TrunkUse::Up => tracing::info!(trunk = name, "the trunk is in use"),
            TrunkUse::NotRegistered => {
                tracing::info!(trunk = name, "no call leaves before the trunk is registered");
            }
            TrunkUse::RegistrationLost => tracing::warn!(
                trunk = name,
                "the registration was lost: no call leaves until the carrier takes it again"
            ),
            TrunkUse::AccountRefused { account, code, reason } => tracing::error!(
                trunk = name,
                "the carrier refuses account {account} of trunk {name} ({code} {}); check username and password",
                reason.escape_debug()
            ),
            TrunkUse::Silent => {
                tracing::warn!(
                    trunk = name,
                    "the trunk does not answer OPTIONS any more; it is out of use until it answers \
                     (options_secs = 0 sends none)"
                );
                self.look_up_trunk(trunk);
            }
        }
        let down = (*state != TrunkUse::Up).then(|| TrunkDown::Unusable(state.clone()));
        self.set_trunk_down(trunk, down);
        self.trunk_changed(trunk, if *state == TrunkUse::Up { TrunkState::Up } else { TrunkState::Down });
    }

    pub(super) fn trunk_name(&self, trunk: TrunkId) -> String {
        self.trunks.get(&trunk).map(|parts| parts.limits.name.clone()).unwrap_or_default()
    }

    pub(super) fn trunk_changed(&mut self, trunk: TrunkId, state: TrunkState) {
        let up = state == TrunkState::Up;
        if let Some(board) = self.board.trunk_mut(trunk).filter(|board| board.up != up) {
            board.up = up;
            self.report_trunk_state(trunk);
        }
    }

    fn handle_reply(&mut self, reply: Reply) {
        match reply {
            Reply::AttemptOpened { attempt, verdict } => {
                if verdict != DialVerdict::Opened {
                    self.step_log.end(attempt.call());
                }
                let refusal = (verdict != DialVerdict::Opened).then(|| refusal_text(verdict));
                self.test_calls.decided(attempt, refusal);
                self.answer_opened_test(attempt, verdict);
                if verdict != DialVerdict::Opened
                    && let Some(facts) = self.calls.remove(&attempt.call())
                    && let Some(board) = self.board.campaigns.get_mut(&facts.campaign).filter(|_| facts.test)
                {
                    board.test_refused = Some(refusal_text(verdict));
                }
                self.handle(Input::AttemptOpened { attempt, verdict });
            }
            Reply::AnswerSaved { call } => self.handle(Input::AnswerSaved { call }),
            Reply::RecoveredAnswerSaved { call_id } => {
                self.ua.acknowledge_recovered(self.clock.now(), &call_id);
                self.carry_out_ua_outputs();
            }
            Reply::ResultSaved { attempt } => self.handle(Input::ResultSaved { attempt }),
            Reply::LeadSaved { .. } | Reply::LeadsClosed { .. } | Reply::SummarySaved { .. } => {}
            Reply::Lead { campaign, agent, lead } => {
                self.handle(Input::LeadFetched { campaign, agent, lead });
            }
            Reply::CallerIdentified(arrived) => {
                self.note_caller(&arrived);
                self.handle(Input::CallArrived(arrived));
            }
            Reply::Blacklisted { number } => {
                let patterns = vec![NumberPattern::exact(number)];
                self.handle(Input::Blacklisted { campaign: None, patterns });
            }
            Reply::Refused { why } => tracing::error!(why, "the store refused a command"),
            Reply::Leads { campaign, leads, next_due, leads_open, leads_all } => {
                if let Some(board) = self.board.campaigns.get_mut(&campaign) {
                    board.leads = leads_all;
                }
                self.handle(Input::LeadsArrived { campaign, leads, next_due, leads_open });
            }
            Reply::Stalled { why } => {
                tracing::error!(why, "nothing can be written: no call is placed until there is room");
                self.board.store_stalled = Some(why.clone());
                self.handle(Input::StoreStalled { why });
            }
            Reply::Recovered => {
                tracing::info!("the store writes again");
                self.board.store_stalled = None;
                self.handle(Input::StoreRecovered);
            }
        }
    }

    fn handle_request(&mut self, ask: EngineRequest) {
        match ask {
            EngineRequest::Resume { work, dialogs, phones } => {
                self.set_saved_phones(phones);
                self.resume(work, dialogs);
            }
            EngineRequest::OpenCampaign(opening) => self.open_after_tests(*opening),
            EngineRequest::ChangeCampaign(change) => self.change_campaign(*change),
            EngineRequest::ManagerAction { campaign, action } => {
                if let (ManagerAction::LeadsAdded | ManagerAction::LeadsChanged { .. }, Some(board)) =
                    (&action, self.board.campaigns.get_mut(&campaign))
                {
                    board.finished = false;
                }
                if matches!(action, ManagerAction::Drain | ManagerAction::HangUpAll) {
                    self.test_calls.drained(campaign);
                }
                self.handle(Input::ManagerActed { campaign, action })
            }
            EngineRequest::TestCall { campaign, number, opening, answer } => {
                self.place_test(campaign, number, opening, answer);
            }
            EngineRequest::EndTests { campaign } => self.end_tests(campaign),
            EngineRequest::AwaitEndOfTests { campaign, answer } => self.await_end_of_tests(campaign, answer),
            EngineRequest::AgentAction { agent, action, answer } => {
                self.forward_agent_action(agent, action, answer)
            }
            EngineRequest::CheckDevice { agent, answer } => self.check_device(agent, answer),
            EngineRequest::LocateLead { campaign, lead, household, numbers, answer } => {
                // The requester may have gone away.
                let _ = answer.send(self.dialer.lead_place(campaign, lead, household, &numbers));
            }
            EngineRequest::TestTrunk(test) => self.test_trunk(test),
            EngineRequest::CallSteps { attempt, answer } => {
                // The requester may have gone away.
                let _ = answer.send(self.step_log.json(attempt.call()));
            }
            EngineRequest::RegisterCallerIds { said } => {
                self.handle(Input::CallerIdsRegistered { said });
            }
            EngineRequest::Blacklisted { campaign, patterns } => {
                self.handle(Input::Blacklisted { campaign, patterns });
            }
            EngineRequest::SetTrunkAddresses { trunk, peers, sources } => {
                self.set_trunk_addresses(trunk, &peers, sources);
            }
            EngineRequest::SetTrunk { trunk, is_enabled, answer } => {
                // The requester may have gone away.
                let _ = answer.send(self.set_trunk(*trunk, is_enabled));
            }
            EngineRequest::RemoveTrunk { trunk, answer } => {
                let _ = answer.send(self.remove_trunk(trunk));
            }
            EngineRequest::EndTrunkRest { trunk } => self.end_trunk_rest(trunk),
            EngineRequest::CountedToday { trunk, codes } => self.take_counted_today(trunk, codes),
            EngineRequest::SetGroup(group) => {
                self.board.groups.insert(group.id, group.name.clone());
                self.handle(Input::GroupDefined(group));
            }
            EngineRequest::SetAgent(opening) => self.define_agent(opening.agent, opening.phone),
            EngineRequest::RemoveAgent { agent } => self.remove_agent(agent),
            EngineRequest::Drain => self.act_on_all_campaigns(&ManagerAction::Drain),
            EngineRequest::HangUpAll => self.act_on_all_campaigns(&ManagerAction::HangUpAll),
            EngineRequest::Stop => {
                if !self.is_stopping {
                    self.act_on_all_campaigns(&ManagerAction::Drain);
                }
                self.is_stopping = true;
                self.handle(Input::FloorClosed);
            }
        }
    }

    fn act_on_all_campaigns(&mut self, act: &ManagerAction) {
        let mut campaigns: Vec<CampaignId> = self.board.campaigns.keys().copied().collect();
        campaigns.extend(self.test_openings.campaigns());
        for campaign in campaigns {
            self.test_calls.drained(campaign);
            self.handle(Input::ManagerActed { campaign, action: act.clone() });
        }
    }

    fn resume(&mut self, work: OpenWork, dialogs: Vec<(i64, SavedDialog)>) {
        let now = self.clock.now();
        self.recovered_until = now + RECOVERED_WAIT;
        for (id, dialog) in dialogs {
            self.recovered_dialogs.insert(dialog.call_id.clone(), id);
            self.ua.end_saved_dialog(now, dialog);
        }
        // Must come before the answers of those phones.
        self.sockets.set_phones(self.ua.phone_peers());
        self.carry_out_ua_outputs();
        self.handle(Input::Resumed(work));
    }

    pub(super) fn open_campaign(&mut self, opening: CampaignOpening) {
        let CampaignOpening {
            campaign,
            share,
            region,
            leads,
            leads_open,
            paused,
            abandons,
            past,
            sound,
            sorry,
        } = opening;
        self.set_texts(campaign.id, region, sound, sorry);
        let board = super::CampaignBoard {
            name: campaign.name.clone(),
            opened_at: crate::net::clock::Clock::utc(),
            leads,
            key_watch: KeyWatch::new(length_with_keys(&campaign)),
            ..super::CampaignBoard::default()
        };
        self.board.campaigns.insert(campaign.id, board);
        self.board_due = self.clock.now();
        self.handle(Input::ShareSet { campaign: campaign.id, share });
        let campaign = Box::new(campaign);
        self.handle(Input::CampaignOpened { campaign, leads_open, paused, abandons, past });
    }

    /// Keeps the country and the sounds of a campaign.
    pub(super) fn set_texts(
        &mut self,
        campaign: CampaignId,
        region: String,
        sound: Option<Arc<Sound>>,
        sorry: Option<Arc<Sound>>,
    ) {
        // Without a country of its own it takes the one that the other campaigns share.
        if !region.is_empty() {
            self.regions.insert(campaign, region);
        }
        if let Some(sound) = sound {
            self.sounds.insert(campaign, sound);
        }
        if let Some(sorry) = sorry {
            self.abandon_messages.insert(campaign, sorry);
        }
    }

    fn change_campaign(&mut self, change: CampaignChange) {
        let CampaignChange { campaign, share, sound, sorry } = change;
        let Some(board) = self.board.campaigns.get_mut(&campaign.id) else {
            tracing::error!(
                campaign = campaign.name,
                "a campaign that is not open has new rules: not applied"
            );
            return;
        };
        board.name.clone_from(&campaign.name);
        board.key_watch = KeyWatch::new(length_with_keys(&campaign));
        if let Some(sound) = sound {
            self.sounds.insert(campaign.id, sound);
        }
        match sorry {
            Some(sorry) => self.abandon_messages.insert(campaign.id, sorry),
            None => self.abandon_messages.remove(&campaign.id),
        };
        self.board_due = self.clock.now();
        tracing::info!(campaign = campaign.name, "the campaign has new rules");
        self.handle(Input::ShareSet { campaign: campaign.id, share });
        self.handle(Input::CampaignChanged { campaign: Box::new(campaign) });
    }
}

/// Length of the announcement of a campaign that asks for keys.
fn length_with_keys(campaign: &Campaign) -> Option<Duration> {
    campaign.announcement.as_ref().filter(|_| !campaign.keys.is_empty()).map(|told| told.length)
}

/// Why a single-number test was refused, in words.
fn refusal_text(verdict: DialVerdict) -> String {
    match verdict {
        DialVerdict::Closed(Reason::Blacklisted)
        | DialVerdict::NotBefore { reason: Reason::Blacklisted, .. } => {
            "the number is on the blacklist; take it off, or test with another number".to_owned()
        }
        DialVerdict::Closed(Reason::Duplicate) | DialVerdict::NotBefore { reason: Reason::Duplicate, .. } => {
            "a call to this number is up; try again once it is over".to_owned()
        }
        DialVerdict::Closed(reason) => format!("the number may not be called ({})", reason.word()),
        DialVerdict::NotBefore { reason, .. } => {
            format!("not now ({}): a call to this number was cut off; try again in a minute", reason.word())
        }
        DialVerdict::Opened | DialVerdict::Gone => "the campaign was changed meanwhile; try again".to_owned(),
    }
}
