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
        if !(SMALLEST..=LARGEST).contains(&message.len()) {
            return Buffer::from_vec(message.to_vec());
        }
        let mut bytes = self.take(message.len());
        bytes.extend_from_slice(message);
        Buffer::from(Bytes::from_owner(Lent { bytes, home: self.clone() }))
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

/// A buffer that goes home when the last array in it is dropped.
struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
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
        let second = buffers.copy(&[8; 200_000]);
        assert_eq!((second.as_ptr() as usize, second.len(), second[199_999]), (address, 200_000, 8));
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
