/** Secrets that a section gives itself, as `password`, or names a file for, as `password_file`. */
import type { Secret } from '../secret.ts'
import { suspectIn, suspectReason } from './lookalikes.ts'
import type { BuildContext, Option } from './schema.ts'

/** A secret as the options NAME and NAME_file gave it. */
export interface GivenSecret {
  readonly name: string
  readonly option: Option<Secret | undefined>
  readonly value: Secret | undefined
  readonly file: string | undefined
}

/** The secret of either form; undefined if there is none or it cannot be had, which is reported. */
export function secretOf(
  { name, option, value, file }: GivenSecret,
  { enabled, given, report, secrets }: BuildContext,
): Secret | undefined {
  const fileOption = `${name}_file`
  if (enabled && given(name) && given(fileOption))
    report({ option: fileOption, reason: `'${name}' is given as well`, allowed: 'one of the two' })
  if (given(name) || file === undefined) return value
  const content = secrets.read(file)
  if (!content.ok) {
    if (enabled) report({ option: fileOption, reason: content.error })
    return undefined
  }
  const parsed = option.read([content.value.text])
  if (content.value.warning)
    report({ severity: 'warning', option: fileOption, reason: content.value.warning })
  if (parsed.ok) {
    const suspect = suspectIn(content.value.text)
    if (suspect !== undefined)
      report({ severity: 'warning', option: fileOption, reason: `${file}: ${suspectReason(suspect)}` })
    return parsed.value
  }
  const reason = `${file}: ${parsed.error[0]?.reason}`
  if (enabled) report({ option: fileOption, reason, allowed: option.allowed })
  return undefined
}
