#!/bin/bash
# Records two-hosts.pcap: real programs talking between two network namespaces over one veth pair.
# Needs root, iproute2, ethtool, tcpdump, dnsmasq, dig, curl, ping and python3. Leaves nothing behind.
set -euo pipefail

output=$(realpath "${1:-two-hosts.pcap}")
work=$(mktemp -d)
client=sample-client
server=sample-server
children=()

cleanup() {
    kill "${children[@]}" 2> /dev/null || true
    ip netns del $client 2> /dev/null || true
    ip netns del $server 2> /dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

in_client() { ip netns exec $client "$@"; }
in_server() { ip netns exec $server "$@"; }

# A VLAN interface in user space, for kernels without 8021q: a TAP device whose frames go over the trunk with a tag.
cat > "$work/vlan.py" <<'PYTHON'
import fcntl, select, socket, struct, os, sys

name, trunk, vid, mac = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING, VLAN_VALID = 263, 8, 4, 0x10

tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
os.system(f"ip link set {name} address {mac}")
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind((trunk, 3))
wire.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
while True:
    for ready in select.select([tap, wire], [], [])[0]:
        if ready is tap:
            frame = os.read(tap, 2048)
            wire.send(frame[:12] + struct.pack("!HH", 0x8100, vid) + frame[12:])
            continue
        frame, ancillary, _, address = wire.recvmsg(2048, 64)
        tag = next((struct.unpack("IIIHHHH", data[:20]) for level, kind, data in ancillary if (level, kind) == (SOL_PACKET, PACKET_AUXDATA)), None)
        if address[2] != PACKET_OUTGOING and tag and tag[0] & VLAN_VALID and tag[5] & 0xFFF == vid:
            os.write(tap, frame)
PYTHON

ip netns add $client
ip netns add $server
ip link add trunk netns $client address 02:00:00:00:00:01 type veth peer name trunk netns $server address 02:00:00:00:00:02
host=1
for namespace in $client $server; do
    ip netns exec $namespace bash -c "
        ip link set lo up
        sysctl -qw net.ipv6.conf.trunk.accept_dad=0 net.ipv6.conf.trunk.addr_gen_mode=1 || true
        # Whole checksums and no super-frames: the packets as a wire would carry them.
        ethtool -K trunk tx off tso off gso off gro off > /dev/null
        ip link set trunk up
        ip addr add 10.0.0.$host/24 dev trunk
        ip addr add fd00::$host/64 dev trunk nodad"
    ip netns exec $namespace python3 "$work/vlan.py" vlan10 trunk 10 02:00:00:00:10:0$host & children+=($!)
    host=$((host + 1))
done

for host in 1 2; do
    namespace=$([ $host = 1 ] && echo $client || echo $server)
    ip netns exec $namespace bash -c "
        until ip link show vlan10 > /dev/null 2>&1; do sleep 0.1; done
        ip link set vlan10 up mtu 1496
        ip addr add 10.10.0.$host/24 dev vlan10
        ip addr add fd10::$host/64 dev vlan10 nodad"
done

mkdir "$work/www"
seq 1 3000 > "$work/www/numbers.txt"
echo '<!DOCTYPE html><title>Sample</title><p>It works.' > "$work/www/index.html"
in_server python3 -m http.server 80 --bind :: --directory "$work/www" > /dev/null 2>&1 & children+=($!)
in_server dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --cache-size=0 \
    --host-record=www.sample.test,10.0.0.2,fd00::2 --txt-record=sample.test,"recorded between two namespaces" --local=/test/ & children+=($!)
until in_server curl -so /dev/null http://10.0.0.2/ && in_server dig +short +time=1 +tries=1 @10.0.0.2 www.sample.test > /dev/null; do sleep 0.1; done

in_server tcpdump --immediate-mode -qi trunk -w "$output" 2> "$work/tcpdump.log" & children+=($!)
capture=$!
until grep -q listening "$work/tcpdump.log" 2> /dev/null; do sleep 0.1; done

in_client ping -qc 5 -i 0.2 10.0.0.2
in_client ping -qc 5 -i 0.2 fd00::2
in_client ping -qc 5 -i 0.2 10.10.0.2
in_client ping -qc 3 -i 0.2 fd10::2
in_client ping -qc 2 -i 0.2 -s 4000 10.0.0.2     # in fragments
in_client ping -qc 2 -i 0.2 -t 1 10.0.0.2        # for dec_ttl to refuse
in_client dig +short @10.0.0.2 www.sample.test A
in_client dig +short @fd00::2 www.sample.test AAAA
in_client dig +short +tcp @10.0.0.2 sample.test TXT
in_client dig +short @10.0.0.2 nowhere.test A
in_client dig +short @10.10.0.2 www.sample.test A
in_client curl -so /dev/null http://10.0.0.2/
in_client curl -so /dev/null http://10.0.0.2/numbers.txt
in_client curl -so /dev/null 'http://[fd00::2]/'
in_client curl -so /dev/null 'http://[fd00::2]/numbers.txt'
in_client curl -so /dev/null http://10.10.0.2/
in_client curl -so /dev/null http://10.0.0.2:81/ || true    # refused with a reset

sleep 1
kill $capture
wait $capture || true
cat "$work/tcpdump.log"
