#!/bin/sh
# Installs the Debian packages of the named groups of packages.txt that are missing: setup.sh GROUP...
set -eu
list=$(dirname "$0")/packages.txt

wanted=
for group in "$@"; do
  packages=$(sed -e 's/#.*//' "$list" | awk -v group="$group" '$1 == group { print $2 }')
  if [ -z "$packages" ]; then
    echo "setup.sh: packages.txt has no group '$group'; its groups: $(sed -e 's/#.*//' "$list" | awk 'NF { print $1 }' | uniq | xargs)" >&2
    exit 2
  fi
  wanted="$wanted $packages"
done
missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
if [ -z "$missing" ]; then exit 0; fi

if [ "$(id -u)" = 0 ]; then become=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then become=sudo
else
  echo "quaver: these Debian packages are missing:$missing" >&2
  echo "quaver: this needs root: run 'apt-get install -y --no-install-recommends$missing' as root, then make again" >&2
  exit 1
fi
echo "quaver: installing$missing"
wait_for_others="-o DPkg::Lock::Timeout=300"
$become apt-get $wait_for_others update -qq
# What the installation says is shown only when it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! $become env DEBIAN_FRONTEND=noninteractive apt-get $wait_for_others install -y -qq --no-install-recommends $missing >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
