//! JSON text: objects one after the other, one a line, or in an array.

pub(crate) mod object;
pub(crate) mod scan;

/// Adds the text of a JSON string's inside, escapes resolved.
pub(crate) fn unescape(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let Some((letter, tail)) = after.get(1..).and_then(<[u8]>::split_first) else {
            return Err("a string ends within an escape".into());
        };
        rest = tail;
        let plain = match letter {
            b'"' | b'\\' | b'/' => *letter,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'u' => {
                let (c, tail) = unicode(rest)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = tail;
                continue;
            }
            other => return Err(format!("a string has the escape \\{}", char::from(*other))),
        };
        out.push(plain);
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// The character of `\uXXXX`, or of a pair of them. A half of a pair alone is no character and is replaced.
fn unicode(bytes: &[u8]) -> Result<(char, &[u8]), String> {
    let (high, rest) = unit(bytes)?;
    if !(0xd800..=0xdfff).contains(&high) {
        return Ok((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), rest));
    }
    if let [b'\\', b'u', pair @ ..] = rest
        && high < 0xdc00
    {
        let (low, after) = unit(pair)?;
        if (0xdc00..=0xdfff).contains(&low) {
            let c = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return Ok((char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER), after));
        }
    }
    Ok((char::REPLACEMENT_CHARACTER, rest))
}

fn unit(bytes: &[u8]) -> Result<(u32, &[u8]), String> {
    let wrong = || "a string has \\u without four hexadecimal digits".to_owned();
    let (digits, rest) = bytes.split_at_checked(4).ok_or_else(wrong)?;
    let mut value = 0;
    for digit in digits {
        value = value << 4 | char::from(*digit).to_digit(16).ok_or_else(wrong)?;
    }
    Ok((value, rest))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    fn text(escaped: &str) -> Result<String, String> {
        let mut out = Vec::new();
        unescape(escaped.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn escapes_become_characters() {
        assert_eq!(text(r#"a\"b\\\/\n\t\u00e4"#).unwrap(), "a\"b\\/\n\tä");
        assert_eq!(text(r"\ud834\udd1e").unwrap(), "𝄞");
        assert_eq!(text(r"\ud834x").unwrap(), "\u{fffd}x");
        assert_eq!(text(r"\ud834\u0041").unwrap(), "\u{fffd}\\u0041".replace("\\u0041", "A"));
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        assert!(text(r"\x").is_err());
        assert!(text(r"\u12").is_err());
        assert!(text("\\").is_err());
    }
}
