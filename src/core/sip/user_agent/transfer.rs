//! Call transfer asked for by a phone: REFER in a call with it (RFC 3515), and the NOTIFYs that report its
//! result. The engine decides whom to call.

use super::client_transactions::Purpose;
use super::in_dialog::ReceivedRequest;
use super::leg::LegState;
use super::write::{self, Reply};
use super::{UaEvent, UserAgent};
use crate::ids::CallId;
use crate::sip::headers::{HeaderName, NameAddr};
use crate::sip::message::Method;
use crate::time::Time;

/// Longest accepted transfer target, in bytes.
const TARGET_MAX: usize = 128;

impl UserAgent {
    /// Handles REFER in a dialog. Only a phone may send it, one at a time, and not with Replaces (an
    /// attended transfer between dialogs we do not know).
    pub(super) fn handle_refer(&mut self, now: Time, received: ReceivedRequest<'_, '_>, call: CallId) {
        let Some(leg) = self.legs.get_mut(&call) else { return };
        let confirmed = leg.state == LegState::Confirmed;
        let peer = leg.dialog.peer;
        let Some(phone) = leg.phone.as_deref_mut().filter(|_| confirmed) else {
            self.respond_to(now, received, Reply::new(603, "Decline"));
            return;
        };
        if phone.transfer.is_some() {
            self.respond_to(now, received, Reply::new(491, "Request Pending"));
            return;
        }
        let target = received.request.header(HeaderName::ReferTo).and_then(|line| NameAddr::parse(&line));
        let Some(target) = target.map(|target| target.uri) else {
            self.respond_to(now, received, Reply::new(400, "Bad Refer-To"));
            return;
        };
        let user = target.user_text().into_owned();
        let replaces =
            target.headers.as_deref().is_some_and(|it| it.to_ascii_lowercase().contains("replaces="));
        if replaces || user.is_empty() || user.len() > TARGET_MAX || user.chars().any(char::is_control) {
            self.respond_to(now, received, Reply::new(603, "Decline"));
            return;
        }
        let number = received.request.cseq().map(|cseq| cseq.number).unwrap_or_default();
        // The first REFER of a dialog needs no id (RFC 3515 section 2.4.6).
        phone.transfer = Some(if phone.transferred { format!("refer;id={number}") } else { "refer".into() });
        phone.transferred = true;
        let contact = write::contact(&self.config, peer, "");
        self.respond_to(now, received, Reply::new(202, "Accepted").header("Contact", contact));
        self.notify(now, call, "SIP/2.0 100 Trying\r\n", "active;expires=180");
        self.emit(UaEvent::Transfer { call, target: user });
    }

    pub(super) fn end_transfer(&mut self, now: Time, call: CallId, ok: bool) {
        let result = if ok { "SIP/2.0 200 OK\r\n" } else { "SIP/2.0 503 Service Unavailable\r\n" };
        self.notify(now, call, result, "terminated;reason=noresource");
        if let Some(phone) = self.legs.get_mut(&call).and_then(|leg| leg.phone.as_deref_mut()) {
            phone.transfer = None;
        }
    }

    fn notify(&mut self, now: Time, call: CallId, result: &str, state: &str) {
        let Some(leg) = self.legs.get(&call).filter(|leg| leg.state == LegState::Confirmed) else { return };
        let Some(event) = leg.phone.as_deref().and_then(|phone| phone.transfer.clone()) else { return };
        let lines = vec![
            (HeaderName::Contact, write::contact(&self.config, leg.dialog.peer, "")),
            (HeaderName::Event, event),
            (HeaderName::SubscriptionState, state.to_string()),
        ];
        let body = Some(("message/sipfrag;version=2.0", result));
        self.leg_request(now, call, Method::Notify, lines, body, Purpose::Ignored);
    }
}
