//! The envelope of an Arrow IPC message: continuation marker, length, flatbuffer, body.
//!
//! Format: <https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format>. Nothing is allocated here, and no
//! length of the guest's is believed before it was compared with the bytes that arrived.

use arrow_ipc::{Message, MessageHeader, MetadataVersion};

use super::Refused;

/// Marks a message of format version 0.15 or later.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Largest flatbuffer: about 100 bytes a column for the widest table that a sink takes.
const MAX_METADATA: usize = 4 << 20;

/// A message whose envelope is sound.
pub(crate) struct Envelope<'a> {
    /// The verified flatbuffer.
    pub(crate) message: Message<'a>,
    /// Where the body begins in the bytes received.
    pub(crate) body_start: usize,
}

/// Takes a message apart.
pub(crate) fn open(bytes: &[u8]) -> Result<Envelope<'_>, Refused> {
    let (marker, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| short(bytes))?;
    if *marker != CONTINUATION {
        return Err(Refused::new("the message does not begin with the continuation marker FF FF FF FF"));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| short(bytes))?;
    let length = usize::try_from(i32::from_le_bytes(*length))
        .map_err(|_| Refused::new("the message's metadata has a negative length"))?;
    if length > MAX_METADATA {
        return Err(Refused::new(format!(
            "the message's metadata has {length} bytes; at most {MAX_METADATA} are read"
        )));
    }
    let (metadata, body) = rest
        .split_at_checked(length)
        .ok_or_else(|| Refused::new(format!("the metadata claims {length} bytes, but only {} follow", rest.len())))?;
    let message = arrow_ipc::root_as_message(metadata)
        .map_err(|e| Refused::new(format!("the message's metadata is not a valid flatbuffer: {e}")))?;
    // They differ in unions only, which the contract does not carry; databases that began with Arrow early still send V4.
    if !matches!(message.version(), MetadataVersion::V4 | MetadataVersion::V5) {
        return Err(Refused::new("the message is not of metadata version V5 or V4"));
    }
    let claimed = usize::try_from(message.bodyLength()).ok();
    if claimed != Some(body.len()) {
        let text = format!("the message claims a body of {} bytes, but {} follow", message.bodyLength(), body.len());
        return Err(Refused::new(text));
    }
    Ok(Envelope { message, body_start: 8 + length })
}

/// Whether the message is of the kind that was expected here.
pub(crate) fn expect(envelope: &Envelope<'_>, header: MessageHeader, name: &str) -> Result<(), Refused> {
    if envelope.message.header_type() == header {
        return Ok(());
    }
    let got = envelope.message.header_type().variant_name().unwrap_or("nothing known");
    Err(Refused::new(format!("a {name} message was expected, but this is {got}")))
}

fn short(bytes: &[u8]) -> Refused {
    Refused::new(format!("{} bytes are too few for a message", bytes.len()))
}
