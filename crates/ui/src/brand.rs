//! The part of the design that mails can show. A mail program loads no style sheet and knows no design tokens, so a mail
//! uses plain values only.

use crate::Config;
use crate::config::logo_source;

/// The light values of `assets/kleis.css`: a mail has a light background.
const ACCENT: &str = "#0b6157";
const ON_ACCENT: &str = "#ffffff";

/// Name, logo and colours of the product, each valid in an HTML attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    pub product_name: String,
    /// An absolute `http` or `https` URL: a mail program cannot resolve a path on this server.
    pub logo_url: Option<String>,
    pub accent: String,
    /// The colour of text on the accent.
    pub on_accent: String,
}

impl Brand {
    pub(crate) fn new(config: &Config) -> Self {
        let token = |name: &str| config.variables.get(name).map(String::as_str);
        let logo = config.logo_url.as_deref().filter(|logo| logo_source(logo).is_some_and(|origin| !origin.is_empty()));
        // The contrast of the two colours was checked together, so a mail uses both or neither.
        let (accent, on_accent) = match (token("accent"), token("on-accent").unwrap_or(ON_ACCENT)) {
            (Some(accent), on_accent) if is_plain_color(accent) && is_plain_color(on_accent) => (accent, on_accent),
            _ => (ACCENT, ON_ACCENT),
        };
        Self {
            product_name: config.product_name.clone(),
            logo_url: logo.map(str::to_owned),
            accent: accent.to_owned(),
            on_accent: on_accent.to_owned(),
        }
    }
}

/// A colour that mail programs know: a name, three or six hexadecimal digits, or `rgb(…)` with numbers.
fn is_plain_color(value: &str) -> bool {
    if let Some(digits) = value.strip_prefix('#') {
        return matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(numbers) = value.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        return numbers.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b',' | b'.' | b'%'));
    }
    value.len() >= 3 && value.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(variables: &[(&str, &str)], logo: Option<&str>) -> Brand {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Brand::new(&Config { variables, logo_url: logo.map(str::to_owned), ..Config::default() })
    }

    #[test]
    fn a_mail_takes_the_accent_that_mail_programs_can_draw() {
        for (accent, shown) in [
            ("#7a1fa2", "#7a1fa2"),
            ("rgb(1, 2, 3)", "rgb(1, 2, 3)"),
            ("teal", "teal"),
            ("oklch(60% 0.1 200)", ACCENT),
            ("var(--x)", ACCENT),
        ] {
            assert_eq!(brand(&[("accent", accent)], None).accent, shown, "{accent}");
        }
        let unusable_pair = brand(&[("accent", "#ffffff"), ("on-accent", "color-mix(in srgb, red, blue)")], None);
        assert_eq!((unusable_pair.accent.as_str(), unusable_pair.on_accent.as_str()), (ACCENT, ON_ACCENT));
    }

    #[test]
    fn only_an_absolute_logo_is_shown_in_a_mail() {
        let absolute = "https://cdn.example.org/logo.png";
        assert_eq!(brand(&[], Some(absolute)).logo_url.as_deref(), Some(absolute));
        assert_eq!(brand(&[], Some("/logo.svg")).logo_url, None);
        assert_eq!(brand(&[], Some("javascript:alert(1)")).logo_url, None);
    }

    #[test]
    fn the_built_in_colors_are_those_of_the_style_sheet() {
        let sheet = include_str!("../assets/kleis.css");
        assert!(
            sheet.contains(&format!("--accent: {ACCENT};")) && sheet.contains(&format!("--on-accent: {ON_ACCENT};"))
        );
    }
}
