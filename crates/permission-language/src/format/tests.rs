use super::*;
use crate::problem::Kind;

/// Formats a text, and checks that formatting again changes nothing and that every comment is kept.
#[track_caller]
fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
    assert_eq!(format(&once).expect("the formatted text parses"), once, "the second time changes nothing");
    assert_eq!(comments(&once), comments(text));
    once
}

fn comments(text: &str) -> Vec<&str> {
    use crate::lexer::{Lexer, TokenKind};
    let mut lexer = Lexer::new(text);
    let tokens = std::iter::from_fn(|| Some(lexer.next_or_comment()).filter(|it| it.kind != TokenKind::End));
    tokens.filter(|it| it.kind == TokenKind::Comment).map(|it| it.text.trim_end()).collect()
}

#[track_caller]
fn assert_formats(text: &str, expected: &str) {
    assert_eq!(formatted(text), expected);
}

#[test]
fn a_file_without_declarations_keeps_its_lines() {
    assert_formats("", "");
    assert_formats(" \n\t\n", "");
    assert_formats("\n  // a\n\n\n\n// b", "// a\n\n// b\n");
    assert_formats("import {\n  A,\n  B } from 'x'\r\n", "import {\n  A,\n  B } from 'x'\n");
}

#[test]
fn blocks_are_indented() {
    assert_formats(
        "class User implements Namespace{}class Doc implements Namespace{related:{owners:User[];viewers:Array<User|Doc>}\
         permits={view:(ctx)=>this.related.owners.includes(ctx.subject)}}",
        "class User implements Namespace {}

class Doc implements Namespace {
  related: {
    owners: User[]
    viewers: Array<User | Doc>
  }

  permits = {
    view: (ctx) => this.related.owners.includes(ctx.subject),
  }
}
",
    );
}

#[test]
fn names_have_quotes_where_they_need_them() {
    assert_formats(
        "class 'Doc' implements Namespace { related: { 'a': SubjectSet<'Doc', b>[] 'b c': When<Doc, d>[] \"class\": Doc[] \
         'it\"s': Doc[] } permits = { 'p': (ctx: Context): boolean => this.related['a'].traverse(x => \
         x.permits['p q'](ctx)) } }",
        "class Doc implements Namespace {
  related: {
    a: SubjectSet<Doc, \"b\">[]
    \"b c\": When<Doc, \"d\">[]
    \"class\": Doc[]
    'it\"s': Doc[]
  }

  permits = {
    p: (ctx: Context): boolean => this.related.a.traverse(x => x.permits[\"p q\"](ctx)),
  }
}
",
    );
}

#[test]
fn long_expressions_have_a_term_per_line() {
    assert_formats(
        "class A implements Namespace { permits = { p: (ctx) => this.related.aaaaaaaaaaaa.includes(ctx.subject) && \
         (this.related.bbbbbbbbbbbbbb.includes(ctx.subject) || !(this.permits.cccccccccccccccccc(ctx) && \
         this.related.ddddddddddddddddddddd.includes(ctx.subject))) && !this.permits.e(ctx), q: (ctx) => this.permits.p(ctx) \
         } }",
        "class A implements Namespace {
  permits = {
    p: (ctx) =>
      this.related.aaaaaaaaaaaa.includes(ctx.subject) &&
      (
        this.related.bbbbbbbbbbbbbb.includes(ctx.subject) ||
        !(
          this.permits.cccccccccccccccccc(ctx) &&
          this.related.ddddddddddddddddddddd.includes(ctx.subject)
        )
      ) &&
      !this.permits.e(ctx),
    q: (ctx) => this.permits.p(ctx),
  }
}
",
    );
}

#[test]
fn long_unions_have_a_type_per_line() {
    assert_formats(
        "class A implements Namespace { related: { short: (A|A)[] long: (A | SubjectSet<Aaaaaaaaaaaaaaaaaaaaaaaa, \
         'bbbbbbbbbbbbbbbbbbbbbbb'> | SubjectSet<Cccccccccccccccccccc, 'd'>)[] } }",
        "class A implements Namespace {
  related: {
    short: (A | A)[]
    long: (
      A |
      SubjectSet<Aaaaaaaaaaaaaaaaaaaaaaaa, \"bbbbbbbbbbbbbbbbbbbbbbb\"> |
      SubjectSet<Cccccccccccccccccccc, \"d\">
    )[]
  }
}
",
    );
}

#[test]
fn comments_stay_before_declarations_and_at_the_ends_of_lines() {
    let text = "// The model.

import { A } from \"x\" // imports

/**
 * People.
 */
class User implements Namespace {} // nobody else

// Documents.
// In two lines.
class Doc implements Namespace { // opens
  // Before a block.
  related: { /* opens, too */
    // Before a relation.
    owners: User[] // at its end

    // Apart.
    viewers: ( // in a union
      User | // first
      // before the second
      Doc
    )[]
    // At the end of a block.
  } // closes

  /* Permits. */
  permits = {
    // Before a permit.
    view: (ctx) =>
      // Before a term.
      this.related.owners.includes(ctx.subject) || // after an operator
      ( // in a group
        this.related.viewers.includes(ctx.subject)
        // at its end
      ), // after a permit
    edit: (ctx) => this.permits.view(ctx), // short
  }
  // At the end of a class.
}

// At the end of the file.
";
    // A group is divided because of the comment before its only term, and the rest because of those between the terms.
    assert_formats(text, text);
}

#[test]
fn comments_in_the_middle_of_a_line_go_to_its_end() {
    assert_formats(
        "class /* 1 */ A /* 2 */ implements Namespace { related /* 3 */ : { a /* 4 */ : /* 5 */ A[ /* 6 */ ] } permits = { \
         p: ( /* 7 */ ctx) => this. /* 8 */ permits.p(ctx) /* 9 */ , q: (ctx) => this.permits. /* 10 */ p(ctx) /* 11 */ || \
         ! /* 12 */ this.permits.p( /* 13 */ ctx), } }",
        "class A implements Namespace { /* 1 */ /* 2 */
  related: { /* 3 */
    a: A[] /* 4 */ /* 5 */ /* 6 */
  }

  permits = {
    p: (ctx) => /* 7 */
      this.permits.p(ctx), /* 8 */ /* 9 */
    q: (ctx) =>
      this.permits.p(ctx) || /* 10 */ /* 11 */
      !this.permits.p(ctx), /* 12 */ /* 13 */
  }
}
",
    );
}

#[test]
fn a_line_comment_in_the_middle_ends_its_line() {
    assert_formats(
        "class A // 1\n implements Namespace // 2\n { related: { a // 3\n : A // 4\n [] } }",
        "class A implements Namespace { // 1
  // 2
  related: {
    a: A[] // 3
    // 4
  }
}
",
    );
}

#[test]
fn a_comment_never_joins_a_line_comment() {
    assert_formats(
        "const a // 1\n: Condition = 'x' /* 2 */ /* 3 */",
        "const a: Condition = \"x\"; // 1\n/* 2 */ /* 3 */\n",
    );
    assert_formats(
        "class A implements Namespace { related: { a // 1\n : A[] /* 2 */ } } // 3",
        "class A implements Namespace {\n  related: {\n    a: A[] // 1\n    /* 2 */\n  }\n} // 3\n",
    );
}

#[test]
fn conditions_end_with_a_semicolon() {
    assert_formats(
        "export   const a:Condition='x == \"y\"'\nconst b /* here */ : Condition = 'it is' ; const c: Condition = \"d\"",
        "export const a: Condition = 'x == \"y\"';
const b: Condition = \"it is\"; /* here */
const c: Condition = \"d\";
",
    );
}

#[test]
fn what_is_outside_of_classes_keeps_its_tokens() {
    assert_formats("  import * from 'x'".replace('*', "A").as_str(), "import A from 'x'\n");
    assert_formats(
        "type X = {\n  a: 'b'   // c\n};  export\n  /* d */ class A implements Namespace {} type Y = (Z)\n\n\n export class B implements Namespace {};;",
        "type X = {
  a: 'b' // c
}; export
/* d */
class A implements Namespace {}

type Y = (Z)

export class B implements Namespace {}

;;
",
    );
}

#[test]
fn empty_lines_are_kept_as_one() {
    assert_formats(
        "class A implements Namespace {\n\n\n  related: {\n\n    a: A[]\n\n\n    b: A[]\n    c: A[]\n\n  }\n  related: {}\n\n}\n\n\n",
        "class A implements Namespace {
  related: {
    a: A[]

    b: A[]
    c: A[]
  }

  related: {}
}
",
    );
}

#[test]
fn a_text_with_syntax_errors_is_not_formatted() {
    let problems = format("class A {").unwrap_err();
    assert_eq!(problems[0].kind, Kind::Syntax);
    assert!(format("class A implements Namespace { related: { a: Missing[] } }").is_ok(), "names are not checked");
}

#[test]
fn a_byte_order_mark_is_not_written() {
    let text = "class A implements Namespace {}\n";
    assert_eq!(format(&format!("\u{feff}{text}")).unwrap(), format(text).unwrap());
}
