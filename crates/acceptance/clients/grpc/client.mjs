// Drives a server with the published gRPC client of the system that `permissions` replaces, and the same services by gRPC-Web and
// Connect with messages that reflection describes. The addresses of the listeners come from the environment.

import assert from "node:assert/strict"
import { createRequire } from "node:module"
import path from "node:path"

import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt"
import { Code, ConnectError, createClient } from "@connectrpc/connect"
import { compressionGzip, createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node"

import { patch, questions, watches } from "./streams.mjs"

const require = createRequire(import.meta.url)
const client = require.resolve("@ory/keto-grpc-client")
// The client has its own version of the library, and accepts only the credentials of that one.
const grpc = createRequire(client)("@grpc/grpc-js")
const loader = createRequire(createRequire(client).resolve("@grpc/grpc-js"))("@grpc/proto-loader")
const PROTOS = "build/proto/grpc/reflection"
const folder = "@ory/keto-grpc-client/ory/keto"
const part = (name) => require(`${folder}/relation_tuples/v1alpha2/${name}_pb.js`)
const service = (name) => require(`${folder}/relation_tuples/v1alpha2/${name}_grpc_pb.js`)
const { RelationTuple, RelationQuery, Subject, SubjectSet } = part("relation_tuples")
const { ListRelationTuplesRequest } = part("read_service")
const { CheckRequest } = part("check_service")
const { ExpandRequest, NodeType } = part("expand_service")
const { DeleteRelationTuplesRequest, RelationTupleDelta, TransactRelationTuplesRequest } = part("write_service")
const { ListNamespacesRequest } = part("namespaces_service")
const { GetVersionRequest } = part("version")

const address = (name) => process.env[name]
const ok = (what) => console.log(`    ok  ${what}`)
const at = (Client, name) => new Client(new URL(address(name)).host, grpc.credentials.createInsecure())

const reads = at(service("read_service").ReadServiceClient, "KLEIS_PERMISSIONS_READ")
const checks = at(service("check_service").CheckServiceClient, "KLEIS_PERMISSIONS_READ")
const expansions = at(service("expand_service").ExpandServiceClient, "KLEIS_PERMISSIONS_READ")
const namespaces = at(service("namespaces_service").NamespacesServiceClient, "KLEIS_PERMISSIONS_READ")
const writes = at(service("write_service").WriteServiceClient, "KLEIS_PERMISSIONS_WRITE")
const misplaced = at(service("write_service").WriteServiceClient, "KLEIS_PERMISSIONS_READ")

function call(client, method, request, options = {}) {
  return new Promise((resolve, reject) => {
    client[method](request, new grpc.Metadata(), options, (error, answer) => (error ? reject(error) : resolve(answer)))
  })
}

async function refused(code, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, `${error.code}: ${error.message}`)
    return true
  })
}

function subject(of) {
  const message = new Subject()
  if (typeof of === "string") return message.setId(of)
  return message.setSet(new SubjectSet().setNamespace(of[0]).setObject(of[1]).setRelation(of[2]))
}

function tuple(object, of, namespace = "Doc") {
  const message = new RelationTuple().setNamespace(namespace).setObject(object).setRelation("viewer")
  return of === undefined ? message : message.setSubject(subject(of))
}

function deltas(action, tuples) {
  const changes = tuples.map((tuple) => new RelationTupleDelta().setAction(action).setRelationTuple(tuple))
  return new TransactRelationTuplesRequest().setRelationTupleDeltasList(changes)
}

const { ACTION_UNSPECIFIED, ACTION_INSERT, ACTION_DELETE } = RelationTupleDelta.Action

async function list(fill) {
  const answer = await call(reads, "listRelationTuples", fill(new ListRelationTuplesRequest()))
  return [answer.getRelationTuplesList().map((tuple) => tuple.getObject()), answer.getNextPageToken()]
}

async function published() {
  const group = ["Group", "staff", "member"]
  const written = await call(writes, "transactRelationTuples", deltas(ACTION_INSERT, [tuple("a", "ada"), tuple("b", group)]))
  const [token, second] = written.getSnaptokensList()
  assert.ok(token.length > 10 && token === second)
  ok("relation tuples are inserted, with a token for each")
  const all = (request) => request.setRelationQuery(new RelationQuery().setNamespace("Doc"))
  assert.deepEqual(await list((request) => all(request).setSnaptoken(token)), [["a", "b"], ""])
  const [first, next] = await list((request) => all(request).setPageSize(1))
  assert.deepEqual(first, ["a"])
  assert.deepEqual(await list((request) => all(request).setPageSize(1).setPageToken(next)), [["b"], ""])
  ok("a list has pages")
  const ofGroup = new RelationQuery().setSubject(subject(group))
  assert.deepEqual((await list((request) => request.setRelationQuery(ofGroup)))[0], ["b"])
  assert.deepEqual((await list((request) => request.setRelationQuery(new RelationQuery().setObject(""))))[0], [])
  const old = new ListRelationTuplesRequest.Query().setNamespace("Doc")
  assert.deepEqual((await list((request) => request.setQuery(old)))[0], ["a", "b"])
  ok("a query has optional fields, and its deprecated form has none")
  const found = await call(namespaces, "listNamespaces", new ListNamespacesRequest())
  assert.deepEqual(found.getNamespacesList().map((it) => it.getName()), ["Doc", "Group", "User"])
  for (const name of ["KLEIS_PERMISSIONS_READ", "KLEIS_PERMISSIONS_WRITE", "KLEIS_PERMISSIONS_OPL"]) {
    const versions = at(service("version").VersionServiceClient, name)
    assert.match((await call(versions, "getVersion", new GetVersionRequest())).getVersion(), /^\d/)
  }
  ok("namespaces and the version of every listener")
  await call(writes, "transactRelationTuples", deltas(ACTION_DELETE, [tuple("a", "ada"), tuple("nothing", "ada")]))
  assert.deepEqual((await list(all))[0], ["b"])
  await call(writes, "deleteRelationTuples", new DeleteRelationTuplesRequest().setRelationQuery(ofGroup))
  assert.deepEqual((await list(all))[0], [])
  ok("relation tuples are deleted by name and by query")
}

async function originalQuestions() {
  const { INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION } = grpc.status
  const members = ["Group", "staff", "member"]
  const member = tuple("staff", "ada", "Group").setRelation("member")
  const all = tuple("all", members, "Group").setRelation("member")
  await call(writes, "transactRelationTuples", deltas(ACTION_INSERT, [member, all, tuple("deep", ["Group", "all", "member"])]))
  // The token of a change by REST counts by gRPC.
  const [namespace, object, relation] = members
  const shared = { namespace: "Doc", object: "plan", relation: "viewer", subject_set: { namespace, object, relation } }
  const token = await patch(address("KLEIS_PERMISSIONS_WRITE"), ["insert", shared])
  const check = (tuple, fill = (request) => request) => call(checks, "check", fill(new CheckRequest().setTuple(tuple)))
  const granted = await check(tuple("plan", "ada"), (request) => request.setSnaptoken(token))
  assert.deepEqual([granted.getAllowed(), granted.getSnaptoken()], [true, token])
  assert.equal((await check(tuple("plan", "eve"), (request) => request.setLatest(true))).getAllowed(), false)
  assert.equal((await check(tuple("plan", members))).getAllowed(), true)
  const old = new CheckRequest().setNamespace("Doc").setObject("plan").setRelation("viewer").setSubject(subject("ada"))
  assert.equal((await call(checks, "check", old)).getAllowed(), true)
  ok("checks with a token from REST, of subject sets, and in the deprecated form")
  await refused(FAILED_PRECONDITION, check(tuple("deep", "ada"), (request) => request.setMaxDepth(1)))
  await refused(NOT_FOUND, check(tuple("plan", "ada", "Nothing")))
  await refused(INVALID_ARGUMENT, check(tuple("plan")))
  await refused(INVALID_ARGUMENT, check(tuple("plan", "ada"), (request) => request.setSnaptoken("x")))
  ok("a check without an answer is no denial")
  const expand = async (of, depth) => {
    const request = new ExpandRequest().setSubject(subject(of)).setMaxDepth(depth).setSnaptoken(token)
    return (await call(expansions, "expand", request)).getTree()
  }
  const { NODE_TYPE_LEAF, NODE_TYPE_UNION } = NodeType
  const tree = await expand(["Doc", "plan", "viewer"], 5)
  const [group] = tree.getChildrenList()
  const [leaf] = group.getChildrenList()
  assert.deepEqual([tree.getNodeType(), group.getNodeType(), leaf.getNodeType()], [NODE_TYPE_UNION, NODE_TYPE_UNION, NODE_TYPE_LEAF])
  assert.deepEqual(group.getTuple().getSubject().getSet().toObject(), { namespace, object, relation })
  assert.equal(leaf.getTuple().getSubject().getId(), "ada")
  assert.equal(leaf.getSubject().getId(), "ada")
  const shallow = await expand(["Doc", "plan", "viewer"], 2)
  assert.deepEqual(shallow.getChildrenList().map((it) => [it.getNodeType(), it.getChildrenList().length]), [[NODE_TYPE_LEAF, 0]])
  assert.equal((await expand("ada", 5)).getNodeType(), NODE_TYPE_LEAF)
  await refused(NOT_FOUND, expand(["Nothing", "a", "b"], 5))
  await refused(INVALID_ARGUMENT, call(expansions, "expand", new ExpandRequest()))
  ok("expansions as trees")
  for (const namespace of ["Doc", "Group"]) {
    const query = new RelationQuery().setNamespace(namespace)
    await call(writes, "deleteRelationTuples", new DeleteRelationTuplesRequest().setRelationQuery(query))
  }
}

async function refusals() {
  const { INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED } = grpc.status
  const transact = (request, options) => call(writes, "transactRelationTuples", request, options)
  await refused(INVALID_ARGUMENT, transact(deltas(ACTION_INSERT, [tuple("a")])))
  await refused(INVALID_ARGUMENT, transact(new TransactRelationTuplesRequest().setRelationTupleDeltasList([new RelationTupleDelta()])))
  await refused(INVALID_ARGUMENT, transact(deltas(ACTION_UNSPECIFIED, [tuple("a", "ada")])))
  await refused(NOT_FOUND, transact(deltas(ACTION_INSERT, [tuple("a", "ada", "Nothing")])))
  await refused(RESOURCE_EXHAUSTED, transact(deltas(ACTION_INSERT, [tuple("x".repeat(6 << 20), "ada")])))
  await refused(INVALID_ARGUMENT, call(reads, "listRelationTuples", new ListRelationTuplesRequest()))
  await refused(INVALID_ARGUMENT, call(writes, "deleteRelationTuples", new DeleteRelationTuplesRequest()))
  const query = new RelationQuery()
  const page = new ListRelationTuplesRequest().setRelationQuery(query).setPageToken("x")
  await refused(INVALID_ARGUMENT, call(reads, "listRelationTuples", page))
  const stale = new ListRelationTuplesRequest().setRelationQuery(query).setSnaptoken("not yet implemented")
  await refused(INVALID_ARGUMENT, call(reads, "listRelationTuples", stale))
  ok("bad requests are refused with their status")
  await refused(UNIMPLEMENTED, call(misplaced, "transactRelationTuples", new TransactRelationTuplesRequest()))
  ok("a listener has only its own services")
  const past = { deadline: Date.now() - 1000 }
  await refused(DEADLINE_EXCEEDED, call(reads, "listRelationTuples", new ListRelationTuplesRequest(), past))
  ok("a deadline ends a call")
}

// The names of the services of a listener, and their files as a registry.
async function reflected(name, version) {
  const file = path.join(path.dirname(require.resolve("@grpc/reflection/package.json")), PROTOS, `${version}/reflection.proto`)
  const { ServerReflection } = grpc.loadPackageDefinition(loader.loadSync(file, { oneofs: true })).grpc.reflection[version]
  const client = at(ServerReflection, name)
  const ask = (...requests) =>
    new Promise((resolve, reject) => {
      const [stream, answers] = [client.serverReflectionInfo(), []]
      stream.on("data", (answer) => answers.push(answer)).on("error", reject).on("end", () => resolve(answers))
      requests.forEach((request) => stream.write(request))
      stream.end()
    })
  const [{ listServicesResponse: services }] = await ask({ listServices: "" })
  const names = services.service.map((it) => it.name)
  const files = new Map()
  const add = ({ fileDescriptorResponse, errorResponse }) => {
    for (const bytes of fileDescriptorResponse?.fileDescriptorProto ?? assert.fail(errorResponse.errorMessage)) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes)
      files.set(file.name, file)
    }
  }
  const answers = await ask(...names.map((symbol) => ({ fileContainingSymbol: symbol })))
  answers.forEach(add)
  for (const file of files.values()) {
    const missing = file.dependency.filter((it) => !files.has(it))
    if (missing.length > 0) (await ask(...missing.map((name) => ({ fileByFilename: name })))).forEach(add)
  }
  const [unknown] = await ask({ fileContainingSymbol: "nothing" })
  assert.equal(unknown.errorResponse.errorCode, grpc.status.NOT_FOUND)
  return [names, createFileRegistry(create(FileDescriptorSetSchema, { file: ordered(files) }))]
}

// The registry wants a file after its imports.
function ordered(files) {
  const done = new Set()
  const result = []
  const visit = (file) => {
    if (done.has(file.name)) return
    done.add(file.name)
    file.dependency.forEach((name) => visit(files.get(name)))
    result.push(file)
  }
  files.forEach(visit)
  return result
}

const PACKAGE = "ory.keto.relation_tuples.v1alpha2"

async function otherProtocols() {
  const [readable] = await reflected("KLEIS_PERMISSIONS_READ", "v1alpha")
  assert.ok(readable.includes(`${PACKAGE}.ReadService`) && !readable.includes(`${PACKAGE}.WriteService`), `${readable}`)
  const [writable, registry] = await reflected("KLEIS_PERMISSIONS_WRITE", "v1")
  assert.ok(writable.includes(`${PACKAGE}.WriteService`) && !writable.includes(`${PACKAGE}.ReadService`), `${writable}`)
  ok("reflection describes the services of each listener in both versions")
  const baseUrl = address("KLEIS_PERMISSIONS_WRITE")
  const gzip = { baseUrl, sendCompression: compressionGzip, compressMinBytes: 0 }
  const transports = {
    "gRPC": createGrpcTransport({ baseUrl }),
    "gRPC with gzip": createGrpcTransport(gzip),
    "gRPC-Web over HTTP/1.1": createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    "gRPC-Web over HTTP/2": createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
    "Connect with JSON": createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
    "Connect in binary": createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    "Connect over HTTP/2 with gzip": createConnectTransport({ ...gzip, httpVersion: "2" }),
  }
  const health = registry.getService("grpc.health.v1.Health")
  for (const [name, transport] of Object.entries(transports)) {
    const client = createClient(registry.getService(`${PACKAGE}.WriteService`), transport)
    const tuple = { namespace: "Doc", object: name, relation: "viewer", subject: { ref: { case: "id", value: "größe" } } }
    const change = (action, relationTuple) => ({ relationTupleDeltas: [{ action, relationTuple }] })
    const written = await client.transactRelationTuples(change(ACTION_INSERT, tuple))
    assert.equal(written.snaptokens.length, 1)
    await client.transactRelationTuples(change(ACTION_DELETE, tuple))
    const failed = async (request, code, field) => {
      const error = await client.transactRelationTuples(request).then(() => null, ConnectError.from)
      assert.equal(error?.code, code, `${name}: ${error}`)
      const [detail] = error.details
      assert.equal(detail.type, "google.rpc.ErrorInfo")
      assert.ok(Buffer.from(detail.value).includes(field), `${name}: ${error.rawMessage}`)
    }
    const place = "relation_tuple_deltas[0].relation_tuple"
    await failed(change(ACTION_INSERT, { ...tuple, namespace: "größe" }), Code.NotFound, `${place}.namespace`)
    await failed(change(ACTION_INSERT, { ...tuple, subject: undefined }), Code.InvalidArgument, `${place}.subject`)
    const checks = createClient(health, transport)
    assert.equal((await checks.check({ service: "" })).status, 1)
    assert.equal((await checks.check({ service: `${PACKAGE}.WriteService` })).status, 1)
    const unknown = await checks.check({ service: "nothing" }).then(() => null, ConnectError.from)
    assert.equal(unknown?.code, Code.NotFound)
    for await (const { status } of checks.watch({ service: "" })) {
      assert.equal(status, 1)
      break
    }
    ok(`${name}: changes, errors with details, health`)
  }
}

// A call without any library.
async function plain() {
  const post = (body, headers = {}) => {
    const url = new URL(`/${PACKAGE}.ReadService/ListRelationTuples`, address("KLEIS_PERMISSIONS_READ"))
    return fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body })
  }
  const answer = await post('{"relation_query":{"namespace":"Doc"},"unknown":1}', { "connect-protocol-version": "1" })
  assert.deepEqual([answer.status, answer.headers.get("content-type"), await answer.json()], [200, "application/json", {}])
  const failed = await post("{}")
  assert.deepEqual([failed.status, (await failed.json()).code], [400, "invalid_argument"])
  const page = await post("{}", { origin: "http://evil.example" })
  assert.deepEqual([page.status, (await page.json()).code], [403, "permission_denied"])
  assert.equal((await post("{}", { "content-type": "text/plain" })).status, 415)
  ok("a call is a plain request with JSON")
}

await published()
await originalQuestions()
await refusals()
await plain()
await otherProtocols()
const [services, registry] = await reflected("KLEIS_PERMISSIONS_READ", "v1")
const ours = services.filter((name) => name.startsWith("kleis."))
assert.deepEqual(ours, ["PermissionService", "RelationTupleReadService"].map((name) => `kleis.permissions.v1.${name}`))
const [read, write] = ["KLEIS_PERMISSIONS_READ", "KLEIS_PERMISSIONS_WRITE"].map(address)
await watches({ read, write, registry, ok })
await questions({ read, write, registry, ok })
// Idle connections over HTTP/2 would keep the process for minutes.
process.exit(0)
