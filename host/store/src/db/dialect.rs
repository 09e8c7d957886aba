//! The few texts in which the databases differ, side by side.

/// Which SQL is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The end of a SELECT whose rows nobody else may change until the transaction ends. SQLite's transactions write alone
    /// from their beginning.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// As [`Dialect::for_update`], for rows that others may read-lock as well.
    pub(crate) fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR SHARE",
        }
    }

    /// As [`Dialect::for_update`], passing over rows that another transaction is at work on.
    pub(crate) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// What makes "one more than the largest number in `item_streams`" safe: two transactions at once would find the same one.
    pub(crate) fn lock_item_streams(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("LOCK TABLE item_streams IN SHARE ROW EXCLUSIVE MODE"),
        }
    }

    /// What makes "if there is no user" hold until the transaction ends.
    pub(crate) fn lock_users(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"),
        }
    }
}
