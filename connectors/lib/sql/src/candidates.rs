//! Which columns an incremental read could use, the best first.

/// What the values of a column say about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A moment.
    Moment,
    /// A day.
    Day,
    /// A number that the database counts up (serial, identity, auto-increment).
    Counter,
    /// Something else that has an order.
    Ordered,
}

/// What is known of a column that has an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub nature: Nature,
    /// True if an index starts with it, so that new rows are found without reading all of them.
    pub indexed: bool,
    /// True if no value comes twice.
    pub unique: bool,
    /// True if it can be NULL; such rows have no place in the order.
    pub nullable: bool,
}

/// The names, the best first; those that would rarely do (ordered, but neither time, counter nor indexed) are left out.
pub fn rank(candidates: &[Candidate]) -> Vec<String> {
    let mut ranked: Vec<_> = candidates.iter().filter(|c| c.nature != Nature::Ordered || c.indexed).collect();
    // Stable, so that columns of equal worth stay in the table's order.
    ranked.sort_by_key(|candidate| std::cmp::Reverse(worth(candidate)));
    ranked.into_iter().map(|candidate| candidate.name.clone()).collect()
}

/// An index matters most, because each run pays for its absence; then whether changed rows are seen, not only new ones.
fn worth(candidate: &Candidate) -> u32 {
    let name = candidate.name.to_lowercase();
    let changes = ["updat", "modif", "chang", "touch"].iter().any(|word| name.contains(word));
    let nature = match candidate.nature {
        Nature::Moment if changes => 8,
        Nature::Counter => 6,
        Nature::Moment => 5,
        Nature::Day => 2,
        Nature::Ordered => 0,
    };
    u32::from(candidate.indexed) * 16 + nature * 2 + u32::from(!candidate.nullable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, nature: Nature, indexed: bool) -> Candidate {
        Candidate { name: name.into(), nature, indexed, unique: false, nullable: false }
    }

    #[test]
    fn an_indexed_moment_of_change_is_best_and_an_unindexed_text_is_none() {
        let columns = [
            candidate("id", Nature::Counter, true),
            candidate("name", Nature::Ordered, false),
            candidate("created_at", Nature::Moment, false),
            candidate("updated_at", Nature::Moment, true),
            candidate("day", Nature::Day, false),
            candidate("code", Nature::Ordered, true),
        ];
        assert_eq!(rank(&columns), ["updated_at", "id", "code", "created_at", "day"]);
    }
}
