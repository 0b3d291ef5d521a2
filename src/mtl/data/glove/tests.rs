use crate::mtl::data::Tokenizer;
use proptest::prelude::*;
use regex::Regex;
use std::sync::LazyLock;

/// By both versions of the rules, which must agree.
fn glove(text: &str) -> String {
    let tokens = Tokenizer::Glove2.tokens(text);
    assert_eq!(tokens, Tokenizer::Glove.tokens(text));
    tokens.join(" ")
}

/// By the second version of the rules, and by the first.
fn both(text: &str) -> [String; 2] {
    [Tokenizer::Glove2, Tokenizer::Glove].map(|rules| rules.tokens(text).join(" "))
}

#[test]
fn golden_line() {
    assert_eq!(
        glove("got my flu shot today @CVS_Extra #FluShot #GetVaccinated http://t.co/a1B2 sooooo sore :("),
        "got my flu shot today <user> <hashtag> flu shot <hashtag> get vaccinated <url> so <elong> sore <sadface>"
    );
}

/// What NLTK's `TweetTokenizer` makes of the entities, and the hashtag boundary of twitter-text.
#[test]
fn the_second_version_reads_entities() {
    for (text, plain) in [
        ("I&#39;m sick &#x200B; with #flu", "I'm sick with #flu"),
        ("I &lt;3 my doc &amp; nurse &gt;:(", "I <3 my doc & nurse >:("),
        ("&lt;user&gt; said &quot;no&quot;&hellip;", "<user> said \"no\"…"),
        ("#flu&amp;cold don&rsquo;t", "#flu&cold don’t"),
    ] {
        assert_eq!(both(text)[0], glove(plain), "{text}");
    }
    assert_eq!(both("I&#39;m"), ["i 'm", "i & <hashtag> <number> ; m"]);
    for (text, tokens) in [
        ("C#major a#b 1#2 x_#y", "c # major a # b <number> # <number> x _ # y"),
        ("&#flu &#x;", "& # flu & # x ;"),
        ("(#flu) \"#flu .#flu -#flu", "( <hashtag> flu ) \" <hashtag> flu . <hashtag> flu - <hashtag> flu"),
    ] {
        assert_eq!(both(text)[0], tokens);
    }
}

/// One word each, as UAX #29 (rule WB4) has it.
#[test]
fn the_second_version_does_not_see_what_is_invisible() {
    assert_eq!(both("the vac\u{ad}cine works"), ["the vaccine works", "the vac cine works"]);
    assert_eq!(both("n\u{200c}ot #Flu\u{200c}Shot fl\u{2060}u")[0], "not <hashtag> flu shot flu");
    assert_eq!(both("#get\u{feff}vaccinated\u{feff} \u{200b} x")[0], "<hashtag> getvaccinated x");
    assert_eq!(Tokenizer::Glove2.tokens("ෆ්\u{200d}රෙන්ස්"), ["ෆ්\u{200d}රෙන්ස්"]);
    assert_eq!(Tokenizer::Glove.tokens("ෆ්\u{200d}රෙන්ස්").len(), 2);
    assert_eq!(both("می\u{200c}خواهم #می\u{200c}خواهم")[0], "می\u{200c}خواهم <hashtag> می\u{200c}خواهم");
}

/// By UAX #29 a word ends at U+200B; it is where a line may break.
#[test]
fn a_zero_width_space_ends_a_word() {
    for text in ["vac\u{200b}cine", "vac&#x200B;cine", "vac&#8203;cine"] {
        assert_eq!(both(text)[0], "vac cine", "{text:?}");
    }
    assert_eq!(both("#Flu\u{200b}Shot")[0], "<hashtag> flu shot");
    assert_eq!(both("@you\u{200b} \u{200b}http://t.co/x\u{200b}")[0], "<user> <url>");
}

/// The example that comes with the published script.
#[test]
fn the_scripts_own_example() {
    assert_eq!(
        glove(
            "I TEST alllll kinds of #hashtags and #HASHTAGS, @mentions and 3000 (http://t.co/dkfjkdf). w/ <3 :) haha!!!!!"
        ),
        "i test <allcaps> al <elong> kinds of <hashtag> hashtags and <hashtag> hashtags <allcaps> , <user> and \
         <number> ( <url> ) . w / <heart> <smile> haha ! <repeat>"
    );
}

#[test]
fn rules_one_by_one() {
    for (text, tokens) in [
        ("Hello, world.", "hello , world ."),
        ("see www.who.int/flu, or https://a.b/c?d=e.", "see <url> , or <url> ."),
        ("herehttp://t.co/x…", "here <url> …"),
        ("RT@who: @who's", "rt <allcaps> <user> : <user> ' s"),
        (
            "1,000 at 10:30, -1.5 .5 5. covid-19 H1N1 8pm",
            "<number> at <number> , <number> <number> <number> . covid <number> h <number> n <number> <number> pm",
        ),
        (
            "#HIV #flu2019 #a_b #IAm # #!",
            "<hashtag> hiv <allcaps> <hashtag> flu <number> <hashtag> a b <hashtag> i am # # !",
        ),
        (":) =D ;-) (: 8)", "<smile> <smile> <smile> <smile> <smile>"),
        (":( ): :'( :p :-/ :| :*", "<sadface> <sadface> <sadface> <lolface> <neutralface> <neutralface> <neutralface>"),
        ("great:) note:please 18) 8/10 (see):", "great <smile> note : please <number> ) <number> / <number> ( see ) :"),
        ("<3 <333 <30 <user> <b>", "<heart> <heart> < <number> <user> < b >"),
        ("what?! no... yes!", "what ! <repeat> no . <repeat> yes !"),
        ("SOOOO wayyyy cooool AAAA", "so <allcaps> <elong> way <elong> cooool a <elong>"),
        (
            "don't CAN’T I'm y'all we'll o'clock 'quoted'",
            "do n't ca <allcaps> n't i 'm y'all we 'll o'clock ' quoted '",
        ),
        ("well-being foo_bar a--b and/or", "well-being foo_bar a - - b and / or"),
        ("Ünwohl ÜBEL नमस्ते 😷😷 ❤\u{fe0f}", "ünwohl übel <allcaps> नमस्ते 😷 😷 ❤"),
        ("\u{200b} \u{a0}\t", ""),
        ("", ""),
    ] {
        assert_eq!(glove(text), tokens, "{text:?}");
    }
}

#[test]
fn a_text_of_a_hundred_thousand_tokens() {
    assert_eq!(Tokenizer::Glove2.tokens(&"word ".repeat(100_000)).len(), 100_000);
    // In time that grows with the length, not its square.
    for mark in ["(", ")", "&", "#", "<", "8", "http", "www.", "\u{ad}"] {
        let tokens = Tokenizer::Glove2.tokens(&mark.repeat(500_000));
        assert!(tokens.len() <= 500_000, "{mark}");
    }
    assert_eq!(Tokenizer::Glove2.tokens(&"(".repeat(500_000)).len(), 500_000);
    assert_eq!(glove(&"o".repeat(100_000)), "o <elong>");
}

/// The same rules as regular expressions that are tried in turn at each place: slow, and written independently.
fn reference(text: &str) -> Vec<String> {
    /// What a match becomes; `Checked` must not be followed by a letter or digit, or for hearts, a digit.
    enum Becomes {
        Tag(&'static str),
        Checked(&'static str),
        LastThenRepeat,
        Hashtag,
        Word,
        Itself,
        Nothing,
    }
    use Becomes::*;
    static RULES: LazyLock<Vec<(Regex, Becomes)>> = LazyLock::new(|| {
        [
            (r"^(?i:https?://|www\.)\S*[\p{Alphabetic}\p{N}_/]", Tag("<url>")),
            (r"^@[A-Za-z0-9_]+", Tag("<user>")),
            (r"^#[A-Za-z0-9_éÉ]+", Hashtag),
            (r"^[8:=;]['`-]?\)+", Tag("<smile>")),
            (r"^[8:=;]['`-]?\(+", Tag("<sadface>")),
            (r"^[8:=;]['`-]?[dD]+", Checked("<smile>")),
            (r"^[8:=;]['`-]?[pP]+", Checked("<lolface>")),
            (r"^[8:=;]['`-]?[/|l*]", Checked("<neutralface>")),
            (r"^\(+['`-]?[:=;]", Checked("<smile>")),
            (r"^\)+['`-]?[:=;]", Checked("<sadface>")),
            (r"^<3+", Checked("<heart>")),
            (r"^<(url|user|number|hashtag|smile|sadface|lolface|neutralface|heart|repeat|elong|allcaps)>", Itself),
            (r"^[!?.]{2,}", LastThenRepeat),
            (r"^[-+]?\.?[0-9]+([:,.][0-9]+)*", Tag("<number>")),
            (r"^[A-Za-zéÉ]+(['’_-][A-Za-zéÉ]+)*", Word),
            (r"^\s", Nothing),
            (r"^.", Itself),
        ]
        .into_iter()
        .map(|(pattern, becomes)| (Regex::new(pattern).unwrap(), becomes))
        .collect()
    });
    static CONTRACTION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?i)(.+?)(n['’]t|['’](?:s|m|d|re|ve|ll))(?:['’_-]|$)").unwrap());
    static PIECE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[0-9]+|[A-ZÉ]?[a-zé]+|[A-ZÉ]").unwrap());
    static CAPITALS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[0-9]+|[A-ZÉ]+").unwrap());

    fn word(word: &str, tokens: &mut Vec<String>) {
        let mut letters: Vec<char> = word.replace('’', "'").chars().collect();
        let same = |a: char, b: char| a.to_lowercase().eq(b.to_lowercase());
        let is_long = letters.len() >= 3 && letters[letters.len() - 3..].windows(2).all(|pair| same(pair[0], pair[1]));
        while is_long && letters.len() >= 2 && same(letters[letters.len() - 1], letters[letters.len() - 2]) {
            letters.pop();
        }
        let word: String = letters.iter().collect();
        tokens.push(word.to_lowercase());
        if word != word.to_lowercase() && word == word.to_uppercase() && word.matches(char::is_alphabetic).count() > 1 {
            tokens.push("<allcaps>".into());
        }
        if is_long {
            tokens.push("<elong>".into());
        }
    }

    let mut tokens = Vec::new();
    let mut at = 0;
    'places: while at < text.len() {
        let (rest, before) = (&text[at..], text[..at].chars().next_back());
        for (pattern, becomes) in RULES.iter() {
            let Some(found) = pattern.find(rest).map(|found| found.as_str()) else { continue };
            let after = rest[found.len()..].chars().next();
            let in_word = before.is_some_and(char::is_alphanumeric);
            let mut taken = found.len();
            match becomes {
                Tag("<smile>" | "<sadface>") | Checked(_) if found.starts_with('8') && in_word => continue,
                Checked("<heart>") if !after.is_some_and(|c| c.is_ascii_digit()) => tokens.push("<heart>".into()),
                Checked(_) if after.is_some_and(char::is_alphanumeric) => continue,
                Checked("<neutralface>") if after == Some('/') => continue,
                Checked(_) if found.starts_with(['(', ')']) && !before.is_none_or(char::is_whitespace) => continue,
                Tag(tag) | Checked(tag) => tokens.push(tag.to_string()),
                LastThenRepeat => tokens.extend([found[found.len() - 1..].to_owned(), "<repeat>".into()]),
                Itself => tokens.push(found.into()),
                Nothing => {}
                Hashtag => {
                    tokens.push("<hashtag>".into());
                    let pieces = if found.contains(char::is_lowercase) { &*PIECE } else { &*CAPITALS };
                    for piece in pieces.find_iter(found) {
                        match piece.as_str() {
                            digits if digits.starts_with(|c: char| c.is_ascii_digit()) => {
                                tokens.push("<number>".into())
                            }
                            letters => word(letters, &mut tokens),
                        }
                    }
                }
                Word => {
                    let (mut stem, mut suffix) = (found, None);
                    if let Some(parts) = CONTRACTION.captures(found) {
                        stem = parts.get(1).unwrap().as_str();
                        let half = parts.get(2).unwrap();
                        taken = half.end();
                        suffix = Some(half.as_str().to_lowercase().replace('’', "'"));
                    } else if rest[taken..].starts_with("://")
                        && let lower = found.to_lowercase()
                        && let Some(short) = lower.strip_suffix("https").or(lower.strip_suffix("http"))
                        && !short.is_empty()
                        && RULES[0].0.is_match(&rest[short.len()..])
                    {
                        (stem, taken) = (&found[..short.len()], short.len());
                    }
                    word(stem, &mut tokens);
                    tokens.extend(suffix);
                }
            }
            at += taken;
            continue 'places;
        }
        unreachable!("the last rule matches everything but line breaks, which are white space");
    }
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn equals_the_reference(pieces in proptest::collection::vec(
        prop_oneof![
            4 => "[a-dA-DnNsStTpPlLéÉ]{1,4}",
            2 => prop::sample::select(vec![
                " ", "'", "’", "-", "_", ".", "!", "?", ":", ";", "=", "8", "(", ")", "/", "|", "*", "<", "3", "1", ",",
                "#", "@", "+", "aaa", "OOOO", "http://", "https://", "www.", "<user>", "don't", "we've", "…", "\n",
            ]).prop_map(str::to_owned),
            2 => Just(" ".to_owned()),
        ], 0..14))
    {
        let text = pieces.concat();
        prop_assert_eq!(Tokenizer::Glove.tokens(&text), reference(&text), "{:?}", text);
    }
}
