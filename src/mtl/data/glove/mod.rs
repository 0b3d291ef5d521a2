//! The rules of [`Tokenizer::Glove2`](super::Tokenizer::Glove2) and [`Tokenizer::Glove`](super::Tokenizer::Glove), in one pass.

mod characters;
mod text;

use characters::is_blank;

/// The tags a text may already hold.
const TAGS: [&str; 12] = [
    "<url>",
    "<user>",
    "<number>",
    "<hashtag>",
    "<smile>",
    "<sadface>",
    "<lolface>",
    "<neutralface>",
    "<heart>",
    "<repeat>",
    "<elong>",
    "<allcaps>",
];

/// One pass over a text: at each place the first rule that matches is taken, in the order of the script.
struct Glove<'t, E> {
    text: &'t str,
    bytes: &'t [u8],
    rules: Rules,
    buffer: String, // a word in lower case, if it was not already
    emit: E,
}

/// The two versions of the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// Those of [`Tokenizer::Glove`](super::Tokenizer::Glove).
    First,
    /// Those of [`Tokenizer::Glove2`](super::Tokenizer::Glove2).
    Second,
}

/// Passes the tokens of `text` to `emit`.
pub(super) fn for_each(rules: Rules, text: &str, emit: impl FnMut(&str)) {
    match rules {
        Rules::First => Glove::new(rules, text, emit).run(),
        Rules::Second => Glove::new(rules, &text::plain(text), emit).run(),
    }
}

impl<'t, E: FnMut(&str)> Glove<'t, E> {
    fn new(rules: Rules, text: &'t str, emit: E) -> Self {
        Self { text, bytes: text.as_bytes(), rules, buffer: String::new(), emit }
    }

    fn run(mut self) {
        let mut at = 0;
        while at < self.bytes.len() {
            at = self.next(at);
        }
    }

    /// Emits the tokens of what stands at byte `at`; returns where it ends.
    fn next(&mut self, at: usize) -> usize {
        match self.bytes[at] {
            b'a'..=b'z' | b'A'..=b'Z' => match self.url(at) {
                Some(end) => self.tag("<url>", end),
                None => self.word(at),
            },
            0..=b' ' | 0x7f => at + 1,
            b'@' if self.is_name(at + 1) => {
                let length = (at + 1..self.bytes.len()).take_while(|&i| self.is_name(i)).count();
                self.tag("<user>", at + 1 + length)
            }
            b'#' if self.begins_hashtag(at) => self.hashtag(at),
            b'<' => self.heart_or_tag(at),
            b'!' | b'?' | b'.' if matches!(self.byte(at + 1), b'!' | b'?' | b'.') => {
                let length = self.run_of(at, |byte| matches!(byte, b'!' | b'?' | b'.'));
                let text = self.text;
                (self.emit)(&text[at + length - 1..at + length]);
                self.tag("<repeat>", at + length)
            }
            b':' | b';' | b'=' | b'8' | b'(' | b')' => match self.face(at) {
                Some((tag, end)) => self.tag(tag, end),
                None => self.number_or_mark(at),
            },
            0x80.. => {
                let symbol = self.char(at);
                let end = at + symbol.len_utf8();
                if self.continues_word(symbol) {
                    return self.word(at);
                }
                if !is_blank(symbol) {
                    let text = self.text;
                    (self.emit)(&text[at..end]);
                }
                end
            }
            _ => self.number_or_mark(at),
        }
    }

    fn tag(&mut self, tag: &str, end: usize) -> usize {
        (self.emit)(tag);
        end
    }

    /// A number: a sign, a point, digits, and groups of `:`, `,` or `.` and digits. Otherwise a mark that stands alone.
    fn number_or_mark(&mut self, at: usize) -> usize {
        let mut digits = at;
        if matches!(self.byte(digits), b'+' | b'-') {
            digits += 1;
        }
        if self.byte(digits) == b'.' {
            digits += 1;
        }
        if !self.byte(digits).is_ascii_digit() {
            let text = self.text;
            (self.emit)(&text[at..at + 1]);
            return at + 1;
        }
        let mut end = digits + self.run_of(digits, |byte| byte.is_ascii_digit());
        while matches!(self.byte(end), b':' | b',' | b'.') && self.byte(end + 1).is_ascii_digit() {
            end += 1 + self.run_of(end + 1, |byte| byte.is_ascii_digit());
        }
        self.tag("<number>", end)
    }

    /// The end of the link that begins at `at`: up to white space, less the punctuation that follows it.
    fn url(&self, at: usize) -> Option<usize> {
        if !matches!(self.bytes[at], b'h' | b'H' | b'w' | b'W') {
            return None;
        }
        let starts = |prefix: &str| {
            self.bytes.get(at..at + prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        let body = at + ["http://", "https://", "www."].into_iter().find(|prefix| starts(prefix))?.len();
        let rest = &self.text[body..];
        let rest = &rest[..rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len())];
        let link = rest.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '/');
        (!link.is_empty()).then_some(body + link.len())
    }

    /// A face, its tag and its end.
    fn face(&self, at: usize) -> Option<(&'static str, usize)> {
        let before = self.text[..at].chars().next_back();
        let nose = |at: usize| at + usize::from(matches!(self.byte(at), b'\'' | b'`' | b'-'));
        let ends_word = |end: usize| !self.text[end..].starts_with(|c: char| c.is_alphanumeric());
        let first = self.bytes[at];
        if matches!(first, b'(' | b')') {
            if before.is_some_and(|c| !c.is_whitespace()) {
                return None; // before the run is looked through, which each mark of it would do
            }
            let eyes = nose(at + self.run_of(at, |byte| byte == first));
            let is_face = matches!(self.byte(eyes), b':' | b';' | b'=') && ends_word(eyes + 1);
            return is_face.then_some((if first == b'(' { "<smile>" } else { "<sadface>" }, eyes + 1));
        }
        if first == b'8' && before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let mouth = nose(at + 1);
        let run = |of: [u8; 2]| mouth + self.run_of(mouth, |byte| of.contains(&byte));
        match self.byte(mouth) {
            b')' => Some(("<smile>", run(*b"))"))),
            b'(' => Some(("<sadface>", run(*b"(("))),
            b'd' | b'D' => Some(("<smile>", run(*b"dD"))).filter(|face| ends_word(face.1)),
            b'p' | b'P' => Some(("<lolface>", run(*b"pP"))).filter(|face| ends_word(face.1)),
            b'/' | b'|' | b'l' | b'*' if ends_word(mouth + 1) && self.byte(mouth + 1) != b'/' => {
                Some(("<neutralface>", mouth + 1))
            }
            _ => None,
        }
    }

    fn heart_or_tag(&mut self, at: usize) -> usize {
        let threes = self.run_of(at + 1, |byte| byte == b'3');
        if threes > 0 && !self.byte(at + 1 + threes).is_ascii_digit() {
            return self.tag("<heart>", at + 1 + threes);
        }
        let rest = &self.text[at..];
        match TAGS.into_iter().find(|tag| rest.starts_with(tag)) {
            Some(tag) => self.tag(tag, at + tag.len()),
            None => self.number_or_mark(at),
        }
    }

    /// Whether the `#` at `at` can begin a hashtag: it stands in no word and no entity, as in twitter-text's rules.
    fn begins_hashtag(&self, at: usize) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '&');
        self.rules == Rules::First || !self.text[..at].chars().next_back().is_some_and(is_part)
    }

    fn continues_word(&self, c: char) -> bool {
        characters::continues_word(c) || (self.rules == Rules::Second && text::is_joiner(c))
    }

    /// `#` and a body of letters, digits and `_`; a `#` without one stands alone.
    fn hashtag(&mut self, at: usize) -> usize {
        let text = self.text;
        let rest = &text[at + 1..];
        let body = &rest
            [..rest.find(|c: char| !self.continues_word(c) && c != '_' && !c.is_ascii_digit()).unwrap_or(rest.len())];
        if body.is_empty() {
            return self.number_or_mark(at);
        }
        (self.emit)("<hashtag>");
        let splits = body.contains(char::is_lowercase);
        for part in body.split('_').filter(|part| !part.is_empty()) {
            let mut start = 0;
            let mut previous = None;
            for (place, c) in part.char_indices() {
                let is_digit = c.is_ascii_digit();
                let begins = previous.is_some_and(|was_digit| was_digit != is_digit) || (splits && c.is_uppercase());
                if begins && place > start {
                    self.hashtag_piece(&part[start..place]);
                    start = place;
                }
                previous = Some(is_digit);
            }
            self.hashtag_piece(&part[start..]);
        }
        at + 1 + body.len()
    }

    fn hashtag_piece(&mut self, piece: &str) {
        if piece.as_bytes()[0].is_ascii_digit() {
            (self.emit)("<number>");
        } else {
            self.letters(piece);
        }
    }

    /// A word from `at` on, with a contraction's second half as a token of its own.
    fn word(&mut self, at: usize) -> usize {
        let text = self.text;
        let mut end = at;
        loop {
            end += self.run_of(end, |byte| byte.is_ascii_alphabetic());
            if end == text.len() || self.bytes[end] == b' ' {
                break; // the common case, before any other is looked at
            }
            if self.bytes[end] >= 0x80 && self.continues_word(self.char(end)) {
                end += self.char(end).len_utf8();
                continue;
            }
            let apostrophe = match self.bytes[end] {
                b'\'' => 1,
                0xe2 if text[end..].starts_with('’') => '’'.len_utf8(),
                _ => 0,
            };
            let next = end + if apostrophe > 0 { apostrophe } else { 1 };
            let joins = apostrophe > 0 || matches!(self.bytes[end], b'-' | b'_');
            if !joins || next >= text.len() || !self.continues_word(self.char(next)) {
                break;
            }
            if apostrophe > 0
                && let Some((cut, suffix, after)) = self.contraction(at, end, next)
            {
                if cut > at {
                    self.letters(&text[at..cut]);
                }
                return self.tag(suffix, after);
            }
            end = next;
        }
        // A link may follow a word without a space, as in "herehttp://…".
        if self.byte(end) == b':' && text[end..].starts_with("://") {
            for scheme in ["https", "http"] {
                let start = end.saturating_sub(scheme.len());
                if start > at
                    && self.bytes[start..end].eq_ignore_ascii_case(scheme.as_bytes())
                    && self.url(start).is_some()
                {
                    end = start;
                    break;
                }
            }
        }
        self.letters(&text[at..end]);
        end
    }

    /// If the letters from `next` on are an English contraction of the word `at..end`: where that word ends, the second
    /// half, and the place after it.
    fn contraction(&self, at: usize, end: usize, next: usize) -> Option<(usize, &'static str, usize)> {
        let after = next + self.run_of(next, |byte| byte.is_ascii_alphabetic());
        if after < self.text.len() && self.continues_word(self.char(after)) {
            return None;
        }
        let suffix = &self.bytes[next..after];
        if suffix.eq_ignore_ascii_case(b"t") && matches!(self.bytes[end - 1], b'n' | b'N') && end - 1 > at {
            return Some((end - 1, "n't", after));
        }
        ["'s", "'m", "'d", "'re", "'ve", "'ll"]
            .into_iter()
            .find(|candidate| suffix.eq_ignore_ascii_case(&candidate.as_bytes()[1..]))
            .map(|suffix| (end, suffix, after))
    }

    /// A word without its contraction: shortened if lengthened, lower case, with the tags for what was undone.
    fn letters(&mut self, word: &str) {
        let bytes = word.as_bytes();
        let (word, is_long) = if word.is_ascii() {
            let last = bytes[bytes.len() - 1];
            let run = bytes.iter().rev().take_while(|byte| byte.eq_ignore_ascii_case(&last)).count();
            if run >= 3 { (&word[..word.len() - run + 1], true) } else { (word, false) }
        } else {
            let lower = |c: char| c.to_lowercase().next();
            let last = word.chars().next_back().and_then(lower);
            let run = word.chars().rev().take_while(|&c| lower(c) == last).count();
            if run >= 3 {
                let kept = word.chars().count() - run + 1;
                (&word[..word.char_indices().nth(kept).map_or(word.len(), |(place, _)| place)], true)
            } else {
                (word, false)
            }
        };
        if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            (self.emit)(word);
        } else {
            self.buffer.clear();
            self.buffer.extend(word.chars().map(|c| if c == '’' { '\'' } else { c }).flat_map(char::to_lowercase));
            (self.emit)(&self.buffer);
            let capitals = word.chars().filter(|c| c.is_uppercase()).count();
            if capitals >= 2 && word.chars().all(|c| c.is_uppercase() || !c.is_alphabetic()) {
                (self.emit)("<allcaps>");
            }
        }
        if is_long {
            (self.emit)("<elong>");
        }
    }

    /// The byte at `at`, or 0 after the end.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn char(&self, at: usize) -> char {
        self.text[at..].chars().next().unwrap_or('\0')
    }

    /// How many bytes from `at` on are `like`.
    fn run_of(&self, at: usize, like: impl Fn(u8) -> bool) -> usize {
        self.bytes.get(at..).map_or(0, |rest| rest.iter().take_while(|&&byte| like(byte)).count())
    }

    /// Whether the byte at `at` may be part of a Twitter name.
    fn is_name(&self, at: usize) -> bool {
        let byte = self.byte(at);
        byte.is_ascii_alphanumeric() || byte == b'_'
    }
}

#[cfg(test)]
mod tests;
