//! Where the values of a block of text are.

/// How a cell's bytes are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// As they are.
    Plain,
    /// They stood in quotes, which are not part of them.
    Quoted,
    /// They stood in quotes and hold escapes.
    Escaped,
    /// There is no value.
    Missing,
    /// A JSON object or array.
    Nested,
}

/// Largest block that cells can point into, bytes.
pub(crate) const MAX_BLOCK: usize = 1 << 29;

const SHIFT: u32 = 29;
const MASK: u32 = (1 << SHIFT) - 1;

/// A piece of a block: two offsets, the kind in the upper bits of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    start: u32,
    end: u32,
}

impl Cell {
    pub(crate) const MISSING: Self = Self { start: 0, end: 3 << SHIFT };

    /// The piece between two offsets, which are below [`MAX_BLOCK`].
    #[inline]
    pub(crate) fn new(start: usize, end: usize, kind: CellKind) -> Self {
        let bits = match kind {
            CellKind::Plain => 0,
            CellKind::Quoted => 1,
            CellKind::Escaped => 2,
            CellKind::Missing => 3,
            CellKind::Nested => 4,
        };
        Self { start: start as u32 & MASK, end: (end as u32 & MASK) | bits << SHIFT }
    }

    #[inline]
    pub(crate) fn kind(self) -> CellKind {
        match self.end >> SHIFT {
            0 => CellKind::Plain,
            1 => CellKind::Quoted,
            2 => CellKind::Escaped,
            4 => CellKind::Nested,
            _ => CellKind::Missing,
        }
    }

    #[inline]
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    #[inline]
    pub(crate) fn end(self) -> usize {
        (self.end & MASK) as usize
    }

    /// The bytes it points to.
    #[inline]
    pub(crate) fn bytes(self, block: &[u8]) -> &[u8] {
        block.get(self.start()..self.end()).unwrap_or_default()
    }
}

/// The records of a block, row by row, each with the same number of cells.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Cells, row by row.
    pub(crate) cells: Vec<Cell>,
    /// Cells in a row.
    pub(crate) width: usize,
    /// Where each record starts.
    pub(crate) starts: Vec<u32>,
    /// Records that were filled up or cut to the width.
    pub(crate) filled: u64,
    /// Records that were left out.
    pub(crate) skipped: u64,
    /// Values of names that the schema lacks, which were left out.
    pub(crate) unknown: u64,
}

impl Records {
    /// Empty, for records of this many cells.
    pub(crate) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Forgets the records, not the counts.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.starts.clear();
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// A column's cells.
    #[inline]
    pub(crate) fn column(&self, at: usize) -> impl Iterator<Item = Cell> + '_ {
        self.cells.get(at..).unwrap_or_default().iter().step_by(self.width.max(1)).copied()
    }
}

/// A record that breaks the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Where in the block.
    pub(crate) at: usize,
    /// What is wrong.
    pub(crate) reason: String,
}

impl Malformed {
    pub(crate) fn new(at: usize, reason: impl Into<String>) -> Self {
        Self { at, reason: reason.into() }
    }
}
