//! Every compression through the same gates: whole, of several parts, cut off, damaged, out of proportion.

use std::io::{Cursor, Write};

use sluice_sdk::ErrorKind;

use super::*;
use crate::objects::from_io;

/// A way to write a compressed file.
type Encode = fn(&[u8]) -> Vec<u8>;

const ALL: [(&str, Compression, Encode); 6] = [
    ("gzip", Compression::Gzip, gzip),
    ("zstd", Compression::Zstd, zstd),
    ("snappy frames", Compression::Snappy, snappy),
    ("hadoop's snappy", Compression::Snappy, |content| hadoop(content, 256 << 10, 64 << 10)),
    ("lz4", Compression::Lz4, |content| lz4(content, false)),
    ("lz4, linked blocks", Compression::Lz4, |content| lz4(content, true)),
];

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn snappy(content: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(content).unwrap();
    encoder.into_inner().unwrap()
}

fn hadoop(content: &[u8], block: usize, chunk: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for block in content.chunks(block) {
        file.extend((block.len() as u32).to_be_bytes());
        for chunk in block.chunks(chunk) {
            let raw = snap::raw::Encoder::new().compress_vec(chunk).unwrap();
            file.extend((raw.len() as u32).to_be_bytes());
            file.extend(raw);
        }
    }
    file
}

fn lz4(content: &[u8], linked: bool) -> Vec<u8> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let mode = if linked { BlockMode::Linked } else { BlockMode::Independent };
    let info = FrameInfo::new()
        .block_mode(mode)
        .block_size(BlockSize::Max64KB)
        .block_checksums(linked)
        .content_size(Some(content.len() as u64))
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Text that repeats itself, but not too much, and from one block to the next.
fn text(lines: u64) -> Vec<u8> {
    (0..lines).flat_map(|n| format!("{n},name {},{}\n", n % 97, n.wrapping_mul(0x9e37_79b9)).into_bytes()).collect()
}

fn decode(compression: Compression, file: Vec<u8>, size: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    decoder(compression, Cursor::new(file), "a.csv.x", size, 250)?
        .read_to_end(&mut content)
        .map_err(|error| from_io(error, "a.csv.x"))?;
    Ok(content)
}

fn read(file: Vec<u8>) -> Result<Vec<u8>> {
    let compression = detect(file.get(..SIGNATURE).unwrap_or(&file), Compression::Auto, "a.csv.x")?;
    let size = file.len() as u64;
    decode(compression, file, size)
}

#[test]
fn a_compression_is_known_by_the_first_bytes_and_gives_back_what_was_written() {
    for (name, compression, encode) in ALL {
        for content in [text(60_000), text(1), b"x".to_vec()] {
            let file = encode(&content);
            let found = detect(file.get(..SIGNATURE).unwrap_or(&file), Compression::Auto, "a.csv");
            assert_eq!(found.unwrap(), compression, "{name}");
            assert!(read(file).unwrap() == content, "{name}");
        }
    }
}

#[test]
fn files_put_behind_each_other_are_read_as_one() {
    for (name, _, encode) in ALL {
        let file = [encode(&text(9_000)), encode(b"last\n")].concat();
        assert!(read(file).unwrap() == [text(9_000), b"last\n".to_vec()].concat(), "{name}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    for (name, compression, encode) in ALL {
        let content = text(6_000);
        let whole = encode(&content);
        let mut ends = 0;
        for cut in (20..whole.len()).step_by(977).chain(whole.len() - 9..whole.len()) {
            match decode(compression, whole[..cut].to_vec(), cut as u64) {
                Err(error) => {
                    assert_eq!(error.kind, ErrorKind::Protocol, "{name} cut at {cut}: {error}");
                    assert!(error.message.contains("a.csv.x is compressed, and broken or cut off"), "{error}");
                }
                // Neither way of Snappy says where it ends.
                Ok(read) => {
                    assert!(compression == Compression::Snappy && content.starts_with(&read), "{name} cut at {cut}");
                    ends += 1;
                }
            }
        }
        assert!(ends <= 1, "{name}: {ends} cuts were not seen");
    }
}

#[test]
fn an_lz4_file_that_ends_between_two_blocks_is_cut_off() {
    let whole = lz4(&text(20_000), false);
    let head = 15;
    let block = u32::from_le_bytes(whole[head..head + 4].try_into().unwrap()) as usize;
    let between = head + 4 + block;
    for cut in [4, head, between] {
        let error = read(whole[..cut].to_vec()).unwrap_err();
        assert!(error.message.contains("cut off"), "cut at {cut}: {error}");
    }
}

#[test]
fn a_flipped_byte_is_an_error_and_never_a_panic() {
    for (name, compression, encode) in ALL {
        let whole = encode(&text(6_000));
        for at in (0..whole.len()).step_by(499).chain(whole.len() - 8..whole.len()) {
            let mut file = whole.clone();
            file[at] ^= 0x55;
            match decode(compression, file, whole.len() as u64) {
                Err(error) => assert!(error.message.contains("a.csv.x"), "{name}: {error}"),
                // gzip's header has bytes that mean nothing; Hadoop's blocks have no checksum.
                Ok(_) => assert!(name == "gzip" && at < 10 || name.starts_with("hadoop"), "{name}: {at} was missed"),
            }
        }
    }
}

#[test]
fn wrong_checksums_are_told() {
    let wrong = |mut file: Vec<u8>, from_end: usize| {
        let at = file.len() - from_end;
        file[at] ^= 1;
        read(file).unwrap_err().message
    };
    let content = text(20_000);
    assert!(wrong(lz4(&content, false), 1).contains("checksum of an LZ4 frame's content is wrong"));
    assert!(wrong(lz4(&content, true), 9).contains("checksum of an LZ4 block is wrong"));
    let mut header = lz4(&content, false);
    header[14] ^= 1;
    assert!(read(header).unwrap_err().message.contains("checksum of an LZ4 frame's header is wrong"));
    let mut frames = snappy(&content);
    frames[14] ^= 1;
    assert!(read(frames).unwrap_err().message.contains("broken or cut off"));
}

#[test]
fn content_out_of_all_proportion_is_a_bomb() {
    let bomb = vec![b'x'; 66 << 20];
    for (name, compression, encode) in ALL {
        // Snappy and LZ4 cannot reach the ratio themselves: a file is said to be as small as it would have to be.
        let error = decode(compression, encode(&bomb), 1000).unwrap_err();
        assert!(error.message.contains("raise max_ratio"), "{name}: {error}");
    }
}

#[test]
fn lengths_that_lie_take_no_memory_and_are_errors() {
    let block = |content: u32, chunk: u32, raw: &[u8]| [&content.to_be_bytes()[..], &chunk.to_be_bytes(), raw].concat();
    let lies = [
        block(u32::MAX, u32::MAX, b"abc"),
        block(100, 4 << 20, b"abc"),
        block(3, 5, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        block(2, 5, &[3, 2 << 2, b'a', b'b', b'c']),
        block(3, 1, &[0]),
    ];
    for lie in lies {
        let error = decode(Compression::Snappy, lie, 20).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(error.message.contains("a.csv.x"), "{error}");
    }
}

#[test]
fn what_hadoop_writes_of_nothing_is_nothing() {
    assert_eq!(read(vec![0; 4]).unwrap(), b"");
    assert_eq!(read([hadoop(b"a\n", 9, 9), vec![0; 4], hadoop(b"b\n", 9, 1)].concat()).unwrap(), b"a\nb\n");
}

#[test]
fn text_of_any_encoding_is_not_taken_for_hadoops_blocks() {
    let utf16: Vec<u8> = "id,name,price,note\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let nulls = [&[0; 6][..], b"id,name,price,note\n"].concat();
    for text in [utf16, nulls, b"id,name\n1,x\n".to_vec(), b"a".to_vec(), Vec::new()] {
        assert_eq!(
            detect(text.get(..SIGNATURE).unwrap_or(&text), Compression::Auto, "a.csv").unwrap(),
            Compression::None
        );
    }
}

#[test]
fn frames_that_are_for_others_are_skipped() {
    let other = [&0x184d_2a53_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), b"hello"].concat();
    let file = [lz4(b"a\n", false), other.clone(), lz4(b"b\n", true), other.clone()].concat();
    assert_eq!(read(file).unwrap(), b"a\nb\n");
    let error = read([lz4(b"a\n", false), other[..10].to_vec()].concat()).unwrap_err();
    assert!(error.message.contains("cut off"), "{error}");
    let error = read([lz4(b"a\n", false), b"rubbish".to_vec()].concat()).unwrap_err();
    assert!(error.message.contains("should start"), "{error}");
}

#[test]
fn what_is_not_read_of_lz4_says_so() {
    let legacy = read([&0x184c_2102_u32.to_le_bytes()[..], &[9; 20]].concat()).unwrap_err();
    assert_eq!(legacy.kind, ErrorKind::Unsupported);
    assert!(legacy.message.contains("a.csv.x is in LZ4's legacy format"), "{legacy}");
    for name in ["a.csv.lz4", "a.csv.SZ", "b/a.snappy"] {
        let raw = snap::raw::Encoder::new().compress_vec(b"id,name\n1,x\n").unwrap();
        let error = detect(&raw[..raw.len().min(SIGNATURE)], Compression::Auto, name).unwrap_err();
        assert!(error.message.contains(name) && error.message.contains("options.compression"), "{error}");
        assert_eq!(detect(b"", Compression::Auto, name).unwrap(), Compression::None);
    }
}
