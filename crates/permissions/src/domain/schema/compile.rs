//! From the model of the language to a [`Schema`].

use permission_language::{Expression, Model, Namespace, Permit, Relation, SubjectType};

use super::definition::{Accepted, Alternative, Definition, FormulaId, Operand, SubjectPattern};
use super::sources::Sources;
use super::{NamespaceRules, Schema, cycles};
use crate::domain::hashing::IdMap;
use crate::domain::ids::NamespaceId;
use crate::domain::symbols::{Symbols, TooManyNames};

/// Expressions are compiled by recursion, so their depth is bounded here whatever the parser allowed.
const MAX_NESTING: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A model that compiles alone fails here only if the names of tuples are added.
    #[error("the model has more than {} different names of {}", .0.limit, .0.kind)]
    TooManyNames(TooManyNames),
    #[error(
        "the expression of {namespace}.{permit} is nested more than {MAX_NESTING} levels deep; split it into permits"
    )]
    NestedTooDeeply { namespace: String, permit: String },
}

impl From<TooManyNames> for SchemaError {
    fn from(names: TooManyNames) -> Self {
        Self::TooManyNames(names)
    }
}

impl Schema {
    /// Adds the names of the model to `symbols`. With `strict`, tuples that the model does not declare do not count.
    pub fn compile(model: &Model, symbols: &mut Symbols, strict: bool) -> Result<Self, SchemaError> {
        let mut compiler = Compiler { symbols, strict, formulas: Vec::new() };
        let mut namespaces = Vec::new();
        let mut definitions = Vec::new();
        for namespace in &model.namespaces {
            let id = compiler.symbols.intern_namespace(&namespace.name)?;
            if namespaces.len() <= id.index() {
                namespaces.resize(id.index() + 1, NamespaceRules::Unknown);
            }
            let is_open = namespace.relations.is_empty() && namespace.permits.is_empty();
            namespaces[id.index()] = if is_open { NamespaceRules::Open } else { NamespaceRules::Closed };
            compiler.namespace(namespace, id, &mut definitions)?;
        }
        let formulas = compiler.formulas;
        let mut by_name = IdMap::default();
        definitions.retain({
            let mut index = 0;
            let by_name = &mut by_name;
            move |definition: &Definition| {
                // Relations come before permits, so a relation hides a permit of its name; the first of two relations stays.
                let is_first = !by_name.contains_key(&(definition.namespace, definition.relation));
                if is_first {
                    by_name.insert((definition.namespace, definition.relation), index);
                    index += 1;
                }
                is_first
            }
        });
        cycles::mark(&mut definitions, &by_name, &formulas);
        let sources = Sources::of(&definitions, &formulas);
        let tuples_only = if strict { Accepted::Ids } else { Accepted::All };
        Ok(Self { strict, namespaces, definitions, by_name, formulas, tuples_only, sources })
    }
}

struct Compiler<'s> {
    symbols: &'s mut Symbols,
    strict: bool,
    formulas: Vec<Operand>,
}

impl Compiler<'_> {
    fn namespace(
        &mut self,
        namespace: &Namespace,
        id: NamespaceId,
        definitions: &mut Vec<Definition>,
    ) -> Result<(), SchemaError> {
        for relation in &namespace.relations {
            definitions.push(self.relation(relation, id)?);
        }
        for permit in &namespace.permits {
            definitions.push(self.permit(permit, id, &namespace.name)?);
        }
        Ok(())
    }

    fn relation(&mut self, relation: &Relation, namespace: NamespaceId) -> Result<Definition, SchemaError> {
        let accepted = if self.strict && !relation.types.is_empty() {
            let patterns: Result<Vec<_>, _> = relation.types.iter().map(|it| self.pattern(it)).collect();
            Accepted::Typed(patterns?.into())
        } else {
            Accepted::All
        };
        let relation = self.symbols.intern_relation(&relation.name)?;
        Ok(Definition {
            namespace,
            relation,
            is_permit: false,
            accepted,
            alternatives: Box::default(),
            is_cyclic: false,
        })
    }

    fn pattern(&mut self, declared: &SubjectType) -> Result<SubjectPattern, TooManyNames> {
        let condition = declared.condition.as_deref().map(|name| self.symbols.intern_condition(name)).transpose()?;
        Ok(SubjectPattern {
            namespace: self.symbols.intern_namespace(&declared.namespace)?,
            relation: self.symbols.intern_relation(declared.relation.as_deref().unwrap_or_default())?,
            condition,
        })
    }

    fn permit(&mut self, permit: &Permit, namespace: NamespaceId, class: &str) -> Result<Definition, SchemaError> {
        if !is_shallow(&permit.expression, MAX_NESTING) {
            return Err(SchemaError::NestedTooDeeply { namespace: class.to_owned(), permit: permit.name.clone() });
        }
        let relation = self.symbols.intern_relation(&permit.name)?;
        let accepted = if self.strict { Accepted::Nothing } else { Accepted::All };
        let mut alternatives = Vec::new();
        self.union(&permit.expression, &mut alternatives)?;
        let alternatives = alternatives.into();
        Ok(Definition { namespace, relation, is_permit: true, accepted, alternatives, is_cyclic: false })
    }

    /// Adds the alternatives of an expression, those of nested unions included.
    fn union(&mut self, expression: &Expression, into: &mut Vec<Alternative>) -> Result<(), TooManyNames> {
        match expression {
            Expression::Any(members) => members.iter().try_for_each(|member| self.union(member, into)),
            Expression::Has(name) => {
                into.push(Alternative::Has(self.symbols.intern_relation(name)?));
                Ok(())
            }
            Expression::Traverse { relation, target } => {
                let relation = self.symbols.intern_relation(relation)?;
                into.push(Alternative::Traverse { relation, target: self.symbols.intern_relation(target)? });
                Ok(())
            }
            Expression::All(_) | Expression::Not(_) | Expression::Meets(_) => {
                let formula = self.operand(expression)?;
                let id = FormulaId(u32::try_from(self.formulas.len()).unwrap_or(u32::MAX));
                self.formulas.push(formula);
                into.push(Alternative::Formula(id));
                Ok(())
            }
        }
    }

    fn operand(&mut self, expression: &Expression) -> Result<Operand, TooManyNames> {
        Ok(match expression {
            Expression::Has(name) => Operand::Has(self.symbols.intern_relation(name)?),
            Expression::Any(_) | Expression::Traverse { .. } => {
                let mut alternatives = Vec::new();
                self.union(expression, &mut alternatives)?;
                Operand::Union(alternatives.into())
            }
            Expression::All(members) => {
                let operands: Result<Vec<_>, _> = members.iter().map(|it| self.operand(it)).collect();
                Operand::All(operands?.into())
            }
            Expression::Not(inner) => Operand::Not(Box::new(self.operand(inner)?)),
            Expression::Meets(name) => Operand::Meets(self.symbols.intern_condition(name)?),
        })
    }
}

fn is_shallow(expression: &Expression, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return false };
    match expression {
        Expression::Any(members) | Expression::All(members) => members.iter().all(|it| is_shallow(it, below)),
        Expression::Not(inner) => is_shallow(inner, below),
        Expression::Has(_) | Expression::Traverse { .. } | Expression::Meets(_) => true,
    }
}
