// Streams of responses by gRPC, gRPC-Web and Connect, with messages that reflection describes.

import assert from "node:assert/strict"

import { Code, ConnectError, createClient } from "@connectrpc/connect"
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node"

const PACKAGE = "kleis.permissions.v1"
// More than can be open at the same time.
const MANY = 1_100

const transports = (baseUrl) => ({
  "gRPC": createGrpcTransport({ baseUrl }),
  "gRPC-Web over HTTP/1.1": createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC-Web over HTTP/2": createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
  "Connect with JSON": createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect in binary over HTTP/2": createConnectTransport({ baseUrl, httpVersion: "2" }),
})

const tuple = (object) => ({ namespace: "Doc", object, relation: "viewer", subject_id: "eve" })

// Makes changes by REST: the token of the snapshot after them.
export async function patch(address, ...changes) {
  const deltas = changes.map(([action, relation_tuple]) => ({ action, relation_tuple }))
  const url = new URL("/admin/relation-tuples", address)
  const headers = { "content-type": "application/json" }
  const answer = await fetch(url, { method: "PATCH", headers, body: JSON.stringify(deltas) })
  assert.equal(answer.status, 204, await answer.text())
  return answer.headers.get("snaptoken")
}

async function fails(code, promise) {
  const error = await promise.then(() => null, ConnectError.from)
  assert.equal(error?.code, code, `${error}`)
  return error
}

// `registry` has the services of the read listener.
export async function watches({ read, write, registry, ok }) {
  const changes = ({ event }) => event.value.changes.map(({ change: { case: action, value } }) => [action, (value.tuple ?? value).object])
  for (const [name, transport] of Object.entries(transports(read))) {
    const client = createClient(registry.getService(`${PACKAGE}.RelationTupleReadService`), transport)
    const from = await patch(write, ["insert", tuple("a")])
    const stop = new AbortController()
    const stream = client.watchRelationTuples({ snaptoken: from }, { signal: stop.signal })[Symbol.asyncIterator]()
    const { value: first } = await stream.next()
    assert.deepEqual([first.event.case, first.snaptoken], ["heartbeat", from])
    const position = await patch(write, ["insert", tuple("b")], ["delete", tuple("a")])
    const { value: second } = await stream.next()
    assert.deepEqual([second.event.case, second.snaptoken], ["change", position])
    assert.deepEqual(changes(second), [["insert", "b"], ["delete", "a"]])
    stop.abort()
    await fails(Code.Canceled, stream.next())
    const last = await patch(write, ["delete", tuple("b")])
    const continued = client.watchRelationTuples({ snaptoken: second.snaptoken })[Symbol.asyncIterator]()
    assert.equal((await continued.next()).value.event.case, "heartbeat")
    const { value: third } = await continued.next()
    assert.deepEqual([changes(third), third.snaptoken], [[["delete", "b"]], last])
    ok(`${name}: changes as a stream, which is cancelled and continued`)
    const next = (request, options) => client.watchRelationTuples(request, options)[Symbol.asyncIterator]().next()
    const error = await fails(Code.InvalidArgument, next({ snaptoken: "x" }))
    assert.ok(Buffer.from(error.details[0].value).includes("snaptoken"))
    await fails(Code.NotFound, next({ query: { namespace: "Nothing" } }))
    const timed = client.watchRelationTuples({}, { timeoutMs: 2_000 })[Symbol.asyncIterator]()
    await timed.next()
    await fails(Code.DeadlineExceeded, timed.next())
    ok(`${name}: refusals before the first response, and a deadline`)
  }
  const client = createClient(registry.getService(`${PACKAGE}.RelationTupleReadService`), createGrpcTransport({ baseUrl: read }))
  for (let count = 0; count < MANY; count += 1) {
    // The end of a loop alone does not cancel a stream of this client.
    const stop = new AbortController()
    const stream = client.watchRelationTuples({}, { signal: stop.signal })[Symbol.asyncIterator]()
    assert.equal((await stream.next()).value.event.case, "heartbeat")
    stop.abort()
    await fails(Code.Canceled, stream.next())
  }
  ok(`${MANY} streams that were cancelled leave room for more`)
}

// Checks with explanations, and the questions in the other directions.
export async function questions({ read, write, registry, ok }) {
  const subject = (id) => ({ ref: { case: "id", value: id } })
  const set = (namespace, object, relation) => ({ ref: { case: "set", value: { namespace, object, relation } } })
  const member = { namespace: "Group", object: "staff", relation: "member", subject_id: "eve" }
  const shared = { namespace: "Doc", object: "shared", relation: "viewer" }
  const ofGroup = { ...shared, subject_set: { namespace: "Group", object: "staff", relation: "member" } }
  const nested = (object, inner) =>
    ({ ...member, object, subject_id: undefined, subject_set: { namespace: "Group", object: inner, relation: "member" } })
  const many = Array.from({ length: 2_500 }, (_, number) => tuple(`many-${String(number).padStart(4, "0")}`))
  const inserts = [member, ofGroup, nested("outer", "inner"), nested("inner", "staff"), ...many].map((it) => ["insert", it])
  const token = await patch(write, ...inserts)
  const consistency = { requirement: { case: "atLeastAsFresh", value: token } }
  for (const [name, transport] of Object.entries(transports(read))) {
    const client = createClient(registry.getService(`${PACKAGE}.PermissionService`), transport)
    const check = (id, more) => client.check({ tuple: { ...shared, subject: subject(id) }, consistency, ...more })
    const granted = await check("eve", { explain: true })
    assert.deepEqual([granted.allowed, granted.snaptoken, granted.explanation.nearestMiss], [true, token, []])
    const path = ["the tuple Doc:shared#viewer@Group:staff#member", "the tuple Group:staff#member@eve"]
    assert.deepEqual(granted.explanation.path.map(({ text }) => text), path)
    const denied = await check("bob", { explain: true })
    assert.deepEqual([denied.allowed, denied.explanation.path], [false, []])
    assert.ok(denied.explanation.nearestMiss.length > 0)
    assert.equal((await check("eve", { context: { hour: 12, list: ["a", null] } })).explanation, undefined)
    const batch = { tuples: ["eve", "bob"].map((id) => ({ ...shared, subject: subject(id) })) }
    assert.deepEqual((await client.batchCheck(batch)).results.map(({ allowed }) => allowed), [true, false])
    const outer = { namespace: "Group", object: "outer", relation: "member", subject: subject("eve") }
    await fails(Code.FailedPrecondition, client.check({ tuple: outer, consistency, maxDepth: 1 }))
    ok(`${name}: checks with an explanation`)
    const all = async (stream, part) => {
      const [names, ends] = [[], []]
      for await (const message of stream) {
        assert.ok(message[part].length <= 1_000)
        names.push(...message[part])
        if (message.end) ends.push(message.end)
      }
      assert.deepEqual(ends.map(({ truncated, unresolved, snaptoken }) => [truncated, unresolved, snaptoken]), [["", "", token]])
      return names
    }
    const objects = await all(client.listObjects({ namespace: "Doc", relation: "viewer", subject: subject("eve"), consistency }), "objects")
    assert.deepEqual(objects, [...many.map(({ object }) => object), "shared"])
    const subjects = await all(client.listSubjects({ ...shared, consistency }), "subjects")
    assert.deepEqual(subjects.map(({ ref }) => ref.value), ["eve"])
    const groups = { ...shared, subjectNamespace: "Group", subjectRelation: "member", consistency }
    const [group] = await all(client.listSubjects(groups), "subjects")
    assert.equal(group.ref.value.object, "staff")
    const relations = { namespace: "Doc", object: "shared", subject: set("Group", "staff", "member"), consistency }
    assert.deepEqual((await client.listRelations(relations)).relations, ["view", "viewer"])
    ok(`${name}: objects, subjects and relations, whole`)
    const stop = new AbortController()
    const ofEve = { namespace: "Doc", relation: "viewer", subject: subject("eve") }
    const list = client.listObjects(ofEve, { signal: stop.signal })[Symbol.asyncIterator]()
    assert.equal((await list.next()).value.objects.length, 1_000)
    stop.abort()
    // What has arrived can still be read.
    const rest = async () => { while (!(await list.next()).done); }
    await rest().catch((error) => assert.equal(ConnectError.from(error).code, Code.Canceled))
    const unknown = client.listObjects({ namespace: "Nothing", relation: "a", subject: subject("eve") })
    await fails(Code.NotFound, unknown[Symbol.asyncIterator]().next())
    ok(`${name}: a list that is cancelled, and one that is refused`)
  }
  await patch(write, ...inserts.map(([, it]) => ["delete", it]))
}
