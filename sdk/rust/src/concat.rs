//! Joining text at compile time: a manifest is made of constants and must itself be one, because it becomes the content of a
//! custom section.

/// Length of all parts together.
pub const fn joined_len(parts: &[&str]) -> usize {
    let mut total = 0;
    let mut rest = parts;
    while let [first, tail @ ..] = rest {
        total += first.len();
        rest = tail;
    }
    total
}

/// All parts, one after the other; `N` must be [`joined_len`] of them.
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut out = [0_u8; N];
    let mut room: &mut [u8] = &mut out;
    let mut rest = parts;
    while let [first, tail @ ..] = rest {
        let (head, after) = room.split_at_mut(first.len());
        head.copy_from_slice(first.as_bytes());
        room = after;
        rest = tail;
    }
    out
}

/// A comma, if something follows.
pub const fn comma_before(rest: &str) -> &'static str {
    if rest.is_empty() { "" } else { "," }
}

/// The bytes of one text as an array; `N` must be its length.
pub const fn bytes_of<const N: usize>(text: &str) -> [u8; N] {
    join(&[text])
}

/// Whether `text` holds `part`; the derives check with it, at compile time, that a manifest names fields that exist.
pub const fn contains(text: &str, part: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        if starts_with(rest, part.as_bytes()) {
            return true;
        }
        match rest {
            [_, tail @ ..] => rest = tail,
            [] => return false,
        }
    }
}

const fn starts_with(text: &[u8], part: &[u8]) -> bool {
    let (mut text, mut part) = (text, part);
    loop {
        match (text, part) {
            (_, []) => return true,
            ([a, text_tail @ ..], [b, part_tail @ ..]) if *a == *b => {
                text = text_tail;
                part = part_tail;
            }
            _ => return false,
        }
    }
}

/// Joins constant texts into one constant `&'static str`.
#[doc(hidden)]
#[macro_export]
macro_rules! __concat {
    ($($part:expr),* $(,)?) => {{
        const PARTS: &[&str] = &[$($part),*];
        const LEN: usize = $crate::__private::joined_len(PARTS);
        const BYTES: [u8; LEN] = $crate::__private::join::<LEN>(PARTS);
        match ::core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => "",
        }
    }};
}

#[cfg(test)]
mod tests {
    const NAME: &str = "b";

    #[test]
    fn constants_are_joined_in_order() {
        const TEXT: &str = crate::__concat!("a", NAME, "ä");
        assert_eq!(TEXT, "abä");
    }
}
