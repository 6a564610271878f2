//! Defines trunks, and takes the addresses of those that are given by a host name: they change while calls are up.

use super::board::TrunkDown;
use super::{Engine, TrunkParts};
use paceline_core::dialer::Input;
use paceline_core::dialer::input::TrunkState;
use paceline_core::ids::TrunkId;
use paceline_core::sip::user_agent::Peer;
use std::net::SocketAddr;

impl Engine {
    /// Makes a trunk known to the dialer and to SIP.
    pub(super) fn define_trunk(&mut self, trunk: TrunkParts) {
        let id = trunk.limits.id;
        self.metrics.set_trunk_up(&trunk.limits.name, true);
        self.handle(Input::TrunkDefined(trunk.limits));
        if let Some(why) = trunk.not_found {
            self.trunk_not_found(id, trunk.sip.host, why);
            return;
        }
        self.set_sip_trunk(self.clock.now(), id, trunk.sip);
        // A trunk that has to register is down before any campaign opens.
        self.carry_out_ua_outputs();
    }

    /// The trunk is defined, and is not used before its name has an address.
    pub(super) fn trunk_not_found(&mut self, trunk: TrunkId, host: String, why: String) {
        self.set_trunk_down(trunk, Some(TrunkDown::NotFound { host, why }));
        self.trunk_changed(trunk, TrunkState::Down);
    }

    /// Takes addresses that were looked up again. Addresses of before stay trusted: calls over them may be up.
    pub(super) fn set_trunk_addresses(&mut self, id: TrunkId, peers: &[Peer], sources: Vec<SocketAddr>) {
        let Some((first, others)) = peers.split_first() else { return };
        let Some(trunk) = self.trunks.get_mut(&id) else { return };
        if let Err(error) = trunk.admit(&self.sockets, peers, &sources) {
            tracing::error!(trunk = trunk.limits.name, "the addresses of the trunk cannot be used: {error}");
            return;
        }
        (trunk.sip.peer, trunk.sip.alternates, trunk.sip.also_from) =
            (*first, others.to_vec(), sources.clone());
        let is_first = trunk.not_found.take().is_some();
        let (name, sip) = (trunk.limits.name.clone(), trunk.sip.clone());
        tracing::info!(trunk = name, addresses = ?sources, "the trunk has new addresses");
        let now = self.clock.now();
        if is_first {
            self.set_trunk_down(id, None);
            self.trunk_changed(id, TrunkState::Up);
            self.set_sip_trunk(now, id, sip);
        } else {
            self.ua.set_targets(now, id, peers, sources);
        }
        self.carry_out_ua_outputs();
    }

    /// Has the trunk's name looked up: every address of it has failed.
    pub(super) fn look_up_trunk(&self, trunk: TrunkId) {
        if let Some(lookups) = &self.lookups {
            // A full queue holds enough requests.
            let _ = lookups.try_send(trunk);
        }
    }

    pub(super) fn set_trunk_down(&mut self, trunk: TrunkId, down: Option<TrunkDown>) {
        if let Some(board) = self.board.trunk_mut(trunk) {
            board.down = down;
        }
    }
}
