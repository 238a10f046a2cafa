#!/bin/bash
# How long a dump of flows takes: over the socket of an engine that has just been started, and by unmodified ovs-dpctl.
#
#   Bench/dump.sh [FLOWS [ENGINE...]]     FLOWS (200000); ENGINE is the command, a published one for instance
#
# Root, openvswitch-switch and a Release build of Engine.Cli and Bench are needed. Namespace and files are its own and go with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
flows=${1:-200000}
shift $(($# < 1 ? $# : 1))
engine=("$@")
((${#engine[@]})) || engine=(dotnet "$here/../Engine.Cli/bin/Release/net10.0/Engine.Cli.dll")
bench=(dotnet "$here/bin/Release/net10.0/Bench.dll")

name=dump-$$ dir=$(mktemp -d) started=()
finish() {
    for id in "${started[@]}"; do kill "$id" 2>/dev/null || true; done
    wait
    ip netns del "$name" || true
    rm -rf "$dir"
}
trap finish EXIT

ip netns add "$name"
inside=(ip netns exec "$name")
"${inside[@]}" "${engine[@]}" run --socket "$dir/engine.sock" >"$dir/engine.log" 2>&1 & started+=($!)
"${inside[@]}" "${engine[@]}" wait --socket "$dir/engine.sock"
"${inside[@]}" "${engine[@]}" dpctl --socket "$dir/engine.sock" add-dp dp0
"${inside[@]}" "${bench[@]}" control --socket "$dir/engine.sock" "$flows"
for round in 1 2 3 4 5; do
    /usr/bin/env bash -c 'TIMEFORMAT="ovs-dpctl dump-flows      %R s (%U s user, %S s system, starting it under engine exec included)"; time "$@" >'"$dir/flows" - \
        "${inside[@]}" "${engine[@]}" exec --socket "$dir/engine.sock" -- ovs-dpctl dump-flows dp0
    [[ $(wc -l <"$dir/flows") == "$flows" ]]
done
