//! People on phones: what the person chose (`Availability`), what she is doing (`Activity`), how she
//! can be reached (`Way`), what she may ask for (`AgentAct`) and why she is refused (`Refusal`).

use crate::call::Digit;
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, GroupId, LeadId};
use crate::number::PhoneNumber;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// An agent as the floor needs her. Names of accounts, passwords and roles belong to the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    /// The number colleagues and callees know her by (工号): `8001`. Never changes.
    pub number: String,
    pub name: String,
    pub skills: BTreeSet<String>,
    pub groups: Vec<Membership>,
    /// Her own telephone, for `Way::Telephone`.
    pub telephone: Option<PhoneNumber>,
    /// Her calls are recorded where the campaign leaves it to the agent.
    pub recorded: bool,
    /// May listen, whisper, barge in, take over and force: a shift lead.
    pub leads: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub group: GroupId,
    /// The smaller number is served first.
    pub priority: u8,
    /// A member who is not in use gets no calls of this group.
    pub in_use: bool,
}

/// A group of agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// Whether ordinary telephones may answer (mobile agents).
    pub telephones: bool,
    /// The callee hears the agent's number on connection, where the campaign wants it too.
    pub announce_number: bool,
    /// Agents who stay idle and untouched this long are signed out, and their seat is free.
    pub idle_release: Option<Duration>,
    /// Work mode of everyone in the group; `None` = each agent's own choice.
    pub work_mode: Option<WorkMode>,
    /// Seats that may be signed in at once; `None` = no limit.
    pub seats: Option<u32>,
}

/// What the person chose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    #[default]
    SignedOut,
    Available,
    /// No calls come; own dialling is still allowed.
    Paused {
        reason: String,
    },
}

impl Availability {
    pub const fn word(&self) -> &'static str {
        match self {
            Availability::SignedOut => "signed_out",
            Availability::Available => "available",
            Availability::Paused { .. } => "paused",
        }
    }
}

/// What she is doing. Every state but `Idle` ends by an event or by a wake: none can stick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    #[default]
    Idle,
    /// Kept for one lead: a preview, or a call that is placed for her alone.
    Reserved,
    /// Her phone rings, or an answered callee waits for it.
    Ringing,
    Talking,
    /// Talking to a third party while the callee waits.
    Consulting,
    WrapUp,
}

impl Activity {
    pub const ALL: [Activity; 6] = [
        Activity::Idle,
        Activity::Reserved,
        Activity::Ringing,
        Activity::Talking,
        Activity::Consulting,
        Activity::WrapUp,
    ];

    /// The label of `paceline_agents`.
    pub const fn word(&self) -> &'static str {
        match self {
            Activity::Idle => "idle",
            Activity::Reserved => "reserved",
            Activity::Ringing => "ringing",
            Activity::Talking => "talking",
            Activity::Consulting => "consulting",
            Activity::WrapUp => "wrap_up",
        }
    }
}

/// How she is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Her registered softphone or desk phone.
    #[default]
    Phone,
    /// An ordinary telephone, called through a trunk.
    Telephone(PhoneNumber),
}

/// How long her leg is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// Up for the whole shift: a callee reaches her within one mixing step.
    #[default]
    NailedUp,
    /// Her phone rings for each call.
    PerCall,
}

/// Which calls come to her.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkMode {
    Inbound,
    Outbound,
    #[default]
    Both,
}

impl WorkMode {
    pub const fn takes_outbound(self) -> bool {
        matches!(self, WorkMode::Outbound | WorkMode::Both)
    }

    pub const fn takes_inbound(self) -> bool {
        matches!(self, WorkMode::Inbound | WorkMode::Both)
    }
}

/// Who gets the next call among those who are free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    #[default]
    LongestIdle,
    /// The next after the last one called.
    RoundRobin,
    Random,
    FewestAnswered,
    /// Smallest priority number; among equals the longest idle.
    Priority,
    /// Every free phone rings, the first to answer talks. (Nailed-up legs: the longest idle.)
    RingAll,
}

/// When work follows a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUp {
    /// After her phone rang, answered or not.
    AnyRing,
    /// After a conversation.
    #[default]
    Answered,
    Off,
}

/// Whose voice goes where, for a supervisor who joins a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears both, is heard by nobody (监听).
    Listen,
    /// Hears both, is heard by the agent alone (密语).
    Whisper,
    /// Talks to both (强插).
    Barge,
    /// Takes the agent's place (强取).
    TakeOver,
}

/// What a shift lead does to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// Ends her call (强拆).
    Release,
    Pause {
        reason: String,
    },
    Ready,
    SignOut,
}

/// Whom an agent asks for help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consulted {
    Agent(AgentId),
    /// Whoever of that group is free.
    Group(GroupId),
    /// A number outside, through the campaign's trunks.
    Number(PhoneNumber),
}

/// A callback as the agent books it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRequest {
    pub at: Utc,
    /// For herself; otherwise for anyone of the group.
    pub own: bool,
    /// Only for agents with this skill (a dialect).
    pub skill: Option<String>,
}

/// What the agent says of a call (电话小结).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSummary {
    /// A code of the campaign's dispositions.
    pub disposition: String,
    pub note: String,
    pub callback: Option<CallbackRequest>,
}

/// Everything an agent can ask for. Written as serde writes an enum by itself: the journal holds it in a
/// form that does not describe itself, and could not read a tag among the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentAct {
    /// Begins to work in these groups (none named = all hers).
    SignIn {
        #[serde(default)]
        groups: Vec<GroupId>,
        #[serde(default)]
        way: Way,
        #[serde(default)]
        holding: Holding,
        #[serde(default)]
        work_mode: WorkMode,
    },
    /// At once when idle; after the call and its wrap-up otherwise.
    SignOut,
    /// Another phone, without losing the seat: between calls at once, in a call the callee waits
    /// until the new phone answers.
    ChangeWay {
        way: Way,
        holding: Holding,
    },
    Ready,
    /// At once; a call that is up goes on, a wrap-up too.
    Pause {
        reason: String,
    },
    /// Preview: call the lead on the screen.
    Dial,
    /// Preview: another lead, please. This one goes back.
    Skip,
    /// Preview: one more step of time. Wrap-up: one more step of time.
    Extend,
    /// Agent first: her phone, then the callee (双呼). The number joins no list.
    Call {
        campaign: CampaignId,
        number: PhoneNumber,
    },
    /// Agent first, for a lead of the campaign.
    CallLead {
        campaign: CampaignId,
        lead: LeadId,
    },
    /// Ends the callee's leg, or the named one of a conference.
    HangUp {
        #[serde(default)]
        leg: Option<CallId>,
    },
    Hold,
    Retrieve,
    Mute {
        on: bool,
    },
    SendDigits {
        keys: Vec<Digit>,
    },
    /// The callee waits with music, the third party rings.
    Consult {
        whom: Consulted,
    },
    /// The third party goes, the callee comes back.
    TakeBack,
    /// The callee goes to the third party, she leaves.
    Transfer,
    /// All together.
    Conference,
    /// Records from now on, or stops, where the campaign allows it on demand.
    Record {
        on: bool,
    },
    /// The call's summary. In wrap-up it ends the wrap-up.
    Summarise(CallSummary),
    /// Ends the wrap-up (or the preview's countdown): the next one, please.
    Next,
    Supervise {
        agent: AgentId,
        how: Supervision,
    },
    StopSupervising,
    Force {
        agent: AgentId,
        what: Force,
    },
}

/// Why an act was not carried out. A person reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    UnknownAgent,
    NotSignedIn,
    AlreadySignedIn,
    /// She is a member of none of these groups, or is not in use there.
    NotAMember,
    /// Every seat of the group is taken.
    SeatsTaken,
    /// The phone is not registered, or the group admits no telephones.
    PhoneNotReady,
    /// Another agent works on this telephone.
    PhoneTaken,
    ReasonMissing,
    /// She is in a call, or rung.
    Busy,
    /// There is no call to do that to.
    NoCall,
    /// Nobody is being consulted, or has not answered yet.
    NobodyConsulted,
    /// Nobody could be reached.
    NobodyFree,
    /// No such campaign, or it is not open.
    CampaignClosed,
    /// The number may not be dialled.
    NumberRefused,
    UnknownDisposition,
    CallbackInThePast,
    /// There is no call to summarise any more.
    NothingToSummarise,
    /// The campaign asks for a summary first.
    SummaryMissing,
    NotAllowed,
    /// Nothing can be written down now.
    StoreStalled,
}

impl Refusal {
    /// As the API says it.
    pub const fn word(self) -> &'static str {
        match self {
            Refusal::UnknownAgent => "unknown_agent",
            Refusal::NotSignedIn => "not_signed_in",
            Refusal::AlreadySignedIn => "already_signed_in",
            Refusal::NotAMember => "not_a_member",
            Refusal::SeatsTaken => "seats_taken",
            Refusal::PhoneNotReady => "phone_not_ready",
            Refusal::PhoneTaken => "phone_taken",
            Refusal::ReasonMissing => "reason_missing",
            Refusal::Busy => "busy",
            Refusal::NoCall => "no_call",
            Refusal::NobodyConsulted => "nobody_consulted",
            Refusal::NobodyFree => "nobody_free",
            Refusal::CampaignClosed => "campaign_closed",
            Refusal::NumberRefused => "number_refused",
            Refusal::UnknownDisposition => "unknown_disposition",
            Refusal::CallbackInThePast => "callback_in_the_past",
            Refusal::NothingToSummarise => "nothing_to_summarise",
            Refusal::SummaryMissing => "summary_missing",
            Refusal::NotAllowed => "not_allowed",
            Refusal::StoreStalled => "store_stalled",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::UnknownAgent => "there is no such agent",
            Refusal::NotSignedIn => "sign in first",
            Refusal::AlreadySignedIn => "already signed in: sign out first, or change the phone",
            Refusal::NotAMember => "not a member in use of that group: ask the shift lead",
            Refusal::SeatsTaken => "every seat of the group is taken",
            Refusal::PhoneNotReady => "the phone is not registered, or the group admits no telephones",
            Refusal::PhoneTaken => "another agent works on this telephone",
            Refusal::ReasonMissing => "a pause needs a reason",
            Refusal::Busy => "there is a call already",
            Refusal::NoCall => "there is no call",
            Refusal::NobodyConsulted => "nobody is consulted, or has not answered yet",
            Refusal::NobodyFree => "nobody is free",
            Refusal::CampaignClosed => "that campaign is not open",
            Refusal::NumberRefused => "this number may not be dialled",
            Refusal::UnknownDisposition => "the campaign has no such disposition",
            Refusal::CallbackInThePast => "a callback must be in the future",
            Refusal::NothingToSummarise => "there is no call to summarise",
            Refusal::SummaryMissing => "the campaign asks for a summary of the call first",
            Refusal::NotAllowed => "not allowed",
            Refusal::StoreStalled => "nothing can be written down at the moment: no calls",
        })
    }
}

/// Why an agent who looks free gets no calls: the answer to "I am idle, why is it quiet?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quiet {
    Paused,
    /// Her phone is not registered.
    PhoneAway,
    /// Her nailed-up leg is being set up.
    LegComing,
    /// None of the campaigns that are open works with a group of hers.
    NoCampaign,
    /// The campaigns of her groups place nothing now; their own why says more.
    NothingPlaced,
    /// She takes calls from outside only.
    InboundOnly,
}

/// One party of a conversation, as a screen shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub leg: CallId,
    pub kind: PartyKind,
    pub agent: Option<AgentId>,
    pub number: Option<PhoneNumber>,
    pub up: bool,
    pub held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    Callee,
    Agent,
    Consulted,
    Supervisor,
}

/// One seat as screens show it and as the state log keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeatView {
    pub agent: AgentId,
    pub number: String,
    pub availability: Availability,
    pub activity: Activity,
    /// Since when this pair of availability and activity holds.
    pub since: Utc,
    pub signed_in_at: Option<Utc>,
    pub groups: Vec<GroupId>,
    pub work_mode: WorkMode,
    pub way: Way,
    pub holding: Holding,
    /// The phone is registered (or needs no registration).
    pub phone_ready: bool,
    /// A nailed-up leg is up.
    pub leg_up: bool,
    pub quiet: Option<Quiet>,
    /// The conversation, the preview or the call in wrap-up.
    pub work: Option<Work>,
    pub muted: bool,
    /// When a wrap-up or a preview's countdown ends by itself.
    pub until: Option<Utc>,
    /// She signs out, or pauses, once this call is over.
    pub leaving: bool,
    /// Whose conversation she listens to, or helps in.
    pub supervising: Option<(AgentId, Supervision)>,
    /// Conversations since sign-in, and their length together.
    pub answered: u32,
    pub talked: Duration,
}

/// What a seat is busy with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub campaign: CampaignId,
    pub lead: Option<LeadId>,
    pub number: Option<PhoneNumber>,
    /// The attempt; `None` = a preview that has not been dialled.
    pub attempt: Option<AttemptId>,
    /// The callee called us.
    pub inbound: bool,
    pub answered_at: Option<Utc>,
    pub connected_at: Option<Utc>,
    pub parties: Vec<Party>,
    pub recording: bool,
    /// The summary as given so far.
    pub summary: Option<CallSummary>,
}
