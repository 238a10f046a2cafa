#!/bin/bash
# TCP through VXLAN between two switches in two network namespaces, by iperf3: first on the engine, then on Open vSwitch's userspace datapath.
#
#   tunnel-iperf.sh SECONDS ENGINE...        ENGINE... is the command line of `engine`, for example: dotnet Engine.Cli.dll
#
# Needs root, openvswitch-switch and iperf3. Both ends of the connection are the switches' own ports (br0), the wire is a veth pair of MTU 1500.
set -euo pipefail

seconds=$1
shift
engine=("$@")
folder=$(mktemp -d)
left=engine-iperf-$$-l
right=engine-iperf-$$-r
pids=()

finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    ip netns del "$left" 2>/dev/null || true
    ip netns del "$right" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT

# start NAMESPACE COMMAND...: in the background, ended at the end.
start() {
    ip netns exec "$@" >>"$folder/log" 2>&1 &
    pids+=($!)
}

# switch NAMESPACE NUMBER KIND: a database, a switch and br0 with its tunnel.
switch() {
    local space=$1 number=$2 kind=$3 run=$folder/$1-$3 remote
    remote=10.99.0.$((3 - number))
    mkdir "$run"
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
        ip -n "$space" addr flush dev wire
        ip -n "$space" addr add "10.99.0.$number/24" dev br-wire
        ip -n "$space" link set br-wire up
    fi
    "${vsctl[@]}" add-port br0 vx0 -- set interface vx0 type=vxlan "options:remote_ip=$remote" options:key=5
    "${vsctl[@]}" set interface br0 mtu_request=1450
    ip -n "$space" addr add "10.78.0.$number/24" dev br0
    ip -n "$space" link set br0 up
}

measure() {
    local kind=$1
    ip netns add "$left"
    ip netns add "$right"
    ip -n "$left" link add wire type veth peer name wire netns "$right"
    ip -n "$left" link set lo up
    ip -n "$right" link set lo up
    ip -n "$left" addr add 10.99.0.1/24 dev wire
    ip -n "$right" addr add 10.99.0.2/24 dev wire
    ip -n "$left" link set wire up
    ip -n "$right" link set wire up
    switch "$left" 1 "$kind"
    switch "$right" 2 "$kind"
    for ((i = 0; i < 50; i++)); do
        ip netns exec "$left" ping -n -q -c 1 -W 1 10.78.0.2 >/dev/null 2>&1 && break
    done
    start "$right" iperf3 -s
    sleep 1

    # Once to warm up.
    ip netns exec "$left" iperf3 -c 10.78.0.2 -t 2 >/dev/null
    printf '%-8s' "$kind"
    ip netns exec "$left" iperf3 -c 10.78.0.2 -t "$seconds" | awk '/receiver/ { print $7, $8 }'
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    pids=()
    ip netns del "$left"
    ip netns del "$right"
}

measure engine
measure netdev
