import type { Config } from '../../core/config/types.ts'
import { checkForeignChains, checkForeignRules, checkReversePath } from './filters.ts'
import type { DoctorPorts, Finding } from './finding.ts'
import { checkForwarding } from './forwarding.ts'
import { checkRivals } from './processes.ts'
import { checkServers, checkUplinks } from './servers.ts'
import { checkServiceTun } from './service.ts'
import { checkDevices, checkNetlink, checkNft, checkPermissions, checkTun } from './system.ts'

/**
 * Looks at everything that a tunnel needs, from this process to the servers, and changes nothing. Findings are told as
 * they are made; the result is whether none of them is a problem.
 */
export async function examine(
  config: Config,
  ports: DoctorPorts,
  tell: (finding: Finding) => void,
): Promise<boolean> {
  let healthy = true
  const report = (...findings: readonly Finding[]) => {
    for (const finding of findings) {
      healthy &&= finding.severity !== 'problem'
      tell(finding)
    }
  }
  report(checkPermissions(ports.probe), checkTun(ports.probe), ...checkServiceTun(ports.probe))
  report(...checkRivals(ports.probe))
  const { finding, facts } = await checkNetlink(ports.netlinks)
  report(finding, await checkNft(ports.nft, config))
  if (facts === undefined) return healthy
  const situation = { config, facts }
  report(...checkDevices(situation))
  report(...checkForwarding(ports.sysctls, situation))
  report(...checkReversePath(ports.sysctls, situation))
  report(...(await checkForeignChains(ports.nft, ports.probe, situation)))
  report(...checkForeignRules(ports.probe, situation))
  report(...checkUplinks(situation))
  report(...(await checkServers(ports, situation)))
  return healthy
}
