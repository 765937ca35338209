//! Models without the language: the lists of namespaces of older configurations. Their namespaces have no relations, so they
//! accept relation tuples of any relation.

use std::collections::HashSet;

use crate::model::{Model, Namespace};

/// The model of a list of names, in their order. A name that occurs again is the same namespace.
pub fn legacy_model<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Model {
    let mut seen = HashSet::new();
    let namespaces = names
        .into_iter()
        .map(Into::into)
        .filter(|name: &String| seen.insert(name.clone()))
        .map(|name| Namespace { name, ..Namespace::default() })
        .collect();
    Model { namespaces, conditions: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_is_a_model_of_namespaces_without_relations() {
        let model = legacy_model(["files", "groups", "files"]);
        let names: Vec<&str> = model.namespaces.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["files", "groups"], "a repeated name is one namespace");
        assert!(model.namespaces.iter().all(|it| it.relations.is_empty() && it.permits.is_empty()));
        assert!(model.conditions.is_empty());
    }
}
