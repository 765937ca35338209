//! The types of subjects that relations accepted before a change of the model, and do not accept any more. A type that needs a
//! condition from now on is another type than the one without it.

use std::collections::{HashMap, HashSet};

use permission_language::{Model, SubjectType};

use super::write_validation::full_name;

/// `Doc.viewers: User`, for each relation and type. The work is linear in the length of the models.
pub fn withdrawn_types(before: &Model, after: &Model) -> Vec<String> {
    let mut withdrawn = Vec::new();
    let old: HashMap<_, _> = relations(before).collect();
    for (name, types) in relations(after) {
        let Some(old) = old.get(&name) else { continue };
        let with_condition: HashSet<_> = types.iter().map(kind).collect();
        let plain: HashSet<_> = types.iter().map(|it| (&it.namespace, &it.relation)).collect();
        for gone in old.iter().filter(|it| !types.is_empty() && !with_condition.contains(&kind(it))) {
            let needs_one = gone.condition.is_none() && plain.contains(&(&gone.namespace, &gone.relation));
            let without = if needs_one { " without a condition" } else { "" };
            withdrawn.push(format!("{}.{}: {}{without}", name.0, name.1, full_name(gone)));
        }
    }
    withdrawn
}

/// The types of each relation, by its namespace and its name.
fn relations(model: &Model) -> impl Iterator<Item = ((&str, &str), &[SubjectType])> {
    model.namespaces.iter().flat_map(|namespace| {
        let name = namespace.name.as_str();
        namespace.relations.iter().map(move |it| ((name, it.name.as_str()), it.types.as_slice()))
    })
}

fn kind(it: &SubjectType) -> (&String, &Option<String>, &Option<String>) {
    (&it.namespace, &it.relation, &it.condition)
}

#[cfg(test)]
mod tests {
    use permission_language::{SourceFile, parse};

    use super::*;

    fn withdrawn(before: &str, after: &str) -> Vec<String> {
        let [before, after] = [before, after].map(|types| {
            let text = format!(
                "const c: Condition = \"true\"; class User implements Namespace {{}} class Doc implements Namespace {{ related: \
                 {{ viewers: ({types})[] }} }}"
            );
            parse(&[SourceFile { name: "", text: &text }]).model.unwrap()
        });
        withdrawn_types(&before, &after)
    }

    #[test]
    fn a_type_that_gets_a_condition_is_withdrawn_without_it() {
        assert_eq!(withdrawn("User", "When<User, \"c\">"), ["Doc.viewers: User without a condition"]);
        assert_eq!(
            withdrawn("User | When<User, \"c\">", "When<User, \"c\">"),
            ["Doc.viewers: User without a condition"]
        );
        assert_eq!(withdrawn("When<User, \"c\">", "User"), ["Doc.viewers: User with the condition \"c\""]);
        assert_eq!(withdrawn("User | Doc", "User"), ["Doc.viewers: Doc"]);
        for (before, after) in [("User", "User"), ("User", "User | When<User, \"c\">"), ("User | Doc", "Doc | User")] {
            assert_eq!(withdrawn(before, after), [""; 0], "{before} to {after}");
        }
    }
}
