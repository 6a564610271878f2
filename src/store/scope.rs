//! Whose rows a caller may see: those of an enterprise, in some of its organisations.

/// The first enterprise. Everything that a command or a file makes belongs to it.
pub const FIRST_ENTERPRISE: i64 = 1;

/// An enterprise, and the organisations in it whose rows are seen and changed. What is outside is as if it did not
/// exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub enterprise: i64,
    /// The caller's organisation first, then its parts.
    pub organisations: Vec<i64>,
}

impl Scope {
    /// The first enterprise alone.
    pub fn first() -> Scope {
        Scope { enterprise: FIRST_ENTERPRISE, organisations: vec![FIRST_ENTERPRISE] }
    }

    /// The organisation that new rows of the caller belong to.
    pub fn own(&self) -> i64 {
        self.organisations.first().copied().unwrap_or(self.enterprise)
    }

    /// Whether it is a whole enterprise.
    pub fn is_whole(&self) -> bool {
        self.own() == self.enterprise
    }

    /// Whether a row of this enterprise and organisation is seen.
    pub fn holds(&self, enterprise: i64, organisation: i64) -> bool {
        enterprise == self.enterprise && self.organisations.contains(&organisation)
    }
}
