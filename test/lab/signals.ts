/** Ctrl-C, which the terminal sends and npm sends once more. */

/** ms in which a repetition counts as the same one. */
const SAME = 1000

/** Calls back at the first SIGINT or SIGTERM. A second one does not wait for a good end. */
export function onInterrupt(end: () => void): void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const told = () => {
    end()
    setTimeout(() => {
      for (const signal of signals) process.removeListener(signal, told)
    }, SAME).unref()
  }
  for (const signal of signals) process.on(signal, told)
}
