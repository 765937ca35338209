// Runs the applications of docs/guides/add-sign-in-to-my-application.md: the code blocks of the pages are written to files, their
// commands are run, and a browser signs in and out.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { blocksByHeading, commands } from "./blocks.mjs"
import { launch, steps } from "./chromium.mjs"
import { answers, freePorts, Kleis, start, until } from "./kleis.mjs"

const GUIDE = "add-sign-in-to-my-application.md"
const PAGE = "single-page-application"
const APPLICATIONS = ["node", "python", "go", "rust", PAGE]
// Rust builds more than a hundred crates.
const BUILD_LIMIT_MILLISECONDS = 900_000

const read = (file) => blocksByHeading(readFileSync(join(process.env.CONFORMANCE_GUIDES, file), "utf8"))
const sections = read(GUIDE)
const folder = mkdtempSync(join(tmpdir(), "guides-"))
const kleis = await Kleis.start(folder)
const [port] = await freePorts(1)
const appUrl = `http://127.0.0.1:${port}`

// The commands before the applications, with other ports.
async function prepare() {
  const discovery = await fetch(`${kleis.url("oauth")}/.well-known/openid-configuration`)
  const { issuer } = await discovery.json()
  let script = commands([...sections["Start Kleis"], ...sections["Register the application"]]).join("")
  for (const [there, here] of [
    ["ISSUER=http://localhost:4444", `ISSUER=${issuer}`],
    ["PORT=3000", `PORT=${port}`],
  ]) {
    assert.ok(script.includes(there), `the guide says ${there}`)
    script = script.replace(there, here)
  }
  const env = {
    ...process.env,
    PATH: dirname(process.env.CONFORMANCE_BINARY) + delimiter + process.env.PATH,
    KRATOS_ADMIN_URL: kleis.url("identityAdmin"),
    HYDRA_ADMIN_URL: kleis.url("oauthAdmin"),
  }
  const shown = execFileSync("sh", ["-ec", `${script}\nenv -0 > variables`], { cwd: folder, env, encoding: "utf8" })
  assert.match(shown, /my-app/)
  const variables = readFileSync(join(folder, "variables"), "utf8").split("\0").filter(Boolean)
  return Object.fromEntries(variables.map((it) => [it.slice(0, it.indexOf("=")), it.slice(it.indexOf("=") + 1)]))
}

const password = () => sections["Start Kleis"].map((it) => it.text.match(/echo '(.*)' \| kleis identity create/)?.[1]).find(Boolean)

async function signIn(page) {
  await page.goto(`${appUrl}/`)
  await page.getByText("Sign in", { exact: true }).click()
  await page.locator("[name=identifier]").fill("ada@example.org")
  await page.locator("[name=password]").fill(password())
  await page.locator("[name=password]").press("Enter")
  await page.getByText("Signed in as ada@example.org").waitFor()
}

async function signOut(page) {
  await page.getByText("Sign out").click()
  const done = page.getByText("Sign in", { exact: true })
  // Kleis asks, unless the client skips the question.
  const question = page.getByRole("heading", { name: "Sign out?" })
  await done.or(question).waitFor()
  if (await question.isVisible()) {
    await page.getByRole("button", { name: "Sign out" }).click()
  }
  await done.waitFor()
  assert.equal(new URL(page.url()).origin, appUrl)
}

async function checkServer(page) {
  await steps(page, {
    "signs in": () => signIn(page),
    "the session cookie is protected": async () => {
      const cookie = (await page.context().cookies(appUrl)).find((it) => it.name === "app_session")
      assert.ok(cookie.httpOnly && cookie.sameSite === "Lax", JSON.stringify(cookie))
    },
    "signs out here and at Kleis": () => signOut(page),
    "asks for the password again": () => signIn(page),
    "signs out again": () => signOut(page),
    "refuses a response with another state": async () => {
      await page.getByText("Sign in", { exact: true }).click()
      await page.locator("[name=password]").waitFor()
      const answer = await page.goto(`${appUrl}/callback?code=stolen&state=another`)
      assert.equal(answer.status(), 400)
    },
    "refuses an unsolicited response": async () => {
      await page.context().clearCookies()
      const answer = await page.goto(`${appUrl}/callback?code=stolen&state=another`)
      assert.equal(answer.status(), 400)
    },
  })
}

async function checkPage(page) {
  await steps(page, {
    "signs in": () => signIn(page),
    "leaves no code in the address": () => assert.equal(page.url(), `${appUrl}/`),
    "is signed in after a reload": async () => {
      await page.reload()
      await page.getByText("Signed in as ada@example.org").waitFor()
    },
    "signs out here and at Kleis": () => signOut(page),
    "asks for the password again": () => signIn(page),
    "signs out again": () => signOut(page),
    "refuses an unsolicited response": async () => {
      await page.goto(`${appUrl}/?code=stolen&state=another`)
      await page.getByText("The sign-in failed").waitFor()
    },
  })
}

async function run(name, variables, browser) {
  console.log(`==> ${name}`)
  const place = join(folder, name)
  mkdirSync(place)
  const blocks = Object.values(read(`sign-in/${name}.md`)).flat()
  for (const block of blocks.filter((it) => it.name)) {
    mkdirSync(dirname(join(place, block.name)), { recursive: true })
    writeFileSync(join(place, block.name), block.text)
  }
  const script = `set -e\n${commands(blocks).join("")}`
  const app = start("sh", ["-c", script], { cwd: place, env: variables }, join(place, "log"))
  const page = await browser.visit()
  try {
    await until(
      () => {
        if (app.child.exitCode !== null) throw new Error("it ended before it listened")
        return answers(`${appUrl}/`)
      },
      "the application answers",
      BUILD_LIMIT_MILLISECONDS,
    )
    await (name === PAGE ? checkPage(page) : checkServer(page))
  } catch (error) {
    throw new Error(`${name}: ${error.message}\nThe application wrote:\n${app.log()}`)
  } finally {
    await page.context().close()
    await app.stop()
  }
}

const chosen = process.argv.slice(2)
const browser = await launch()
try {
  const variables = await prepare()
  for (const name of APPLICATIONS.filter((it) => chosen.length === 0 || chosen.includes(it))) {
    await run(name, variables, browser)
  }
} finally {
  await browser.close()
  await kleis.stop()
}
