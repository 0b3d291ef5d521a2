//! What can be seen of a text without reading it.

use crate::mtl::data::Tokenizer;

/// Words of English that deny (the list of Potts 2011, with `nobody`, `nor`, `neither`, `cannot` and `without`). A contraction
/// with an apostrophe ends in the token `n't`.
const NEGATIONS: &[&str] = &[
    "no", "not", "n't", "never", "none", "noone", "nobody", "nothing", "nowhere", "neither", "nor", "cannot",
    "without", "aint", "arent", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent", "isnt",
    "shouldnt", "wasnt", "werent", "wont", "wouldnt",
];

/// Pronouns of English for who writes. (`I'm` begins with the token `i`.)
const FIRST_PERSON: &[&str] = &["i", "me", "my", "mine", "myself", "we", "us", "our", "ours", "ourselves", "im", "ive"];

/// What the words of a text show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextFeatures {
    /// A word that denies.
    pub negation: bool,
    /// A word like `sooo`.
    pub lengthened: bool,
    /// A word for who writes.
    pub first_person: bool,
}

impl TextFeatures {
    /// Looks at the tokens of the GloVe rules, whatever the tokeniser of the study: they tell words from links and mentions,
    /// cut contractions and mark lengthened words.
    pub fn of(text: &str) -> Self {
        let tokens = Tokenizer::Glove.tokens(text);
        let mut features = Self::default();
        for (place, token) in tokens.iter().enumerate() {
            let in_capitals = tokens.get(place + 1).is_some_and(|next| next == "<allcaps>");
            features.negation |= NEGATIONS.contains(&token.as_str());
            features.lengthened |= token == "<elong>";
            // US is a country.
            features.first_person |= FIRST_PERSON.contains(&token.as_str()) && !(token == "us" && in_capitals);
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which features a reader sees in each text: negation, lengthened words, first person.
    #[test]
    fn texts_show_what_a_reader_sees() {
        for (text, expected) in [
            ("got my flu shot today", [false, false, true]),
            ("I'm not sick", [true, false, true]),
            ("he didn’t come", [true, false, false]),
            ("DON'T PANIC", [true, false, false]),
            ("dont go there", [true, false, false]),
            ("this hurts sooooo much", [false, true, false]),
            ("the knot, a notebook and November", [false, false, false]),
            ("see http://t.co/no/my/sooo from @me and @not", [false, false, false]),
            ("floods in the US", [false, false, false]),
            ("help us", [false, false, true]),
            ("#NotMe", [true, false, true]),
            ("", [false; 3]),
        ] {
            let TextFeatures { negation, lengthened, first_person } = TextFeatures::of(text);
            assert_eq!([negation, lengthened, first_person], expected, "{text}");
        }
    }
}
