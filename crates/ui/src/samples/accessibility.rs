//! Contrast of the design tokens, computed from the style sheet (WCAG 1.4.3: 4.5 for text; 1.4.11: 3 for controls).

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../assets/kleis.css");

fn tokens(opening: &str) -> BTreeMap<String, String> {
    let (_, rest) = STYLE.split_once(opening).unwrap();
    let (block, _) = rest.split_once('}').unwrap();
    block
        .split(';')
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

fn luminance(color: &str) -> f64 {
    let digits = color.strip_prefix('#').unwrap();
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn colors_keep_their_contrast_in_both_schemes() {
    let text = [
        ("text", "surface"),
        ("text", "ground"),
        ("text", "sunken"),
        ("muted", "surface"),
        ("muted", "ground"),
        ("muted", "sunken"),
        ("accent", "surface"),
        ("accent-strong", "surface"),
        ("accent-strong", "accent-soft"),
        ("accent", "accent-soft"),
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("danger", "surface"),
        ("danger", "danger-soft"),
        ("text", "danger-soft"),
        ("text", "success-soft"),
        ("text", "accent-soft"),
    ];
    let controls = [
        ("edge", "surface"),
        ("focus", "surface"),
        ("focus", "ground"),
        ("danger", "danger-soft"),
        ("success", "success-soft"),
    ];
    for opening in [":root {", ":root:not([data-theme=\"light\"]) {"] {
        let tokens = tokens(opening);
        for (pairs, least) in [(text.as_slice(), 4.5), (controls.as_slice(), 3.0)] {
            for (front, back) in pairs {
                let ratio = contrast(&tokens[*front], &tokens[*back]);
                assert!(ratio >= least, "{opening} {front} on {back}: {ratio:.2}");
            }
        }
    }
}

#[test]
fn the_dark_scheme_is_the_same_whether_preferred_or_chosen() {
    assert_eq!(tokens(":root:not([data-theme=\"light\"]) {"), tokens(":root[data-theme=\"dark\"] {"));
}

#[test]
fn the_tokens_with_a_dark_value_are_those_that_operators_set_for_each_scheme() {
    let dark: Vec<_> = tokens(":root[data-theme=\"dark\"] {").into_keys().collect();
    let mut known = crate::assets::COLORS.map(str::to_owned).to_vec();
    known.sort();
    assert_eq!(dark, known);
}
