// A third-party authenticator app: jsqr reads the QR code of the settings, and otpauth generates the codes. The clock is real,
// so that other times are tested by their codes: a code is accepted one step early or late, once, and not if it is older than a
// used one.
import assert from "node:assert/strict"
import jsQR from "jsqr"
import { TOTP, URI } from "otpauth"
import { PNG } from "pngjs"

const EMAIL = "node-app@example.org"
const PASSWORD = "correct horse battery staple"
const STEP_MILLISECONDS = 30_000
const CODE_INVALID = 4_000_008
// The time that must be left in a step, so that a code that is computed here is still valid when the server checks it.
const MARGIN_MILLISECONDS = 12_000

// The text that a camera would read.
function seenIn(dataUri) {
  const { data, width, height } = PNG.sync.read(Buffer.from(dataUri.split(",")[1], "base64"))
  return jsQR(new Uint8ClampedArray(data), width, height)?.data
}

function attributesOf(flow, id) {
  return flow.ui.nodes.map((node) => node.attributes).find((attributes) => attributes.id === id)
}

// The code of another step, while enough of this one is left.
async function codeOf(app, steps) {
  const left = STEP_MILLISECONDS - (Date.now() % STEP_MILLISECONDS)
  if (left < MARGIN_MILLISECONDS) await new Promise((resolve) => setTimeout(resolve, left + 100))
  return app.generate({ timestamp: Date.now() + steps * STEP_MILLISECONDS })
}

async function refused(call, field) {
  await assert.rejects(call, ({ response }) => {
    assert.equal(response.status, 400)
    const { nodes, messages } = response.data.ui
    const found = field ? nodes.find((node) => node.attributes.name === field).messages : messages
    assert.deepEqual(found.map((message) => message.id), [CODE_INVALID])
    return true
  })
}

export async function checkAuthenticatorApp(frontend, ok) {
  const signUp = async () => {
    const { data: flow } = await frontend.createNativeRegistrationFlow()
    const body = { method: "password", password: PASSWORD, traits: { email: EMAIL } }
    return (await frontend.updateRegistrationFlow({ flow: flow.id, updateRegistrationFlowBody: body })).data.session_token
  }
  const signIn = async () => {
    const { data: flow } = await frontend.createNativeLoginFlow()
    const body = { method: "password", identifier: EMAIL, password: PASSWORD }
    return (await frontend.updateLoginFlow({ flow: flow.id, updateLoginFlowBody: body })).data.session_token
  }
  const prove = async (xSessionToken, code) => {
    const { data: flow } = await frontend.createNativeLoginFlow({ aal: "aal2", xSessionToken })
    const body = { method: "totp", totp_code: code }
    return (await frontend.updateLoginFlow({ flow: flow.id, updateLoginFlowBody: body, xSessionToken })).data.session
  }

  const owner = await signUp()
  const { data: flow } = await frontend.createNativeSettingsFlow({ xSessionToken: owner })
  const link = async (code) => {
    const body = { method: "totp", totp_code: code }
    return (await frontend.updateSettingsFlow({ flow: flow.id, updateSettingsFlowBody: body, xSessionToken: owner })).data
  }
  const secret = attributesOf(flow, "totp_secret_key").text.context.secret
  const seen = seenIn(attributesOf(flow, "totp_qr").src)
  const app = URI.parse(seen)
  assert.ok(app instanceof TOTP, seen)
  assert.deepEqual([app.issuer, app.label, app.secret.base32], ["Conformance", EMAIL, secret])
  assert.deepEqual([app.algorithm, app.digits, app.period], ["SHA1", 6, 30])
  ok("the QR code can be read and contains the shown secret")

  for (const steps of [-10, -2, 2, 10]) await refused(async () => link(await codeOf(app, steps)), "totp_code")
  ok("a code two steps or five minutes off does not set an app up")
  assert.equal((await link(await codeOf(app, -1))).state, "success")
  ok("a code one step late sets an app up")

  const session = await signIn()
  await assert.rejects(frontend.toSession({ xSessionToken: session }), ({ response }) => response.status === 403)
  ok("the password alone does not sign in")
  for (const steps of [-2, 2, 10]) await refused(async () => prove(session, await codeOf(app, steps)))
  ok("a code two steps off, or of a clock five minutes fast, is refused")
  const used = await codeOf(app, 0)
  assert.equal((await prove(session, used)).authenticator_assurance_level, "aal2")
  ok("a code of this step signs in")

  const other = await signIn()
  await refused(() => prove(other, used))
  ok("a code is accepted once")
  assert.equal((await prove(other, await codeOf(app, 1))).authenticator_assurance_level, "aal2")
  ok("a code one step early signs in")
  await refused(async () => prove(await signIn(), used))
  ok("a code that is older than a used one is refused")
}
