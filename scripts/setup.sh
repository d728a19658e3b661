#!/usr/bin/env bash
# Installs what is missing to build, demonstrate and test Earshot on Debian: packages with apt (as root
# or through sudo; otherwise it prints the exact command), modules with npm, the native addon.
# Usage: scripts/setup.sh [demo|test]. Running it again costs a second.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-test}

# Build tools and libraries, and what the virtual board's host is made of: a sound server, a desktop on a
# virtual display, and a player.
packages=(
  ca-certificates git make g++ python3 pkg-config
  libasound2-dev libopus-dev libspeexdsp-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  alsa-utils libasound2-plugins pulseaudio pulseaudio-utils
  xvfb icewm xterm x11-apps gstreamer1.0-tools gstreamer1.0-alsa gstreamer1.0-x
)
# What the tests and benchmarks compare with and drive.
if [ "$purpose" = test ]; then
  packages+=(
    chromium coturn iproute2 libxkbcommon-tools procps shellcheck sox
    gstreamer1.0-plugins-ugly gstreamer1.0-nice python3-gst-1.0 gir1.2-gst-plugins-bad-1.0
    qemu-system-x86 mmdebstrap e2fsprogs
  )
fi
# Any Node can install the modules; the pinned one among them runs everything else.
command -v npm >/dev/null || packages+=(nodejs npm)

say() { printf '[setup] %s\n' "$*"; }

missing=()
for package in "${packages[@]}"; do
  # shellcheck disable=SC2016 # the format is dpkg-query's, not the shell's
  if ! dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
    missing+=("$package")
  fi
done

if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get install -y --no-install-recommends --no-remove ${missing[*]}"
  if [ "$(id -u)" = 0 ]; then
    as_root=()
  elif command -v sudo >/dev/null && sudo -v; then
    as_root=(sudo)
  else
    say "These Debian packages are missing, and this user may not install them. As root, run:"
    printf '\n  apt-get update && %s\n\nthen try again.\n' "$install"
    exit 1
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  # shellcheck disable=SC2086 # the words of the command
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install
fi

stamp=node_modules/.earshot-lock
lock=$(sha256sum package-lock.json | cut -d' ' -f1)
fresh=no
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$lock" ]; then
  fresh=yes
  say 'installing npm modules'
  npm ci --no-audit --no-fund --loglevel=error
fi

export PATH="$PWD/node_modules/.bin:$PATH"
say "node $(node --version)"
node scripts/build-native.ts

# The independent Opus codec of the tests is native too. Debian's npm builds it against Debian's own Node,
# and it then crashes the pinned one: build it with the pinned node-gyp and headers where that happened.
works_here() { bash -c "node -e \"require('@discordjs/opus')\"" >/dev/null 2>&1; }
if [ "$purpose" = test ] && ! works_here; then
  say 'building @discordjs/opus for the pinned Node'
  headers=$(find node_modules/node/node_modules node_modules/.cache \
    -path '*/include/node/node_api.h' -print -quit 2>/dev/null || true)
  (
    cd node_modules/@discordjs/opus
    npm_config_node_gyp="$OLDPWD/node_modules/node-gyp/bin/node-gyp.js" \
      npm_config_nodedir="$OLDPWD/${headers%/include/node/node_api.h}" \
      node-pre-gyp rebuild --build-from-source >build.log 2>&1 || { cat build.log; exit 1; }
  )
  works_here || { say '@discordjs/opus was built, but cannot be loaded'; exit 1; }
fi
[ "$fresh" = no ] || printf '%s\n' "$lock" >"$stamp"
