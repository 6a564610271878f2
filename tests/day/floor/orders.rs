//! Orders are obeyed: no call of the list is opened in a pause, after a drain, while the store cannot write
//! or while the trunk is down, and no phone goes on ringing for a number that was blacklisted.

use paceline_core::call::Progress;
use paceline_core::dialer::input::{ManagerAction, TrunkState};
use paceline_core::dialer::output::AttemptRequest;
use paceline_core::dialer::{Input, Output};
use paceline_core::ids::CallId;
use paceline_core::number::PhoneNumber;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Orders {
    paused: bool,
    drained: bool,
    stalled: bool,
    trunk_down: bool,
    /// Attempts opened since the last input was checked.
    opened: Vec<AttemptRequest>,
    /// Calls that ring, or are being set up.
    ringing: BTreeMap<CallId, PhoneNumber>,
}

impl Orders {
    /// A new process has no orders.
    pub fn forget(&mut self) {
        *self = Orders::default();
    }

    /// Checks an input after all its outputs.
    pub fn input(&mut self, input: &Input) -> Result<(), String> {
        match input {
            Input::ManagerActed { action: act, .. } => match act {
                ManagerAction::Pause => self.paused = true,
                ManagerAction::Resume => (self.paused, self.drained) = (false, false),
                ManagerAction::Drain | ManagerAction::HangUpAll => self.drained = true,
                _ => {}
            },
            Input::Blacklisted { patterns, .. } => {
                let listed = |number: PhoneNumber| patterns.iter().any(|pattern| pattern.matches(number));
                if let Some((call, number)) = self.ringing.iter().find(|(_, number)| listed(**number)) {
                    return Err(format!("{call:?} goes on ringing at the blacklisted {number}"));
                }
            }
            Input::StoreStalled { .. } => self.stalled = true,
            Input::StoreRecovered => self.stalled = false,
            Input::TrunkChanged { state, .. } => self.trunk_down = *state == TrunkState::Down,
            Input::CallProgressed { call, progress: Progress::Answered | Progress::Ended(_) } => {
                self.ringing.remove(call);
            }
            _ => {}
        }
        let opened = std::mem::take(&mut self.opened);
        opened.iter().try_for_each(|request| self.may_open(request))
    }

    pub fn output(&mut self, output: &Output) {
        match output {
            Output::OpenAttempt(request) => self.opened.push((**request).clone()),
            Output::PlaceCall { call, number, .. } => {
                self.ringing.insert(*call, *number);
            }
            Output::HangUp { call, .. } => {
                self.ringing.remove(call);
            }
            _ => {}
        }
    }

    fn may_open(&self, request: &AttemptRequest) -> Result<(), String> {
        let why = match request.lead {
            Some(_) if self.paused => "in a pause",
            Some(_) if self.drained => "after a drain",
            _ if self.stalled => "while nothing can be written",
            _ if self.trunk_down => "while the trunk is down",
            _ => return Ok(()),
        };
        Err(format!("opened {why}: {request:?}"))
    }
}
