//! What all pages share: templates with their number formats, words and escaping, the style sheet, the charts, and the policy that lets
//! a page load nothing and run nothing but the scripts it was written with.
//!
//! A page is a template that extends `page.html`. [`render`] gives it its scripts; `style.css` is in every page.

pub mod charts;
mod environment;
pub mod escape;
pub mod numbers;
pub mod words;

use std::path::Path;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, Value};
use mtlcore::mtl::files::write_atomically;
use sha2::{Digest, Sha256};

pub use environment::environment;

/// Fills in a template that extends `page.html`, with the scripts that the page runs, in their order.
pub fn render(environment: &mut Environment<'_>, template: &str, scripts: &[&str], values: Value) -> Result<String> {
    let scripts: Vec<String> = scripts.iter().map(|code| escape::script(code)).collect();
    environment.add_global("policy", Value::from_safe_string(policy(&scripts)));
    environment.add_global("scripts", scripts.into_iter().map(Value::from_safe_string).collect::<Value>());
    Ok(environment.get_template(template)?.render(values)?)
}

/// Writes a page whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<()> {
    Ok(write_atomically(path, |output| output.write_all(text.as_bytes()))?)
}

/// The content security policy: no network, no `eval`, and no script but these, by their hashes. Styles may be inline, as the charts
/// set them; they cannot load anything either.
fn policy(scripts: &[String]) -> String {
    let hashes: Vec<String> =
        scripts.iter().map(|code| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(code)))).collect();
    let scripts = if hashes.is_empty() { "'none'".into() } else { hashes.join(" ") };
    format!(
        "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: the example of the Content Security Policy specification, level 3, section 8.2.
    #[test]
    fn a_script_is_allowed_by_its_hash() {
        let policy = policy(&["alert('Hello, world.');".into()]);
        assert!(policy.contains("script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='; "), "{policy}");
        assert!(!policy.contains("unsafe-eval") && policy.starts_with("default-src 'none'; "));
    }
}
