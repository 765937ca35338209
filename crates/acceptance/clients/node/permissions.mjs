// Every operation of the client for permissions, with right and wrong requests. The client hands out what it receives, so that
// whole answers are compared.
import assert from "node:assert/strict"
import * as keto from "@ory/keto-client"

const { KLEIS_PERMISSIONS_READ, KLEIS_PERMISSIONS_WRITE, KLEIS_PERMISSIONS_OPL } = process.env
const at = (Api, basePath) => new Api(new keto.Configuration({ basePath }))
const checks = at(keto.PermissionApi, KLEIS_PERMISSIONS_READ)
const reads = at(keto.RelationshipApi, KLEIS_PERMISSIONS_READ)
const writes = at(keto.RelationshipApi, KLEIS_PERMISSIONS_WRITE)
const syntax = at(keto.RelationshipApi, KLEIS_PERMISSIONS_OPL)

const [ada, bob, eve] = ["ada", "bob", "eve"].map((object) => ({ namespace: "User", object, relation: "" }))
const group = { namespace: "Group", object: "node", relation: "member" }

function tuple(relation, subject, more = {}) {
  const named = typeof subject === "string" ? { subject_id: subject } : { subject_set: subject }
  return { namespace: "Doc", object: "node", relation, ...named, ...more }
}

// A tuple as parameters of a query.
function query({ subject_id: subjectId, subject_set: set, ...named }) {
  if (!set) return { ...named, subjectId }
  return { ...named, subjectSetNamespace: set.namespace, subjectSetObject: set.object, subjectSetRelation: set.relation }
}

async function answered(promise, data, status = 200) {
  const answer = await promise
  assert.deepEqual([answer.status, answer.data], [status, data])
  return answer
}

async function refused(status, reason, promise) {
  await assert.rejects(promise, ({ response }) => {
    const { error } = response.data
    assert.deepEqual([response.status, error.code], [status, status])
    assert.ok(error.message && error.status && error.request, JSON.stringify(error))
    assert.ok(error.reason.includes(reason), error.reason)
    return true
  })
}

// A check whose status is the answer: "no" is 403, which the client throws.
async function mirrored(allowed, promise) {
  if (allowed) return answered(promise, { allowed })
  await assert.rejects(promise, ({ response }) => {
    assert.deepEqual([response.status, response.data], [403, { allowed: false }])
    return true
  })
}

const patch = (...changes) => {
  const relationshipPatch = changes.map(([action, relation_tuple]) => ({ action, relation_tuple }))
  return answered(writes.patchRelationships({ relationshipPatch }), "", 204)
}

async function list(query) {
  const { data } = await reads.getRelationships(query)
  assert.deepEqual(Object.keys(data).sort(), ["next_page_token", "relation_tuples"])
  assert.equal(data.next_page_token, "")
  return data.relation_tuples
}

async function write(ok) {
  const created = tuple("owner", ada, { object: "node/ü" })
  const { headers } = await answered(writes.createRelationship({ createRelationshipBody: created }), created, 201)
  const found = await fetch(new URL(headers.location, KLEIS_PERMISSIONS_READ))
  assert.deepEqual(await found.json(), { relation_tuples: [created], next_page_token: "" })
  ok("a relationship is created, and its location finds it")
  await patch(["insert", tuple("viewer", group)], ["insert", tuple("owner", ada)], ["insert", tuple("viewer", "an id")])
  await patch(["insert", tuple("member", bob, { namespace: "Group" })], ["delete", tuple("viewer", "nobody")])
  const other = tuple("viewer", "x", { object: "node 2" })
  await patch(["insert", other], ["delete", other])
  assert.deepEqual(await list({ namespace: "Doc", object: "node 2" }), [])
  ok("relationships are inserted and deleted by a patch")
}

async function lists(ok) {
  const all = { namespace: "Doc", object: "node" }
  const { data: first } = await reads.getRelationships({ ...all, pageSize: 2 })
  assert.equal(first.relation_tuples.length, 2)
  const rest = await list({ ...all, pageSize: 2, pageToken: first.next_page_token })
  assert.deepEqual([...first.relation_tuples, ...rest], await list(all))
  const { subjectSetNamespace, subjectSetObject, subjectSetRelation } = query(tuple("viewer", group))
  assert.deepEqual(await list({ subjectSetNamespace, subjectSetObject, subjectSetRelation }), [tuple("viewer", group)])
  await refused(400, "page_token", reads.getRelationships({ pageToken: "x" }))
  await refused(404, 'no namespace "None"', reads.getRelationships({ namespace: "None" }))
  ok("relationships are listed by page and by subject set")
  const namespaces = ["Doc", "Group", "User"].map((name) => ({ name }))
  await answered(reads.listRelationshipNamespaces(), { namespaces })
  ok("the namespaces of the model are listed")
}

async function check(ok) {
  for (const [subject, allowed] of [[ada, true], [bob, true], [eve, false]]) {
    const body = tuple("view", subject)
    await answered(checks.checkPermission(query(body)), { allowed })
    await answered(checks.postCheckPermission({ maxDepth: 3, postCheckPermissionBody: body }), { allowed })
    await mirrored(allowed, checks.checkPermissionOrError(query(body)))
    await mirrored(allowed, checks.postCheckPermissionOrError({ postCheckPermissionOrErrorBody: body }))
  }
  ok("a check is answered in four ways, and 403 is an answer")
  await answered(checks.checkPermission({ ...query(tuple("viewer", "an id")), maxDepth: 1 }), { allowed: true })
  await answered(checks.checkPermission(query(tuple("r", "a", { namespace: "None" }))), { allowed: false })
  ok("a subject id is checked, and an unknown namespace is denied")
  const nothing = 'relation "nothing" does not exist'
  await refused(400, nothing, checks.checkPermission(query(tuple("nothing", "a"))))
  await refused(400, nothing, checks.checkPermissionOrError(query(tuple("nothing", "a"))))
  await refused(400, nothing, checks.postCheckPermission({ postCheckPermissionBody: tuple("nothing", "a") }))
  const unnamed = { namespace: "Doc", object: "a", relation: "view" }
  await refused(400, "subject is not allowed to be nil", checks.checkPermission(unnamed))
  const both = { ...query(tuple("view", "a")), subjectSetNamespace: "User" }
  await refused(400, "exactly one of", checks.checkPermission(both))
  await refused(400, "exactly one of", checks.postCheckPermission({ postCheckPermissionBody: { ...tuple("view", ada), subject_id: "a" } }))
  await refused(422, "cyclic permits", checks.checkPermission(query(tuple("circle", "a"))))
  const below = { object: "node below" }
  await patch(["insert", tuple("parent", { namespace: "Doc", object: "node", relation: "" }, below)])
  await refused(422, "depth limit", checks.checkPermission({ ...query(tuple("view", bob, below)), maxDepth: 1 }))
  ok("wrong checks are refused with a reason")
}

async function batch(ok) {
  const tuples = [tuple("view", ada), tuple("view", eve), tuple("nothing", ada)]
  const results = [{ allowed: true }, { allowed: false }, { allowed: false, error: 'relation "nothing" does not exist' }]
  await answered(checks.batchCheckPermission({ batchCheckPermissionBody: { tuples } }), { results })
  const eleven = { tuples: Array(11).fill(tuples[0]) }
  await refused(400, "batch exceeds max size of 10", checks.batchCheckPermission({ batchCheckPermissionBody: eleven }))
  ok("a batch has a result for each tuple")
}

async function expand(ok) {
  const node = (type, subject, children) => {
    const named = tuple("", subject, { namespace: "", object: "" })
    return children ? { type, tuple: named, children } : { type, tuple: named }
  }
  const root = { namespace: "Doc", object: "node", relation: "viewer" }
  const members = node("union", group, [node("leaf", bob)])
  await answered(checks.expandPermissions(root), node("union", root, [node("leaf", "an id"), members]))
  await answered(checks.expandPermissions({ ...root, maxDepth: 1 }), node("leaf", root))
  await refused(404, 'no namespace "None"', checks.expandPermissions({ ...root, namespace: "None" }))
  ok("a relation is expanded to a tree")
}

async function refusedWrites(ok) {
  const create = (createRelationshipBody) => writes.createRelationship({ createRelationshipBody })
  const unnamed = { namespace: "Doc", object: "a", relation: "owner" }
  await refused(400, "subject_id or subject_set is required", create(unnamed))
  await refused(400, 'is not a type that "owner" of Doc accepts', create({ ...unnamed, subject_set: group }))
  await refused(404, 'no namespace "None"', create(tuple("owner", "a", { namespace: "None" })))
  const upsert = { action: "upsert", relation_tuple: tuple("owner", ada) }
  await refused(400, "action", writes.patchRelationships({ relationshipPatch: [upsert] }))
  await refused(400, "", writes.patchRelationships({ relationshipPatch: [{ action: "insert" }] }))
  await refused(400, "namespace: is required", writes.deleteRelationships({ object: "node" }))
  assert.equal((await list({ namespace: "Doc", object: "node" })).length, 3)
  ok("wrong writes are refused with a reason")
}

async function model(ok) {
  const text = 'class Doc implements Namespace { related: { viewer: SubjectSet<Group, "member">[] } }'
  const { data } = await syntax.checkOplSyntax({ body: text })
  // An addition: what to do.
  const { help, ...error } = data.errors[0]
  assert.ok(help)
  const [start, end] = [63, 68].map((column) => ({ Line: 1, column }))
  assert.deepEqual([error, data.errors.length], [{ message: 'namespace "Group" was not declared', start, end }, 1])
  const whole = `${text} class Group implements Namespace { related: { member: Group[] } }`
  await answered(syntax.checkOplSyntax({ body: whole }), {})
  ok("a model is checked, with the places of its errors")
}

async function metadata(ok) {
  for (const url of [KLEIS_PERMISSIONS_READ, KLEIS_PERMISSIONS_WRITE, KLEIS_PERMISSIONS_OPL]) {
    const api = at(keto.MetadataApi, url)
    await answered(api.isAlive(), { status: "ok" })
    await answered(api.isReady(), { status: "ok" })
    assert.match((await api.getVersion()).data.version, /^\d/)
  }
  ok("every listener has its health and its version")
}

async function remove(ok) {
  const member = query(tuple("member", bob, { namespace: "Group" }))
  for (const query of [{ namespace: "Doc", object: "node" }, { namespace: "Doc", object: "node/ü" }, member]) {
    for (let time = 0; time < 2; time += 1) await answered(writes.deleteRelationships(query), "", 204)
    assert.deepEqual(await list(query), [])
  }
  ok("relationships are deleted by query")
}

export async function checkPermissions(ok) {
  await write(ok)
  await lists(ok)
  await check(ok)
  await batch(ok)
  await expand(ok)
  await refusedWrites(ok)
  await model(ok)
  await metadata(ok)
  await remove(ok)
}
