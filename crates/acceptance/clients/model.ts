import { Context, Namespace, SubjectSet } from "@ory/keto-namespace-types"

class Doc implements Namespace {
  related: {
    parent: Doc[]
    owner: User[]
    viewer: (User | SubjectSet<Group, "member">)[]
  }

  permits = {
    view: (ctx: Context): boolean =>
      this.related.owner.includes(ctx.subject) ||
      this.related.viewer.includes(ctx.subject) ||
      this.related.parent.traverse((parent) => parent.permits.view(ctx)),
    circle: (ctx: Context): boolean => this.permits.circle(ctx),
  }
}

class Group implements Namespace {
  related: {
    member: (User | SubjectSet<Group, "member">)[]
  }
}

class User implements Namespace {}
