#!/bin/bash
# How many new flows a second ovs-vswitchd sets up on the engine: every datagram has ports of its own, and the OpenFlow table looks at them all.
#
#   Bench/setup.sh [RATE [SECONDS [ENGINE...]]]     RATE new five-tuples a second (25000), for SECONDS (5, at most 6)
#
# Root, openvswitch-switch and a Release build of Engine.Cli and Bench are needed. Namespaces and files are its own and go with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rate=${1:-25000} seconds=${2:-5}
shift $(($# < 2 ? $# : 2))
engine=("$@")
((${#engine[@]})) || engine=(dotnet "$here/../Engine.Cli/bin/Release/net10.0/Engine.Cli.dll")
bench=(dotnet "$here/bin/Release/net10.0/Bench.dll")

name=setup-$$ dir=$(mktemp -d) started=()
export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir
finish() {
    for id in "${started[@]}"; do kill "$id" 2>/dev/null || true; done
    wait
    ip netns del "$name-host" || true
    ip netns del "$name-sink" || true
    ip netns del "$name" || true
    rm -rf "$dir"
}
trap finish EXIT

for space in "$name" "$name-host" "$name-sink"; do ip netns add "$space"; done
ip -n "$name" link add left type veth peer name eth netns "$name-host"
ip -n "$name" link add right type veth peer name eth netns "$name-sink"
for device in left right; do ip -n "$name" link set "$device" up; done
for space in host sink; do ip -n "$name-$space" link set eth up; done
ip -n "$name-host" addr add 10.77.0.1/24 dev eth
ip -n "$name-host" neigh add 10.77.0.2 lladdr 02:00:00:00:00:99 dev eth

inside=(ip netns exec "$name")
ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema
"${inside[@]}" ovsdb-server "$dir/conf.db" --remote="punix:$dir/db.sock" -vconsole:off & started+=($!)
"${inside[@]}" "${engine[@]}" run --socket "$dir/engine.sock" >"$dir/engine.log" 2>&1 & started+=($!)
engine_id=$!
until [[ -S $dir/db.sock && -S $dir/engine.sock ]]; do sleep 0.1; done
ovs-vsctl --no-wait init -- set Open_vSwitch . other_config:flow-limit=1000000
"${inside[@]}" "${engine[@]}" exec --socket "$dir/engine.sock" -- \
    ovs-vswitchd "unix:$dir/db.sock" --unixctl="$dir/ctl" --pidfile -vconsole:off --log-file & started+=($!)
switch_id=$!
ovs-vsctl --timeout=15 add-br br0 -- add-port br0 left -- set Interface left ofport_request=1 -- add-port br0 right -- set Interface right ofport_request=2
ovs-ofctl replace-flows br0 - <<<'in_port=1,udp,actions=multipath(symmetric_l3l4+udp,1024,modulo_n,1,0,NXM_NX_REG0[0..7]),output:2'

# ovs-vswitchd starts with a limit of 10,000 flows and raises it bit by bit; what is measured here is the engine.
ovs-appctl -t "$dir/ctl" upcall/set-flow-limit 1000000 >/dev/null

counters() { # hits, misses, losses, flows there are, packets at the far end
    ovs-appctl -t "$dir/ctl" dpctl/show | sed -n 's/.*lookups: hit:\([0-9]*\) missed:\([0-9]*\) lost:\([0-9]*\).*/\1 \2 \3/p'
    ovs-appctl -t "$dir/ctl" dpctl/show | sed -n 's/^  flows: //p'
    ip netns exec "$name-sink" cat /sys/class/net/eth/statistics/rx_packets
}
times() { cat "/proc/$engine_id/stat" "/proc/$switch_id/stat" | awk '{print $14 + $15}'; }

# Code is compiled as it is used: not what is measured. An idle flow goes after 10 s, so all this takes less.
ip netns exec "$name-host" "${bench[@]}" churn 10.77.0.2 15000 1.5 >/dev/null
sleep 0.5
before=($(counters)) ticks=($(times))
result=($(ip netns exec "$name-host" "${bench[@]}" churn 10.77.0.2 "$rate" "$seconds"))
after=() ticks_after=($(times))
sleep 1
after=($(counters))
awk -v sent="${result[0]}" -v time="${result[1]}" -v hit=$((after[0] - before[0])) -v missed=$((after[1] - before[1])) -v lost=$((after[2] - before[2])) \
    -v put=$((after[3] - before[3])) -v out=$((after[4] - before[4])) -v e=$((ticks_after[0] - ticks[0])) -v s=$((ticks_after[1] - ticks[1])) 'BEGIN {
    printf "sent %d in %.2f s (%d/s); flows set up %d (%d/s); misses %d, of these lost %d; hits %d; forwarded %d; not received by the engine %d\n",
        sent, time, sent / time, put, put / time, missed, lost, hit, out, sent - hit - missed
    printf "processors: engine %.2f, ovs-vswitchd %.2f\n", e / 100 / time, s / 100 / time }'
grep -E '\|(WARN|ERR)\|' "$dir/ovs-vswitchd.log" | tail -5 || true
