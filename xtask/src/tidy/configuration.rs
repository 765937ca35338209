//! Finds configuration keys that no code reads. A key is a field of a struct that derives `Deserialize` and `JsonSchema`, or a
//! sign-in method with a section.
//!
//! A read is `.field` or a pattern with the field, outside of tests, in a file that names the struct, reads a field of its
//! type, or calls a function with the name of such a field. A field whose name begins with `_` is deliberately not read. The
//! rule works on text without types: a field that has the name of another one can be missed.

use super::Finding;
use super::methods;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let sources: Vec<Source<'_>> = tree.files().iter().filter(|file| !file.is_test()).filter_map(Source::of).collect();
    let sections: Vec<Section> = sources.iter().flat_map(sections_of).collect();
    sections.iter().flat_map(|section| check_section(section, &sections, &sources)).collect()
}

fn check_section(section: &Section, all: &[Section], sources: &[Source<'_>]) -> Vec<Finding> {
    let holds = |field: &Field| words(&field.kind).any(|word| word == section.name);
    let parents: Vec<&str> = all
        .iter()
        .filter(|it| it.krate == section.krate)
        .flat_map(|it| &it.fields)
        .filter(|field| holds(field))
        .map(|field| field.name.as_str())
        .collect();
    let is_about = |source: &&Source<'_>| {
        let is_near = source.krate == section.krate || source.krate == "server";
        is_near
            && (source.path == section.path
                || parents.is_empty()
                || source.names(&section.name)
                || parents.iter().any(|parent| source.reads(parent) || source.calls(parent)))
    };
    let near: Vec<&Source<'_>> = sources.iter().filter(is_about).collect();
    let is_read = |field: &Field| near.iter().any(|it| it.reads(&field.name) || it.takes_apart(section, &field.name));
    let unread = section.fields.iter().filter(|field| !field.name.starts_with('_') && !is_read(field));
    unread
        .map(|field| {
            let message = format!(
                "no code reads the key `{}` of `{}`: read it, remove it, or begin its name with `_` and rename it for serde",
                field.name, section.name
            );
            Finding::error(format!("{}:{}", section.path, field.line), message)
        })
        .collect()
}

/// A struct that is deserialized from the configuration.
struct Section {
    krate: String,
    path: String,
    name: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    kind: String,
    line: usize,
}

/// The code of a file without tests and without code that writes fields.
struct Source<'a> {
    krate: &'a str,
    path: &'a str,
    lines: Vec<&'a str>,
    code: String,
}

impl<'a> Source<'a> {
    fn of(file: &'a File) -> Option<Self> {
        let lines: Vec<&str> = file.code.as_ref()?.lines.iter().map(String::as_str).collect();
        let end = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "));
        let lines = lines[..end.unwrap_or(lines.len())].to_vec();
        let mut code = String::new();
        let mut is_skipped = false;
        for line in &lines {
            is_skipped |= line.starts_with("impl Default for ") || declared_struct(line).is_some();
            if !is_skipped {
                code.push_str(line);
                code.push('\n');
            }
            let ends = line.starts_with('}') || (declared_struct(line).is_some() && line.ends_with(';'));
            is_skipped &= !ends;
        }
        Some(Self { krate: file.krate()?, path: &file.path, lines, code })
    }

    fn names(&self, name: &str) -> bool {
        words(&self.code).any(|word| word == name)
    }

    fn calls(&self, name: &str) -> bool {
        self.code.contains(&format!(".{name}()"))
    }

    fn reads(&self, field: &str) -> bool {
        self.code.match_indices(field).any(|(start, _)| {
            let after = self.code[start + field.len()..].chars().next();
            self.code[..start].ends_with('.') && !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '(')
        })
    }

    /// Whether a pattern destructures the field: `Section { field, .. } =`.
    fn takes_apart(&self, section: &Section, field: &str) -> bool {
        [format!("{} {{", section.name), "Self {".to_owned()].iter().any(|beginning| {
            self.code.match_indices(beginning.as_str()).any(|(start, _)| {
                let inside = &self.code[start + beginning.len()..];
                let Some((inside, rest)) = inside.split_once('}') else { return false };
                let is_pattern = rest.trim_start().starts_with(['=', '|', ')', ':']);
                is_pattern && words(inside).any(|word| word == field)
            })
        })
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn declared_struct(line: &str) -> Option<&str> {
    let declaration = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
    let name = declaration.trim_start_matches("pub ").strip_prefix("struct ")?;
    words(name).next()
}

fn sections_of(source: &Source<'_>) -> Vec<Section> {
    let mut found: Vec<Section> = methods_section(source).into_iter().collect();
    let mut is_read_from_configuration = false;
    let mut open: Option<Section> = None;
    for (index, line) in source.lines.iter().enumerate() {
        if line.trim_start().starts_with("#[derive(") {
            is_read_from_configuration =
                ["Deserialize", "JsonSchema"].iter().all(|it| words(line).any(|word| word == *it));
        } else if let Some(name) = declared_struct(line).filter(|_| is_read_from_configuration && line.ends_with('{')) {
            let (krate, path) = (source.krate.to_owned(), source.path.to_owned());
            open = Some(Section { krate, path, name: name.to_owned(), fields: Vec::new() });
            is_read_from_configuration = false;
        } else if line.trim() == "}" {
            found.extend(open.take());
        } else if let (Some(section), Some((name, kind))) = (&mut open, line.split_once(": ")) {
            // Attributes, and the fields of structs that a macro generates.
            let is_field = !line.trim_start().starts_with(['#', '$']);
            let name = words(name).last().filter(|_| is_field).map(str::to_owned);
            section.fields.extend(name.map(|name| Field { name, kind: kind.to_owned(), line: index + 1 }));
        }
    }
    found
}

/// `selfservice.methods`: its fields are the methods that have a section.
fn methods_section(source: &Source<'_>) -> Option<Section> {
    let methods = methods::configured(source.lines.iter().copied());
    let field =
        |it: methods::Configured<'_>| Field { name: it.name.to_owned(), kind: it.section.to_owned(), line: it.line };
    let fields: Vec<Field> = methods.map(field).collect();
    let (krate, path) = (source.krate.to_owned(), source.path.to_owned());
    (!fields.is_empty()).then(|| Section { krate, path, name: "Methods".to_owned(), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "\
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    pub session: Session,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Session {
    /// How long it lasts.
    pub lifespan: Duration,
    #[serde(rename = \"accepted\")]
    pub _accepted: bool,
}

impl Default for Session {
    fn default() -> Self {
        let other = Other::new();
        Self { lifespan: other.lifespan, _accepted: true }
    }
}
";

    fn unread(reader: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/identity/src/config.rs", SECTION), ("crates/identity/src/session.rs", reader)]);
        check(&tree).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn a_key_without_a_reader_is_found() {
        assert_eq!(
            unread("fn lifespan(config: &Config) {}"),
            ["crates/identity/src/config.rs:4", "crates/identity/src/config.rs:11"]
        );
        assert_eq!(
            unread("fn session(config: &Config) -> &Session { &config.session }"),
            ["crates/identity/src/config.rs:11"]
        );
        let in_tests =
            "fn f() { config.session }\n#[cfg(test)]\nmod tests {\n    fn f() { config.session.lifespan }\n}";
        assert_eq!(unread(in_tests), ["crates/identity/src/config.rs:11"]);
    }

    #[test]
    fn a_key_that_is_read_is_not_found() {
        assert_eq!(unread("fn f(config: &Config) { config.session.lifespan.get() }"), Vec::<String>::new());
        assert_eq!(unread("fn f() { let Session { lifespan, .. } = &config.session; }"), Vec::<String>::new());
    }

    #[test]
    fn the_section_of_a_sign_in_method_is_a_key() {
        let found = |reader: &str| {
            let methods = "macro_rules! methods {\n    ($build:ident) => {\n        $build! {\n            code: code::Code, \
                           code::CodeMethod;\n            oidc: oidc::OIDC;\n        }\n    };\n}\n";
            let config = "#[derive(Deserialize, JsonSchema)]\npub struct Selfservice {\n    pub methods: Methods,\n}\n";
            let section = "#[derive(Deserialize, JsonSchema)]\npub struct CodeMethod {\n    pub enabled: bool,\n}\n";
            let tree = Tree::of(&[
                ("crates/identity/src/methods/list.rs", methods),
                ("crates/identity/src/methods/code/config.rs", section),
                ("crates/identity/src/config.rs", config),
                ("crates/identity/src/service.rs", "fn methods(&self) -> &Methods { &self.config.methods }"),
                ("crates/identity/src/methods/code/mod.rs", reader),
                ("crates/identity/src/methods/totp/mod.rs", "fn f(totp: &Totp) -> bool { totp.enabled }"),
            ]);
            check(&tree).into_iter().map(|finding| finding.place).collect::<Vec<_>>()
        };
        let (method, enabled) =
            ("crates/identity/src/methods/list.rs:4", "crates/identity/src/methods/code/config.rs:3");
        assert_eq!(found("fn f() {}"), [method, enabled]);
        assert_eq!(found("fn f(service: &Identity) { service.methods().code }"), [enabled]);
        assert_eq!(found("fn f(service: &Identity) { service.methods().code.enabled }"), Vec::<&str>::new());
    }

    #[test]
    fn a_field_of_the_same_name_elsewhere_is_not_a_read() {
        let elsewhere = "fn f(config: &Config) { config.session }";
        let tree = Tree::of(&[
            ("crates/identity/src/config.rs", SECTION),
            ("crates/identity/src/session.rs", elsewhere),
            ("crates/identity/src/flow.rs", "fn g(flow: &Flow) { flow.lifespan }"),
        ]);
        assert_eq!(check(&tree).len(), 1);
    }
}
