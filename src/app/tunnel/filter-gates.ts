import type { PortGuard } from '../kernel/apply.ts'
import { SystemError } from '../ports.ts'
import type { Gate } from './gate.ts'
import { failureOfSystem } from './system-failure.ts'

/** Nothing leaves without filters, nor from a port to be guarded before it is closed to everybody else. */
export function filterGates(guard: PortGuard): readonly Gate[] {
  return [
    {
      name: 'filters',
      open: async () => {
        await guard.filtersLoaded()
        return undefined
      },
      refused: (error) => failureOfSystem(error, 'load the filters'),
      late,
    },
    {
      name: 'port guard',
      open: async ({ guarded, device, localPort, server }) =>
        guarded ? guard.guardPort({ device, localPort, server }) : undefined,
      refused: (error, { device }) => failureOfSystem(error, `keep others from a port of ${device}`),
      late,
    },
  ]
}

function late(patience: number) {
  const error = new SystemError('ETIMEDOUT', `nft has not ended for ${patience / 1000} s`)
  return failureOfSystem(error, 'load the filters')
}
