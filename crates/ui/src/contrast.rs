//! The contrast of the colours of the pages (WCAG 2.2, 1.4.3 for text, 1.4.11 for the parts of controls).
//!
//! The built-in colours have sufficient contrast, which a test computes. The colours of an operator are checked at the start,
//! so that unreadable pages are reported before anyone visits them.

use std::collections::BTreeMap;
use std::fmt;

use csscolorparser::Color;

use crate::assets::{COLORS, STYLE};
use crate::{ColorScheme, Config};

const TEXT: f32 = 4.5;
const PART: f32 = 3.0;

/// Pairs of foreground and background, and the minimal contrast.
const PAIRS: [(&str, &str, f32); 22] = [
    ("text", "surface", TEXT),
    ("text", "ground", TEXT),
    ("text", "sunken", TEXT),
    ("muted", "surface", TEXT),
    ("muted", "ground", TEXT),
    ("muted", "sunken", TEXT),
    ("accent", "surface", TEXT),
    ("accent-strong", "surface", TEXT),
    ("accent-strong", "accent-soft", TEXT),
    ("accent", "accent-soft", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("danger", "surface", TEXT),
    ("danger", "danger-soft", TEXT),
    ("text", "danger-soft", TEXT),
    ("text", "success-soft", TEXT),
    ("text", "accent-soft", TEXT),
    ("edge", "surface", PART),
    ("focus", "surface", PART),
    ("focus", "ground", PART),
    ("danger", "danger-soft", PART),
    ("success", "success-soft", PART),
];

/// One of the two sets of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The key of the configuration that sets its colours.
    const fn section(self) -> &'static str {
        match self {
            Self::Light => "variables",
            Self::Dark => "dark_variables",
        }
    }

    /// The beginning of the block of its tokens in the style sheet.
    const fn opening(self) -> &'static str {
        match self {
            Self::Light => ":root {",
            Self::Dark => ":root[data-theme=\"dark\"] {",
        }
    }
}

/// A finding about a colour of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContrastFinding {
    /// The key within the `ui` section, as `variables.accent`.
    pub key: String,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Weak { scheme: Scheme, front: &'static str, back: &'static str, ratio: String, least: String },
    Unreadable,
}

impl fmt::Display for ContrastFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Weak { scheme, front, back, ratio, least } => write!(
                f,
                "{front} on {back} has a contrast of {ratio} in the {} scheme, but needs {least} (WCAG 2.2): many people \
                 cannot read it; choose colours that differ more",
                scheme.name()
            ),
            Problem::Unreadable => f.write_str(
                "the contrast of this colour is not checked, because it is not a plain CSS colour such as #0b6157, rgb(), \
                 hsl() or oklch(); check it in a browser",
            ),
        }
    }
}

impl Config {
    /// The colours with too little contrast, and those that cannot be checked.
    pub fn contrast_findings(&self) -> Vec<ContrastFinding> {
        findings(self)
    }
}

/// The colours of the configuration that have too little contrast or cannot be checked.
fn findings(config: &Config) -> Vec<ContrastFinding> {
    let schemes = [(Scheme::Light, &config.variables), (Scheme::Dark, &config.dark_variables)];
    let is_used = |scheme| match config.color_scheme {
        ColorScheme::Auto => true,
        ColorScheme::Light => scheme == Scheme::Light,
        ColorScheme::Dark => scheme == Scheme::Dark,
    };
    schemes
        .into_iter()
        .filter(|(scheme, _)| is_used(*scheme))
        .flat_map(|(scheme, set)| of_scheme(scheme, set))
        .collect()
}

fn of_scheme(scheme: Scheme, set: &BTreeMap<String, String>) -> Vec<ContrastFinding> {
    let finding = |name: &str, problem| ContrastFinding { key: format!("{}.{name}", scheme.section()), problem };
    let mut tokens = built_in(scheme);
    let mut findings = Vec::new();
    for (name, value) in set {
        match COLORS.iter().find(|color| *color == name) {
            Some(color) if csscolorparser::parse(value).is_err() => {
                // The pairs of this colour cannot be computed.
                tokens.remove(color);
                findings.push(finding(name, Problem::Unreadable));
            }
            Some(color) => {
                tokens.insert(color, value);
            }
            None => {}
        }
    }
    for (front, back, least) in PAIRS {
        let Some(named) = [front, back].into_iter().find(|name| set.contains_key(*name)) else { continue };
        let Some(ratio) = ratio(scheme, &tokens, front, back).filter(|ratio| *ratio < least) else { continue };
        // Rounded down, so that an insufficient ratio never looks sufficient.
        let ratio = format!("{:.2}", (ratio * 100.0).floor() / 100.0);
        findings.push(finding(named, Problem::Weak { scheme, front, back, ratio, least: least.to_string() }));
    }
    findings
}

/// The tokens of the style sheet.
fn built_in(scheme: Scheme) -> BTreeMap<&'static str, &'static str> {
    let block = STYLE.split_once(scheme.opening()).and_then(|(_, rest)| rest.split_once('}')).map_or("", |it| it.0);
    let declarations = block.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'));
    declarations.map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// `None` when one of the colours is unknown.
fn ratio(scheme: Scheme, tokens: &BTreeMap<&str, &str>, front: &str, back: &str) -> Option<f32> {
    let color = |name: &str| csscolorparser::parse(tokens.get(name)?).ok();
    let canvas = match scheme {
        Scheme::Light => Color::new(1.0, 1.0, 1.0, 1.0),
        Scheme::Dark => Color::new(0.0, 0.0, 0.0, 1.0),
    };
    let behind = over(&color("surface").unwrap_or(canvas), &canvas);
    let back = over(&color(back)?, &behind);
    let (front, back) = (luminance(&over(&color(front)?, &back)), luminance(&back));
    Some((front.max(back) + 0.05) / (front.min(back) + 0.05))
}

/// The visible colour of a colour that may be translucent.
fn over(upper: &Color, lower: &Color) -> Color {
    let upper = upper.clamp();
    let mix = |upper_part: f32, lower_part: f32| upper_part.mul_add(upper.a, lower_part * (1.0 - upper.a));
    Color::new(mix(upper.r, lower.r), mix(upper.g, lower.g), mix(upper.b, lower.b), 1.0)
}

/// The relative luminance of WCAG 2.2.
fn luminance(color: &Color) -> f32 {
    let [red, green, blue, _] = color.to_linear_rgba();
    0.2126f32.mul_add(red, 0.7152f32.mul_add(green, 0.0722 * blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(config: &Config) -> Vec<String> {
        findings(config).iter().map(|finding| format!("{}: {finding}", finding.key)).collect()
    }

    fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_built_in_colors_keep_their_contrast_in_both_schemes() {
        for scheme in [Scheme::Light, Scheme::Dark] {
            let tokens = built_in(scheme);
            for (front, back, least) in PAIRS {
                let ratio = ratio(scheme, &tokens, front, back).unwrap();
                assert!(ratio >= least, "{scheme:?}: {front} on {back}: {ratio:.2}");
            }
        }
        assert!(lines(&Config::default()).is_empty());
    }

    #[test]
    fn black_on_white_has_the_greatest_contrast() {
        let tokens = BTreeMap::from([("text", "black"), ("surface", "white")]);
        let ratio = ratio(Scheme::Light, &tokens, "text", "surface").unwrap();
        assert!((ratio - 21.0).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn a_weak_color_is_reported_with_its_pair_and_ratio() {
        let light = Config { variables: set(&[("muted", "#b0b0b0"), ("radius", "2px")]), ..Config::default() };
        let lines = lines(&light);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(
            lines[0],
            "variables.muted: muted on surface has a contrast of 2.16 in the light scheme, but needs 4.5 (WCAG 2.2): many \
             people cannot read it; choose colours that differ more"
        );
    }

    #[test]
    fn every_color_notation_of_css_is_supported() {
        for yellow in
            ["#ff0", "yellow", "rgb(255 255 0)", "hsl(60 100% 50%)", "oklch(96.8% 0.211 109.8)", "rgb(100% 100% 0%)"]
        {
            let config = Config { variables: set(&[("accent", yellow)]), ..Config::default() };
            assert!(
                lines(&config).iter().any(|line| line.contains("accent on surface has a contrast of 1.0")),
                "{yellow}"
            );
        }
    }

    #[test]
    fn a_translucent_color_counts_as_its_visible_color() {
        let config = Config { variables: set(&[("text", "rgb(0 0 0 / 30%)")]), ..Config::default() };
        assert!(
            lines(&config).iter().any(|line| line.contains("text on surface has a contrast of 2.")),
            "{:?}",
            lines(&config)
        );
    }

    #[test]
    fn a_color_that_cannot_be_computed_is_reported_as_unchecked() {
        let config = Config { dark_variables: set(&[("accent", "var(--brand)")]), ..Config::default() };
        let lines = lines(&config);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("dark_variables.accent: the contrast of this colour is not checked"), "{lines:?}");
    }

    #[test]
    fn a_scheme_that_is_never_shown_is_not_checked() {
        let weak = set(&[("muted", "#b0b0b0")]);
        let config = Config { variables: weak, color_scheme: ColorScheme::Dark, ..Config::default() };
        assert!(lines(&config).is_empty());
    }

    #[test]
    fn the_dark_scheme_is_the_same_whether_preferred_or_chosen() {
        let preferred = STYLE.split_once(":root:not([data-theme=\"light\"]) {").unwrap().1.split_once('}').unwrap().0;
        let lines = |block: &str| block.trim().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
        let chosen = STYLE.split_once(Scheme::Dark.opening()).unwrap().1.split_once('}').unwrap().0;
        assert_eq!(lines(preferred), lines(chosen));
    }

    #[test]
    fn the_tokens_with_a_dark_value_are_those_that_operators_set_for_each_scheme() {
        let mut known = COLORS.to_vec();
        known.sort_unstable();
        assert_eq!(built_in(Scheme::Dark).into_keys().collect::<Vec<_>>(), known);
    }

    #[test]
    fn the_style_sheet_uses_only_logical_sides() {
        // Right-to-left languages mirror the pages, so only the start and the end of a line are named.
        let physical = ["left", "right", "margin-top", "margin-bottom", "padding-top", "padding-bottom", "border-top"];
        for line in STYLE.lines() {
            for word in physical {
                assert!(!line.contains(word), "{word}: {line}");
            }
        }
    }
}
