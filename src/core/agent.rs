//! Agents: chosen availability, current activity, endpoint (`Endpoint`), actions (`AgentAction`), refusals
//! (`Refusal`) and the view of a seat.

use crate::call::Digit;
use crate::ids::{AgentId, AttemptId, CallId, CampaignId, GroupId, LeadId};
use crate::number::PhoneNumber;
use crate::outcome::Reason;
use crate::time::{Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// An agent as the floor needs it. Accounts, passwords and roles belong to the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    /// The agent number (工号), for example `8001`. Never changes.
    pub number: String,
    pub name: String,
    pub skills: BTreeSet<String>,
    pub groups: Vec<Membership>,
    /// The agent's own telephone, for `Endpoint::Telephone`.
    pub telephone: Option<PhoneNumber>,
    /// The agent's calls are recorded where the campaign leaves it to the agent.
    pub recorded: bool,
    /// Shift lead: may listen, whisper, barge in, take over and force.
    pub leads: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub group: GroupId,
    /// The smaller number gets calls first.
    pub priority: u8,
    /// A member not in use gets no calls of this group.
    pub in_use: bool,
}

/// A group of agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// Whether agents may use ordinary telephones (mobile agents).
    pub telephones: bool,
    /// The callee hears the agent's number when bridged, where the campaign wants it too.
    pub announce_number: bool,
    /// Agents who stay idle and untouched this long are signed out, and their seat is free.
    pub idle_release: Option<Duration>,
    /// Work mode of all agents in the group; `None` = each agent's own choice.
    pub work_mode: Option<WorkMode>,
    /// Agents that may be signed in at once; `None` = no limit.
    pub seats: Option<u32>,
}

/// The availability that the agent chose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    #[default]
    SignedOut,
    Available,
    /// No calls are offered; the agent may still dial.
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

/// An agent's activity. Every state but `Idle` ends by an event or by a wake, so none can stick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    #[default]
    Idle,
    /// Reserved for one lead: a preview, or a call placed for this agent alone.
    Reserved,
    /// The agent's phone rings.
    Ringing,
    Talking,
    /// Talking to a consulted party while the callee is on hold; also a consulted agent or a supervisor.
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

/// The phone on which an agent is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The agent's registered softphone or desk phone.
    #[default]
    Phone,
    /// An ordinary telephone, called through a trunk.
    Telephone(PhoneNumber),
}

/// Whether an agent's leg stays up between calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// Nailed up for the whole shift: a callee is bridged within one mixing step.
    #[default]
    NailedUp,
    /// The phone rings for each call.
    PerCall,
}

/// Which calls are offered to an agent.
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

/// How the agent for a call is chosen among the free ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    #[default]
    LongestIdle,
    /// The next after the agent called last.
    RoundRobin,
    Random,
    FewestAnswered,
    /// Smallest priority number; among equals the longest idle.
    Priority,
    /// Every free phone rings, the first to answer talks. (Nailed-up legs: the longest idle.)
    RingAll,
}

/// When a wrap-up follows a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUp {
    /// After the agent's phone rang, answered or not.
    AnyRing,
    /// After a conversation.
    #[default]
    Answered,
    Off,
}

/// How a supervisor joins a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears both, is heard by neither (监听).
    Listen,
    /// Hears both, is heard by the agent alone (密语).
    Whisper,
    /// Talks to both (强插).
    Barge,
    /// Takes the agent's place (强取).
    TakeOver,
}

/// State that a shift lead forces on an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// Ends the agent's call (强拆).
    Release,
    Pause {
        reason: String,
    },
    Ready,
    SignOut,
}

/// The party that an agent consults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultTarget {
    Agent(AgentId),
    /// The longest idle agent of that group.
    Group(GroupId),
    /// A number outside, through a trunk that carries it.
    Number(PhoneNumber),
}

/// A callback as the agent books it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRequest {
    pub at: Utc,
    /// For the booking agent; otherwise for any agent of the group.
    pub own: bool,
    /// Only for agents with this skill (a dialect).
    pub skill: Option<String>,
}

/// An agent's summary of a call (电话小结).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSummary {
    /// A code of the campaign's dispositions.
    pub disposition: String,
    pub note: String,
    pub callback: Option<CallbackRequest>,
}

/// Actions that an agent can ask for. Serialised as serde's default enum form: the journal's format does
/// not describe itself and could not read a tag among the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentAction {
    /// Signs in to these groups (none named = all groups of the agent).
    SignIn {
        #[serde(default)]
        groups: Vec<GroupId>,
        #[serde(default)]
        endpoint: Endpoint,
        #[serde(default)]
        holding: Holding,
        #[serde(default)]
        work_mode: WorkMode,
    },
    /// At once when idle; otherwise after the call and its wrap-up.
    SignOut,
    /// Changes the phone and keeps the seat: between calls at once; in a call the callee is on hold until
    /// the new phone answers.
    ChangeEndpoint {
        endpoint: Endpoint,
        holding: Holding,
    },
    Ready,
    /// At once; a live call or wrap-up goes on.
    Pause {
        reason: String,
    },
    /// Preview: dials the lead.
    Dial,
    /// Preview: returns this lead for another.
    Skip,
    /// Preview or wrap-up: adds one step of time.
    Extend,
    /// Agent first: rings the agent's phone, then dials the callee (双呼). The number joins no list.
    Call {
        campaign: CampaignId,
        number: PhoneNumber,
    },
    /// Agent first, for a lead of the campaign.
    CallLead {
        campaign: CampaignId,
        lead: LeadId,
    },
    /// Hangs up the callee's leg, or the named one of a conference.
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
    /// Puts the callee on hold with music and rings the party.
    Consult {
        target: ConsultTarget,
    },
    /// Ends the consult and takes the callee off hold.
    CancelConsult,
    /// Attended transfer: bridges the callee with the consulted party; the agent leaves.
    Transfer,
    /// Bridges agent, callee and consulted party.
    Conference,
    /// Starts or stops the recording, where the campaign allows it on demand.
    Record {
        on: bool,
    },
    /// Gives the call's summary. In wrap-up it ends the wrap-up.
    Summarise(CallSummary),
    /// Ends the wrap-up, or the preview's countdown (dials).
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

/// Why an action was refused. Shown to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    UnknownAgent,
    NotSignedIn,
    AlreadySignedIn,
    /// The agent is a member of none of these groups, or is not in use there.
    NotAMember,
    /// Every seat of the group is taken.
    SeatsTaken,
    /// The phone is not registered, or the group admits no telephones.
    PhoneNotReady,
    /// Another agent is signed in on this telephone.
    PhoneTaken,
    ReasonMissing,
    /// The agent is in a call, or rung.
    Busy,
    /// There is no call for this action.
    NoCall,
    /// No party is consulted, or it has not answered yet.
    NobodyConsulted,
    /// No agent or line could be reached.
    NobodyFree,
    /// No such campaign, or it is not open.
    CampaignClosed,
    /// The number may not be dialled.
    NumberRefused,
    UnknownDisposition,
    CallbackInThePast,
    /// There is no call left to summarise.
    NothingToSummarise,
    /// The campaign requires a summary first.
    SummaryMissing,
    NotAllowed,
    /// The store cannot write now.
    StoreStalled,
}

impl Refusal {
    /// The word on the API.
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

/// Why a free agent gets no calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoCallsReason {
    Paused,
    /// The agent's phone is not registered.
    PhoneAway,
    /// The nailed-up leg is being set up.
    LegComing,
    /// No open campaign works with a group of the agent.
    NoCampaign,
    /// The campaigns of the agent's groups place nothing now; their own why says more.
    NothingPlaced,
    /// The agent takes inbound calls only.
    InboundOnly,
}

/// One party of a conversation, as screens show it.
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

/// One seat as screens show it and the state log keeps it.
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
    pub endpoint: Endpoint,
    pub holding: Holding,
    /// The phone is registered (or needs no registration).
    pub phone_ready: bool,
    /// A nailed-up leg is up.
    pub leg_up: bool,
    pub no_calls: Option<NoCallsReason>,
    /// The conversation, the preview or the call in wrap-up.
    pub work: Option<Work>,
    pub muted: bool,
    /// When a wrap-up or a preview's countdown ends by itself.
    pub until: Option<Utc>,
    /// The agent is signed out once this call is over.
    pub leaving: bool,
    /// The agent whose conversation is supervised, and how.
    pub supervising: Option<(AgentId, Supervision)>,
    /// Conversations since sign-in, and their total length.
    pub answered: u32,
    pub talked: Duration,
    /// Why the store refused the last call that the agent asked for; `None` again with the agent's next action.
    pub refused: Option<Reason>,
}

/// What a seat is busy with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub campaign: CampaignId,
    pub lead: Option<LeadId>,
    pub number: Option<PhoneNumber>,
    /// The attempt; `None` = a preview that has not been dialled.
    pub attempt: Option<AttemptId>,
    /// The call is inbound.
    pub inbound: bool,
    pub answered_at: Option<Utc>,
    pub connected_at: Option<Utc>,
    pub parties: Vec<Party>,
    pub recording: bool,
    /// The summary as given so far.
    pub summary: Option<CallSummary>,
}
