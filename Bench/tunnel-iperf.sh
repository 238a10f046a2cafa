#!/bin/bash
# TCP through VXLAN from a switch in one network namespace to another one, by iperf3: in turns on the engine and on Open vSwitch's userspace datapath.
#
#   tunnel-iperf.sh SECONDS FAMILY MTU PEER ENGINE...
#
#   FAMILY     4 or 6: the version of IP below the tunnel
#   MTU        of the wire, a veth pair
#   PEER       switch: the other end is another switch of the same kind; kernel: it is the kernel's VXLAN device
#   ENGINE...  the command line of `engine`, for example: dotnet Engine.Cli.dll
#
# ROUNDS=5 in the environment has both take five turns and prints the medians.
#
# Needs root, openvswitch-switch and iperf3. The switches' ends of the connection are their own ports (br0). Prints what each has received, in both directions.
set -euo pipefail

seconds=$1 family=$2 mtu=$3 peer=$4
shift 4
engine=("$@")
folder=$(mktemp -d)
left=engine-iperf-$$-l
right=engine-iperf-$$-r
pids=()

end_all() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    pids=()
    ip netns del "$left" 2>/dev/null || true
    ip netns del "$right" 2>/dev/null || true
}
finish() {
    end_all
    rm -rf "$folder"
}
trap finish EXIT

if [[ $family == 6 ]]; then
    underlay() { echo "2001:db8:99::$1"; }
    length=64 nodad=nodad inner=$((mtu - 70)) csum=true
else
    underlay() { echo "10.99.0.$1"; }
    length=24 nodad='' inner=$((mtu - 50)) csum=false
fi

# start NAMESPACE COMMAND...: in the background, ended at the end.
start() {
    ip netns exec "$@" >>"$folder/log" 2>&1 &
    pids+=($!)
}

# switch NAMESPACE NUMBER KIND: a database, a switch and br0 with its tunnel.
switch() {
    local space=$1 number=$2 kind=$3 run
    run=$(mktemp -d "$folder/XXXXXX")
    export OVS_RUNDIR=$run OVS_DBDIR=$run OVS_LOGDIR=$run
    ovsdb-tool create "$run/conf.db" /usr/share/openvswitch/vswitch.ovsschema
    start "$space" ovsdb-server "$run/conf.db" --remote="punix:$run/db.sock" -vconsole:off
    while [[ ! -S $run/db.sock ]]; do sleep 0.05; done
    local vsctl=(ip netns exec "$space" ovs-vsctl "--db=unix:$run/db.sock" --timeout=20)
    "${vsctl[@]}" --no-wait init
    if [[ $kind == engine ]]; then
        start "$space" "${engine[@]}" run --socket "$run/engine.sock"
        while [[ ! -S $run/engine.sock ]]; do sleep 0.05; done
        start "$space" "${engine[@]}" exec --socket "$run/engine.sock" -- ovs-vswitchd "unix:$run/db.sock" "--unixctl=$run/ctl" -vconsole:off
        "${vsctl[@]}" add-br br0
    else
        start "$space" ovs-vswitchd "unix:$run/db.sock" "--unixctl=$run/ctl" -vconsole:off
        "${vsctl[@]}" add-br br-wire -- set bridge br-wire datapath_type=netdev -- add-port br-wire wire -- add-br br0 -- set bridge br0 datapath_type=netdev
        "${vsctl[@]}" set interface br-wire mtu_request="$mtu"
        ip -n "$space" addr flush dev wire
        ip -n "$space" addr add "$(underlay "$number")/$length" dev br-wire $nodad
        ip -n "$space" link set br-wire up
    fi
    "${vsctl[@]}" add-port br0 vx0 -- set interface vx0 type=vxlan "options:remote_ip=$(underlay $((3 - number)))" options:key=5 options:csum=$csum
    "${vsctl[@]}" set interface br0 mtu_request="$inner"
    ip -n "$space" addr add "10.78.0.$number/24" dev br0
    ip -n "$space" link set br0 up
}

measure() {
    local kind=$1 direction
    ip netns add "$left"
    ip netns add "$right"
    ip -n "$left" link add wire mtu "$mtu" type veth peer name wire mtu "$mtu" netns "$right"
    for space in "$left" "$right"; do
        ip -n "$space" link set lo up
        ip -n "$space" addr add "$(underlay $([[ $space == "$left" ]] && echo 1 || echo 2))/$length" dev wire $nodad
        ip -n "$space" link set wire up
    done
    switch "$left" 1 "$kind"
    if [[ $peer == switch ]]; then
        switch "$right" 2 "$kind"
    else
        ip -n "$right" link add vx0 mtu "$inner" type vxlan id 5 dstport 4789 remote "$(underlay 1)" $([[ $family == 4 ]] && echo noudpcsum)
        ip -n "$right" addr add 10.78.0.2/24 dev vx0
        ip -n "$right" link set vx0 up
    fi
    local reached=
    for ((i = 0; i < 20 && !reached; i++)); do
        ip netns exec "$left" ping -n -q -c 1 -W 1 10.78.0.2 >/dev/null 2>&1 && reached=1
    done
    printf '%-8s' "$kind"
    if [[ ! $reached ]]; then
        echo "    none: no answer to ping"
        end_all
        return
    fi
    start "$right" iperf3 -s
    sleep 1

    # Once to warm up: methods are compiled meanwhile.
    ip netns exec "$left" iperf3 -c 10.78.0.2 -t 6 >/dev/null
    for direction in '' -R; do
        ip netns exec "$left" iperf3 -c 10.78.0.2 -t "$seconds" $direction | awk '/receiver/ { printf "%8s %s", $7, $8 }'
    done
    echo
    end_all
}

echo "VXLAN over IPv$family, MTU $mtu, to a ${peer/kernel/kernel device}: sent, received"
for ((round = 0; round < ${ROUNDS:-1}; round++)); do
    for kind in engine netdev; do
        measure $kind >"$folder/turn"
        tee -a "$folder/turns" <"$folder/turn"
    done
done

# In Mbit/s.
median() {
    awk -v kind="$1" -v column="$2" '$1 == kind && $2 + 0 == $2 { print $column * ($(column + 1) ~ /^G/ ? 1000 : 1) }' "$folder/turns" | sort -g | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "none" }'
}
[[ ${ROUNDS:-1} == 1 ]] || echo "medians of $ROUNDS turns, Mbit/s: engine $(median engine 2), $(median engine 4); netdev $(median netdev 2), $(median netdev 4)"
