#!/bin/sh
# Installs the crowdai command: downloads the executable for this machine, verifies its checksum, and moves it to ~/.local/bin.
#
#   curl -fsSL https://github.com/crowdAI/crowdai/releases/latest/download/install.sh | sh
#
# CROWDAI_VERSION      the version to install, as 0.1.0 (default: the latest)
# CROWDAI_INSTALL_DIR  the folder of the command (default: ~/.local/bin)
# CROWDAI_DOWNLOAD_URL another address of the files of a release
set -eu

# In a function that is called on the last line: a script that was cut off in transfer does nothing.
main() {
  file=$(executable)
  releases=https://github.com/crowdAI/crowdai/releases
  if [ -n "${CROWDAI_DOWNLOAD_URL:-}" ]; then from=${CROWDAI_DOWNLOAD_URL%/}
  elif [ -n "${CROWDAI_VERSION:-}" ]; then from=$releases/download/v${CROWDAI_VERSION#v}
  else from=$releases/latest/download; fi
  if [ -z "${CROWDAI_INSTALL_DIR:-}${HOME:-}" ]; then fail "HOME is not set. Set CROWDAI_INSTALL_DIR to the folder of the command."; fi
  folder=${CROWDAI_INSTALL_DIR:-$HOME/.local/bin}
  mkdir -p "$folder" || fail "$folder cannot be created."
  # Beside its destination, so that the move at the end is one step, which also replaces a running command.
  work=$(mktemp -d "$folder/.crowdai-install.XXXXXX") || fail "$folder cannot be written."
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' HUP TERM

  download "$from/SHA256SUMS" "$work/SHA256SUMS"
  expected=$(awk -v file="$file" '$2 == file || $2 == "*" file { print $1; exit }' "$work/SHA256SUMS")
  case $expected in
    *[!0-9a-f]* | '') fail "$from/SHA256SUMS has no checksum of $file. Nothing was installed." ;;
  esac
  if [ ${#expected} -ne 64 ]; then fail "$from/SHA256SUMS has no checksum of $file. Nothing was installed."; fi
  printf 'Downloading %s\n' "$from/$file"
  download "$from/$file" "$work/crowdai"
  actual=$(checksum "$work/crowdai")
  if [ "$actual" != "$expected" ]; then
    fail "$file does not have the checksum of SHA256SUMS (expected $expected, got $actual). Nothing was installed; try again."
  fi
  chmod 755 "$work/crowdai"
  version=$("$work/crowdai" --version 2>/dev/null) || fail "$file does not run on this machine. Nothing was installed; use npm install --global crowdai."
  if [ -d "$folder/crowdai" ]; then fail "$folder/crowdai is a folder. Nothing was installed."; fi
  mv -f "$work/crowdai" "$folder/crowdai"
  printf 'Installed crowdai %s as %s\n' "$version" "$folder/crowdai"
  case ":${PATH:-}:" in
    *":$folder:"*) ;;
    *) printf '%s is not on your PATH. Add this line to the profile of your shell:\n\n  export PATH="%s:$PATH"\n\n' "$folder" "$folder" ;;
  esac
  found=$(command -v crowdai || true)
  case $found in
    '' | "$folder/crowdai") ;;
    *) printf 'Another crowdai comes first on your PATH: %s\n' "$found" ;;
  esac
}

# Prints the name of the executable for this machine.
executable() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "There is no executable for $(uname -s). Install with: npm install --global crowdai" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "There is no executable for $(uname -m). Install with: npm install --global crowdai" ;;
  esac
  # A program that is translated on a Mac with an Apple chip sees x86_64.
  if [ "$system-$machine" = darwin-x64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then machine=arm64; fi
  libc=
  if [ $system = linux ] && ldd --version 2>&1 | grep -qi musl; then libc=-musl; fi
  echo "crowdai-$system-$machine$libc"
}

download() {
  if command -v curl >/dev/null 2>&1; then curl -fsSL --retry 2 -o "$2" "$1" || fail "$1 cannot be downloaded. Nothing was installed."
  elif command -v wget >/dev/null 2>&1; then
    # That of GNU would try a transfer that breaks off 20 times; that of BusyBox tries once.
    tries=
    if wget --help 2>&1 | grep -q -e --tries; then tries=--tries=2; fi
    wget -q $tries -O "$2" "$1" || fail "$1 cannot be downloaded. Nothing was installed."
  else fail "Neither curl nor wget was found."; fi
}

checksum() {
  if command -v sha256sum >/dev/null 2>&1; then sum=$(sha256sum <"$1")
  elif command -v shasum >/dev/null 2>&1; then sum=$(shasum -a 256 <"$1")
  else fail "Neither sha256sum nor shasum was found."; fi
  echo "${sum%% *}"
}

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

main "$@"
