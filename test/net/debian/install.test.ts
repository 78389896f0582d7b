/** .debian/install.sh in a private mount namespace: what it writes goes into copies that vanish with the namespace. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Outcome, run } from '../process.ts'

const SCRIPT = '.debian/install.sh'

/**
 * /etc is a copy, the places of the installation are empty, no systemd runs, and node is where services find it. What is
 * temporary comes and goes with /run.
 */
const STAGE = `
set -e
mount --make-rprivate /
stage() { mount -t tmpfs -o mode=755 tmpfs "$1"; }
for place in /run /var/lib /var/cache; do stage "$place"; done
export TMPDIR=/run
mkdir /var/lib/lifeline
copy=$(mktemp -d)
mount -t tmpfs -o mode=755 tmpfs "$copy"
cp -a /etc/. "$copy"
mount --move "$copy" /etc
rmdir "$copy"
sed -i '/^lifeline:/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
rm -rf /etc/lifeline /etc/config/lifeline /etc/systemd/system/lifeline.service /etc/systemd/system/*.wants/lifeline.service
mkdir -p /usr/local/bin /usr/local/sbin /usr/local/lib /usr/local/share
for place in /usr/local/sbin /usr/local/lib /usr/local/share; do stage "$place"; done
node=$(readlink -f "$NODE")
bin=$(mktemp -d)
mount --bind /usr/local/bin "$bin"
stage /usr/local/bin
touch /usr/local/bin/node
case $node in /usr/local/bin/*) node=$bin/\${node#/usr/local/bin/} ;; esac
mount --bind "$node" /usr/local/bin/node
mkdir -p /dev/net
tun=$(mktemp -d)
stage "$tun"
mknod "$tun/tun" c 10 200
chmod 666 "$tun/tun"
mount --move "$tun" /dev/net
rmdir "$tun"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
set +e
`

/** Runs a script on the stage; its exit code is that of its last command. */
function onStage(script: string): Promise<Outcome> {
  return run(['unshare', '--mount', ...environment(), 'sh', '-c', `${STAGE}${script}`], { mayFail: true })
}

function environment(): string[] {
  return ['env', `NODE=${process.execPath}`]
}

const CONFIG = `config tunnel 'aaisp'
  list server 'l2tp.aa.net.uk'
  option username 'xx@a.1'
  option password_file '/etc/lifeline/aaisp'
`
const WRITE_CONFIG = `
cat > /etc/lifeline/lifeline.conf <<'END'
${CONFIG}END
(umask 077; echo wonderland > /etc/lifeline/aaisp)
`

test('installs program, unit, user and folder, and enables the service', async () => {
  const { code, stdout, stderr } = await onStage(`
    ${SCRIPT}; echo "exit $?"
    lifeline version
    readlink /usr/local/sbin/lifeline
    readlink /etc/systemd/system/multi-user.target.wants/lifeline.service
    cmp .debian/lifeline.service /etc/systemd/system/lifeline.service && echo same unit
    cmp dist/lifeline /usr/local/lib/lifeline/lifeline && echo same program
    stat -c '%A %U %G' /etc/lifeline /usr/local/lib/lifeline/lifeline
    getent passwd lifeline | cut -d: -f1,6,7
    systemd-analyze verify lifeline.service && echo verified
    find /usr/local/share -name '*lifeline*' -perm 644 | sort
    cmp docs/lifeline.8 /usr/local/share/man/man8/lifeline.8 && echo same page
  `)
  assert.equal(code, 0, stderr)
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'made the user lifeline',
    `installed /usr/local/sbin/lifeline (${version}) and /etc/systemd/system/lifeline.service`,
    'enabled. Write /etc/lifeline/lifeline.conf (UCI) or /etc/lifeline/lifeline.json, then: systemctl start lifeline',
    'exit 0',
    version,
    '/usr/local/lib/lifeline/lifeline',
    '/etc/systemd/system/lifeline.service',
    'same unit',
    'same program',
    'drwxr-s--- root lifeline',
    '-rwxr-xr-x root root',
    'lifeline:/nonexistent:/usr/sbin/nologin',
    'verified',
    '/usr/local/share/bash-completion/completions/lifeline',
    '/usr/local/share/fish/vendor_completions.d/lifeline.fish',
    '/usr/local/share/man/man8/lifeline.8',
    '/usr/local/share/zsh/site-functions/_lifeline',
    'same page',
  ])
})

test('may be run again, and then changes nothing', async () => {
  const state = `find /etc /usr/local/lib /usr/local/sbin -newer /run/mark -o -name '*lifeline*' | sort | xargs ls -ld --time-style=+`
  const { code, stdout, stderr } = await onStage(`
    touch /run/mark
    ${SCRIPT} >/dev/null && ${state} | sed 's/ \\+/ /g' > /run/first
    ${SCRIPT} && ${state} | sed 's/ \\+/ /g' > /run/second
    test -s /run/first && diff /run/first /run/second
  `)
  assert.equal(code, 0, stdout + stderr)
  assert.doesNotMatch(stdout, /made the user/)
})

test('a configuration that the daemon could not read is said, with what to do', async () => {
  const { code, stdout, stderr } = await onStage(`${SCRIPT} >/dev/null; ${WRITE_CONFIG} ${SCRIPT}`)
  assert.equal(code, 1)
  assert.match(stderr, /lifeline\.conf:4: .*\/etc\/lifeline\/aaisp: reading it is not permitted/)
  assert.match(stdout, /chgrp lifeline FILE; chmod 640 FILE/)
})

test('files in its folder need only be made readable to their group', async () => {
  const { code, stdout, stderr } = await onStage(
    `${SCRIPT} >/dev/null; ${WRITE_CONFIG} chmod 640 /etc/lifeline/*; ${SCRIPT}`,
  )
  assert.equal(code, 0, stderr)
  assert.match(stdout, /systemd does not run here, so it is not started/)
  assert.equal(stderr, '')
})

test('uninstalling leaves configuration, state and user; twice is fine', async () => {
  const { code, stdout, stderr } = await onStage(`
    ${SCRIPT} >/dev/null; ${WRITE_CONFIG}
    ${SCRIPT} --uninstall && ${SCRIPT} --uninstall >/dev/null
    echo "exit $?"
    ls /etc/lifeline
    find /etc/systemd /usr/local/lib /usr/local/sbin /usr/local/share -name '*lifeline*'
    getent passwd lifeline | cut -d: -f1
  `)
  assert.equal(code, 0, stderr)
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'removed. What is left: /etc/lifeline, /var/lib/lifeline, and the user lifeline (userdel lifeline)',
    'exit 0',
    'aaisp',
    'lifeline.conf',
    'lifeline',
  ])
})

const REFUSALS: readonly (readonly [what: string, before: string, words: RegExp])[] = [
  [
    'an old node',
    'printf "#!/bin/sh\\necho 18.20.4\\n" > /run/old; chmod 755 /run/old; mount --bind /run/old /usr/local/bin/node',
    /18\.20\.4: Node\.js 20 or newer/,
  ],
  [
    'a node in a home directory',
    'umount /usr/local/bin/node; ln -sf /root/.nvm/node /usr/local/bin/node; stage /root; mkdir /root/.nvm; printf "#!/bin/sh\\n" > /root/.nvm/node; chmod 755 /root/.nvm/node',
    /leads into a home directory/,
  ],
  [
    'no nft',
    'for nft in /usr/sbin/nft /sbin/nft /usr/bin/nft; do test ! -e $nft || mount --bind /dev/null $nft; done',
    /no nft.*apt-get install nftables/,
  ],
  ['no TUN', 'stage /dev/net', /no \/dev\/net\/tun: load the module/],
  ['a TUN that is root’s alone', 'chmod 600 /dev/net/tun', /chmod 666 \/dev\/net\/tun/],
]

for (const [what, before, words] of REFUSALS) {
  test(`refuses, and says what to do: ${what}`, async () => {
    const { code, stderr } = await onStage(`${before}\n${SCRIPT} >/dev/null`)
    assert.equal(code, 1, stderr)
    assert.match(stderr, words)
  })
}

test('leaves the machine alone', async () => {
  // Where the machine has something to lose: installed and uninstalled on a stage that is set upon another one.
  const { code, stdout, stderr } = await run(
    [
      'unshare',
      '--mount',
      ...environment(),
      'sh',
      '-c',
      `set -e
       mount --make-rprivate /
       for place in /var/lib /var/cache; do mount -t tmpfs tmpfs $place; done
       mkdir /var/cache/lifeline /var/cache/tmp
       TMPDIR=/var/cache/tmp unshare --mount sh -c "$1" >/dev/null
       find /var/lib /var/cache -mindepth 1 | sort`,
      'sh',
      `${STAGE}${SCRIPT} && ${SCRIPT} --uninstall`,
    ],
    { mayFail: true },
  )
  assert.equal(code, 0, stderr)
  assert.deepEqual(stdout.trimEnd().split('\n'), ['/var/cache/lifeline', '/var/cache/tmp'])
})

test('is for root, and knows its options', async () => {
  const unprivileged = await onStage(`setpriv --reuid 65534 --regid 65534 --clear-groups sh "$PWD/${SCRIPT}"`)
  assert.equal(unprivileged.code, 1)
  assert.match(unprivileged.stderr, /run this as root/)
  const unknown = await onStage(`${SCRIPT} --remove`)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /usage: install\.sh \[--uninstall\]/)
})
