//! Why a value could not be taken, and what to tell whoever owns the column.

use sluice_sdk::Error;

use crate::fill::Misfit;

/// Why a value could not be taken. `Own` is what can only happen with one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<Own> {
    /// Its bytes are not what its type sends.
    Malformed,
    /// More digits than declared.
    Range,
    /// More than 2 GiB in one batch of one column.
    TooLarge,
    /// Text that is not UTF-8.
    Encoding,
    /// NULL in a column that has none.
    Null,
    /// Anything else.
    Own(Own),
}

/// Faults of one database.
pub trait Own: Copy {
    /// What to tell where a text is not UTF-8, which a database with its own encodings explains best.
    const NOT_UTF8: &'static str;

    /// The error for a value of a type with this name; the column is named by the caller.
    fn explain(self, declared: &str) -> Error;
}

impl<O> From<Misfit> for Fault<O> {
    #[inline]
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::TooLarge => Self::TooLarge,
            Misfit::Encoding => Self::Encoding,
            Misfit::Malformed => Self::Malformed,
        }
    }
}

impl<O: Own> Fault<O> {
    /// What to tell whoever owns this column, whose type the database calls `declared`.
    #[cold]
    pub fn explain(self, column: &str, declared: &str) -> Error {
        let error = match self {
            Self::Malformed => Error::protocol(format!(
                "the server sent a value that is no {declared}; was the column changed while it was read?"
            )),
            Self::Range => Error::unsupported(format!("a value has more digits than {declared} declares")),
            Self::TooLarge => Error::unsupported("more than 2 GiB in one batch; ask for smaller batches"),
            Self::Encoding => Error::unsupported(format!("a value is not valid UTF-8. {}", O::NOT_UTF8)),
            Self::Null => Error::protocol("NULL in a column that is declared NOT NULL"),
            Self::Own(own) => own.explain(declared),
        };
        error.context(format_args!("column {column}"))
    }
}

#[cfg(test)]
mod tests {
    use sluice_sdk::ErrorKind;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Odd;

    impl Own for Odd {
        const NOT_UTF8: &'static str = "Repair it";

        fn explain(self, declared: &str) -> Error {
            Error::unsupported(format!("an odd {declared}. Set `odd` to null")).field("/odd")
        }
    }

    #[test]
    fn every_fault_names_the_column_and_a_databases_own_keeps_its_field() {
        let told = |fault: Fault<Odd>| fault.explain("price", "numeric(5,2)");
        let malformed = told(Fault::Malformed);
        assert_eq!(malformed.kind, ErrorKind::Protocol);
        assert!(malformed.message.starts_with("column price: the server sent a value that is no numeric(5,2)"));
        assert_eq!(told(Fault::Range).message, "column price: a value has more digits than numeric(5,2) declares");
        assert_eq!(told(Misfit::Encoding.into()).message, "column price: a value is not valid UTF-8. Repair it");
        let odd = told(Fault::Own(Odd));
        assert_eq!(
            (odd.message.as_str(), odd.field.as_deref()),
            ("column price: an odd numeric(5,2). Set `odd` to null", Some("/odd"))
        );
    }

    #[test]
    fn a_fault_takes_no_more_room_than_a_byte() {
        assert_eq!(size_of::<Fault<Misfit>>(), 1, "results of the decoders stay in a register");
    }
}
