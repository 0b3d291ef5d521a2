//! What the formats do to text from outside, so that a task called `<flu>|100%` is shown as just that.

use std::sync::LazyLock;

use regex::Regex;

/// For text in Markdown, table cells included.
pub fn markdown(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '#' => format!("\\{c}"),
        '\n' | '\r' => " ".into(),
        _ => c.into(),
    };
    text.chars().map(escape).collect::<String>()
}

/// For text in LaTeX, outside of mathematics.
pub fn latex(text: &str) -> String {
    let escape = |c: char| match c {
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        '\\' => r"\textbackslash{}".into(),
        '^' => r"\textasciicircum{}".into(),
        '~' => r"\textasciitilde{}".into(),
        '<' => "$<$".into(),
        '>' => "$>$".into(),
        '−' => "$-$".into(),
        '±' => r"$\pm$".into(),
        _ => c.into(),
    };
    text.chars().map(escape).collect::<String>()
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
        let text = "</script></SCRIPT ><!-- <script>";
        let json = script(&serde_json::to_string(text).unwrap());
        assert!(!json.to_lowercase().contains("</script") && !json.contains("<!--"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
