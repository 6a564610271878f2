//! Who may change whose account, and give which role: an account is changed, and a role given, by those who have its
//! rights. A person's reading of the audit is left out: managers look after every account but those of admins. A token
//! that reads it is given by those who may read it.

use super::auth::Caller;
use super::problem::Problem;
use super::rights::{Action, TABLE};
use crate::store::{AgentRow, Role};

/// Whether the caller may change this account at all; what may be changed of it is asked by the handler's own action.
///
/// # Errors
/// 403 with the first right that the account has and the caller has not.
pub(super) fn check_account(caller: &Caller, account: &AgentRow) -> Result<(), Problem> {
    check(caller, account.details.role, account.operator, Holder::Person)
}

/// Whether the caller may give this role to an account, or take it away.
///
/// # Errors
/// As [`check_account`].
pub(super) fn check_role(caller: &Caller, role: Role) -> Result<(), Problem> {
    check(caller, role, false, Holder::Person)
}

/// Whether the caller may make or revoke a token of this role.
///
/// # Errors
/// As [`check_account`].
pub(super) fn check_token(caller: &Caller, role: Role) -> Result<(), Problem> {
    check(caller, role, false, Holder::Program)
}

/// Whether the caller may make an account an operator, or take that away.
///
/// # Errors
/// As [`check_account`].
pub(super) fn check_operator(caller: &Caller, role: Role) -> Result<(), Problem> {
    check(caller, role, true, Holder::Person)
}

/// Who has the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Person,
    Program,
}

fn check(caller: &Caller, role: Role, is_operator: bool, holder: Holder) -> Result<(), Problem> {
    // A program's scopes narrow what it does with accounts; it must not reach beyond them by a manager's password.
    let beyond = |action: &Action| action.roles().contains(&role) && !caller.may(*action);
    let manages = !matches!(role, Role::Agent | Role::Lead);
    let beyond_scopes = TABLE.iter().map(|(action, _)| *action).find(beyond);
    let missing = missing(caller.role, caller.operator, role, is_operator, holder);
    match missing.or(beyond_scopes.filter(|_| caller.scopes.is_some() && manages && holder == Holder::Person))
    {
        None => Ok(()),
        Some(action) => {
            let detail = format!(
                "this account or role has a right that yours has not, `{}`; ask an administrator",
                action.word()
            );
            Err(Problem::forbidden(detail).with("right", action.word().into()))
        }
    }
}

/// The first right of the second that the first has not. The scopes of a token and an organisation's switches are left
/// out: they narrow what is done with an account, and not whose it is.
fn missing(
    own: Role,
    is_own_operator: bool,
    other: Role,
    is_other_operator: bool,
    holder: Holder,
) -> Option<Action> {
    let has = |action: Action, role: Role, is_operator: bool| {
        action.roles().contains(&role) || (is_operator && action.is_operators())
    };
    let actions = TABLE.iter().map(|(action, _)| *action);
    let mut theirs = actions.filter(|action| has(*action, other, is_other_operator));
    let is_left_out =
        |action: Action| own == Role::Manager && holder == Holder::Person && action == Action::AuditRead;
    theirs.find(|action| !is_left_out(*action) && !has(*action, own, is_own_operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_given_by_those_who_have_them() {
        use Role::{Admin, Agent, Analyst, Auditor, Lead, Manager};
        let allowed = |own: Role| {
            Role::ALL
                .into_iter()
                .filter(|other| missing(own, false, *other, false, Holder::Person).is_none())
                .collect::<Vec<_>>()
        };
        assert_eq!(allowed(Admin), Role::ALL);
        for role in [Agent, Lead, Manager, Analyst, Auditor] {
            assert!(allowed(role).contains(&role), "{role:?}: its own");
            assert_eq!(missing(role, false, Admin, false, Holder::Person), Some(Action::OrganisationEdit));
            assert!(missing(role, false, role, true, Holder::Person).is_some(), "{role:?}: an operator's");
            assert_eq!(missing(role, true, role, true, Holder::Person), None);
        }
        assert_eq!(missing(Manager, false, Auditor, false, Holder::Person), None);
        assert_eq!(missing(Manager, false, Auditor, false, Holder::Program), Some(Action::AuditRead));
        assert_eq!(missing(Lead, false, Analyst, false, Holder::Person), Some(Action::ExportsMake));
        assert_eq!(missing(Admin, false, Agent, true, Holder::Person), Some(Action::OrganisationsMake));
    }
}
