//! The types of subjects that relations accepted before a change of the model, and do not accept any more. A type that needs a
//! condition from now on is another type than the one without it.

use std::collections::{BTreeSet, HashMap, HashSet};

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

/// The kinds of relation tuples that the model accepts only with a condition: namespace, relation, and namespace and relation of the
/// subject. Those of subject ids, which have no type, are empty.
pub fn kinds_with_condition(model: &Model) -> Vec<[&str; 4]> {
    let mut kinds = BTreeSet::new();
    for ((namespace, relation), types) in relations(model) {
        let plain: HashSet<_> = types.iter().filter(|it| it.condition.is_none()).map(subject_kind).collect();
        for it in types.iter().filter(|it| !plain.contains(&subject_kind(it))) {
            let (of_namespace, of_relation) = subject_kind(it);
            kinds.insert([namespace, relation, of_namespace, of_relation]);
            // A subject id stands for an object of any type that needs no condition.
            if of_relation.is_empty() && !plain.iter().any(|(_, relation)| relation.is_empty()) {
                kinds.insert([namespace, relation, "", ""]);
            }
        }
    }
    kinds.into_iter().collect()
}

fn subject_kind(it: &SubjectType) -> (&str, &str) {
    (&it.namespace, it.relation.as_deref().unwrap_or_default())
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

    fn model(types: &str) -> Model {
        let text = format!(
            "const c: Condition = \"true\"; class User implements Namespace {{}} class Doc implements Namespace {{ related: \
             {{ viewers: ({types})[] }} }}"
        );
        parse(&[SourceFile { name: "", text: &text }]).model.unwrap()
    }

    fn withdrawn(before: &str, after: &str) -> Vec<String> {
        withdrawn_types(&model(before), &model(after))
    }

    #[test]
    fn a_kind_needs_a_condition_when_no_type_of_it_is_without_one() {
        let kinds = |types: &str| {
            let model = model(types);
            kinds_with_condition(&model).iter().map(|it| format!("{}#{}", it[2], it[3])).collect::<Vec<_>>()
        };
        assert_eq!(kinds("User | When<User, \"c\">"), [""; 0]);
        assert_eq!(kinds("When<User, \"c\">"), ["#", "User#"]);
        assert_eq!(kinds("Doc | When<User, \"c\">"), ["User#"]);
        assert_eq!(kinds("User | When<SubjectSet<Doc, \"viewers\">, \"c\">"), ["Doc#viewers"]);
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
