//! Shapes of the answers about the call log and the views that people save of it.

use super::answers::answers;
use schemars::JsonSchema;

answers! {
    /// Not `exact` = there are more, or may be.
    CallCount { n: u64, exact: bool, }

    SavedView {
        id: i64,
        page: String,
        name: String,
        /// The query of the page's address.
        query: String,
        /// Empty = each reader's own.
        columns: Vec<String>,
        /// Whose members see it too.
        group: Option<String>,
        /// The number and the name of the account.
        owner: Option<String>,
        owner_name: Option<String>,
        /// Whether it is the caller's.
        own: bool,
        version: i64,
    }
    SavedViews { items: Vec<SavedView>, }
}
