/** What the service's own user may do, which is not what root may who asks. */
import type { SystemProbe } from '../ports.ts'
import type { Finding } from './finding.ts'

const TUN = '/dev/net/tun'
const UNIT = 'lifeline.service'
/** systemd.unit(5): those before win; settings in the drop-ins are read after the unit. */
const UNIT_FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

/** Whether the service that is installed can open /dev/net/tun; nothing is found where there is no service of systemd. */
export function checkServiceTun(probe: SystemProbe): Finding[] {
  const unit = unitText(probe)
  const mode = probe.mode(TUN)
  if (unit === undefined || mode === undefined) return []
  const problem = (message: string, advice: string): Finding[] => [
    { severity: 'problem', subject: 'TUN devices', message, advice },
  ]
  if (/^(yes|true|1|on)$/i.test(setting(unit, 'PrivateDevices') ?? ''))
    return problem(
      `the service does not see ${TUN} (PrivateDevices=yes)`,
      'set PrivateDevices=no: systemctl edit lifeline',
    )
  const policy = setting(unit, 'DevicePolicy') ?? 'auto'
  const allowed = settings(unit, 'DeviceAllow')
  const closed = policy !== 'auto' || allowed.length > 0
  if (closed && !allowed.some((device) => device.startsWith(TUN) || device.startsWith('char-')))
    return problem(
      `the service may not use ${TUN} (DevicePolicy=${policy})`,
      `set DeviceAllow=${TUN} rw: systemctl edit lifeline`,
    )
  const user = setting(unit, 'User') ?? 'root'
  const dynamic = /^(yes|true|1|on)$/i.test(setting(unit, 'DynamicUser') ?? '')
  if (user === 'root' && !dynamic) return []
  const groups = [setting(unit, 'Group') ?? user, ...settings(unit, 'SupplementaryGroups')]
  if (mayReadAndWrite(mode, identity(probe, user, groups))) return []
  const octal = (mode.permissions & 0o777).toString(8).padStart(4, '0')
  return problem(
    `${TUN} is closed to the user ${user} of the service (its mode is ${octal}), though not to you`,
    `chmod 0666 ${TUN}; where udev has no such rule: KERNEL=="tun", MODE="0666" in /etc/udev/rules.d`,
  )
}

function unitText(probe: SystemProbe): string | undefined {
  const unit = UNIT_FOLDERS.map((folder) => probe.read(`${folder}/${UNIT}`)).find(
    (text) => text !== undefined,
  )
  if (unit === undefined) return undefined
  const dropIns = UNIT_FOLDERS.flatMap((folder) =>
    [...probe.names(`${folder}/${UNIT}.d`)].sort().map((name) => probe.read(`${folder}/${UNIT}.d/${name}`)),
  )
  return [unit, ...dropIns].join('\n')
}

function settings(unit: string, key: string): string[] {
  const values = [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value.trim())
  // An empty one takes back those before (systemd.syntax(7)).
  return values.slice(values.lastIndexOf('') + 1)
}

function setting(unit: string, key: string): string | undefined {
  return settings(unit, key).at(-1)
}

interface Identity {
  readonly uid: number | undefined
  readonly gids: readonly number[]
}

function identity(probe: SystemProbe, user: string, groups: readonly string[]): Identity {
  const rows = (file: string) => (probe.read(file) ?? '').split('\n').map((line) => line.split(':'))
  const passwd = rows('/etc/passwd').find(([name]) => name === user)
  const member = rows('/etc/group').filter(
    ([name = '', , , users = '']) => groups.includes(name) || users.split(',').includes(user),
  )
  const gids = [passwd?.[3], ...member.map(([, , gid]) => gid)].filter((gid) => gid !== undefined)
  return { uid: passwd?.[2] === undefined ? undefined : Number(passwd[2]), gids: gids.map(Number) }
}

/** path_resolution(7): the first class that fits decides; the service has no capability to override it. */
function mayReadAndWrite(
  { permissions, uid, gid }: NonNullable<ReturnType<SystemProbe['mode']>>,
  who: Identity,
): boolean {
  const shift = uid === who.uid ? 6 : who.gids.includes(gid) ? 3 : 0
  return ((permissions >> shift) & 0o6) === 0o6
}
