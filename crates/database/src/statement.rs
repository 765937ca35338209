//! Named SQL statements, each written once.

use std::sync::OnceLock;

use crate::change_insertion::insertion;

/// One SQL statement in the dialect that both engines share, or a pair where they differ. Parameters are `$1`, `$2` …; `=
/// ANY($2)` selects the rows of several UUIDs, given as one value.
#[derive(Debug)]
pub struct Statement {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    tenant_bound: bool,
    slow: bool,
    /// The text with `?1`, because SQLite treats `$1` as a name.
    sqlite_text: OnceLock<String>,
    /// The text that also records a change.
    postgres_with_change: OnceLock<String>,
}

impl Statement {
    /// A statement whose `$1` is the tenant of the transaction. Use [`statements!`](crate::statements).
    pub const fn new(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self::of(name, (sqlite, postgres), true)
    }

    /// A statement about all tenants, for background work: `$1` is the first value.
    pub const fn across_tenants(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self::of(name, (sqlite, postgres), false)
    }

    const fn of(name: &'static str, (sqlite, postgres): (&'static str, &'static str), tenant_bound: bool) -> Self {
        Self {
            name,
            sqlite,
            postgres,
            tenant_bound,
            slow: false,
            sqlite_text: OnceLock::new(),
            postgres_with_change: OnceLock::new(),
        }
    }

    /// Marks a statement whose run time grows with the table: a count, an offset, a filter without an index. A
    /// [`ReadTx`](crate::ReadTx) runs it apart from the quick ones, with a limit on the number of such statements and on their
    /// run time.
    #[must_use]
    pub const fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub const fn is_tenant_bound(&self) -> bool {
        self.tenant_bound
    }

    pub const fn is_slow(&self) -> bool {
        self.slow
    }

    pub(crate) const fn postgres_text(&self) -> &'static str {
        self.postgres
    }

    /// The statement and, in the same statement, the insertion of a change, whose values follow its `parameters` own ones. `None`
    /// when it is not a plain write.
    pub(crate) fn postgres_text_with_change(&self, parameters: usize) -> Option<&str> {
        let is_write = ["INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| self.postgres.starts_with(verb));
        is_write
            .then(|| {
                self.postgres_with_change.get_or_init(|| {
                    let insertion = insertion(parameters + 1);
                    format!("WITH kleis_change AS ({insertion}) {}", self.postgres)
                })
            })
            .map(String::as_str)
    }

    pub(crate) fn sqlite_text(&self) -> &str {
        self.sqlite_text.get_or_init(|| positional(self.sqlite))
    }
}

/// PostgreSQL has arrays; SQLite reads a list as a table from JSON.
const ANY: (&str, &str) = ("= ANY($", "IN (SELECT unhex(value) FROM json_each($");

/// Rewrites [`ANY`], and `$N` outside string literals as `?N`.
pub(crate) fn positional(sql: &str) -> String {
    let sql = &in_lists(sql);
    let mut text = String::with_capacity(sql.len());
    let mut quoted = false;
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\'' {
            quoted = !quoted;
        }
        let is_parameter = character == '$' && !quoted && characters.peek().is_some_and(char::is_ascii_digit);
        text.push(if is_parameter { '?' } else { character });
    }
    text
}

fn in_lists(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(ANY.0) {
        // The bracket that closes ANY closes json_each; the subquery has one more.
        let (number, following) = after.split_once(')').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(ANY.1);
        text.push_str(number);
        text.push_str("))");
        rest = following;
    }
    text + rest
}

/// Declares statements:
///
/// ```
/// database::statements! {
///     /// One session by the digest of its token.
///     FIND_BY_TOKEN = "SELECT id FROM sessions WHERE tenant_id = $1 AND token_digest = $2";
///     /// A pair, where the engines part.
///     CLAIM = { sqlite: "SELECT id FROM jobs WHERE tenant_id = $1", postgres: "SELECT id FROM jobs WHERE tenant_id = $1 FOR UPDATE" };
///     /// Its run time grows with the table, see [`Statement::slow`](crate::Statement::slow).
///     slow COUNT = "SELECT count(*) FROM sessions WHERE tenant_id = $1";
///     /// About every tenant: `$1` is the first value given.
///     across_tenants OLDEST = "SELECT min(created_at) FROM jobs WHERE run_at < $1";
/// }
/// ```
///
/// and collects them as `STATEMENTS`.
#[macro_export]
macro_rules! statements {
    ($($rest:tt)*) => { $crate::__statements! { @munch [] $($rest)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __statements {
    (@munch [$($name:ident)*] $(#[$meta:meta])* across_tenants $next:ident = { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }; $($rest:tt)*) => {
        $(#[$meta])*
        static $next: $crate::Statement =
            $crate::Statement::across_tenants(concat!(module_path!(), "::", stringify!($next)), $sqlite, $postgres);
        $crate::__statements! { @munch [$($name)* $next] $($rest)* }
    };
    (@munch [$($name:ident)*] $(#[$meta:meta])* across_tenants $next:ident = $sql:expr; $($rest:tt)*) => {
        $(#[$meta])*
        static $next: $crate::Statement =
            $crate::Statement::across_tenants(concat!(module_path!(), "::", stringify!($next)), $sql, $sql);
        $crate::__statements! { @munch [$($name)* $next] $($rest)* }
    };
    (@munch [$($name:ident)*] $(#[$meta:meta])* slow $next:ident = { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }; $($rest:tt)*) => {
        $(#[$meta])*
        static $next: $crate::Statement =
            $crate::Statement::new(concat!(module_path!(), "::", stringify!($next)), $sqlite, $postgres).slow();
        $crate::__statements! { @munch [$($name)* $next] $($rest)* }
    };
    (@munch [$($name:ident)*] $(#[$meta:meta])* slow $next:ident = $sql:expr; $($rest:tt)*) => {
        $(#[$meta])*
        static $next: $crate::Statement =
            $crate::Statement::new(concat!(module_path!(), "::", stringify!($next)), $sql, $sql).slow();
        $crate::__statements! { @munch [$($name)* $next] $($rest)* }
    };
    (@munch [$($name:ident)*] $(#[$meta:meta])* $next:ident = { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }; $($rest:tt)*) => {
        $(#[$meta])*
        static $next: $crate::Statement =
            $crate::Statement::new(concat!(module_path!(), "::", stringify!($next)), $sqlite, $postgres);
        $crate::__statements! { @munch [$($name)* $next] $($rest)* }
    };
    (@munch [$($name:ident)*] $(#[$meta:meta])* $next:ident = $sql:expr; $($rest:tt)*) => {
        $(#[$meta])*
        static $next: $crate::Statement =
            $crate::Statement::new(concat!(module_path!(), "::", stringify!($next)), $sql, $sql);
        $crate::__statements! { @munch [$($name)* $next] $($rest)* }
    };
    (@munch [$($name:ident)*]) => {
        /// Every statement of this module, for the test that prepares them on both engines.
        pub(crate) const STATEMENTS: &[&$crate::Statement] = &[$(&$name),*];
    };
}

#[cfg(test)]
mod tests {
    use super::positional;

    #[test]
    fn parameters_become_positions_and_literals_are_unchanged() {
        assert_eq!(positional("a = $1 AND b = '$2' AND c = $13"), "a = ?1 AND b = '$2' AND c = ?13");
    }

    #[test]
    fn lists_become_tables_of_json() {
        let sqlite = "a = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2)) ORDER BY id";
        assert_eq!(positional("a = $1 AND id = ANY($2) ORDER BY id"), sqlite);
    }
}
