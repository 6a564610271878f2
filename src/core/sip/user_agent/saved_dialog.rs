//! Saved dialogs: what is written to disk so that a later process can end a call, and how a leg yields it.

use super::identifiers::ClientKey;
use super::leg::Leg;
use super::outgoing_calls::FIRST_CSEQ;
use super::{Peer, UserAgent};
use crate::ids::{CallId, TrunkId};
use serde::{Deserialize, Serialize};

/// Saved to disk before an INVITE is sent or its answer acknowledged: enough to end the call from another
/// process. Plain text inside (JSON), versioned by its field names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedDialog {
    /// `None` = the far side is an agent's phone.
    #[serde(default)]
    pub trunk: Option<TrunkId>,
    /// Requests to a phone go to `peer` only; if that was a connection, to the source of the phone's next
    /// REGISTER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<SavedPhone>,
    pub peer: Peer,
    /// Sent-by of the INVITE's Via, so that CANCEL matches.
    pub sent_by: String,
    pub request_uri: String,
    pub call_id: String,
    pub from: String,
    pub to: String,
    /// Branch of the first INVITE. Re-sent INVITEs after a challenge use derived branches (`-1`, `-2`).
    pub branch: String,
    pub cseq: u32,
    /// Set once the call is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<ConfirmedDialog>,
}

/// The phone a saved dialog is with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPhone {
    /// The phone's account.
    pub user: String,
    /// Its `+sip.instance` (RFC 5626), which tells it from other phones of the account; empty = not given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedDialog {
    pub remote_tag: String,
    pub remote_target: String,
    /// In sending order of the Route headers.
    pub route_set: Vec<String>,
    pub cseq: u32,
}

impl UserAgent {
    pub(super) fn open_dialogs_of(&self, call: CallId) -> Vec<SavedDialog> {
        if let Some(answered) = self.answered_dialog(call) {
            return vec![answered];
        }
        let own = self.legs.get(&call).map(Box::as_ref);
        own.into_iter().chain(self.branches_of(call)).filter_map(unanswered_dialog).collect()
    }

    /// `None` if there is no such dialog, or it was never answered.
    pub(super) fn answered_dialog(&self, call: CallId) -> Option<SavedDialog> {
        let leg = self.legs.get(&call)?;
        let confirmed = leg.confirmed()?;
        let to = crate::sip::headers::NameAddr::parse(&leg.dialog.remote).map(|mut to| {
            to.params.remove("tag");
            to.to_string()
        });
        let placing = leg.placing.as_deref();
        Some(SavedDialog {
            trunk: leg.trunk,
            phone: leg.phone.as_deref().map(|phone| phone.account.clone()),
            peer: leg.dialog.peer,
            sent_by: self.config.sent_by(leg.dialog.peer).to_string(),
            request_uri: placing.map_or(&leg.dialog.remote_target, |placing| &placing.request_uri).clone(),
            call_id: leg.dialog.call_id.clone(),
            from: leg.dialog.local.clone(),
            to: to?,
            branch: ClientKey::new(self.identifiers.invite_branch(call)).branch_text(),
            cseq: FIRST_CSEQ,
            confirmed: Some(confirmed),
        })
    }
}

/// The saved form of an unanswered INVITE, as first sent.
fn unanswered_dialog(leg: &Leg) -> Option<SavedDialog> {
    let placing = leg.placing.as_deref()?;
    Some(SavedDialog {
        trunk: leg.trunk,
        phone: leg.phone.as_deref().map(|phone| phone.account.clone()),
        peer: placing.peer,
        sent_by: placing.sent_by.clone(),
        request_uri: placing.request_uri.clone(),
        call_id: leg.dialog.call_id.clone(),
        from: leg.dialog.local.clone(),
        to: leg.dialog.remote.clone(),
        branch: ClientKey { resend: 0, ..placing.key }.branch_text(),
        cseq: FIRST_CSEQ,
        confirmed: None,
    })
}
