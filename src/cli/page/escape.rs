//! What the formats do to text from outside, so that a task called `<flu>|100%` is shown as just that.

use std::sync::LazyLock;

use minijinja::HtmlEscape;
use mtlcore::printable::printable;
use regex::Regex;
use serde::Serialize;

/// For text and attributes in HTML and SVG.
pub fn html(text: &str) -> String {
    HtmlEscape(&printable(text)).to_string()
}

/// For text in Markdown, table cells included.
pub fn markdown(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '#' => format!("\\{c}"),
        '\n' => " ".into(),
        _ => c.into(),
    };
    printable(text).chars().map(escape).collect()
}

/// For text in LaTeX, outside of mathematics.
pub fn latex(text: &str) -> String {
    let escape = |c: char| match c {
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        '\\' => r"\textbackslash{}".into(),
        '^' => r"\textasciicircum{}".into(),
        '~' => r"\textasciitilde{}".into(),
        // Else it would be an argument of the line break before it.
        '[' => "{[}".into(),
        '<' => "$<$".into(),
        '>' => "$>$".into(),
        '−' => "$-$".into(),
        '–' => "--".into(),
        '·' => r"$\cdot$".into(),
        '×' => r"$\times$".into(),
        'Δ' => r"$\Delta$".into(),
        '±' => r"$\pm$".into(),
        _ => c.into(),
    };
    printable(text).chars().map(escape).collect()
}

/// A value as JSON that can stand in a `<script>`. What [`printable`] would replace is escaped, and so means the same.
pub fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("plain data");
    let is_printable = |c: char| printable(c.encode_utf8(&mut [0; 4])).starts_with(c);
    // All that is not printable is below 0x10000.
    let escape = |c: char| if is_printable(c) { c.into() } else { format!("\\u{:04x}", u32::from(c)) };
    script(&json.chars().map(escape).collect::<String>())
}

/// For code or data inside a `<script>` of HTML, which ends at the first `</script` and changes its rules at `<!--`. In the
/// strings of JavaScript and JSON, `<\/` and `<\u0021` mean the same as before.
pub fn script(code: &str) -> String {
    static END: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?i)</(script)").expect("a valid pattern"));
    END.replace_all(code, r"<\/$1").replace("<!--", r"<\u0021--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_shows_its_own_special_characters() {
        assert_eq!(markdown("a|b <c> & d_e"), "a\\|b &lt;c> &amp; d\\_e");
        assert_eq!(latex(r"100% of {a_b} & \c"), r"100\% of \{a\_b\} \& \textbackslash{}c");
        assert_eq!(latex("−0.16"), "$-$0.16");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "</script></SCRIPT ><!-- <script> \u{1}\u{7f}\u{85}";
        let json = json(&text);
        assert!(!json.to_lowercase().contains("</script") && !json.contains("<!--"));
        assert!(!json.chars().any(char::is_control));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn no_format_passes_control_characters_on() {
        for escape in [html, markdown, latex] {
            let text = escape("a\u{0}b\u{1b}[31mc\u{7f}d\u{9b}e\r");
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(text.contains("␛") && text.contains("␀"), "{text:?}");
        }
        assert_eq!(html("<a\tb\n\"c\">"), "&lt;a\tb\n&quot;c&quot;&gt;");
    }
}
