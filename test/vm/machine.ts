/**
 * A virtual machine without KVM, the same wherever the tests run: this machine's file system, read-only below a layer that
 * is forgotten, under Debian's kernel. Its CPU is ten to twenty times slower than the real one, its timers are right.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Process } from '../net/process.ts'
import type { Kernel } from './kernel.ts'

/** The folder of `runInMachine`, as the machine sees it. */
export const OUT = '/run/out'

/** Runs a command in the machine as root, with the current folder; `folder` is at OUT there, and writable. Throws if it fails. */
export async function runInMachine(
  kernel: Kernel,
  folder: string,
  command: string,
  within: number,
): Promise<void> {
  writeFileSync(join(folder, 'start'), startScript(kernel, command))
  const qemu = new Process('qemu', ['qemu-system-x86_64', ...machine(kernel, folder)])
  const alarm = setTimeout(() => qemu.signal('SIGKILL'), within)
  await qemu.exited.finally(() => clearTimeout(alarm))
  const code = existsSync(join(folder, 'code')) ? readFileSync(join(folder, 'code'), 'utf8').trim() : ''
  if (code === '0') return
  const end = code === '' ? `the virtual machine ended or hung (within ${within} ms)` : `exit code ${code}`
  throw new Error(`${command}: ${end}\n${qemu.output}\n${tail(folder, 'console')}\n${tail(folder, 'output')}`)
}

function tail(folder: string, name: string): string {
  const file = join(folder, name)
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-5000) : ''
}

function startScript({ modules, version }: Kernel, command: string): string {
  return `
export PATH=${process.env.PATH}:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 TMPDIR=/tmp/inside
exec </dev/null >/dev/console 2>&1
mkdir -p /dev/pts /run/netns /tmp/inside /lib/modules/${version}
mount -t devpts -o ptmxmode=666 pts /dev/pts
mount --bind '${modules}' /lib/modules/${version}
# What makes devices that programs then open; all else the kernel loads by itself.
modprobe -a tun ppp_generic l2tp_ppp
hostname machine
ip link set lo up
cd '${process.cwd()}' || exit
setsid sh -c "${command}" >${OUT}/output 2>&1
echo $? >${OUT}/code
sync -f ${OUT}/code
echo b >/proc/sysrq-trigger
sleep 9
`
}

function machine({ image, initramfs }: Kernel, folder: string): string[] {
  const share = (id: string, path: string, more: string) => [
    '-fsdev',
    `local,id=${id},path=${path},security_model=none,multidevs=remap${more}`,
    '-device',
    `virtio-9p-pci,fsdev=${id},mount_tag=${id}`,
  ]
  return [
    ...[
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-cpu',
      'max',
      '-smp',
      '2',
      '-m',
      '1536',
      '-M',
      'pc,hpet=on',
    ],
    ...[
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-no-reboot',
      '-kernel',
      image,
      '-initrd',
      initramfs,
    ],
    ...[
      '-append',
      'console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on audit=0 clocksource=hpet',
    ],
    ...['-chardev', `file,id=console,path=${join(folder, 'console')}`, '-serial', 'chardev:console'],
    ...share('host', '/', ',readonly=on'),
    ...share('out', folder, ''),
  ]
}
