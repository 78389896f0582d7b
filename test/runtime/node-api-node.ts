/** Asks Node: the addon in the file that the first argument names. */
import { cases, finalized, rings } from './node-api-cases.ts'

const module = { exports: {} as Record<string, () => unknown> }
process.dlopen(module, process.argv[2] ?? '')
const probe = module.exports

const tell = (name: string, came: string, due: string) =>
  console.log(came === due ? `ok ${name}` : `${name}: ${came}, not ${due}`)
for (const each of cases(probe)) tell(...each)
rings(probe, 300, (came, due) => {
  tell('rings', came, due)
  finalized(
    probe,
    () => globalThis.gc?.(),
    (ended, due) => tell('finalized', ended, due),
  )
})
