//! From a text to its tokens, as the GloVe Twitter vectors expect them, or split at white space.

use super::glove::{self, Rules};
use serde::{Deserialize, Serialize};

/// How a text becomes tokens.
///
/// `Glove2` and `Glove` follow the rules by which the GloVe Twitter vectors were made (Pennington et al. 2014, the preprocessing script
/// by R. Paulus and J. Pennington), as the script means them: its tags are lower case here and are never touched again.
///
/// | text | tokens |
/// |---|---|
/// | links: `http://…`, `https://…`, `www.…` | `<url>` |
/// | mentions: `@name` | `<user>` |
/// | numbers: `3`, `-1.5`, `10:30`, `1,000`, also inside words | `<number>` |
/// | hashtags: `#FluShot` | `<hashtag>` and the body, split before every capital unless it has no small letter |
/// | faces: `:)` `(:`, `:(`, `:p`, `:/` | `<smile>`, `<sadface>`, `<lolface>`, `<neutralface>` |
/// | `<3` | `<heart>` |
/// | `!!!`, `?!` | the last mark, then `<repeat>` |
/// | `sooo`: a word whose last letter is repeated three times or more | `so <elong>` |
/// | `FLU`: a word of two capitals or more and nothing else | `flu <allcaps>` |
///
/// The script leaves the cutting into tokens to a later step of which the vectors' vocabulary tells: punctuation marks
/// stand alone (`hello,` is `hello` `,`), and English contractions are cut as in the Penn Treebank (`don't` is `do` `n't`,
/// `I'm` is `i` `'m`). Hyphens, underscores and other apostrophes between letters stay (`well-being`, `o'clock`).
///
/// Three rules are narrower than the script's, whose patterns also match in the middle of ordinary text: a face that ends
/// in a letter or `*` or `/` must end a word (`note:please` and `8/10` hold none), a face with the eyes `8` must begin
/// one, a face whose mouth comes first must stand after white space; and a number keeps no punctuation at its end.
///
/// `Glove2` is the second version of the rules, `Glove` the first, which runs and studies keep that began with it. The second
/// reads HTML entities as what they stand for (`I&#39;m` is `i` `'m`, `&lt;3` is `<heart>`); soft hyphens, zero width
/// characters, word joiners and direction marks inside a word do not cut it and are left out (joiners stay where they are part
/// of a spelling, as in Persian and Sinhala); and `#` after a letter, a digit, `_` or `&` begins no hashtag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tokenizer {
    /// The preprocessing of the GloVe Twitter vectors, for texts as they are in files.
    #[default]
    #[serde(rename = "glove-2")]
    Glove2,
    /// The same by the first version of the rules, which took texts for plain and all characters for visible.
    Glove,
    /// Split at white space, nothing else.
    Plain,
}

impl Tokenizer {
    /// The tokens of `text`, in order. No token is empty or contains white space.
    pub fn tokens(&self, text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        self.for_each(text, |token| tokens.push(token.to_owned()));
        tokens
    }

    /// Passes the tokens of `text` to `emit`, in order, without an allocation for each.
    pub fn for_each(&self, text: &str, emit: impl FnMut(&str)) {
        match self {
            Self::Glove2 => glove::for_each(Rules::Second, text, emit),
            Self::Glove => glove::for_each(Rules::First, text, emit),
            Self::Plain => text.split_whitespace().for_each(emit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_splits_at_white_space_only() {
        assert_eq!(Tokenizer::Plain.tokens(" Hello,\u{a0}#World\n:) "), ["Hello,", "#World", ":)"]);
    }

    /// Configurations of runs and studies that were begun before there was a second version.
    #[test]
    fn the_word_of_the_first_version_stays_its_own() {
        let read = |word: &str| serde_json::from_value::<Tokenizer>(word.into()).unwrap();
        assert_eq!(["glove", "glove-2", "plain"].map(read), [Tokenizer::Glove, Tokenizer::Glove2, Tokenizer::Plain]);
    }

    proptest! {
        #[test]
        fn tokens_are_never_empty_and_hold_no_white_space(text in any::<String>()) {
            for tokenizer in [Tokenizer::Glove2, Tokenizer::Glove, Tokenizer::Plain] {
                for token in tokenizer.tokens(&text) {
                    prop_assert!(!token.is_empty() && !token.contains(char::is_whitespace), "{:?}", token);
                }
            }
        }
    }
}
