#!/usr/bin/env bash
# Installs those Debian packages of the lists given that are missing: install-packages.sh LIST...
# Does nothing, and needs no rights, where all are there.
set -euo pipefail

missing=()
while read -r package; do
  if [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]]; then
    missing+=("$package")
  fi
done < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$@")
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and neither root nor sudo is at hand: ${missing[*]}" >&2
    echo "Install them as root with: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1
}
# An image may come without package lists, or with old ones: then the lists are fetched and it is tried again.
if ! install; then
  "${as_root[@]}" apt-get update >"$log" 2>&1 || true
  if ! install; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install them; its last lines are above." >&2
    exit 1
  fi
fi
