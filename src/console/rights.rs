//! Rights: which role may do what. One table, asked by the middleware for each route, by handlers for what a
//! role may do in part, and sent to screens as `rights` of `GET /me`.
//!
//! The table says whether a role may at all. Where a role may only within its own groups (a shift lead) or for
//! itself (an agent), the handler asks [`Caller`](super::auth::Caller) whose row it is.

use crate::store::Role;

/// Something that a person or a program may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    OrganisationEdit,
    /// The operator's: making enterprises, suspending them.
    OrganisationsMake,
    PeopleRead,
    PeopleEdit,
    SessionsEnd,
    GroupsEdit,
    GroupsMembers,
    TokensEdit,
    CampaignsRead,
    FloorRead,
    CampaignsEdit,
    /// A shift lead: pause and resume, in the groups that it leads.
    CampaignsRun,
    ListsEdit,
    ScheduleEdit,
    LeadsEdit,
    LeadsClose,
    /// An agent: only where the organisation allows it.
    LeadsAdd,
    /// Never of one's own work; never by a program.
    ApprovalsDecide,
    AudioEdit,
    CallerIdsEdit,
    BlacklistRead,
    /// An agent: the number of its present call.
    BlacklistAdd,
    BlacklistEdit,
    TrunksRead,
    TrunksTest,
    TrunksEdit,
    SeatUse,
    SeatSupervise,
    CallsRead,
    RecordingsPlay,
    /// Whole telephone numbers. Agents: of their own calls; analysts and auditors: only where the organisation
    /// allows it.
    NumbersRead,
    ResultsRead,
    ExportsMake,
    NoticesSend,
    WallsMake,
    KnowledgeEdit,
    AlarmsEdit,
    AlarmsAcknowledge,
    /// The operator reads the system's own records, of no enterprise.
    AuditRead,
    HealthRead,
    /// The configuration and the version.
    SystemRead,
}

use Role::{Admin, Agent, Analyst, Auditor, Lead, Manager};

const NOBODY: &[Role] = &[];
const EVERYBODY: &[Role] = &[Agent, Lead, Manager, Analyst, Auditor, Admin];
const WORKERS: &[Role] = &[Agent, Lead, Manager, Admin];
const LEADS: &[Role] = &[Lead, Manager, Admin];
const MANAGERS: &[Role] = &[Manager, Admin];

/// Each action with the roles that may do it. What the operator may do beside them stands in [`OPERATOR`].
pub const TABLE: &[(Action, &[Role])] = &[
    (Action::OrganisationEdit, &[Admin]),
    (Action::OrganisationsMake, NOBODY),
    (Action::PeopleRead, &[Lead, Manager, Auditor, Admin]),
    (Action::PeopleEdit, MANAGERS),
    (Action::SessionsEnd, MANAGERS),
    (Action::GroupsEdit, MANAGERS),
    (Action::GroupsMembers, LEADS),
    (Action::TokensEdit, MANAGERS),
    (Action::CampaignsRead, &[Lead, Manager, Analyst, Auditor, Admin]),
    (Action::FloorRead, &[Lead, Manager, Analyst, Admin]),
    (Action::CampaignsEdit, MANAGERS),
    (Action::CampaignsRun, LEADS),
    (Action::ListsEdit, MANAGERS),
    (Action::ScheduleEdit, MANAGERS),
    (Action::LeadsEdit, MANAGERS),
    (Action::LeadsClose, LEADS),
    (Action::LeadsAdd, WORKERS),
    (Action::ApprovalsDecide, MANAGERS),
    (Action::AudioEdit, MANAGERS),
    (Action::CallerIdsEdit, MANAGERS),
    (Action::BlacklistRead, &[Lead, Manager, Analyst, Auditor, Admin]),
    (Action::BlacklistAdd, WORKERS),
    (Action::BlacklistEdit, MANAGERS),
    (Action::TrunksRead, MANAGERS),
    (Action::TrunksTest, MANAGERS),
    (Action::TrunksEdit, NOBODY),
    (Action::SeatUse, WORKERS),
    (Action::SeatSupervise, LEADS),
    (Action::CallsRead, EVERYBODY),
    (Action::RecordingsPlay, EVERYBODY),
    (Action::NumbersRead, EVERYBODY),
    (Action::ResultsRead, &[Lead, Manager, Analyst, Auditor, Admin]),
    (Action::ExportsMake, &[Manager, Analyst, Admin]),
    (Action::NoticesSend, LEADS),
    (Action::WallsMake, LEADS),
    (Action::KnowledgeEdit, MANAGERS),
    (Action::AlarmsEdit, MANAGERS),
    (Action::AlarmsAcknowledge, LEADS),
    (Action::AuditRead, &[Auditor, Admin]),
    (Action::HealthRead, MANAGERS),
    (Action::SystemRead, NOBODY),
];

/// What the operator of the installation may do, whatever the role of the account.
pub const OPERATOR: &[Action] = &[
    Action::OrganisationsMake,
    Action::TrunksEdit,
    Action::AuditRead,
    Action::HealthRead,
    Action::SystemRead,
];

impl Action {
    /// The word of the API: `campaigns.run`.
    pub const fn word(self) -> &'static str {
        match self {
            Action::OrganisationEdit => "organisation.edit",
            Action::OrganisationsMake => "organisations.make",
            Action::PeopleRead => "people.read",
            Action::PeopleEdit => "people.edit",
            Action::SessionsEnd => "sessions.end",
            Action::GroupsEdit => "groups.edit",
            Action::GroupsMembers => "groups.members",
            Action::TokensEdit => "tokens.edit",
            Action::CampaignsRead => "campaigns.read",
            Action::FloorRead => "floor.read",
            Action::CampaignsEdit => "campaigns.edit",
            Action::CampaignsRun => "campaigns.run",
            Action::ListsEdit => "lists.edit",
            Action::ScheduleEdit => "schedule.edit",
            Action::LeadsEdit => "leads.edit",
            Action::LeadsClose => "leads.close",
            Action::LeadsAdd => "leads.add",
            Action::ApprovalsDecide => "approvals.decide",
            Action::AudioEdit => "audio.edit",
            Action::CallerIdsEdit => "caller_ids.edit",
            Action::BlacklistRead => "blacklist.read",
            Action::BlacklistAdd => "blacklist.add",
            Action::BlacklistEdit => "blacklist.edit",
            Action::TrunksRead => "trunks.read",
            Action::TrunksTest => "trunks.test",
            Action::TrunksEdit => "trunks.edit",
            Action::SeatUse => "seat.use",
            Action::SeatSupervise => "seat.supervise",
            Action::CallsRead => "calls.read",
            Action::RecordingsPlay => "recordings.play",
            Action::NumbersRead => "numbers.read",
            Action::ResultsRead => "results.read",
            Action::ExportsMake => "exports.make",
            Action::NoticesSend => "notices.send",
            Action::WallsMake => "walls.make",
            Action::KnowledgeEdit => "knowledge.edit",
            Action::AlarmsEdit => "alarms.edit",
            Action::AlarmsAcknowledge => "alarms.acknowledge",
            Action::AuditRead => "audit.read",
            Action::HealthRead => "health.read",
            Action::SystemRead => "system.read",
        }
    }

    pub fn from_word(word: &str) -> Option<Action> {
        TABLE.iter().map(|(action, _)| *action).find(|action| action.word() == word)
    }

    /// The roles that may do it.
    pub fn roles(self) -> &'static [Role] {
        TABLE.iter().find(|(action, _)| *action == self).map_or(NOBODY, |(_, roles)| roles)
    }

    /// Whether the operator of the installation may do it, whatever the account's role.
    pub fn is_operators(self) -> bool {
        OPERATOR.contains(&self)
    }
}

/// Whom a route admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Strangers too.
    Public,
    /// Any account and any token.
    SignedIn,
    /// Any account, which is shown what it may see; a token with scopes needs this one.
    Visible(Action),
    /// Those who may do this.
    Action(Action),
    /// Commands on this machine, with the token of the service's key file.
    ThisMachine,
}

impl Right {
    /// The roles that are admitted; the operator is admitted beside them where the action is the operator's.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Right::Public | Right::SignedIn | Right::Visible(_) => EVERYBODY,
            Right::Action(action) => action.roles(),
            Right::ThisMachine => &[Admin],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_one_row_and_one_word() {
        let actions: BTreeSet<Action> = TABLE.iter().map(|(action, _)| *action).collect();
        let words: BTreeSet<&str> = TABLE.iter().map(|(action, _)| action.word()).collect();
        assert_eq!((actions.len(), words.len()), (TABLE.len(), TABLE.len()));
        // The last variant: a new one is behind it and changes this number.
        assert_eq!(TABLE.len(), Action::SystemRead as usize + 1);
        for (action, roles) in TABLE {
            assert_eq!(Action::from_word(action.word()), Some(*action));
            assert!(!roles.is_empty() || action.is_operators(), "{action:?}: nobody may");
        }
    }
}
