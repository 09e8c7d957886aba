//! Length-prefixed messages: a flag, four bytes of length, the message.

use bytes::Bytes;
use prost::Message;
use sluice_sdk::{Error, Result};

/// What stands before a message.
const PREFIX: usize = 5;

/// Largest message that is read: more than BigQuery sends (a row has at most 100 MB), and little enough for the sandbox.
const MOST: usize = 100 << 20;

/// Bytes allocated before any of them have come.
const TRUSTED: usize = 4 << 20;

/// A message with its prefix.
pub(super) fn encode(message: &impl Message) -> Vec<u8> {
    let length = message.encoded_len();
    let mut frame = Vec::with_capacity(PREFIX + length);
    frame.push(0);
    frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    frame.extend_from_slice(&message.encode_to_vec());
    frame
}

/// Makes room for bytes that have come: twice as much as before, never more than the message has.
fn reserve(message: &mut Vec<u8>, more: usize, length: usize) {
    let wanted = message.len() + more;
    if wanted > message.capacity() {
        let room = wanted.max(message.capacity() * 2).min(length.max(wanted));
        message.reserve_exact(room - message.len());
    }
}

/// Cuts a body into messages, whatever the parts in which it comes.
#[derive(Default)]
pub(super) struct Frames {
    /// What came and was not cut off yet.
    part: Bytes,
    prefix: Vec<u8>,
    /// The message that is coming, and its length.
    message: Option<(Vec<u8>, usize)>,
}

impl Frames {
    /// Takes a part of the body. All messages before it must have been taken.
    pub(super) fn push(&mut self, part: Vec<u8>) {
        self.part = Bytes::from(part);
    }

    /// The next message that is complete.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some((mut message, length)) = self.message.take() {
                let missing = length - message.len();
                if message.is_empty() && self.part.len() >= length {
                    return Ok(Some(self.part.split_to(length)));
                }
                let taken = self.part.split_to(missing.min(self.part.len()));
                reserve(&mut message, taken.len(), length);
                message.extend_from_slice(&taken);
                if message.len() == length {
                    return Ok(Some(Bytes::from(message)));
                }
                self.message = Some((message, length));
                return Ok(None);
            }
            let missing = PREFIX - self.prefix.len();
            let taken = self.part.split_to(missing.min(self.part.len()));
            self.prefix.extend_from_slice(&taken);
            let Some((flag, length)) = self.prefix.split_first_chunk::<1>() else { return Ok(None) };
            let Some(length) = length.first_chunk::<4>() else { return Ok(None) };
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if *flag != [0] {
                return Err(Error::protocol("BigQuery compressed a message, which was not asked for"));
            }
            if length > MOST {
                return Err(Error::unsupported(format!(
                    "BigQuery sends a message of {length} bytes, and at most {MOST} are read; leave the largest columns out"
                )));
            }
            self.prefix.clear();
            self.message = Some((Vec::with_capacity(length.min(TRUSTED)), length));
        }
    }

    /// Whether nothing is left over, as it must be at the end.
    pub(super) fn is_empty(&self) -> bool {
        self.part.is_empty() && self.prefix.is_empty() && self.message.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(messages: &[&[u8]]) -> Vec<u8> {
        let frame = |message: &&[u8]| {
            let mut frame = vec![0];
            frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
            frame.extend_from_slice(message);
            frame
        };
        messages.iter().flat_map(frame).collect()
    }

    #[test]
    fn messages_come_out_whole_whatever_the_parts_they_came_in() {
        let messages: [&[u8]; 4] = [b"one", b"", b"three and more", b"4"];
        let body = body(&messages);
        for size in 1..=body.len() {
            let mut frames = Frames::default();
            let mut got = Vec::new();
            for part in body.chunks(size) {
                frames.push(part.to_vec());
                while let Some(message) = frames.next().unwrap() {
                    got.push(message);
                }
            }
            assert_eq!(got, messages, "parts of {size}");
            assert!(frames.is_empty());
        }
    }

    #[test]
    fn half_a_message_is_not_the_end() {
        let mut frames = Frames::default();
        frames.push(body(&[b"abc"])[..6].to_vec());
        assert_eq!(frames.next().unwrap(), None);
        assert!(!frames.is_empty());
    }

    #[test]
    fn a_length_is_not_believed_before_it_is_checked() {
        let mut frames = Frames::default();
        frames.push(vec![0, 0xff, 0xff, 0xff, 0xff]);
        assert!(frames.next().unwrap_err().message.contains("at most"));
        let mut frames = Frames::default();
        frames.push(vec![1, 0, 0, 0, 0]);
        assert!(frames.next().unwrap_err().message.contains("compressed"));
    }
}
