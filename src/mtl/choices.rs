//! Enums whose values are words in files and flags.

/// Declares an enum whose values are words in files and flags, with the list of these words.
macro_rules! choices {
    ($($(#[$doc:meta])* $choice:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)+ })+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $choice {
            $($(#[$value_doc])* #[serde(rename = $word)] $value,)+
        }

        impl $choice {
            /// The words that stand for the values in files and flags.
            pub const WORDS: &[&str] = &[$($word),+];

            /// All values, in the order of [`WORDS`](Self::WORDS).
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The word that stands for the value.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }
    )+ };
}

pub(crate) use choices;
