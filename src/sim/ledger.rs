//! The far end's own record of every INVITE, with which our store is compared after a crash: the log lines,
//! and the calls they add up to.

use paceline_core::time::Utc;
use std::collections::BTreeMap;
use std::fmt;

/// Kinds of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallEvent {
    /// The first INVITE of a Call-ID.
    Invite,
    /// The same INVITE again, with the same branch.
    Retransmission,
    /// The same call with a new branch, after a challenge.
    Retry,
    /// 401 or 407 was sent.
    Challenged,
    /// 180 or 183 was sent.
    Ringing,
    /// 200 was sent.
    Answered,
    /// The ACK of the 200 arrived.
    Acknowledged,
    /// The callee pressed a key.
    Key,
    /// A CANCEL arrived.
    Cancel,
    /// A BYE arrived.
    Bye,
    /// The call has ended; `detail` says by whom and with which cause.
    Ended,
}

impl CallEvent {
    pub const ALL: [CallEvent; 11] = [
        CallEvent::Invite,
        CallEvent::Retransmission,
        CallEvent::Retry,
        CallEvent::Challenged,
        CallEvent::Ringing,
        CallEvent::Answered,
        CallEvent::Acknowledged,
        CallEvent::Key,
        CallEvent::Cancel,
        CallEvent::Bye,
        CallEvent::Ended,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            CallEvent::Invite => "invite",
            CallEvent::Retransmission => "retransmission",
            CallEvent::Retry => "retry",
            CallEvent::Challenged => "challenged",
            CallEvent::Ringing => "ringing",
            CallEvent::Answered => "answered",
            CallEvent::Acknowledged => "acknowledged",
            CallEvent::Key => "key",
            CallEvent::Cancel => "cancel",
            CallEvent::Bye => "bye",
            CallEvent::Ended => "ended",
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Utc,
    pub event: CallEvent,
    /// The SIP Call-ID.
    pub call_id: String,
    /// User part of the request URI and of From.
    pub callee: String,
    pub caller_id: String,
    /// The behaviour in the call's scenario (`Behaviour::word`).
    pub behaviour: &'static str,
    /// The key, the SIP code, or who ended the call.
    pub detail: String,
}

impl LogLine {
    /// The header of the CSV form.
    pub const HEADER: &str = "at_ms,event,call_id,callee,caller_id,fate,detail";
}

/// One CSV record without the line end.
impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},", self.at.as_millis(), self.event.word())?;
        for text in [&self.call_id, &self.callee, &self.caller_id] {
            write_cell(f, text)?;
            f.write_str(",")?;
        }
        write!(f, "{},", self.behaviour)?;
        write_cell(f, &self.detail)
    }
}

/// Writes text from outside: quoted where CSV needs it, control characters replaced so that one record stays
/// one line.
fn write_cell(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let quoted = text.contains([',', '"']);
    if quoted {
        f.write_str("\"")?;
    }
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\"\"")?,
            control if control.is_control() => f.write_str("?")?,
            letter => write!(f, "{letter}")?,
        }
    }
    if quoted { f.write_str("\"") } else { Ok(()) }
}

/// One call as the far end saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRecord {
    pub callee: String,
    pub caller_id: String,
    pub behaviour: String,
    pub invited_at: Utc,
    pub retransmissions: u32,
    pub retries: u32,
    pub ringing_at: Option<Utc>,
    pub answered_at: Option<Utc>,
    pub acknowledged_at: Option<Utc>,
    pub keys: String,
    pub cancelled_at: Option<Utc>,
    pub bye_at: Option<Utc>,
    pub ended_at: Option<Utc>,
    pub end: String,
}

/// All calls, by Call-ID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub calls: BTreeMap<String, CallRecord>,
}

impl Ledger {
    pub fn note(&mut self, line: &LogLine) {
        self.enter(
            line.at,
            line.event,
            [&line.call_id, &line.callee, &line.caller_id],
            line.behaviour,
            &line.detail,
        );
    }

    /// Reads a log that a carrier wrote. A last line that was cut off is left out; any other unreadable line
    /// is an error that names it.
    pub fn read_csv(text: &str) -> Result<Ledger, String> {
        let mut ledger = Ledger::default();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(whole.as_bytes());
        for (place, record) in reader.records().enumerate() {
            let line = place + 2;
            let record = record.map_err(|error| format!("line {line}: {error}"))?;
            let cell = |column: usize| record.get(column).unwrap_or("");
            let at = cell(0).parse().map_err(|_| format!("line {line}: no time in {:?}", cell(0)))?;
            let event = CallEvent::ALL.into_iter().find(|event| event.word() == cell(1));
            let event = event.ok_or_else(|| format!("line {line}: unknown event {:?}", cell(1)))?;
            ledger.enter(Utc::from_millis(at), event, [cell(2), cell(3), cell(4)], cell(5), cell(6));
        }
        Ok(ledger)
    }

    fn enter(&mut self, at: Utc, event: CallEvent, names: [&str; 3], behaviour: &str, detail: &str) {
        let [call_id, callee, caller_id] = names;
        let call = self.calls.entry(call_id.to_string()).or_insert_with(|| CallRecord {
            callee: callee.into(),
            caller_id: caller_id.into(),
            behaviour: behaviour.into(),
            invited_at: at,
            ..CallRecord::default()
        });
        match event {
            CallEvent::Invite | CallEvent::Challenged => {}
            CallEvent::Retransmission => call.retransmissions += 1,
            CallEvent::Retry => call.retries += 1,
            CallEvent::Ringing => call.ringing_at = call.ringing_at.or(Some(at)),
            CallEvent::Answered => call.answered_at = call.answered_at.or(Some(at)),
            CallEvent::Acknowledged => call.acknowledged_at = call.acknowledged_at.or(Some(at)),
            CallEvent::Key => call.keys.push_str(detail),
            CallEvent::Cancel => call.cancelled_at = call.cancelled_at.or(Some(at)),
            CallEvent::Bye => call.bye_at = call.bye_at.or(Some(at)),
            CallEvent::Ended => {
                call.ended_at = Some(at);
                call.end = detail.into();
            }
        }
    }

    /// The calls of each callee, in the order of their first INVITE.
    pub fn by_callee(&self) -> BTreeMap<&str, Vec<&CallRecord>> {
        let mut callees: BTreeMap<&str, Vec<&CallRecord>> = BTreeMap::new();
        for call in self.calls.values() {
            callees.entry(&call.callee).or_default().push(call);
        }
        for calls in callees.values_mut() {
            calls.sort_by_key(|call| call.invited_at);
        }
        callees
    }

    /// Callees called again after they had answered: must be empty, unless a retry rule allows it.
    pub fn called_after_answering(&self) -> Vec<&str> {
        let callees = self.by_callee();
        let again = callees.iter().filter(|(_, calls)| {
            let answered = calls.iter().filter_map(|call| call.answered_at).min();
            answered.is_some_and(|at| calls.iter().any(|call| call.invited_at > at))
        });
        again.map(|(callee, _)| *callee).collect()
    }

    /// Callees called again after they were connected: their answer was acknowledged. Always empty, whatever
    /// crashed in between.
    pub fn called_after_connecting(&self) -> Vec<&str> {
        let callees = self.by_callee();
        let again = callees.iter().filter(|(_, calls)| {
            let connected = calls.iter().filter_map(|call| call.acknowledged_at.and(call.answered_at)).min();
            connected.is_some_and(|at| calls.iter().any(|call| call.invited_at > at))
        });
        again.map(|(callee, _)| *callee).collect()
    }

    /// Callees with two calls between INVITE and end at the same time.
    pub fn overlapping(&self) -> Vec<&str> {
        let callees = self.by_callee();
        let overlap = callees.iter().filter(|(_, calls)| {
            calls.windows(2).any(|pair| pair[0].ended_at.is_none_or(|end| pair[1].invited_at < end))
        });
        overlap.map(|(callee, _)| *callee).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: i64, event: CallEvent, call_id: &str, callee: &str, detail: &str) -> LogLine {
        LogLine {
            at: Utc::from_millis(at),
            event,
            call_id: call_id.into(),
            callee: callee.into(),
            caller_id: "075512345678".into(),
            behaviour: "answer",
            detail: detail.into(),
        }
    }

    fn day() -> Vec<LogLine> {
        vec![
            line(1_000, CallEvent::Invite, "a@x", "13800000001", ""),
            line(1_500, CallEvent::Retransmission, "a@x", "13800000001", ""),
            line(2_000, CallEvent::Ringing, "a@x", "13800000001", "180"),
            line(3_000, CallEvent::Answered, "a@x", "13800000001", ""),
            line(3_010, CallEvent::Acknowledged, "a@x", "13800000001", ""),
            line(4_000, CallEvent::Key, "a@x", "13800000001", "1"),
            line(4_500, CallEvent::Key, "a@x", "13800000001", "#"),
            line(5_000, CallEvent::Bye, "a@x", "13800000001", ""),
            line(5_001, CallEvent::Ended, "a@x", "13800000001", "dialer"),
            line(6_000, CallEvent::Invite, "b@x", "13800000002", ""),
            line(7_000, CallEvent::Cancel, "b@x", "13800000002", ""),
        ]
    }

    #[test]
    fn a_written_log_reads_back_unchanged() {
        let mut told = Ledger::default();
        let mut text = format!("{}\n", LogLine::HEADER);
        for line in day() {
            told.note(&line);
            text.push_str(&format!("{line}\n"));
        }
        assert_eq!(Ledger::read_csv(&text).expect("our own"), told);
        let first = &told.calls["a@x"];
        assert_eq!((first.retransmissions, first.keys.as_str(), first.end.as_str()), (1, "1#", "dialer"));
        assert_eq!(told.calls["b@x"].ended_at, None);
    }

    #[test]
    fn a_log_line_cut_off_by_a_crash_is_left_out() {
        let text = format!("{}\n{}\n7000,inv", LogLine::HEADER, day()[0]);
        assert_eq!(Ledger::read_csv(&text).expect("readable").calls.len(), 1);
        let broken = format!("{}\n7000,inv\n", LogLine::HEADER);
        assert!(Ledger::read_csv(&broken).expect_err("broken").contains("line 2"));
    }

    #[test]
    fn text_from_outside_cannot_break_a_record() {
        let evil = line(1, CallEvent::Invite, "x\r\n9,invite,\"y\",", "=1+1", "a\"b");
        let text = format!("{}\n{evil}\n", LogLine::HEADER);
        let ledger = Ledger::read_csv(&text).expect("one record");
        assert_eq!(ledger.calls.keys().collect::<Vec<_>>(), ["x??9,invite,\"y\","]);
    }

    #[test]
    fn a_second_call_after_an_answer_is_found() {
        let mut ledger = Ledger::default();
        day().iter().for_each(|line| ledger.note(line));
        assert!(ledger.called_after_answering().is_empty());
        assert!(ledger.overlapping().is_empty());
        ledger.note(&line(9_000, CallEvent::Invite, "c@x", "13800000001", ""));
        ledger.note(&line(9_000, CallEvent::Invite, "d@x", "13800000002", ""));
        assert_eq!(ledger.called_after_answering(), ["13800000001"]);
        assert_eq!(ledger.overlapping(), ["13800000002"]);
    }
}
