/** Commands of those who keep the lab: typed below its picture, or given from another terminal through a socket. */
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DEEDS, type Deed, PARTS, type Part } from '../net/failover/faults.ts'
import { onInterrupt } from './signals.ts'

export interface Command {
  readonly deed: Deed
  readonly part: Part
}

export const USAGE = `${DEEDS.join('|')} ${PARTS.join('|')}`
const SOCKET = `lifeline-lab-${process.pid}.sock`
const ANY_SOCKET = /^lifeline-lab-(\d+)\.sock$/
const INTERRUPT = '\x03'
const END = '\x04'
const BACKSPACE = '\x7f'

/** `lab cut fibre`, the first word being optional. */
export function parseCommand(line: string): Command | undefined {
  const words = line.trim().split(/\s+/)
  const [deed, part, ...others] = words[0] === 'lab' ? words.slice(1) : words
  const known = { deed: DEEDS.find((each) => each === deed), part: PARTS.find((each) => each === part) }
  if (known.deed === undefined || known.part === undefined || others.length > 0) return undefined
  return { deed: known.deed, part: known.part }
}

/** Takes lines from other terminals until the process ends. */
export async function listen(onLine: (line: string) => string): Promise<void> {
  const path = join(tmpdir(), SOCKET)
  rmSync(path, { force: true })
  const server = createServer(async (socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => socket.end(`${onLine(String(data))}\n`))
  })
  await once(server.listen(path), 'listening')
  server.unref()
  process.on('exit', () => rmSync(path, { force: true }))
}

/** Gives a line to the lab that is kept in another terminal; returns what that says. Throws if there is not just one. */
export async function give(line: string): Promise<string> {
  const [name, another] = readdirSync(tmpdir()).filter(isKept)
  if (name === undefined) throw new Error("no lab is kept up: start one with 'npm run lab -- --keep'")
  if (another !== undefined)
    throw new Error('more than one lab is kept up: type it below the one that is meant')
  const socket = connect(join(tmpdir(), name))
  await once(socket, 'connect')
  socket.write(line)
  return text(socket)
}

/** The socket of a lab that has not ended, nor was killed. */
function isKept(name: string): boolean {
  const pid = ANY_SOCKET.exec(name)?.[1]
  return pid !== undefined && existsSync(`/proc/${pid}`)
}

/** Reads lines from the terminal, which shows nothing by itself; resolves when the user wants to end. */
export function prompt(onChange: (typed: string) => void, onLine: (line: string) => void): Promise<void> {
  const { stdin } = process
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  let typed = ''
  return new Promise((resolve) => {
    const end = () => {
      if (stdin.isTTY) stdin.setRawMode(false)
      stdin.pause()
      resolve()
    }
    stdin.on('end', () => stdin.isTTY && end())
    onInterrupt(end)
    stdin.on('data', (keys: string) => {
      for (const key of keys) {
        if (key === INTERRUPT || key === END) end()
        else if (key === BACKSPACE) typed = typed.slice(0, -1)
        else if (key === '\r' || key === '\n') {
          onLine(typed)
          typed = ''
        } else if (key >= ' ') typed += key
      }
      onChange(typed)
    })
  })
}
