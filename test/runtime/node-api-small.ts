/** Asks QuickJS: the addon that is linked into this program. */
import { addon, collect, output, utf8 } from 'lifeline:system'
import { cases, finalized, rings } from './node-api-cases.ts'

const probe = addon() as Record<string, () => unknown>

function tell(name: string, came: string, due: string): void {
  output(1, utf8(`${came === due ? `ok ${name}` : `${name}: ${came}, not ${due}`}\n`))
}

for (const each of cases(probe)) tell(...each)
rings(probe, 300, (came, due) => {
  tell('rings', came, due)
  finalized(probe, collect, (ended, due) => tell('finalized', ended, due))
})
