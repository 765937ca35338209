use super::*;
use crate::model::{Condition, Expression, Namespace, Permit, Relation, SubjectType};

fn file<'a>(name: &'a str, text: &'a str) -> SourceFile<'a> {
    SourceFile { name, text }
}

/// The model of a text without problems, except that everybody may have a permit.
#[track_caller]
fn model(text: &str) -> Model {
    let outcome = parse(&[file("model.ts", text)]);
    let problems: Vec<&Problem> = outcome.problems.iter().filter(|it| it.kind != Kind::OpenPermit).collect();
    assert!(problems.is_empty(), "{problems:?}");
    outcome.model.expect("no problem prevents it")
}

fn has(name: &str) -> Expression {
    Expression::Has(name.into())
}

fn traverse(relation: &str, target: &str) -> Expression {
    Expression::Traverse { relation: relation.into(), target: target.into() }
}

fn permit(name: &str, expression: Expression) -> Permit {
    Permit { name: name.into(), expression }
}

fn relation(name: &str, types: &[(&str, Option<&str>)]) -> Relation {
    let subject_type = |(namespace, relation): &(&str, Option<&str>)| SubjectType {
        namespace: (*namespace).into(),
        relation: relation.map(Into::into),
        condition: None,
    };
    Relation { name: name.into(), types: types.iter().map(subject_type).collect() }
}

fn namespace(name: &str, relations: Vec<Relation>, permits: Vec<Permit>) -> Namespace {
    Namespace { name: name.into(), relations, permits }
}

const PROJECTS: &str = r#"
  import { Namespace, SubjectSet, Context } from '@example/types'

  class Person implements Namespace {
	related: {
	  boss: Person[];
	}
  }

  class Team implements Namespace {
	related: {
	  people: (Person | Team)[];
	};
  }

  class Project implements Namespace {
	related: {
	  containers: Array<Task>
	  readers: Array<SubjectSet<Team, "people">>
	}

	permits = {
	  read: (ctx: Context): boolean => this.related.readers.includes(ctx.subject),
	}
  }

  class Task implements Namespace {
	related: {
	  containers: Array<Task | Project>
	  readers: (Person | SubjectSet<Team, "people">)[]
	  "leads": (Person | SubjectSet<Team, "people">)[]
	  relatives: Task[]
	}

	// What may be done.
	permits = {
	  read: (ctx: Context): boolean =>
	    (
		this.related.containers.traverse((c) /* here */ =>
		  c.related.readers.includes(ctx.subject),
		) && // and
		this.related.containers.traverse(c => c.permits.read(ctx)) ) ||
		(this.related.readers.includes(ctx.subject) || // or
		this.related.readers.includes(ctx.subject) ) ||
		this.related.leads.includes(ctx.subject),

	  'change': (ctx: Context) => this.related.leads.includes(ctx.subject),

	  outside: (ctx: Context) => !this.related.leads.includes(ctx.subject),

	  rename: (ctx: Context) =>
		this.related.relatives.traverse(r => r.permits.change(ctx)),
	}
  }
"#;

#[test]
fn a_whole_model_is_parsed() {
    let people = [("Person", None), ("Team", Some("people"))];
    let read = Expression::Any(vec![
        Expression::All(vec![traverse("containers", "readers"), traverse("containers", "read")]),
        has("readers"),
        has("readers"),
        has("leads"),
    ]);
    let expected = vec![
        namespace("Person", vec![relation("boss", &[("Person", None)])], vec![]),
        namespace("Team", vec![relation("people", &[("Person", None), ("Team", None)])], vec![]),
        namespace(
            "Project",
            vec![relation("containers", &[("Task", None)]), relation("readers", &[("Team", Some("people"))])],
            vec![permit("read", has("readers"))],
        ),
        namespace(
            "Task",
            vec![
                relation("containers", &[("Task", None), ("Project", None)]),
                relation("readers", &people),
                relation("leads", &people),
                relation("relatives", &[("Task", None)]),
            ],
            vec![
                permit("read", read),
                permit("change", has("leads")),
                permit("outside", Expression::Not(Box::new(has("leads")))),
                permit("rename", traverse("relatives", "change")),
            ],
        ),
    ];
    let model = model(PROJECTS);
    assert_eq!(model.namespaces, expected);
    assert!(model.conditions.is_empty());
}

#[test]
fn relations_may_be_traversed_to_the_relation_of_their_subject_sets() {
    let text = "
import { Namespace } from 'x';
class Team implements Namespace {
  related: {
    people: Team[]
  }
}
class Scan implements Namespace {
  related: {
    chiefs: SubjectSet<Team, 'people'>[],
    nurses: SubjectSet<Team, 'people'>[],
  };
  permits = {
    see: (ctx: Context) => this.related.chiefs.traverse((team) => team.related.people.includes(ctx.subject)) ||
      this.related.nurses.traverse((team) => team.related.people.includes(ctx.subject)),
    note: (ctx: Context) => this.permits.see(ctx),
  };
}";
    let scan = &model(text).namespaces[1];
    let see = Expression::Any(vec![traverse("chiefs", "people"), traverse("nurses", "people")]);
    assert_eq!(scan.permits, [permit("see", see), permit("note", has("see"))]);
}

#[test]
fn names_may_be_quoted() {
    let text = "
class Thing implements Namespace {
  related: {
    \"part.of\": Thing[]
  }
  permits = {
    \"do.0\": (ctx: Context) => this.related[\"part.of\"].traverse((t) => t.permits[\"do.1\"](ctx)),
    \"do.1\": (ctx: Context) => this.related[\"part.of\"].traverse((t) => t.related[\"part.of\"].includes(ctx.subject)),
    \"do.2\": (ctx: Context) => this.permits[\"do.0\"](ctx),
  }
}";
    let permits = &model(text).namespaces[0].permits;
    let expected = [
        permit("do.0", traverse("part.of", "do.1")),
        permit("do.1", traverse("part.of", "part.of")),
        permit("do.2", has("do.0")),
    ];
    assert_eq!(*permits, expected);
}

#[test]
fn negations_of_groups_are_kept() {
    let text = "
class User implements Namespace {}
class Room implements Namespace {
  related: { guests: User[] banned: User[] late: User[] }
  permits = {
    enter: (ctx) => !this.related.guests.includes(ctx.subject) &&
      !(this.related.banned.includes(ctx.subject) && this.related.late.includes(ctx.subject))
  }
}";
    let both = Expression::All(vec![has("banned"), has("late")]);
    let not = |it| Expression::Not(Box::new(it));
    assert_eq!(model(text).namespaces[1].permits[0].expression, Expression::All(vec![not(has("guests")), not(both)]));
}

#[test]
fn classes_without_members_are_namespaces() {
    let text = "class Thing implements Namespace { related: { things: (Thing | Empty)[] } }\nclass Empty implements Namespace { ; }";
    assert_eq!(model(text).namespaces[1], namespace("Empty", vec![], vec![]));
}

#[test]
fn conditions_are_part_of_the_model() {
    let text = "
export const officeHours: Condition = \"now.getHours('UTC') >= 8\";
class User implements Namespace {}
class Archive implements Namespace {
  related: { keepers: (User | When<User, 'officeHours'> | When<SubjectSet<Archive, 'keepers'>, \"officeHours\">)[] }
  permits = { open: (ctx) => this.related.keepers.includes(ctx.subject) && ctx.meets('officeHours') }
}";
    let model = model(text);
    let condition = Condition { name: "officeHours".into(), expression: "now.getHours('UTC') >= 8".into() };
    assert_eq!(model.conditions, [condition]);
    let archive = &model.namespaces[1];
    let conditions: Vec<Option<&str>> = archive.relations[0].types.iter().map(|it| it.condition.as_deref()).collect();
    assert_eq!(conditions, [None, Some("officeHours"), Some("officeHours")]);
    assert_eq!(archive.relations[0].types[2].relation.as_deref(), Some("keepers"));
    let open = Expression::All(vec![has("keepers"), Expression::Meets("officeHours".into())]);
    assert_eq!(archive.permits, [permit("open", open)]);
}

#[test]
fn files_are_one_unit() {
    let files = [
        file("b.ts", "class Doc implements Namespace { related: { owners: When<User, 'c'>[] } }"),
        file("a.ts", "const c: Condition = 'true'"),
        file("c.ts", "class User implements Namespace {}"),
    ];
    let outcome = parse(&files);
    assert_eq!(outcome.problems, []);
    let model = outcome.model.unwrap();
    let names: Vec<&str> = model.namespaces.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((names, model.conditions.len()), (vec!["Doc", "User"], 1), "in the order of the files");
    let outcome = parse(&files[..1]);
    assert_eq!((outcome.model, outcome.problems.len()), (None, 2));
    assert_eq!(parse(&[]).model, Some(Model::default()));
}

#[test]
fn one_bad_file_prevents_the_model_of_all() {
    let files = [
        file("a.ts", "class A implements Namespace {}"),
        file("b.ts", "class B {"),
        file("c.ts", "class C implements Namespace { related: { c: Missing[] } }"),
        file("d.ts", "class D"),
    ];
    let outcome = parse(&files);
    assert_eq!(outcome.model, None);
    let places: Vec<(usize, Kind)> = outcome.problems.iter().map(|it| (it.file, it.kind)).collect();
    assert_eq!(places, [(1, Kind::Syntax), (3, Kind::Syntax)], "names are checked when all files are parsed");
}

#[test]
fn all_files_together_are_bounded() {
    let files = [file("a.ts", "// 45"), file("b.ts", "// 45"), file("c.ts", "// 45")];
    let limits = |total_bytes| Limits { total_bytes, ..Limits::default() };
    assert!(parse_with(&files, &limits(15)).model.is_some());
    let outcome = parse_with(&files, &limits(14));
    assert_eq!((outcome.problems[0].kind, outcome.problems[0].file, outcome.model), (Kind::TooLarge, 2, None));
}

#[test]
fn problems_are_in_the_order_of_their_places() {
    let text = "class Old implements Namespace {}
class A implements Namespace { related: { a: A[] } permits = { a: (ctx) => this.permits.a(ctx), b: (ctx) => this.permits.b(ctx) } }";
    let outcome = parse(&[file("a.ts", text)]);
    let kinds: Vec<Kind> = outcome.problems.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Kind::UnusedNamespace, Kind::Collision, Kind::PermitCycle]);
    assert_eq!((outcome.errors().count(), outcome.warnings().count()), (0, 3));
    assert!(outcome.model.is_some(), "a collision loads");
}

#[test]
fn the_places_of_expressions_are_in_the_order_of_the_conditions() {
    let files = [
        file("a.ts", "const late: Condition = \"context.hour > 20\";"),
        file("b.ts", "class A implements Namespace {} const early: Condition = 'context.hour < 6'"),
    ];
    let outcome = parse(&files);
    let quoted: Vec<&str> =
        outcome.expressions.iter().map(|it| &files[it.file].text[it.span.start..it.span.end]).collect();
    assert_eq!(quoted, ["context.hour > 20", "context.hour < 6"]);
    let conditions = outcome.model.expect("no problem prevents it").conditions;
    assert!(conditions.iter().map(|it| it.expression.as_str()).eq(quoted));
    assert_eq!(parse(&[file("a.ts", "const a: Condition = 'x' class")]).expressions, []);
}

#[test]
fn a_problem_is_rendered_with_its_line() {
    let files = [file("model.ts", "class Doc implements Namespace {\n  related: { owners: (Doc | Usr)[] }\n}")];
    let rendered = parse(&files).problems[0].render(&files);
    let expected = "model.ts:2:29: error: namespace \"Usr\" was not declared
    2 |   related: { owners: (Doc | Usr)[] }
      |                             ^~~
help: correct the name, or declare the class \"Usr\", if need be without relations
";
    assert_eq!(rendered, expected);
}
