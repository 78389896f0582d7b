import type { Output, Process } from '../port.ts'
import { compiledCode, keepSmall } from './process-memory.ts'

/** This process, as Node runs it. */
export const thisProcess: Process = {
  pid: process.pid,
  get parent() {
    return process.ppid
  },
  user: process.geteuid?.() ?? -1,
  args: process.argv.slice(2),
  environment: process.env,
  get output() {
    return outputOf(process.stdout)
  },
  get complaints() {
    return outputOf(process.stderr)
  },
  onSignal(name, run) {
    process.on(name, run)
    return () => process.off(name, run)
  },
  exit: (code) => process.exit(code),
  settle(log) {
    const code = compiledCode(log)
    keepSmall(code)
    return () => code.keep()
  },
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    get columns() {
      return stream.isTTY ? (stream.columns ?? 0) : undefined
    },
    onGone: (run) => void stream.on('error', run),
  }
}
