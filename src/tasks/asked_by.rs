//! In whose name a task works: its changes stand in the audit under the account or token that asked for it.

use crate::store::{Actor, ActorKind, Scope};
use serde::{Deserialize, Serialize};

/// The account or token that asked for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    pub enterprise: i64,
    pub organisations: Vec<i64>,
    /// `None` = a command on this machine.
    pub by: Option<i64>,
    pub is_person: bool,
    /// Number and name, or the token's name.
    pub name: String,
    pub address: String,
}

impl AskedBy {
    pub fn of(actor: &Actor, scope: &Scope) -> AskedBy {
        AskedBy {
            enterprise: scope.enterprise,
            organisations: scope.organisations.clone(),
            by: actor.id,
            is_person: actor.kind == ActorKind::Person,
            name: actor.name.clone(),
            address: actor.address.clone(),
        }
    }

    pub fn actor(&self) -> Actor {
        let kind = match (self.by, self.is_person) {
            (None, _) => ActorKind::System,
            (Some(_), true) => ActorKind::Person,
            (Some(_), false) => ActorKind::Program,
        };
        let (name, address) = (self.name.clone(), self.address.clone());
        Actor { kind, id: self.by, name, address, enterprise: self.enterprise, key: None }
    }

    pub fn scope(&self) -> Scope {
        Scope { enterprise: self.enterprise, organisations: self.organisations.clone() }
    }
}
