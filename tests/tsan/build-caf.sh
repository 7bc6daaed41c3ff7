#!/usr/bin/env bash
# Builds CAF's core from Debian's source under the thread sanitizer into build/tools/caf-tsan, once: the packaged library
# hides its atomics from the sanitizer, which then sees races in every message.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$PWD/build/tools/caf-tsan
if [[ -e $folder/lib/libcaf_core.so ]]; then
  exit 0
fi
version=$(dpkg-query -W -f='${source:Version}' libcaf-dev)
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/src"
# The system's own package sources with deb-src in place of deb; nothing of the system is changed.
sed 's/^Types: .*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$folder/apt/debian.sources"
apt=(-qq -o Dir::Etc::sourcelist="$folder/apt/debian.sources" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" update
# Only the upstream archive is used; the packaging files may be gone from a mirror.
(cd "$folder/apt" && apt-get "${apt[@]}" source --download-only "actor-framework=$version") || true
archive=$(echo "$folder"/apt/actor-framework_*.orig.tar.gz)
wanted=$(awk '/^Checksums-Sha256:/ {on = 1; next} /^[^ ]/ {on = 0} on && /orig\.tar\.gz$/ {print $1}' "$folder"/apt/*.dsc)
echo "$wanted  $archive" | sha256sum --check --quiet
tar xf "$archive" -C "$folder/src" --strip-components=1
cmake -S "$folder/src" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" \
  -DCMAKE_CXX_FLAGS="-std=c++17 -fsanitize=thread -w" -DCMAKE_SHARED_LINKER_FLAGS=-fsanitize=thread \
  "-DCMAKE_CXX_COMPILER_LAUNCHER=$PWD/deploy/compile.sh;$PWD" -DCMAKE_LIBRARY_OUTPUT_DIRECTORY="$folder/lib" \
  -DCAF_NO_IO=ON -DCAF_NO_OPENCL=ON -DCAF_NO_OPENSSL=ON -DCAF_NO_PYTHON=ON -DCAF_NO_TOOLS=ON -DCAF_NO_EXAMPLES=ON \
  -DCAF_NO_UNIT_TESTS=ON -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16 >"$folder/configure.log"
ninja -C "$folder/build" -j "${1:-2}" libcaf_core_shared
test -e "$folder/lib/libcaf_core.so"
