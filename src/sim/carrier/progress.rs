//! Plays the scenario of an admitted call: ringing, early media, answer or refusal, keys, hang-up.

use super::{Awaits, Carrier, CarrierOutput, KEPT_AFTER_END, MediaRequest, Stage, Step};
use crate::sim::call_scenario::Behaviour;
use crate::sim::ledger::CallEvent;
use paceline_core::call::HangUpCause;
use paceline_core::ids::CallId;
use paceline_core::media::MediaCapabilities;
use paceline_core::outcome::EndedBy;
use paceline_core::time::Time;
use std::net::SocketAddr;

impl Carrier {
    pub(super) fn take_step(&mut self, now: Time, id: &str, step: Step) {
        let Some(known) = self.calls.get_mut(id) else { return };
        match step {
            Step::Admit => {
                if let Some((from, bytes)) = known.held.take() {
                    self.ua.handle_message(now, from, &bytes);
                }
            }
            // A call that came back after a challenge is kept until its own end.
            Step::Forget if matches!(known.stage, Stage::Unadmitted | Stage::Over) => {
                self.calls.remove(id);
            }
            Step::Alert if known.stage == Stage::Alerting => self.alert(now, id),
            Step::Settle if matches!(known.stage, Stage::Alerting | Stage::Ringing) => self.settle(now, id),
            Step::Key(place) if known.stage == Stage::Answered => self.press(now, id, place),
            Step::Leave if known.stage == Stage::Answered => {
                known.by = known.by.or(Some(EndedBy::Callee));
                if let Some(call) = known.call {
                    self.ua.hang_up(now, call, HangUpCause::Finished);
                }
            }
            Step::Forget | Step::Alert | Step::Settle | Step::Key(_) | Step::Leave => {}
        }
    }

    /// The first response: 180, 183 with early media, or at once the final response.
    fn alert(&mut self, now: Time, id: &str) {
        let Some(known) = self.calls.get_mut(id) else { return };
        let Some(call) = known.call else { return };
        let behaviour = known.scenario.behaviour;
        let ring = known.scenario.ring;
        let announces = behaviour.announced() && self.people.early_media.announcements;
        if known.scenario.ring_back || announces {
            known.awaits = Awaits::EarlyMedia;
            self.schedule(now + ring, id, Step::Settle);
            self.out.push_back(CarrierOutput::OpenLeg { call });
        } else if behaviour.rings() {
            known.stage = Stage::Ringing;
            self.schedule(now + ring, id, Step::Settle);
            self.log(now, id, CallEvent::Ringing, "180");
            self.ua.ring(now, call);
        } else {
            self.settle(now, id);
        }
    }

    /// Answers the call, or sends the final response.
    pub(super) fn settle(&mut self, now: Time, id: &str) {
        let Some(known) = self.calls.get_mut(id) else { return };
        let Some(call) = known.call else { return };
        let behaviour = known.scenario.behaviour;
        let Some(refusal) = behaviour.refusal() else {
            if !known.scenario.late_answer {
                self.answer(now, id);
            }
            return;
        };
        known.by = Some(if behaviour == Behaviour::Reject { EndedBy::Callee } else { EndedBy::Carrier });
        let reason = refusal.q850.map(|cause| format!("Reason: Q.850;cause={cause}"));
        let rest = format!("Retry-After: {}", self.people.trouble.retry_after_secs);
        let mut headers: Vec<&str> = reason.as_deref().into_iter().collect();
        if behaviour == Behaviour::Unavailable {
            headers.push(&rest);
        }
        self.ua.reject(now, call, refusal.code, refusal.phrase, &headers);
    }

    pub(super) fn answer(&mut self, now: Time, id: &str) {
        let Some(known) = self.calls.get_mut(id) else { return };
        let Some(call) = known.call else { return };
        match known.leg {
            Some(address) => self.send_answer(now, id, address),
            None => {
                // If early media has asked for an RTP port already, the answer uses the same leg.
                let asked = known.awaits != Awaits::Nothing;
                known.awaits = Awaits::Answer;
                if !asked {
                    self.out.push_back(CarrierOutput::OpenLeg { call });
                }
            }
        }
    }

    pub(super) fn leg_opened(&mut self, now: Time, call: CallId, address: Option<SocketAddr>) {
        let Some(id) = self.sip_call_ids.get(&call).cloned() else {
            self.request_media(call, MediaRequest::Close);
            return;
        };
        let Some(known) = self.calls.get_mut(&id) else { return };
        let awaits = std::mem::replace(&mut known.awaits, Awaits::Nothing);
        let Some(address) = address else {
            self.ua.reject(now, call, 503, "Service Unavailable", &["Retry-After: 5"]);
            return;
        };
        known.leg = Some(address);
        match awaits {
            Awaits::Answer => self.send_answer(now, &id, address),
            Awaits::EarlyMedia => {
                known.stage = Stage::Ringing;
                let behaviour = known.scenario.behaviour;
                let request = if known.scenario.ring_back {
                    MediaRequest::RingBack
                } else {
                    MediaRequest::Announce(behaviour)
                };
                self.log(now, &id, CallEvent::Ringing, "183");
                self.ua.early_media(now, call, self.capabilities(address));
                self.carry_out_ua(now);
                self.request_media(call, request);
            }
            Awaits::Nothing => {}
        }
    }

    fn send_answer(&mut self, now: Time, id: &str, address: SocketAddr) {
        let capabilities = self.capabilities(address);
        let Some(known) = self.calls.get_mut(id) else { return };
        let Some(call) = known.call else { return };
        known.stage = Stage::Answered;
        known.answered = true;
        let scenario = known.scenario.clone();
        self.log(now, id, CallEvent::Answered, "200");
        self.ua.answer(now, call, capabilities);
        self.carry_out_ua(now);
        self.request_media(call, MediaRequest::Speak(scenario.behaviour));
        for (place, press) in scenario.keys.iter().enumerate() {
            self.schedule(now + press.after, id, Step::Key(place));
        }
        if let Some(stay) = scenario.stay {
            self.schedule(now + stay, id, Step::Leave);
        }
    }

    fn press(&mut self, now: Time, id: &str, place: usize) {
        let Some(known) = self.calls.get(id) else { return };
        let (Some(call), Some(press)) = (known.call, known.scenario.keys.get(place)) else { return };
        let key = press.key;
        // Keys are not sent on a call that was never acknowledged.
        if !known.acknowledged {
            return;
        }
        self.log(now, id, CallEvent::Key, &key.as_char().to_string());
        self.request_media(call, MediaRequest::Press(vec![key]));
    }

    pub(super) fn ended(&mut self, now: Time, call: CallId, by: EndedBy, cause: &str) {
        let Some(id) = self.sip_call_ids.remove(&call) else { return };
        let Some(known) = self.calls.get_mut(&id) else { return };
        let challenged = known.stage == Stage::Unadmitted;
        if known.leg.take().is_some() {
            self.out.push_back(CarrierOutput::Media { call, request: MediaRequest::Close });
        }
        if challenged {
            // The caller retries with credentials, or never; keep the call for retransmissions.
            self.schedule(now + KEPT_AFTER_END, &id, Step::Forget);
            return;
        }
        if std::mem::take(&mut known.counted) {
            self.limits.release();
        }
        known.stage = Stage::Over;
        known.awaits = Awaits::Nothing;
        let by = known.by.unwrap_or(by);
        self.log(now, &id, CallEvent::Ended, &format!("{by}: {cause}"));
        self.schedule(now + KEPT_AFTER_END, &id, Step::Forget);
    }

    fn capabilities(&self, address: SocketAddr) -> MediaCapabilities {
        MediaCapabilities { address, codecs: self.config.codecs.clone() }
    }
}
