// Ory Elements against the real server, in Chromium: a small front end is bundled, served from another origin than the server,
// and used like a person does, with each form of registration and sign-in.
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "esbuild"
import { launch, steps } from "./chromium.mjs"
import { freePorts, Kleis } from "./kleis.mjs"

const EMAIL = "ada@example.org"
const FIRST = "seven lanterns over the harbour"
const SECOND = "nine lanterns over the harbour"
const VARIANTS = {
  "one step, unified": { oneStep: true, style: "unified" },
  "two steps, identifier first": { oneStep: false, style: "identifier_first" },
}

const folder = mkdtempSync(join(tmpdir(), "elements-"))
const bundle = { entryPoints: ["elements-page.jsx"], bundle: true, format: "esm", jsx: "automatic", outdir: folder }
await build({ ...bundle, define: { "process.env.NODE_ENV": '"production"' }, logLevel: "error" })

function serve(port, kleisUrl) {
  const files = { "/page.js": ["text/javascript", "elements-page.js"], "/page.css": ["text/css", "elements-page.css"] }
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Elements</title>
    <link rel="stylesheet" href="/page.css"><div id="root"></div>
    <script>window.KLEIS_URL = ${JSON.stringify(kleisUrl)}</script><script type="module" src="/page.js"></script></html>`
  const server = createServer((request, response) => {
    const [type, file] = files[request.url] ?? ["text/html"]
    response.setHeader("content-type", type)
    response.end(file ? readFileSync(join(folder, file)) : html)
  })
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)))
}

function configuration(ui, { oneStep, style }) {
  const page = (name) => ({ ui_url: `${ui}/${name}` })
  const hooks = [{ hook: "session" }, { hook: "show_verification_ui" }]
  return {
    identity: {
      serve: { public: { cors: { enabled: true, allowed_origins: [ui], allow_credentials: true } } },
      selfservice: {
        default_browser_return_url: `${ui}/`,
        allowed_return_urls: [ui],
        methods: { code: { enabled: true, passwordless_enabled: true } },
        flows: {
          error: page("error"),
          login: { ...page("login"), style },
          logout: { after: { default_browser_return_url: `${ui}/` } },
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

// The actions of a person on these pages.
class Person {
  constructor(page, ui, kleis) {
    Object.assign(this, { page, ui, kleis, codes: {} })
  }

  go = (path) => this.page.goto(this.ui + path)
  field = (name) => this.page.locator(`input[name="${name}"]:not([type=hidden])`)
  fill = (name, value) => this.field(name).fill(value)
  press = (method) => this.page.locator(`button[name=method][value=${method}], button[type=submit][value=${method}]`).first().click()
  submit = () => this.page.locator("button[type=submit]").first().click()
  sees = (text) => this.page.getByText(text).first().waitFor()

  // The second page of a flow that begins with the identifier lists the methods.
  async choose(method) {
    await this.submit()
    await this.page.getByText(method, { exact: true }).click()
  }

  async typeCode(email = EMAIL) {
    await this.field("code").waitFor()
    const code = await this.kleis.code(email, this.lastCode)
    this.lastCode = code
    await this.field("code").pressSequentially(code)
    await this.page.getByRole("button", { name: "Continue" }).click()
  }

  isSaved = () => this.page.locator("[data-testid='ory/message/1050001']").first().waitFor()

  async signedIn(email = EMAIL) {
    await this.page.waitForURL(`${this.ui}/`)
    await this.sees(`Signed in as ${email}`)
  }

  async signOut() {
    await this.go("/")
    await this.page.getByText("Sign out").click()
    await this.sees("Not signed in")
  }
}

async function run(variant, page, ui, kleis) {
  const person = new Person(page, ui, kleis)
  const identifierFirst = variant.style === "identifier_first"
  await steps(page, {
    "registers with a password": async () => {
      await person.go("/registration")
      await person.fill("traits.email", EMAIL)
      if (!variant.oneStep) await person.choose("Password")
      await person.fill("password", FIRST)
      await person.press("password")
    },
    "verifies the address": async () => {
      await person.typeCode()
      await person.go("/")
      await person.signedIn()
    },
    "signs out": () => person.signOut(),
    "shows that a password is wrong": async () => {
      await person.go("/login")
      await person.fill("identifier", EMAIL)
      if (identifierFirst) await person.choose("Password")
      await person.fill("password", "the wrong password")
      await person.press("password")
      await person.page.locator("[data-testid='ory/message/4000006']").waitFor()
    },
    "signs in with the password": async () => {
      await person.fill("password", FIRST)
      await person.press("password")
      await person.signedIn()
      await person.signOut()
    },
    "signs in with a code": async () => {
      await person.go("/login")
      await person.fill("identifier", EMAIL)
      if (identifierFirst) await person.choose(`Send code to ${EMAIL}`)
      else await person.press("code")
      await person.typeCode()
      await person.signedIn()
      await person.signOut()
    },
    "recovers the account and sets a password": async () => {
      await person.go("/recovery")
      await person.fill("email", EMAIL)
      await person.submit()
      await person.typeCode()
      await person.page.waitForURL(`${ui}/settings**`)
      await person.fill("password", SECOND)
      await person.press("password")
      await person.isSaved()
      await person.signOut()
    },
    "signs in with the new password": async () => {
      await person.go("/login")
      await person.fill("identifier", EMAIL)
      if (identifierFirst) await person.choose("Password")
      await person.fill("password", SECOND)
      await person.press("password")
      await person.signedIn()
    },
    "changes the address in the settings": async () => {
      await person.go("/settings")
      await person.fill("traits.email", "countess@example.org")
      await person.press("profile")
      await person.isSaved()
      await person.go("/")
      await person.signedIn("countess@example.org")
    },
    "signs out again": () => person.signOut(),
    "registers with a code": async () => {
      await person.go("/registration")
      await person.fill("traits.email", "grace@example.org")
      if (!variant.oneStep) await person.choose("Email code")
      else await person.press("code")
      await person.typeCode("grace@example.org")
      await person.signedIn("grace@example.org")
      await person.signOut()
    },
  })
}

const browser = await launch()
try {
  for (const [name, variant] of Object.entries(VARIANTS)) {
    console.log(`==> Elements: ${name}`)
    const [port] = await freePorts(1)
    const ui = `http://127.0.0.1:${port}`
    const kleis = await Kleis.start(mkdtempSync(join(folder, "kleis-")), () => configuration(ui, variant))
    const server = await serve(port, kleis.url("identity"))
    const page = await browser.visit()
    const thrown = []
    page.on("pageerror", (error) => thrown.push(error.message))
    try {
      await run(variant, page, ui, kleis)
      assert.deepEqual(thrown, [], "no script of the page threw")
    } catch (error) {
      if (process.env.CONFORMANCE_PICTURE) await page.screenshot({ path: process.env.CONFORMANCE_PICTURE, fullPage: true })
      throw error
    } finally {
      await page.context().close()
      server.closeAllConnections()
      server.close()
      await kleis.stop()
    }
  }
} finally {
  await browser.close()
}
