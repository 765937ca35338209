//! Relation tuples of a company that shares documents, written into the database before the program starts.
//!
//! Of ten tuples eight belong to documents (an owner, a folder, two viewers), about one to folders (a parent and a group of
//! viewers) and one is a membership of a group. Names are as long as those of real deployments. The shape is the same at every
//! size: a document is in a folder, which is in one of a few top folders.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base::{Clock, TenantId};
use database::{Database, Dsn, Read as _, Statement, values};

/// What the SQL and the questions share.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) tuples: u32,
    pub(super) documents: u32,
    users: u32,
    folders: u32,
    groups: u32,
}

/// Of a group.
const MEMBERS: u32 = 20;
/// Documents whose chain of folders is [`CHAIN`] long, and reports whose permit is the union of [`UNION`] relations.
pub(super) const SPECIAL: u32 = 64;
/// A check follows a chain in ten steps: nine folders, and the viewer of the last one.
const CHAIN: u32 = 9;
pub(super) const UNION: u32 = 10;
/// The documents that this user views, all in one folder.
pub(super) const VIEWER_OF_TEN: &str = "user-ten@example.com";
pub(super) const VIEWER_OF_MANY: &str = "user-many@example.com";
pub(super) const TEN: u32 = 10;
pub(super) const MANY: u32 = 10_000;
/// The steps between two documents of these folders.
const TEN_APART: u32 = 11;
const MANY_APART: u32 = 7;
/// A document with at least this number is not in the folder of [`VIEWER_OF_TEN`].
pub(super) const BEHIND_TEN: u32 = TEN * TEN_APART;

/// The model, in the Ory Permission Language.
pub(super) const MODEL: &str = r#"
import { Namespace, SubjectSet, Context } from "@ory/keto-namespace-types"
class User implements Namespace {}
class Group implements Namespace {
  related: { members: User[] }
}
class Folder implements Namespace {
  related: { parents: Folder[], viewers: (User | SubjectSet<Group, "members">)[] }
  permits = {
    view: (ctx: Context): boolean =>
      this.related.viewers.includes(ctx.subject) || this.related.parents.traverse((p) => p.permits.view(ctx)),
  }
}
class Doc implements Namespace {
  related: { owners: User[], parents: Folder[], viewers: User[] }
  permits = {
    view: (ctx: Context): boolean =>
      this.related.owners.includes(ctx.subject) || this.related.viewers.includes(ctx.subject) ||
      this.related.parents.traverse((p) => p.permits.view(ctx)),
  }
}
class Report implements Namespace {
  related: {
    r0: SubjectSet<Group, "members">[], r1: SubjectSet<Group, "members">[], r2: SubjectSet<Group, "members">[],
    r3: SubjectSet<Group, "members">[], r4: SubjectSet<Group, "members">[], r5: SubjectSet<Group, "members">[],
    r6: SubjectSet<Group, "members">[], r7: SubjectSet<Group, "members">[], r8: SubjectSet<Group, "members">[],
    r9: SubjectSet<Group, "members">[]
  }
  permits = {
    open: (ctx: Context): boolean =>
      this.related.r0.includes(ctx.subject) || this.related.r1.includes(ctx.subject) ||
      this.related.r2.includes(ctx.subject) || this.related.r3.includes(ctx.subject) ||
      this.related.r4.includes(ctx.subject) || this.related.r5.includes(ctx.subject) ||
      this.related.r6.includes(ctx.subject) || this.related.r7.includes(ctx.subject) ||
      this.related.r8.includes(ctx.subject) || this.related.r9.includes(ctx.subject),
  }
}
"#;

impl World {
    pub(super) fn of(tuples: u32) -> Self {
        Self { tuples, documents: tuples / 5, users: tuples / 20, folders: tuples / 25, groups: tuples / 200 }
    }

    /// Whether there are enough documents for [`VIEWER_OF_MANY`].
    pub(super) fn has_many(self) -> bool {
        self.documents >= MANY
    }

    /// As long as a UUID, and in the order of the numbers, as UUIDs of version 7 are.
    pub(super) fn document(number: u32) -> String {
        let tail = u64::from(number) * 2_654_435_761 % (1 << 48);
        format!("{:08x}-{:04x}-7000-8000-{tail:012x}", number >> 16, number & 0xffff)
    }

    pub(super) fn owner(self, document: u32) -> String {
        user(document % self.users)
    }

    /// A member of the group that views the folder of the document.
    pub(super) fn viewer_by_group(self, document: u32) -> String {
        self.member((document % self.folders) % self.groups, document % MEMBERS)
    }

    pub(super) fn chained_document(number: u32) -> String {
        format!("chained-{number}")
    }

    pub(super) fn viewer_by_chain(self, number: u32) -> String {
        user(number * 13 % self.users)
    }

    pub(super) fn report(number: u32) -> String {
        format!("report-{number}")
    }

    /// A member of the group of the last relation.
    pub(super) fn reader_of_report(self, number: u32) -> String {
        self.member((number * UNION + UNION - 1) % self.groups, number % MEMBERS)
    }

    fn member(self, group: u32, number: u32) -> String {
        let member = u64::from(group * MEMBERS + number) * 7919 % u64::from(self.users);
        format!("user-{member}@example.com")
    }

    /// Writes the tuples in one transaction, and returns how long it took. Only the index by subject is not kept meanwhile: it
    /// is faster to sort it once.
    pub(super) async fn write(self, folder: &Path) -> Result<Duration> {
        let started = Instant::now();
        std::fs::create_dir_all(folder.join("kleis-data"))?;
        let database = Database::open(&Dsn::sqlite(folder.join("kleis-data/kleis.db"))).await?;
        let sets = [jobs::MIGRATIONS, permissions::MIGRATIONS];
        database.migrate(&sets, Clock::system().now()).await?;
        let before = index(&database).await?;
        let mut tx = database.write(TenantId::DEFAULT).await?;
        tx.execute(&CACHE_SIZE, &[]).await?;
        tx.execute(&DROP_INDEX, &[]).await?;
        let sizes = values![self.users, self.folders, self.groups];
        let with_sizes = |numbers: [u32; 2]| [values![numbers[0], numbers[1]].to_vec(), sizes.to_vec()].concat();
        for (statement, count) in [
            (&DOCUMENTS, self.documents),
            (&FOLDERS, self.folders),
            (&MEMBERSHIPS, self.groups * MEMBERS),
            (&CHAINS, SPECIAL * (CHAIN + 1)),
            (&REPORTS, SPECIAL * UNION),
        ] {
            tx.execute(statement, &with_sizes([0, count])).await?;
        }
        for (name, viewer, count, apart) in [
            ("folder-ten", VIEWER_OF_TEN, TEN, TEN_APART),
            ("folder-many", VIEWER_OF_MANY, if self.has_many() { MANY } else { 0 }, MANY_APART),
        ] {
            tx.execute(&VIEWER, &values![name, viewer]).await?;
            tx.execute(&IN_FOLDER, &values![0, count, apart, self.documents, name]).await?;
        }
        tx.execute(&STATE, &[]).await?;
        tx.execute(&CREATE_INDEX, &[]).await?;
        tx.commit().await?;
        ensure!(index(&database).await? == before, "CREATE_INDEX of the bench differs from that of the migrations");
        Ok(started.elapsed())
    }
}

fn user(number: u32) -> String {
    format!("user-{number}@example.com")
}

/// The definition of the index by subject, with single spaces.
async fn index(database: &Database) -> Result<String> {
    let row = database.read(TenantId::DEFAULT).query_one(&INDEX, &[]).await.context("no index by subject")?;
    let text: String = row.get(0)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

const fn sqlite(name: &'static str, sql: &'static str) -> Statement {
    Statement::across_tenants(name, sql, "SELECT 1")
}

static CACHE_SIZE: Statement = sqlite("bench::CACHE_SIZE", "PRAGMA cache_size = -1000000");

static INDEX: Statement =
    sqlite("bench::INDEX", "SELECT sql FROM sqlite_master WHERE name = 'permissions_relation_tuples_by_subject'");

static DROP_INDEX: Statement = sqlite("bench::DROP_INDEX", "DROP INDEX permissions_relation_tuples_by_subject");

static CREATE_INDEX: Statement = sqlite(
    "bench::CREATE_INDEX",
    "CREATE INDEX permissions_relation_tuples_by_subject ON permissions_relation_tuples
    (tenant_id, subject_namespace, subject_object, subject_relation, namespace, relation, object)",
);

static STATE: Statement = sqlite(
    "bench::STATE",
    "INSERT INTO permissions_state (tenant_id, sequence, token_key) VALUES (1, 0, 'a-key-for-the-tokens-of-a-bench-of-43-bytes')",
);

/// The numbers from `$1` to below `$2`; `$3` users, `$4` folders, `$5` groups.
macro_rules! tuples {
    ($select:literal) => {
        concat!(
            "WITH RECURSIVE numbers (i) AS (SELECT $1 WHERE $1 < $2 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < $2) ",
            "INSERT OR IGNORE INTO permissions_relation_tuples (tenant_id, namespace, object, relation, subject_namespace, \
             subject_object, subject_relation, condition) ",
            $select
        )
    };
}

macro_rules! document {
    ($number:literal) => {
        concat!(
            "printf('%08x-%04x-7000-8000-%012x', (",
            $number,
            ") >> 16, (",
            $number,
            ") & 65535, (",
            $number,
            ") * 2654435761 % 281474976710656)"
        )
    };
}

static DOCUMENTS: Statement = sqlite(
    "bench::DOCUMENTS",
    concat!(
        "WITH RECURSIVE numbers (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < $2), \
         parts (k, relation) AS (VALUES (0, 'owners'), (1, 'parents'), (2, 'viewers'), (3, 'viewers')) \
         INSERT OR IGNORE INTO permissions_relation_tuples (tenant_id, namespace, object, relation, subject_namespace, \
         subject_object, subject_relation, condition) SELECT 1, 'Doc', ",
        document!("i"),
        ", relation, iif(k = 1, 'Folder', 'User'), CASE k WHEN 0 THEN printf('user-%d@example.com', i % $3) \
         WHEN 1 THEN printf('folder-%d', i % $4) ELSE printf('user-%d@example.com', (i * 7919 + k * 104729) % $3) END, \
         '', '' FROM numbers CROSS JOIN parts WHERE $5 > 0"
    ),
);

static FOLDERS: Statement = sqlite(
    "bench::FOLDERS",
    tuples!(
        "SELECT 1, 'Folder', printf('folder-%d', i), 'viewers', 'Group', printf('group-%d', i % $5), 'members', '' \
         FROM numbers UNION ALL SELECT 1, 'Folder', printf('folder-%d', i), 'parents', 'Folder', printf('top-%d', i % 64), \
         '', '' FROM numbers WHERE $3 + $4 > 0 UNION ALL SELECT 1, 'Folder', printf('top-%d', i), 'viewers', 'Group', \
         printf('group-%d', i * 31 % $5), 'members', '' FROM numbers WHERE i < 64"
    ),
);

static MEMBERSHIPS: Statement = sqlite(
    "bench::MEMBERSHIPS",
    tuples!(
        "SELECT 1, 'Group', printf('group-%d', i / 20), 'members', 'User', printf('user-%d@example.com', i * 7919 % $3), \
         '', '' FROM numbers WHERE $4 + $5 > 0"
    ),
);

/// The document, nine folders, and the viewer of the last one.
static CHAINS: Statement = sqlite(
    "bench::CHAINS",
    tuples!(
        "SELECT 1, iif(i % 10 = 0, 'Doc', 'Folder'), iif(i % 10 = 0, printf('chained-%d', i / 10), \
         printf('chain-%d-%d', i / 10, i % 10)), iif(i % 10 = 9, 'viewers', 'parents'), \
         iif(i % 10 = 9, 'User', 'Folder'), iif(i % 10 = 9, printf('user-%d@example.com', i / 10 * 13 % $3), \
         printf('chain-%d-%d', i / 10, i % 10 + 1)), '', '' FROM numbers WHERE $4 + $5 > 0"
    ),
);

static REPORTS: Statement = sqlite(
    "bench::REPORTS",
    tuples!(
        "SELECT 1, 'Report', printf('report-%d', i / 10), printf('r%d', i % 10), 'Group', printf('group-%d', i % $5), \
         'members', '' FROM numbers WHERE $3 + $4 > 0"
    ),
);

static VIEWER: Statement = sqlite(
    "bench::VIEWER",
    "INSERT INTO permissions_relation_tuples (tenant_id, namespace, object, relation, subject_namespace, subject_object, \
     subject_relation, condition) VALUES (1, 'Folder', $1, 'viewers', 'User', $2, '', '')",
);

/// Documents `$3` apart, of `$4`, are in the folder `$5`.
static IN_FOLDER: Statement = sqlite(
    "bench::IN_FOLDER",
    concat!(
        "WITH RECURSIVE numbers (i) AS (SELECT $1 WHERE $1 < $2 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < $2) \
         INSERT OR IGNORE INTO permissions_relation_tuples (tenant_id, namespace, object, relation, subject_namespace, \
         subject_object, subject_relation, condition) SELECT 1, 'Doc', ",
        document!("i * $3 % $4"),
        ", 'parents', 'Folder', $5, '', '' FROM numbers"
    ),
);
