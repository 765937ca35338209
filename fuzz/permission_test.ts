const late: Condition = 'context.hour > tuple.from'
class User implements Namespace {}
class Doc implements Namespace {
  related: { parents: Doc[], viewers: (User | SubjectSet<Doc, 'viewers'> | When<User, 'late'>)[], banned: User[] }
  permits = {
    view: (ctx) => (this.related.viewers.includes(ctx.subject) || this.related.parents.traverse((p) => p.permits.view(ctx)))
      && !this.related.banned.includes(ctx.subject),
  }
}
