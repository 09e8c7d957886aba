//! Memory for the batches of guests, used again and again.
//!
//! A batch is made on the thread of its instance and freed wherever the sink was done with it. Left to the system's allocator,
//! megabytes that wander between threads like that stayed resident several times over (a run of two splits into Parquet: 116 MB
//! at 41 MB alive) and were faulted in anew; here they come back to where they are needed next.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_buffer::Buffer;
use bytes::Bytes;

/// Smaller messages are not worth it.
const SMALLEST: usize = 64 << 10;

/// Larger ones are rare enough to be given back at once.
const LARGEST: usize = 4 << 20;

/// Most buffers kept for later.
const KEPT: usize = 16;

/// Bodies begin at multiples of this, and so does each piece in a body: decimals want sixteen, processors like a cache line.
const ALIGNMENT: usize = 64;

/// Capacities are multiples of this, so that batches of nearly the same size fit into one another's.
const STEP: usize = 256 << 10;

/// The free buffers of a connection, shared by its instances.
#[derive(Clone, Default)]
pub(crate) struct Buffers {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// Copies a message out of a guest's memory, once and for all: what the guest does to its own afterwards changes nothing.
    pub(crate) fn copy(&self, message: &[u8]) -> Buffer {
        self.fill(message.len(), body_start(message), |bytes| bytes.extend_from_slice(message))
    }

    /// Lays a message out whose body came in pieces: the same one copy, straight to where the bytes belong.
    pub(crate) fn gather(&self, metadata: &[u8], pieces: &Pieces<'_>) -> Buffer {
        self.fill(metadata.len().saturating_add(pieces.length), metadata.len(), |bytes| {
            bytes.extend_from_slice(metadata);
            let body = bytes.len();
            for piece in &pieces.list {
                bytes.extend_from_slice(piece);
                let filled = (bytes.len() - body).next_multiple_of(ALIGNMENT);
                bytes.resize(body + filled, 0);
            }
        })
    }

    /// A buffer of this many bytes as `write` appends them, its byte `aligned` lying where every value of Arrow's may.
    fn fill(&self, length: usize, aligned: usize, write: impl FnOnce(&mut Vec<u8>)) -> Buffer {
        let recycled = (SMALLEST..=LARGEST).contains(&length);
        let room = length.saturating_add(ALIGNMENT - 1);
        let mut bytes = if recycled { self.take(room) } else { Vec::with_capacity(room) };
        let skipped = bytes.as_ptr().addr().wrapping_add(aligned).wrapping_neg() % ALIGNMENT;
        bytes.resize(skipped, 0);
        write(&mut bytes);
        if recycled {
            Buffer::from(Bytes::from_owner(Lent { bytes, skipped, home: self.clone() }))
        } else {
            Buffer::from_vec(bytes).slice(skipped)
        }
    }

    /// An empty buffer with room for this many bytes.
    fn take(&self, length: usize) -> Vec<u8> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = free.iter().rposition(|bytes| bytes.capacity() >= length);
        let found = fitting.map(|index| free.swap_remove(index));
        drop(free);
        found.unwrap_or_else(|| Vec::with_capacity(length.next_multiple_of(STEP)))
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(bytes);
        }
    }
}

/// The body of a message as a guest has it, in pieces that lie anywhere in its memory and may overlap.
pub(crate) struct Pieces<'a> {
    list: Vec<&'a [u8]>,
    length: usize,
}

impl<'a> Pieces<'a> {
    /// Counts what they come to, laid out.
    pub(crate) fn new(list: Vec<&'a [u8]>) -> Self {
        let laid_out = |piece: &&[u8]| piece.len().checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
        let length = list.iter().map(laid_out).fold(0, usize::saturating_add);
        Self { list, length }
    }

    /// Bytes of the body with the zeros between the pieces; `usize::MAX` if it is that or more.
    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

/// Where the body of a message begins that says so itself. The message may be anything: it is only used to lay it out well.
fn body_start(message: &[u8]) -> usize {
    let length = message.get(4..8).and_then(|length| length.try_into().ok()).map_or(0, u32::from_le_bytes);
    (length as usize).saturating_add(8)
}

/// A buffer that goes home when the last array in it is dropped.
struct Lent {
    bytes: Vec<u8>,
    /// Bytes in front that do not belong to the message.
    skipped: usize,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(self.skipped..).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(buffers: &Buffers) -> Vec<usize> {
        buffers.free.lock().unwrap().iter().map(Vec::capacity).collect()
    }

    #[test]
    fn a_message_is_copied_and_its_memory_comes_back_when_the_last_slice_is_gone() {
        let buffers = Buffers::default();
        let first = buffers.copy(&[7; 100_000]);
        let slice = first.slice(99_000);
        drop(first);
        assert!(kept(&buffers).is_empty());
        assert_eq!(slice.as_slice(), [7; 1000]);
        let address = slice.as_ptr() as usize - 99_000;
        drop(slice);
        assert_eq!(kept(&buffers), [STEP]);
        let second = buffers.copy(&[7; 200_000]);
        assert_eq!((second.as_ptr() as usize, second.len(), second[199_999]), (address, 200_000, 7));
    }

    #[test]
    fn pieces_are_laid_out_at_multiples_of_64_with_zeros_between() {
        let buffers = Buffers::default();
        // A buffer that was used before, so that zeros are not just there.
        drop(buffers.copy(&[0xff; 200_000]));
        let large = vec![3; 100_000];
        for (third, length) in [(&large[..], 100_032), (&large[..65], 128)] {
            let pieces = Pieces::new(vec![&[1; 64], &[], &[2; 3], third, &[]]);
            assert_eq!(pieces.length(), 64 + 64 + length);
            let message = buffers.gather(&[9; 24], &pieces);
            assert_eq!(message.len(), 24 + pieces.length());
            assert_eq!(message[24..].as_ptr() as usize % 64, 0);
            let mut expected = [&[9; 24][..], &[1; 64], &[2; 3], &[0; 61], third].concat();
            expected.resize(message.len(), 0);
            assert!(message.as_slice() == expected, "{} bytes differ", message.len());
        }
        assert_eq!(kept(&buffers), [STEP]);
    }

    #[test]
    fn pieces_that_overlap_are_counted_as_often_as_they_are_given() {
        let memory = vec![5; 1 << 20];
        let pieces = Pieces::new(vec![&memory[..]; 30_000]);
        assert_eq!(pieces.length(), 30_000 << 20);
    }

    #[test]
    fn the_body_of_a_whole_message_is_aligned_as_its_own_length_says() {
        let buffers = Buffers::default();
        for (length, metadata) in [(1000, 120_u32), (100_000, 248), (5_000_000, 8)] {
            let mut message = vec![0; length];
            message[4..8].copy_from_slice(&metadata.to_le_bytes());
            let copied = buffers.copy(&message);
            assert_eq!(copied[8 + metadata as usize..].as_ptr() as usize % 64, 0);
            assert!(copied.as_slice() == message);
        }
        for lying in [vec![], vec![0xff; 8], vec![0xff; 100_000]] {
            assert!(buffers.copy(&lying).as_slice() == lying);
        }
    }

    #[test]
    fn a_buffer_that_is_too_small_is_left_for_a_smaller_batch() {
        let buffers = Buffers::default();
        drop(buffers.copy(&[1; 100_000]));
        drop(buffers.copy(&[2; 300_000]));
        assert_eq!(kept(&buffers), [STEP, 2 * STEP]);
    }

    #[test]
    fn neither_small_nor_huge_messages_nor_too_many_are_kept() {
        let buffers = Buffers::default();
        drop((buffers.copy(&[1; 100]), buffers.copy(&vec![1; LARGEST + 1])));
        assert!(kept(&buffers).is_empty());
        let many: Vec<Buffer> = (0..KEPT + 5).map(|_| buffers.copy(&[1; SMALLEST])).collect();
        drop(many);
        assert_eq!(kept(&buffers).len(), KEPT);
    }
}
