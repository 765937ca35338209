//! Objects: what a pointer to a struct with a method `String` is in Go, for instance a `*url.URL`.
//!
//! Invariants: an object prints as its text wherever a value is printed; it is neither a dictionary nor a list; a member that
//! it does not have is an error, unlike a missing member of a dictionary.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{TemplateError, Value};

use crate::Outcome;
use crate::arguments::{string, text, wrong};

/// The members of an object by name.
pub type Members = BTreeMap<Arc<str>, Value>;

/// What makes up an object.
pub struct Object {
    /// The type in messages, for instance `*url.URL`.
    pub type_name: &'static str,
    /// How it is printed.
    pub text: String,
    /// Its fields, which are its JSON form.
    pub fields: Members,
    /// The results of its methods without arguments, and fields whose text is not that of their JSON form.
    pub methods: Members,
}

impl Object {
    /// The value. The engine has no type for objects; functions are the only values that it leaves alone. Without an argument
    /// the function is the text, with a name it is the member, with nil it is the dictionary of the fields.
    pub fn into_value(self) -> Value {
        let Self { type_name, text: printed, fields, methods } = self;
        let (printed, fields) = (text(printed), Value::Map(Arc::new(fields)));
        Value::Function(Arc::new(move |given: &[Value]| match given {
            [] => Ok(printed.clone()),
            [Value::Nil] => Ok(fields.clone()),
            [name, ..] => {
                let name = string("a member", name)?;
                let member = methods.get(name).or_else(|| fields.field(name));
                member.cloned().ok_or_else(|| no_member(name, type_name))
            }
        }))
    }
}

/// A member of a value, as `.name` selects it.
///
/// # Errors
/// The value has no members, or it is an object without this one.
pub fn member(value: &Value, name: &str) -> Outcome {
    match value {
        Value::Map(members) => Ok(members.get(name).cloned().unwrap_or(Value::Nil)),
        Value::Nil => Ok(Value::Nil),
        Value::Function(object) => object(&[text(name)]),
        other => Err(no_member(name, other.type_name())),
    }
}

fn no_member(name: &str, type_name: &str) -> TemplateError {
    wrong(format!("can't evaluate field {name} in type {type_name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextTemplate;

    fn render(template: &str) -> Result<String, String> {
        let members = |name: &str, value: &str| Members::from([(Arc::from(name), text(value))]);
        let object = Object {
            type_name: "*it",
            text: "<it>".to_owned(),
            fields: members("Field", "f"),
            methods: members("Method", "m"),
        };
        let data = Value::Map(Arc::new(Members::from([(Arc::from("o"), object.into_value())])));
        let template = TextTemplate::new("test", 100).parse(template).map_err(|error| error.to_string())?;
        template.render(&data).map_err(|error| error.to_string())
    }

    #[test]
    fn an_object_prints_as_its_text() {
        for (template, expected) in [
            ("{{ .o }}|{{ print .o }}|{{ println .o }}", "<it>|<it>|<it>\n"),
            ("{{ printf \"%s|%v|%q|%6s|%x\" .o .o .o .o .o }}", "<it>|<it>|\"<it>\"|  <it>|3c69743e"),
            ("{{ toString .o | upper }}{{ quote .o }}{{ cat .o }}", "<IT>\"<it>\"<it>"),
            ("{{ html .o }}{{ list .o | join \"-\" }}{{ list .o }}", "&lt;it&gt;<it>[<it>]"),
            ("{{ toJson .o }}{{ if .o }}yes{{ end }}", "{\"Field\":\"f\"}yes"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(expected), "{template}");
        }
        for template in
            ["{{ .o.Field }}", "{{ range .o }}{{ end }}", "{{ index .o \"Field\" }}", "{{ len .o }}", "{{ keys .o }}"]
        {
            assert!(render(template).is_err(), "{template}");
        }
    }

    #[test]
    fn an_object_has_its_members_and_no_others() {
        let object = Object {
            type_name: "*it",
            text: String::new(),
            fields: Members::from([(Arc::from("Field"), text("f"))]),
            methods: Members::from([(Arc::from("Method"), text("m"))]),
        }
        .into_value();
        let printed = |name: &str| member(&object, name).map(|it| it.to_string()).map_err(|it| it.to_string());
        assert_eq!((printed("Field").as_deref(), printed("Method").as_deref()), (Ok("f"), Ok("m")));
        assert!(printed("Other").unwrap_err().contains("can't evaluate field Other in type *it"));
        assert!(matches!(member(&Value::Nil, "a"), Ok(Value::Nil)));
        assert!(member(&text("a"), "a").is_err());
    }
}
