//! What stands for other characters, or for none, undone before the rules see a text.

use super::characters::{continues_word, is_blank};
use memchr::memchr;
use std::borrow::Cow;

/// `text` with the characters that its HTML entities (`&amp;`, `&#39;`, `&#x200B;`) stand for, and without characters that are
/// neither seen nor part of a word's spelling (soft hyphens, joiners, direction marks): they must not cut a word. The zero width
/// space stays: it stands where a word ends.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let text = match memchr(b'&', text.as_bytes()) {
        Some(_) => without_entities(text),
        None => Cow::Borrowed(text),
    };
    if text.is_ascii() || !text.chars().any(is_invisible) {
        return text;
    }
    let mut visible = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let mut is_spelling = || {
            let next = rest.peek().copied();
            is_joiner(c) && visible.chars().next_back().is_some_and(is_joined) && next.is_some_and(is_joined)
        };
        if !is_invisible(c) || is_spelling() {
            visible.push(c);
        }
    }
    Cow::Owned(visible)
}

/// Zero width non-joiner and joiner.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a joiner beside `c` is part of a word's spelling, as in Persian and Sinhala: a letter of the scripts from Arabic on,
/// less the later letters of Latin and Greek.
fn is_joined(c: char) -> bool {
    c >= '\u{600}' && !('\u{1e00}'..='\u{1fff}').contains(&c) && continues_word(c)
}

/// Whether `c` is shown as nothing, and is no space.
fn is_invisible(c: char) -> bool {
    (is_blank(c) && !c.is_whitespace() && !c.is_control() && c != '\u{200b}')
        || matches!(c, '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The longest entity that is looked for, `&` and `;` included.
const LONGEST_ENTITY: usize = 40;

/// What browsers take the numbers 128 to 159 for: Windows-1252, not the control characters of Unicode.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

fn without_entities(text: &str) -> Cow<'_, str> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr(b'&', rest.as_bytes()) {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let window = &rest.as_bytes()[..rest.len().min(LONGEST_ENTITY)];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
        let length = 1 + window[1..].iter().take_while(|byte| is_part(byte)).count();
        let entity = if window.get(length) == Some(&b';') { &rest[..=length] } else { "&" };
        let meant = html_escape::decode_html_entities(entity);
        let mut chars = meant.chars();
        match (chars.next(), chars.next()) {
            (Some(c @ '\u{80}'..='\u{9f}'), None) => plain.extend(WINDOWS_1252.chars().nth(c as usize - 0x80)),
            _ => plain.push_str(&meant),
        }
        rest = &rest[entity.len()..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Python's `html.unescape` reads them.
    #[test]
    fn entities_are_what_they_stand_for() {
        for (text, meant) in [
            (
                "a &amp; b &lt;3 &gt; &quot;c&quot; I&#39;m I&apos;m I&#x27;m I&#X27;m",
                "a & b <3 > \"c\" I'm I'm I'm I'm",
            ),
            ("&hellip;&mdash;&eacute;&nbsp;", "…—é\u{a0}"),
            ("it&#146;s &#8217; &#128;", "it’s ’ €"),
            ("&#x1F637;&#128567;", "😷😷"),
            ("&amp;lt;", "&lt;"),
        ] {
            assert_eq!(plain(text), meant);
        }
        for text in ["AT&T", "a & b", "&", "&&", "&;", "&nosuch;", "&amp", "R&D;", "&#;", "&#xD800;", "&é;", "a&b=c;"]
        {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn invisible_characters_go_unless_they_spell_a_word() {
        for c in "\u{ad}\u{200c}\u{200d}\u{200e}\u{200f}\u{2060}\u{feff}\u{fe0f}\u{34f}\u{202a}".chars() {
            assert_eq!(plain(&format!("vac{c}cine")), "vaccine", "{c:?}");
        }
        assert_eq!(plain("vac&shy;cine &zwj;"), "vaccine ");
        assert_eq!(plain("vac\u{200b}cine"), "vac\u{200b}cine");
        for word in ["ෆ්\u{200d}රෙන්ස්", "می\u{200c}خواهم"] {
            assert_eq!(plain(word), word);
        }
        assert_eq!(plain("👨\u{200d}👩\u{200d}👧"), "👨👩👧");
    }
}
