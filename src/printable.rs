//! What comes from outside, made fit for a terminal, a picture and one line of an error.

use std::borrow::Cow;

/// Characters of a quoted value that an error shows at most.
const SHOWN: usize = 60;

/// How many names an error lists at most.
const LISTED: usize = 12;

/// `text` as it can be shown: control characters, which a terminal would obey and XML does not allow, are replaced by the
/// pictures that Unicode has for them (`␛`), or by `�`. Line breaks and tabs stay.
///
/// So are the characters that change the direction of what follows, which can make a line seem to be another.
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, |c| matches!(c, '\n' | '\t'))
}

/// A value to be quoted in one line of an error: as [`printable`], without line breaks, and only its beginning if it is long.
pub fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    let dots = if end < text.len() { "…" } else { "" };
    replaced(&text[..end], |_| false).into_owned() + dots
}

/// As [`shortened`], between double quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

/// Names with commas between them, each [`shortened`], and only the first ones if there are many.
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown = names.iter().take(LISTED).map(|name| shortened(name.as_ref())).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn replaced(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_unfit(c) && !kept(c)) {
        return Cow::Borrowed(text);
    }
    let picture = |c: char| match u32::from(c) {
        _ if kept(c) || !is_unfit(c) => c,
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '␡',
        _ => char::REPLACEMENT_CHARACTER,
    };
    Cow::Owned(text.chars().map(picture).collect())
}

/// Whether a terminal obeys `c`, a browser refuses it, or it turns the text around it.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_pictures() {
        assert_eq!(printable("a\u{1b}]0;x\u{7}\u{7f}\u{9b}1m\u{202e}\r\n\tb"), "a␛]0;x␇␡�1m�␍\n\tb");
        assert!(matches!(printable("plain é 😷"), Cow::Borrowed(_)));
    }

    #[test]
    fn long_values_and_long_lists_are_cut() {
        assert_eq!(shortened("a\tb\n"), "a␉b␊");
        assert_eq!(shortened(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(shortened(&"é".repeat(61)), "é".repeat(60) + "…");
        assert_eq!(shortened(&"😷".repeat(100_000)), "😷".repeat(60) + "…");
        assert_eq!(quoted("x"), "\"x\"");
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert_eq!(listed(&vec!["a"; 100]), "a, ".repeat(11) + "a and 88 more");
    }
}
