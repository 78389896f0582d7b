/** The lab stays up: one pulls the cables oneself and watches. */
import { setTimeout as sleep } from 'node:timers/promises'
import { inflict } from '../net/failover/faults.ts'
import { bold, dim, yellow } from './colours.ts'
import { type Command, listen, parseCommand, prompt, USAGE } from './commands.ts'
import type { Stage } from './failover-stage.ts'
import type { Teller } from './story.ts'

/** ms after a command until it is said what became of it. */
const AFTERMATH = 4000

/** Obeys until Ctrl-C. */
export async function keep(teller: Teller, stage: Stage): Promise<void> {
  let work: Promise<void> = Promise.resolve()
  const obey = (line: string): string => {
    const command = parseCommand(line)
    if (command === undefined) return unknownWords(line)
    work = work.then(() => act(teller, stage, command)).catch(() => {})
    return `${command.deed} ${command.part}`
  }
  let answer = ''
  const show = (typed: string) => stage.note(promptLines(typed, answer, process.stdout.columns || 80))
  await listen(obey)
  show('')
  await prompt(show, (line) => {
    answer = line.trim() === '' ? '' : obey(line)
  })
  stage.note([])
  await work
}

async function act(teller: Teller, stage: Stage, { deed, part }: Command): Promise<void> {
  await teller.step(`lab ${deed} ${part}`, async () => {
    stage.clock.reset()
    await inflict(stage.net, deed, part)
    await sleep(AFTERMATH)
    const active = (await stage.lifeline.status())?.failover?.active ?? 'nothing'
    const { longest, running } = stage.clock
    const gap = `longest gap ${longest.toFixed(0)} ms${running === undefined ? '' : ', and it goes on'}`
    return `${gap}; now over ${active}, seen as ${(await stage.address()) ?? 'nobody'}`
  })
}

/** The answer to the line before, the prompt, and what may be typed, in lines of at most so many columns. */
export function promptLines(typed: string, answer: string, width: number): string[] {
  const hint = `${USAGE}, here or with 'npm run lab -- ...' elsewhere; Ctrl-C ends`
  return [
    ...(answer === '' ? [] : wrap(answer, width).map((line) => yellow(line))),
    ` ${bold('lab>')} ${typed}`,
    ...wrap(hint, width).map((line) => dim(line)),
  ]
}

/** What is said to words that are no command. */
export function unknownWords(line: string): string {
  return `'${line.trim().slice(0, 40)}' is no command: ${USAGE}`
}

/** Indented lines of whole words. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`      ${word}`)
  }
  return lines
}

/** How to step in from other terminals. */
export function ways(stage: Stage): string {
  const { router, lns, internet, lan } = stage.net
  const inside = (name: string) => `ip netns exec ${name}`
  return ` From other terminals:
   dist/lifeline status --socket ${stage.lifeline.socket}
   dist/lifeline drill --socket ${stage.lifeline.socket}
   ${inside(router.namespace.name)} bash    # the router: ip rule, nft list ruleset, ping
   ${inside(lns.namespace.name)} socat - TCP:127.0.0.1:23   # the LNS: show session; enable, drop session 1
   ${inside(internet.namespace.name)} bash
   ${inside(lan.name)} bash
   ${inside(lan.name)} mosquitto_sub -v -t '#'   # what a broker there is told
 Its configuration is ${stage.lifeline.file}
`
}
