//! New rules of an open campaign, which apply at once.

use super::Dialer;
use crate::campaign::Campaign;

impl Dialer {
    /// Gives an open campaign new rules. Live calls, leases, ledger and the trunks' rests stay as they are.
    pub(super) fn change_campaign(&mut self, rules: Campaign) {
        let Some(run) = self.campaigns.get_mut(&rules.id) else { return };
        run.change_rules(self.now, rules);
    }
}
