//! Parses the text of a condition.
//!
//! Specification: the CEL language definition, section "Syntax", without what the documentation of the parent module leaves out.
//! Names and functions are resolved here, so that an expression that was parsed refers to nothing unknown.
//!
//! Invariant: the recursion is bounded by [`MAX_NESTING`], and the work is linear in the length of the text.

use regex::RegexBuilder;

use super::attributes::Root;
use super::expression::{Expression, Function, Macro, Node, Operator, Pattern};
use super::lexer::{Token, tokens};
use super::{CompileError, MAX_EXPRESSION_BYTES, MAX_HEIGHT, MAX_NESTING, MAX_NODES, MAX_PATTERNS};

/// A variable's description in errors is cut here.
const MAX_PATH_BYTES: usize = 128;

/// The expression, and how many regular expressions it has.
pub(super) fn parse(text: &str) -> Result<(Expression, usize), CompileError> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(CompileError::new(
            text.floor_char_boundary(MAX_EXPRESSION_BYTES),
            format!("a condition is at most {MAX_EXPRESSION_BYTES} bytes long"),
        ));
    }
    let mut parser =
        Parser { tokens: tokens(text)?, next: 0, nesting: 0, nodes: 0, patterns: 0, variables: Vec::new() };
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok((expression, parser.patterns)),
        other => Err(parser.unexpected(other, "an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    nesting: usize,
    nodes: usize,
    patterns: usize,
    /// The variables of the macros around this place, with what they stand for.
    variables: Vec<(String, String)>,
}

/// How tightly an operator binds; `&&` and `||` are apart, as lists of terms.
const RELATION: u8 = 0;
const SUM: u8 = 1;
const PRODUCT: u8 = 2;

fn operator(token: &Token) -> Option<(Operator, u8)> {
    let found = match token {
        Token::Symbol("==") => (Operator::Equal, RELATION),
        Token::Symbol("!=") => (Operator::NotEqual, RELATION),
        Token::Symbol("<") => (Operator::Less, RELATION),
        Token::Symbol("<=") => (Operator::LessOrEqual, RELATION),
        Token::Symbol(">") => (Operator::Greater, RELATION),
        Token::Symbol(">=") => (Operator::GreaterOrEqual, RELATION),
        Token::Name(name) if name == "in" => (Operator::In, RELATION),
        Token::Symbol("+") => (Operator::Add, SUM),
        Token::Symbol("-") => (Operator::Subtract, SUM),
        Token::Symbol("*") => (Operator::Multiply, PRODUCT),
        Token::Symbol("/") => (Operator::Divide, PRODUCT),
        Token::Symbol("%") => (Operator::Remainder, PRODUCT),
        _ => return None,
    };
    Some(found)
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |it| &it.1)
    }

    /// The offset of the next token.
    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |it| it.0)
    }

    fn accept(&mut self, symbol: &'static str) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), CompileError> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected(self.peek(), &format!("`{symbol}`"))) }
    }

    fn unexpected(&self, token: &Token, expected: &str) -> CompileError {
        let found = match token {
            Token::Name(name) => format!("`{name}`"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
            Token::Text(_) => "a string".to_owned(),
            Token::End => "the end of the condition".to_owned(),
        };
        CompileError::new(self.at(), format!("expected {expected}, found {found}"))
    }

    fn build(&mut self, at: usize, height: usize, node: Node) -> Result<Expression, CompileError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(CompileError::new(
                at,
                format!("a condition has at most {MAX_NODES} operators and operands; split it"),
            ));
        }
        if height >= MAX_HEIGHT {
            return Err(CompileError::new(at, format!("a condition is at most {MAX_HEIGHT} levels deep; split it")));
        }
        Ok(Expression { node, at, height: height + 1 })
    }

    fn expression(&mut self) -> Result<Expression, CompileError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(CompileError::new(
                self.at(),
                format!("parentheses, lists and calls nest at most {MAX_NESTING} levels"),
            ));
        }
        let condition = self.any()?;
        let at = self.at();
        let result = if self.accept("?") {
            let yes = self.any()?;
            self.expect(":")?;
            let no = self.expression()?;
            let height = condition.height.max(yes.height).max(no.height);
            self.build(at, height, Node::Conditional(Box::new([condition, yes, no])))?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(result)
    }

    fn any(&mut self) -> Result<Expression, CompileError> {
        self.terms("||", Self::all, Node::Any)
    }

    fn all(&mut self) -> Result<Expression, CompileError> {
        self.terms("&&", |parser| parser.binary(RELATION), Node::All)
    }

    fn terms(
        &mut self,
        symbol: &'static str,
        term: impl Fn(&mut Self) -> Result<Expression, CompileError>,
        node: fn(Vec<Expression>) -> Node,
    ) -> Result<Expression, CompileError> {
        let first = term(self)?;
        if *self.peek() != Token::Symbol(symbol) {
            return Ok(first);
        }
        let at = self.at();
        let mut terms = vec![first];
        while self.accept(symbol) {
            terms.push(term(self)?);
        }
        self.build(at, height(&terms), node(terms))
    }

    /// Operators that bind at least as tightly as `level`; all of them associate to the left.
    fn binary(&mut self, level: u8) -> Result<Expression, CompileError> {
        let mut left = self.unary()?;
        while let Some((operator, binds)) = operator(self.peek()).filter(|it| it.1 >= level) {
            let at = self.at();
            self.next += 1;
            let right = if binds == PRODUCT { self.unary()? } else { self.binary(binds + 1)? };
            let height = left.height.max(right.height);
            left = self.build(at, height, Node::Binary(operator, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, CompileError> {
        let at = self.at();
        let symbol = match self.peek() {
            Token::Symbol(symbol @ ("!" | "-")) => *symbol,
            _ => return self.member(),
        };
        let mut count = 0_usize;
        while self.accept(symbol) {
            count += 1;
        }
        if symbol == "-"
            && count == 1
            && let Token::Int(magnitude) = *self.peek()
        {
            self.next += 1;
            let value = 0_i64.checked_sub_unsigned(magnitude);
            let value = value.ok_or_else(|| CompileError::new(at, "not an integer of 64 bits"))?;
            let literal = self.build(at, 0, Node::Int(value))?;
            return self.selections(literal);
        }
        // Two of them are kept, so that a value of a wrong type stays an error.
        let mut operand = self.member()?;
        for _ in 0..(2 - count % 2) {
            let height = operand.height;
            let operand_box = Box::new(operand);
            operand =
                self.build(at, height, if symbol == "!" { Node::Not(operand_box) } else { Node::Negate(operand_box) })?;
        }
        Ok(operand)
    }

    fn member(&mut self) -> Result<Expression, CompileError> {
        let primary = self.primary()?;
        self.selections(primary)
    }

    fn selections(&mut self, mut operand: Expression) -> Result<Expression, CompileError> {
        loop {
            let at = self.at();
            let height = operand.height;
            if self.accept(".") {
                let name = self.name()?;
                operand = if self.accept("(") {
                    self.method(at, operand, &name)?
                } else {
                    self.build(at, height, Node::Field(Box::new(operand), name))?
                };
            } else if self.accept("[") {
                let index = self.expression()?;
                self.expect("]")?;
                let height = height.max(index.height);
                operand = self.build(at, height, Node::Index(Box::new(operand), Box::new(index)))?;
            } else {
                return Ok(operand);
            }
        }
    }

    fn name(&mut self) -> Result<String, CompileError> {
        match self.peek() {
            Token::Name(name) if !matches!(name.as_str(), "in" | "true" | "false" | "null") => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            other => Err(self.unexpected(other, "a name")),
        }
    }

    fn primary(&mut self) -> Result<Expression, CompileError> {
        let at = self.at();
        let token = self.peek().clone();
        let node = match token {
            Token::Int(value) => {
                let value = i64::try_from(value);
                Node::Int(value.map_err(|_| CompileError::new(at, "larger than an int; write a `u` after it"))?)
            }
            Token::Uint(value) => Node::Uint(value),
            Token::Double(value) => Node::Double(value),
            Token::Text(value) => Node::Text(value),
            Token::Name(name) => {
                self.next += 1;
                return self.named(at, &name);
            }
            Token::Symbol("(") => {
                self.next += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Symbol("[") => {
                self.next += 1;
                let elements = self.list("]")?;
                return self.build(at, height(&elements), Node::List(elements));
            }
            Token::Symbol("{") => return Err(CompileError::new(at, "map literals are not supported")),
            Token::Symbol(_) | Token::End => return Err(self.unexpected(&token, "a value")),
        };
        self.next += 1;
        self.build(at, 0, node)
    }

    /// After a name.
    fn named(&mut self, at: usize, name: &str) -> Result<Expression, CompileError> {
        if self.accept("(") {
            return self.function(at, name);
        }
        let variable = self.variables.iter().rposition(|it| it.0 == name);
        let node = match name {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "null" => Node::Null,
            "now" => Node::Now,
            _ => match (Root::from_name(name), variable) {
                (Some(root), _) => Node::Root(root),
                (None, Some(index)) => Node::Variable { index, path: self.variables[index].1.clone() },
                (None, None) => {
                    let known = "subject, resource, action, context, tuple and now";
                    return Err(CompileError::new(at, format!("`{name}` is not declared; a condition reads {known}")));
                }
            },
        };
        self.build(at, 0, node)
    }

    /// Expressions up to the closing symbol; a comma may stand before it.
    fn list(&mut self, end: &'static str) -> Result<Vec<Expression>, CompileError> {
        let mut elements = Vec::new();
        while !self.accept(end) {
            elements.push(self.expression()?);
            if !self.accept(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(elements)
    }

    fn function(&mut self, at: usize, name: &str) -> Result<Expression, CompileError> {
        if name == "has" {
            let argument = self.expression()?;
            self.expect(")")?;
            let Node::Field(operand, field) = argument.node else {
                return Err(CompileError::new(argument.at, "`has` takes an attribute such as `context.hour`"));
            };
            return self.build(at, operand.height, Node::Has(operand, field));
        }
        let arguments = self.list(")")?;
        self.call(at, name, false, arguments)
    }

    fn call(
        &mut self,
        at: usize,
        name: &str,
        method: bool,
        arguments: Vec<Expression>,
    ) -> Result<Expression, CompileError> {
        if let Some(function) = Function::find(name, method, arguments.len()) {
            return self.build(at, height(&arguments), Node::Call(function, arguments));
        }
        let (kind, count) = if method { ("method", arguments.len() - 1) } else { ("function", arguments.len()) };
        Err(CompileError::new(at, format!("there is no {kind} `{name}` with {count} arguments in conditions")))
    }

    fn method(&mut self, at: usize, receiver: Expression, name: &str) -> Result<Expression, CompileError> {
        let kind = match name {
            "all" => Macro::All,
            "exists" => Macro::Exists,
            "exists_one" | "existsOne" => Macro::ExistsOne,
            "filter" => Macro::Filter,
            "map" => Macro::Map,
            "matches" => return self.matches(at, receiver),
            _ => {
                let mut arguments = self.list(")")?;
                arguments.insert(0, receiver);
                return self.call(at, name, true, arguments);
            }
        };
        let variable_at = self.at();
        let variable = self.name()?;
        if variable == "now" || Root::from_name(&variable).is_some() {
            return Err(CompileError::new(
                variable_at,
                format!("`{variable}` is declared already; choose another name"),
            ));
        }
        self.expect(",")?;
        let mut path = receiver.path();
        path.truncate(path.floor_char_boundary(MAX_PATH_BYTES));
        self.variables.push((variable, path + "[]"));
        let body = self.expression()?;
        self.variables.pop();
        self.expect(")")?;
        let height = receiver.height.max(body.height);
        self.build(at, height, Node::Macro(kind, Box::new([receiver, body])))
    }

    fn matches(&mut self, at: usize, receiver: Expression) -> Result<Expression, CompileError> {
        let pattern_at = self.at();
        let argument = self.expression()?;
        self.expect(")")?;
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(CompileError::new(
                pattern_at,
                format!("a condition has at most {MAX_PATTERNS} regular expressions"),
            ));
        }
        let Node::Text(pattern) = argument.node else {
            return Err(CompileError::new(
                pattern_at,
                "`matches` takes a string literal, which is compiled with the condition",
            ));
        };
        let pattern = compile_pattern(&pattern).map_err(|message| CompileError::new(pattern_at, message))?;
        self.build(at, receiver.height, Node::Matches(Box::new(receiver), pattern))
    }
}

fn height(expressions: &[Expression]) -> usize {
    expressions.iter().map(|it| it.height).max().unwrap_or(0)
}

/// The smallest of these sizes that the program fits in is its weight.
fn compile_pattern(pattern: &str) -> Result<Pattern, String> {
    for weight in [8, 16, 32, 64] {
        let built =
            RegexBuilder::new(pattern).size_limit(weight * 1024).dfa_size_limit(256 * 1024).nest_limit(32).build();
        match built {
            Ok(regex) => return Ok(Pattern { regex, weight }),
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(error) => {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                return Err(format!("not a regular expression: {reason}"));
            }
        }
    }
    Err("the regular expression is too large; shorten its repetitions".to_owned())
}
