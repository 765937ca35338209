// The reference front end against the real server, in Chromium: pages rendered on a server, whose forms are sent to Kleis.
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { launch, steps } from "./chromium.mjs"
import { answers, freePorts, Kleis, start, until } from "./kleis.mjs"
import { serveMarkup } from "./markup.mjs"

const EMAIL = "ada@example.org"
const FIRST = "seven lanterns over the harbour"
const SECOND = "nine lanterns over the harbour"
const VARIANTS = {
  "one step, unified": { oneStep: true, style: "unified" },
  "two steps, identifier first": { oneStep: false, style: "identifier_first" },
}
// The folder of a built copy of github.com/ory/kratos-selfservice-ui-node. No registry has a current one: without the
// variable the pages are drawn by the library that it draws with.
const SOURCE = process.env.CONFORMANCE_FRONT_END

function configuration(ui, { oneStep, style }) {
  const page = (name) => ({ ui_url: `${ui}/${name}` })
  const hooks = [{ hook: "session" }, { hook: "show_verification_ui" }]
  return {
    identity: {
      selfservice: {
        default_browser_return_url: `${ui}/welcome`,
        allowed_return_urls: [ui],
        methods: { code: { enabled: true, passwordless_enabled: true } },
        flows: {
          error: page("error"),
          login: { ...page("login"), style },
          logout: { after: { default_browser_return_url: `${ui}/login` } },
          recovery: { ...page("recovery"), enabled: true, use: "code" },
          registration: {
            ...page("registration"),
            enable_legacy_one_step: oneStep,
            after: { password: { hooks }, code: { hooks } },
          },
          settings: page("settings"),
          verification: { ...page("verification"), enabled: true, use: "code" },
        },
      },
    },
  }
}

async function frontEnd(port, kleis, folder) {
  if (!SOURCE) return await serveMarkup(port, kleis.url("identity"))
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    KRATOS_PUBLIC_URL: kleis.url("identity"),
    KRATOS_ADMIN_URL: kleis.url("identityAdmin"),
    HYDRA_ADMIN_URL: kleis.url("oauthAdmin"),
    COOKIE_SECRET: "a-secret-of-the-front-end",
    CSRF_COOKIE_NAME: "front_end_csrf",
    CSRF_COOKIE_SECRET: "another-secret-of-the-front-end",
    DANGEROUSLY_DISABLE_SECURE_CSRF_COOKIES: "true",
  }
  const server = start("node", ["lib/index.js"], { cwd: SOURCE, env }, join(folder, "front-end.log"))
  await until(() => answers(`http://127.0.0.1:${port}/health/alive`), "the front end answers")
  return server
}

async function run(variant, page, ui, kleis) {
  const identifierFirst = variant.style === "identifier_first"
  let lastCode
  const go = (path) => page.goto(ui + path)
  const message = (id) => page.locator(`[data-testid="ui/message/${id}"]`).first().waitFor()
  // Each method is a form of its own.
  const submit = async (method, values = {}) => {
    const button = `button[name=method][value="${method}"]`
    const form = page.locator("form", { has: page.locator(button) }).first()
    for (const [name, value] of Object.entries(values)) {
      await form.locator(`input[name="${name}"]:not([type=hidden])`).fill(value)
    }
    await form.locator(button).first().click()
  }
  const typeCode = async (email = EMAIL) => {
    await page.locator("input[name=code]").waitFor()
    lastCode = await kleis.code(email, lastCode)
    await submit("code", { code: lastCode })
  }
  const signedIn = async (email = EMAIL) => {
    await page.waitForURL((url) => !url.pathname.startsWith("/login"))
    await go("/settings")
    await page.locator(`input[name="traits.email"][value="${email}"]`).first().waitFor()
  }
  const signOut = async () => {
    await go("/welcome")
    await page.locator("a[href*='/self-service/logout']").first().click()
    await page.locator("input[name=identifier]").first().waitFor()
  }
  const signIn = async (method, secret = {}) => {
    await go("/login")
    if (identifierFirst) await submit("identifier_first", { identifier: EMAIL })
    await submit(method, identifierFirst ? secret : { identifier: EMAIL, ...secret })
  }
  const register = async (email, method, secret = {}) => {
    await go("/registration")
    if (!variant.oneStep) await submit("profile", { "traits.email": email })
    await submit(method, variant.oneStep ? { "traits.email": email, ...secret } : secret)
  }
  await steps(page, {
    "registers with a password": () => register(EMAIL, "password", { password: FIRST }),
    "verifies the address": async () => {
      await typeCode()
      await message(1080002)
      await signedIn()
    },
    "signs out": () => signOut(),
    "shows that a password is wrong": async () => {
      await signIn("password", { password: "the wrong password" })
      await message(4000006)
    },
    "signs in with the password": async () => {
      await submit("password", { password: FIRST })
      await signedIn()
      await signOut()
    },
    "signs in with a code": async () => {
      await signIn("code")
      await typeCode()
      await signedIn()
      await signOut()
    },
    "recovers the account and sets a password": async () => {
      await go("/recovery")
      await submit("code", { email: EMAIL })
      await typeCode()
      await page.waitForURL(`${ui}/settings**`)
      await submit("password", { password: SECOND })
      await message(1050001)
      await signOut()
    },
    "signs in with the new password": async () => {
      await signIn("password", { password: SECOND })
      await signedIn()
    },
    "changes the address in the settings": async () => {
      await go("/settings")
      await submit("profile", { "traits.email": "countess@example.org" })
      await message(1050001)
      await signedIn("countess@example.org")
      await signOut()
    },
    "registers with a code": async () => {
      await register("grace@example.org", "code")
      await typeCode("grace@example.org")
      await signedIn("grace@example.org")
      await signOut()
    },
  })
}

const folder = mkdtempSync(join(tmpdir(), "reference-"))
const browser = await launch()
try {
  for (const [name, variant] of Object.entries(VARIANTS)) {
    console.log(`==> ${SOURCE ? "kratos-selfservice-ui-node" : "Elements markup"}: ${name}`)
    const [port] = await freePorts(1)
    const ui = `http://127.0.0.1:${port}`
    const kleis = await Kleis.start(mkdtempSync(join(folder, "kleis-")), () => configuration(ui, variant))
    const server = await frontEnd(port, kleis, folder)
    const page = await browser.visit()
    try {
      await run(variant, page, ui, kleis)
    } catch (error) {
      if (process.env.CONFORMANCE_PICTURE) await page.screenshot({ path: process.env.CONFORMANCE_PICTURE, fullPage: true })
      throw error
    } finally {
      await page.context().close()
      await server.stop()
      await kleis.stop()
    }
  }
} finally {
  await browser.close()
}
