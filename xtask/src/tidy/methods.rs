//! The list of sign-in methods, `crates/identity/src/methods/list.rs`, of which the struct `Methods` of the configuration is
//! made: `name: method, section;`, or `name: method;` for a method without a section.

/// A method with a configuration section.
pub(super) struct Configured<'a> {
    pub(super) name: &'a str,
    /// The type of the section.
    pub(super) section: &'a str,
    pub(super) line: usize,
}

/// The methods of the list in this file, if it contains the list.
pub(super) fn configured<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Configured<'a>> {
    let mut lines = lines.enumerate();
    lines.find(|(_, line)| line.trim() == "macro_rules! methods {");
    let list = lines.skip_while(|(_, line)| line.trim() != "$build! {").take_while(|(_, line)| line.trim() != "}");
    list.filter_map(|(index, line)| {
        let (name, method) = line.trim().split_once(": ")?;
        let (_, section) = method.strip_suffix(';')?.split_once(", ")?;
        Some(Configured { name, section, line: index + 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_with_a_section_are_found() {
        let text = "macro_rules! methods {\n    ($build:ident) => {\n        $build! {\n            code: code::Code, \
                    code::CodeMethod;\n            oidc: oidc::OIDC;\n        }\n    };\n}\n\nlet it: It = (a, b);\n";
        let found: Vec<_> = configured(text.lines()).map(|it| (it.name, it.section, it.line)).collect();
        assert_eq!(found, [("code", "code::CodeMethod", 4)]);
    }
}
