// Drives a server with the official clients for JavaScript: sign-up by the API flow, a session, identities, clients,
// a token and its introspection, and permissions. The addresses of the listeners come from the environment.
import assert from "node:assert/strict"
import * as hydra from "@ory/hydra-client"
import * as kratos from "@ory/kratos-client"
import { checkAuthenticatorApp } from "./authenticator-app.mjs"
import { checkPermissions } from "./permissions.mjs"

const { KLEIS_IDENTITY, KLEIS_IDENTITY_ADMIN, KLEIS_OAUTH, KLEIS_OAUTH_ADMIN } = process.env
const at = (library, basePath) => new library.Configuration({ basePath })
const ok = (what) => console.log(`    ok  ${what}`)

const frontend = new kratos.FrontendApi(at(kratos, KLEIS_IDENTITY))
const identities = new kratos.IdentityApi(at(kratos, KLEIS_IDENTITY_ADMIN))
const oauth = new hydra.OAuth2Api(at(hydra, KLEIS_OAUTH_ADMIN))

async function signUp() {
  const { data: flow } = await frontend.createNativeRegistrationFlow()
  const { data: registered } = await frontend.updateRegistrationFlow({
    flow: flow.id,
    updateRegistrationFlowBody: {
      method: "password",
      password: "correct horse battery staple",
      traits: { email: "node@example.org" },
    },
  })
  assert.ok(registered.session_token, "registration signs in")
  const { data: session } = await frontend.toSession({ xSessionToken: registered.session_token })
  assert.equal(session.active, true)
  assert.equal(session.identity.traits.email, "node@example.org")
  ok("registration signs in")
}

async function manageIdentities() {
  const { data: created } = await identities.createIdentity({
    createIdentityBody: { schema_id: "default", traits: { email: "node-admin@example.org" } },
  })
  const id = created.id
  const { data: patched } = await identities.patchIdentity({
    id,
    jsonPatch: [{ op: "add", path: "/metadata_public", value: { plan: "large" } }],
  })
  assert.deepEqual(patched.metadata_public, { plan: "large" })
  ok("an identity is patched")
  const { data: replaced } = await identities.updateIdentity({
    id,
    updateIdentityBody: { schema_id: "default", state: "inactive", traits: { email: "node-2@example.org" } },
  })
  assert.equal(replaced.state, "inactive")
  ok("an identity is replaced")
  const { data: found } = await identities.listIdentities({ credentialsIdentifier: "node@example.org" })
  assert.equal(found.length, 1)
  ok("an identity is found by its identifier")
  await identities.deleteIdentity({ id })
  await assert.rejects(identities.getIdentity({ id }), (error) => error.response.status === 404)
  ok("a deleted identity is gone")
}

async function useClients() {
  const { data: created } = await oauth.createOAuth2Client({
    oAuth2Client: {
      client_name: "Node",
      grant_types: ["client_credentials"],
      scope: "jobs.run",
      token_endpoint_auth_method: "client_secret_post",
    },
  })
  const id = created.client_id
  const { data: patched } = await oauth.patchOAuth2Client({
    id,
    jsonPatch: [{ op: "replace", path: "/client_name", value: "Node 2" }],
  })
  assert.equal(patched.client_name, "Node 2")
  ok("a client is patched")
  const { data: listed } = await oauth.listOAuth2Clients({ clientName: "Node 2" })
  assert.equal(listed.length, 1)
  ok("a client is found by its name")

  const answer = await fetch(`${KLEIS_OAUTH}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      scope: "jobs.run",
      client_id: id,
      client_secret: created.client_secret,
    }),
  })
  assert.equal(answer.status, 200)
  ok("a token is issued")
  const { access_token: token } = await answer.json()
  const { data: active } = await oauth.introspectOAuth2Token({ token })
  assert.equal(active.active, true)
  assert.equal(active.client_id, id)
  assert.equal(active.scope, "jobs.run")
  ok("introspection shows the live token")
  await oauth.deleteOAuth2Client({ id })
  const { data: inactive } = await oauth.introspectOAuth2Token({ token })
  assert.equal(inactive.active, false)
  ok("the token ends with its client")
  await assert.rejects(oauth.getOAuth2Client({ id }), (error) => error.response.status === 404)
  ok("a deleted client is gone")
}

await signUp()
await manageIdentities()
await useClients()
await checkPermissions(ok)
await checkAuthenticatorApp(frontend, ok)
