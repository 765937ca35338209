// The installed Chromium. Each visit has its own profile.
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { chromium } from "playwright-core"

const NAMES = ["chromium", "chromium-browser", "google-chrome"]
const PATIENCE_MILLISECONDS = 20_000

export async function launch(args = []) {
  const places = process.env.PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  const executablePath = places.find(existsSync)
  if (!executablePath) throw new Error("Chromium is not installed (Debian: apt-get install chromium)")
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic", ...args] })
  return {
    visit: async () => {
      const context = await browser.newContext({ ignoreHTTPSErrors: false })
      context.setDefaultTimeout(PATIENCE_MILLISECONDS)
      return await context.newPage()
    },
    close: () => browser.close(),
  }
}

// Runs named steps one after the other. An error contains the name of the failed step and the page.
export async function steps(page, named) {
  for (const [name, step] of Object.entries(named)) {
    try {
      await step()
      console.log(`    ok  ${name}`)
    } catch (error) {
      const text = await page.locator("body").innerText().catch(() => "")
      throw new Error(`${name}: ${error.message}\nThe page is ${page.url()} and shows:\n${text}`)
    }
  }
}
