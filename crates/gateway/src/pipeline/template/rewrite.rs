//! Method calls, which Go resolves by reflection and the template engine does not support. `.Header.Get "X"` and
//! `.URL.Query.Get "k"` become function calls before the template is compiled, and so does every path of members that may
//! lead through the URL, which is an object. The rewriter also records which functions are called and which parts of the
//! context are read.

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, PipeNode, SmolStr};

use super::context::Needs;

/// The functions that replace methods; templates cannot use these names.
pub(super) const HEADER_GET: &str = "\u{1}header.get";
pub(super) const HEADER_VALUES: &str = "\u{1}header.values";
pub(super) const QUERY_GET: &str = "\u{1}query.get";
pub(super) const VALUES_GET: &str = "\u{1}values.get";
pub(super) const QUERY_HAS: &str = "\u{1}query.has";
pub(super) const QUERY_VALUES: &str = "\u{1}query.values";
/// A member of a value, and a member of that, and so on.
pub(super) const MEMBER: &str = "\u{1}member";
/// The last command of every action, which formats numbers as Go does.
pub(super) const DISPLAY: &str = "\u{1}display";
/// The same for JSON templates, which need to recognize the output of actions.
pub(super) const DISPLAY_MARKED: &str = "\u{1}display.marked";

#[derive(Debug)]
pub(super) struct Rewrite {
    display: &'static str,
    pub(super) identifiers: Vec<String>,
    pub(super) needs: Needs,
}

impl Rewrite {
    pub(super) fn new(display: &'static str) -> Self {
        Self { display, identifiers: Vec::new(), needs: Needs::default() }
    }

    pub(super) fn list(&mut self, list: &mut ListNode) {
        for node in &mut list.nodes {
            match node {
                Node::List(inner) => self.list(inner),
                Node::Text(_) | Node::Break(_) | Node::Continue(_) => {}
                Node::Action(action) => {
                    self.pipe(&mut action.pipe);
                    display(&mut action.pipe, self.display);
                }
                Node::If(branch) | Node::Range(branch) | Node::With(branch) => self.branch(branch),
                Node::Template(template) => template.pipe.iter_mut().for_each(|pipe| self.pipe(pipe)),
                Node::Define(define) => self.list(&mut define.body),
            }
        }
    }

    fn branch(&mut self, branch: &mut BranchNode) {
        self.pipe(&mut branch.pipe);
        self.list(&mut branch.body);
        if let Some(otherwise) = &mut branch.else_body {
            self.list(otherwise);
        }
    }

    fn pipe(&mut self, pipe: &mut PipeNode) {
        for (place, command) in pipe.commands.iter_mut().enumerate() {
            call_method(command, place > 0);
            // The engine reports the arguments of a command that takes none.
            let takes_arguments = matches!(command.args.first(), Some(Expr::Identifier(..)));
            let is_value = place == 0 && command.args.len() == 1 || takes_arguments;
            for argument in &mut command.args {
                self.expression(argument);
                if is_value {
                    call_member(argument);
                }
            }
        }
    }

    fn expression(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Field(_, fields) => self.needs.add(fields),
            Expr::Variable(_, name, fields) if name == "$" && !fields.is_empty() => self.needs.add(fields),
            Expr::Dot(_) | Expr::Variable(..) => self.needs = Needs::EVERYTHING,
            Expr::Identifier(_, name) => self.identifiers.push(name.to_string()),
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Chain(_, inner, _) => self.expression(inner),
            Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Nil(_) => {}
        }
    }
}

/// Turns a path of members into a call of [`MEMBER`], unless it leads through dictionaries alone.
fn call_member(expression: &mut Expr) {
    let position = expression.pos();
    let (from, names) = match expression {
        Expr::Field(_, fields) => {
            let names = fields.split_off(after_dictionaries(fields));
            (if fields.is_empty() { Expr::Dot(position) } else { expression.clone() }, names)
        }
        Expr::Variable(_, name, fields) => {
            let names = fields.split_off(if name == "$" { after_dictionaries(fields) } else { 0 });
            (expression.clone(), names)
        }
        Expr::Chain(_, inner, fields) => ((**inner).clone(), std::mem::take(fields)),
        _ => return,
    };
    if names.is_empty() {
        return;
    }
    let names = names.iter().map(|name| Expr::String(position, name.as_str().into()));
    let args = [Expr::Identifier(position, SmolStr::new_static(MEMBER)), from].into_iter().chain(names).collect();
    let commands = vec![CommandNode { pos: position, args }];
    *expression = Expr::Pipe(position, PipeNode { pos: position, decl: Vec::new(), commands, is_assign: false });
}

/// How many names at the beginning of a path do not lead through the URL. No member of the URL has a name of the root, so
/// that a path that begins with one does not begin at the URL.
fn after_dictionaries<T: AsRef<str>>(path: &[T]) -> usize {
    let name = |place: usize| path.get(place).map_or("", AsRef::as_ref);
    match (name(0), name(1)) {
        ("MatchContext", "URL") => 2,
        ("Subject" | "Authenticated" | "Authenticator" | "Extra" | "Header" | "MatchContext", _) => path.len(),
        _ => 0,
    }
}

fn display(pipe: &mut PipeNode, function: &'static str) {
    if pipe.decl.is_empty() {
        let display = Expr::Identifier(pipe.pos, SmolStr::new_static(function));
        pipe.commands.push(CommandNode { pos: pipe.pos, args: vec![display] });
    }
}

/// Turns a method call into a function call.
fn call_method(command: &mut CommandNode, is_piped: bool) {
    if command.args.len() < 2 && !is_piped {
        return;
    }
    let Some(receiver) = command.args.first_mut() else {
        return;
    };
    let position = receiver.pos();
    let is_variable = matches!(receiver, Expr::Variable(..));
    let (Expr::Field(_, fields) | Expr::Variable(_, _, fields) | Expr::Chain(_, _, fields)) = receiver else {
        return;
    };
    let function = match fields.as_slice() {
        [.., owner, method] if owner == "Header" && method == "Get" => HEADER_GET,
        [.., owner, method] if owner == "Header" && method == "Values" => HEADER_VALUES,
        // The kind of a variable is unknown here.
        [method] if is_variable && method == "Get" => VALUES_GET,
        [.., method] if method == "Get" => QUERY_GET,
        [.., method] if method == "Values" => QUERY_VALUES,
        [.., owner, method] if owner == "Header" && method == "Has" => return,
        [.., method] if method == "Has" => QUERY_HAS,
        _ => return,
    };
    fields.pop();
    // `(...).Get` on a bare value leaves an empty field access.
    if fields.is_empty()
        && let Expr::Field(..) = receiver
    {
        *receiver = Expr::Dot(position);
    }
    command.args.insert(0, Expr::Identifier(position, SmolStr::new_static(function)));
}
