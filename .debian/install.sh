#!/bin/sh
# Installs lifeline as a service of systemd, or brings an installation up to date; may be run again at any time.
#
#   install.sh               install and enable; start if there is a configuration
#   install.sh --uninstall   stop and remove; configuration and state stay
#
# It installs what `npm run build` made:
#   /usr/local/lib/lifeline/lifeline, /usr/local/sbin/lifeline (a link to it), /etc/systemd/system/lifeline.service,
#   the manual page and completion for bash, zsh and fish below /usr/local/share
# and makes the user lifeline and the folder /etc/lifeline.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=$here/../dist/lifeline
lib=/usr/local/lib/lifeline
link=/usr/local/sbin/lifeline
unit=/etc/systemd/system/lifeline.service
config=/etc/lifeline
share=/usr/local/share
manual=$share/man/man8/lifeline.8
bash=$share/bash-completion/completions/lifeline
zsh=$share/zsh/site-functions/_lifeline
fish=$share/fish/vendor_completions.d/lifeline.fish
# Where services look for programs (systemd.exec(5)).
service_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PATH=$service_path:$PATH

die() {
  echo "install.sh: $1" >&2
  exit 1
}

say() {
  echo "$1"
}

booted() {
  [ -d /run/systemd/system ]
}

check_node() {
  node=$(PATH=$service_path command -v node) || node=
  if [ -z "$node" ]; then
    elsewhere=$(command -v node) || die "there is no node: install Node.js 20 or newer (from nodejs.org, or with apt-get where that is new enough: Debian 12's is 18)"
    die "node is at $elsewhere, where services do not look: ln -s $elsewhere /usr/local/bin/node"
  fi
  case $(readlink -f "$node") in
    /home/* | /root/*) die "$node leads into a home directory, which services cannot read: install Node.js for the whole system" ;;
  esac
  version=$("$node" -p 'process.versions.node') || die "$node does not run"
  [ "${version%%.*}" -ge 20 ] || die "$node is version $version: Node.js 20 or newer is needed"
}

check_system() {
  command -v systemctl >/dev/null || die "there is no systemctl: this installs a service of systemd"
  command -v nft >/dev/null || die "there is no nft, without which no tunnel comes up: apt-get install nftables"
  [ -c /dev/net/tun ] || modprobe tun 2>/dev/null || true
  [ -c /dev/net/tun ] || die "there is no /dev/net/tun: load the module tun, or give the device to this container"
  [ -f "$program" ] || die "there is no dist/lifeline: npm ci && npm run build"
  "$node" "$program" version >/dev/null || die "$program does not run"
}

make_user() {
  getent passwd lifeline >/dev/null && return
  useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lifeline
  say "made the user lifeline"
}

as_lifeline() {
  setpriv --reuid lifeline --regid lifeline --clear-groups "$@"
}

# udev gives it to everyone; in a container nobody may have.
check_tun_for_user() {
  as_lifeline test -r /dev/net/tun -a -w /dev/net/tun ||
    die "the user lifeline may not use /dev/net/tun: chmod 666 /dev/net/tun (making devices takes CAP_NET_ADMIN all the same)"
}

# The daemon reads what it must not be able to change. New files take over the group of the folder.
make_config_folder() {
  mkdir -p "$config"
  chown root:lifeline "$config"
  chmod 2750 "$config"
}

install_completion() {
  mkdir -p "$(dirname "$2")"
  "$link" completion "$1" >"$2"
  chmod 644 "$2"
}

install_files() {
  install -D -m 755 "$program" "$lib/lifeline"
  mkdir -p "$(dirname "$link")"
  ln -sfn "$lib/lifeline" "$link"
  install -D -m 644 "$here/lifeline.service" "$unit"
  install -D -m 644 "$here/../docs/lifeline.8" "$manual"
  install_completion bash "$bash"
  install_completion zsh "$zsh"
  install_completion fish "$fish"
  say "installed $link ($("$link" version)) and $unit"
}

configured() {
  for file in "$config/lifeline.json" "$config/lifeline.conf" /etc/config/lifeline; do
    [ -e "$file" ] && return 0
  done
  return 1
}

# As the daemon will see it; credentials that systemd hands in are not there before it starts.
readable_and_right() {
  if booted && [ -n "$(systemctl show --property=LoadCredential --value lifeline.service)" ]; then return 0; fi
  as_lifeline "$link" check >/dev/null
}

start() {
  systemctl enable --quiet lifeline.service
  if booted; then systemctl daemon-reload; fi
  if ! configured; then
    say "enabled. Write $config/lifeline.conf (UCI) or $config/lifeline.json, then: systemctl start lifeline"
  elif ! readable_and_right; then
    say "enabled, and not started: see above. The user lifeline has to read the configuration and the files that it names:"
    say "  chgrp lifeline FILE; chmod 640 FILE"
    say "then: systemctl restart lifeline"
    exit 1
  elif booted; then
    systemctl restart lifeline.service
    say "enabled and started: lifeline status"
  else
    say "enabled; systemd does not run here, so it is not started"
  fi
}

uninstall() {
  if booted; then systemctl stop lifeline.service 2>/dev/null || true; fi
  [ ! -e "$unit" ] || systemctl disable --quiet lifeline.service
  rm -f "$unit" "$link" "$lib/lifeline" "$manual" "$bash" "$zsh" "$fish"
  [ ! -d "$lib" ] || rmdir --ignore-fail-on-non-empty "$lib"
  rm -rf /var/cache/lifeline
  if booted; then systemctl daemon-reload; fi
  say "removed. What is left: $config, /var/lib/lifeline, and the user lifeline (userdel lifeline)"
}

case $# in
  0) ;;
  1) [ "$1" = --uninstall ] || die "usage: install.sh [--uninstall]" ;;
  *) die "usage: install.sh [--uninstall]" ;;
esac
[ "$(id -u)" -eq 0 ] || die "run this as root"
if [ $# -eq 1 ]; then
  uninstall
  exit 0
fi
check_node
check_system
make_user
check_tun_for_user
make_config_folder
install_files
start
