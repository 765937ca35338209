// The code blocks of a guide.

const NAME = /^(?:\/\/|#|<!--) ([\w/.-]+\.\w+|Caddyfile)(?: -->)?$/

// The code blocks below each heading: `{ language, name, text }`. A first line with a file name in a comment is the name.
export function blocksByHeading(text) {
  const sections = {}
  let heading = ""
  let block
  for (const line of text.split("\n")) {
    if (block && line === "```") {
      ;(sections[heading] ??= []).push(block)
      block = undefined
    } else if (block) {
      if (!block.text) block.name = line.match(NAME)?.[1]
      block.text += `${line}\n`
    } else if (line.startsWith("```")) {
      block = { language: line.slice(3), text: "" }
    } else if (line.startsWith("## ")) {
      heading = line.slice(3)
    }
  }
  return sections
}

export const commands = (blocks) => blocks.filter((it) => it.language === "sh").map((it) => it.text)
