//! Writes pieces of a text and the comments between them.
//!
//! Before each piece, the comments that stand before it in the source are written. A comment that begins its line gets a line, any
//! other goes to the end of the line that is being written; after a comment a new line begins.
//!
//! Invariant: comments are written in their order, each once.

use crate::lexer::{Lexer, Token, TokenKind};

pub(super) struct Writer<'a> {
    pub(super) text: &'a str,
    comments: Vec<Token<'a>>,
    /// How many comments are written.
    written: usize,
    out: String,
    pub(super) indent: usize,
    /// Where the last thing that was written ends in the source.
    pub(super) last: usize,
    /// Whether the written line ends with a comment that extends to the end of the line.
    after_line_comment: bool,
    /// Whether the line opened a block. There is no empty line at the beginning of a block.
    after_opening: bool,
    /// Whether an empty line must follow.
    wants_empty_line: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut lexer = Lexer::new(text);
        let mut comments = Vec::new();
        loop {
            let token = lexer.next_or_comment();
            match token.kind {
                TokenKind::Comment => comments.push(token),
                TokenKind::End | TokenKind::Error(_) => break,
                _ => {}
            }
        }
        Self {
            text,
            comments,
            written: 0,
            out: String::with_capacity(text.len()),
            indent: 0,
            last: 0,
            after_line_comment: false,
            after_opening: true,
            wants_empty_line: false,
        }
    }

    pub(super) fn finish(mut self) -> String {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    /// Begins a line with a piece that stands at `start` in the source.
    pub(super) fn line(&mut self, start: usize, piece: &str) {
        self.comments_before(start);
        self.new_line(start);
        self.put(piece);
    }

    /// Begins a line that closes a block. There is no empty line before it.
    pub(super) fn closing_line(&mut self, start: usize, piece: &str) {
        self.comments_before(start);
        self.indent = self.indent.saturating_sub(1);
        self.wants_empty_line = false;
        self.last = self.last.max(start);
        self.new_line(start);
        self.put(piece);
    }

    /// Goes on in the line.
    pub(super) fn put(&mut self, piece: &str) {
        self.out.push_str(piece);
        self.after_line_comment = false;
        self.after_opening = false;
    }

    /// Opens a block, and indents what follows.
    pub(super) fn open(&mut self, piece: &str, end: usize) {
        self.put(piece);
        self.reached(end);
        self.after_opening = true;
        self.indent += 1;
    }

    /// What was written reaches to this place in the source.
    pub(super) fn reached(&mut self, end: usize) {
        self.last = self.last.max(end);
    }

    pub(super) fn want_empty_line(&mut self) {
        self.wants_empty_line = true;
    }

    pub(super) fn has_written(&self) -> bool {
        !self.out.is_empty()
    }

    pub(super) fn ends_with_line_comment(&self) -> bool {
        self.after_line_comment
    }

    /// Counts the comments before a place as written.
    pub(super) fn skip_comments(&mut self, place: usize) {
        self.written = self.comments.partition_point(|comment| comment.span.start < place).max(self.written);
    }

    /// Whether a comment begins between two places.
    pub(super) fn has_comment(&self, from: usize, to: usize) -> bool {
        let next = self.comments.partition_point(|comment| comment.span.start < from);
        self.comments.get(next).is_some_and(|comment| comment.span.start < to)
    }

    /// Writes the comments that stand before a place in the source.
    pub(super) fn comments_before(&mut self, place: usize) {
        while let Some(comment) = self.comments.get(self.written).copied() {
            if comment.span.start >= place {
                break;
            }
            self.written += 1;
            self.comment(comment);
        }
    }

    fn comment(&mut self, comment: Token<'a>) {
        let start = comment.span.start;
        let begins_line = self.text.get(self.last..start).is_some_and(|gap| gap.contains('\n'));
        if begins_line || self.after_line_comment || self.out.is_empty() {
            self.new_line(start);
        } else {
            self.out.push(' ');
        }
        // The carriage return of a line break belongs to the comment for the lexer.
        let text = comment.text.trim_end();
        self.out.push_str(text);
        self.reached(comment.span.end);
        self.after_line_comment = text.starts_with("//");
        self.after_opening = false;
    }

    /// Begins a line, after an empty one if the source has one there.
    pub(super) fn new_line(&mut self, start: usize) {
        let gap = self.text.get(self.last..start).unwrap_or_default();
        let has_empty_line = gap.bytes().filter(|byte| *byte == b'\n').count() > 1 && !self.after_opening;
        if !self.out.is_empty() {
            self.out.push('\n');
            if has_empty_line || self.wants_empty_line {
                self.out.push('\n');
            }
        }
        self.wants_empty_line = false;
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
    }
}
