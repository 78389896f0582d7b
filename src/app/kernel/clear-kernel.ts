import { NOTHING_DESIRED } from '../../core/system/desired-state.ts'
import { after } from '../../core/time.ts'
import type { Clock, Log } from '../ports.ts'
import type { Apply } from './apply.ts'
import type { Devices } from './devices.ts'

/** ms that nft has for it. */
const CLEARING = 3000

/** Removes all that is ours. Where nft hangs, the devices go all the same: what is left of the filters matches nothing then. */
export function clearKernel(ports: {
  readonly apply: Pick<Apply, 'want'>
  readonly devices: Devices
  readonly clock: Clock
  readonly log: Log
}): Promise<void> {
  const { apply, devices, clock, log } = ports
  return new Promise((resolve) => {
    const end = () => {
      cancel()
      devices.close()
      resolve()
    }
    const cancel = clock.alarm(after(clock.now(), CLEARING), () => {
      log.warn('nft does not end, so our filters stay: nft delete table inet lifeline removes them')
      for (const name of devices.names()) devices.get(name)?.destroy()
      end()
    })
    void apply.want(NOTHING_DESIRED).then(end)
  })
}
