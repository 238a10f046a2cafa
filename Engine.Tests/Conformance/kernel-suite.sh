#!/bin/bash
# Open vSwitch's own system test suite for the kernel datapath, with Debian's unmodified programs, on the engine.
#
#   kernel-suite.sh prepare DIR                      unpacks the suite into DIR (seconds; nothing is compiled)
#   kernel-suite.sh run DIR 'TESTS' ENGINE...        runs tests, such as '1 2 30-39', in namespaces of their own
#
# ENGINE... is the command line of `engine`, for example: dotnet Engine.Cli.dll. Root is needed.
# Debian packages: openvswitch-switch make python3 iproute2 iputils-ping netcat-openbsd net-tools tcpdump curl wget
# lftp python3-pyftpdlib conntrack iptables ethtool procps netbase. The suite itself is in openvswitch-source, which is
# fetched but not installed, for it depends on compilers.
#
# What is added beside the suite, of which nothing is changed:
#   tests/modprobe   says yes: the datapath is a process, not a module. The suite looks for programs in tests/ first.
#   tests/ovstest    the one thing the suite asks of it, to flush conntrack, by conntrack -F: no package has ovstest.
#   tests/atconfig, tests/atlocal, GNUmakefile       what configure and automake would write.
# The suite runs one test after the other, for names in a namespace are the same in all; copies of DIR run side by side.
set -euo pipefail

fetch_source() {
    local installed=/usr/src/openvswitch/openvswitch.tar.gz apt=(apt-get -q -o Acquire::Retries=5)
    if [[ ! -f $installed ]]; then
        # apt gives its rights away, and writes all the same.
        chmod 777 "$1"
        (cd "$1" && { "${apt[@]}" download openvswitch-source || { "${apt[@]}" update && "${apt[@]}" download openvswitch-source; }; })
        dpkg-deb -x "$1"/openvswitch-source_*.deb "$1/package"
        installed=$1/package/usr/src/openvswitch/openvswitch.tar.gz
    fi
    echo "$installed"
}

prepare() {
    mkdir -p "$1"
    local dir temporary source have want
    dir=$(cd "$1" && pwd)
    temporary=$(mktemp -d)
    # shellcheck disable=SC2064 # Now: the variable is local.
    trap "rm -rf '$temporary'" EXIT
    source=$(fetch_source "$temporary" | tail -1)
    tar xzf "$source" -C "$dir" --strip-components=1 --no-same-owner

    have=$(ovs-vswitchd --version | sed -n '1s/.* //p')
    want=$(sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" "$dir/configure")
    [[ $have == "$want" ]] || { echo "The programs are of Open vSwitch $have, the suite of $want." >&2; exit 1; }

    # Debian's own python has the modules that packages bring; another one earlier in the path has not.
    sed -e 's/@HAVE_OPENSSL@/yes/; s/@OPENSSL_SUPPORTS_SNI@/yes/; s/@HAVE_UNBOUND@/yes/; s/@EGREP@/grep -E/' \
        -e 's|@PYTHON3@|/usr/bin/python3|; s/@CFLAGS@//' "$dir/tests/atlocal.in" >"$dir/tests/atlocal"
    printf '%s\n' '#!/bin/sh' 'exit 0' >"$dir/tests/modprobe"
    printf '%s\n' '#!/bin/sh' '[ "$*" = "test-netlink-conntrack flush" ] && { conntrack -F >/dev/null 2>&1; exit 0; }' \
        'echo "ovstest: $*: not here" >&2; exit 1' >"$dir/tests/ovstest"
    chmod 755 "$dir/tests/modprobe" "$dir/tests/ovstest"
    printf '%s\n' 'check-kernel:' \
        $'\t./tests/system-kmod-testsuite -C tests AUTOTEST_PATH=tests:/usr/lib/openvswitch-switch:/usr/sbin:/usr/bin $(TESTSUITEFLAGS) -j1' \
        '.PHONY: check-kernel' >"$dir/GNUmakefile"
}

# In the namespaces. The shell stays as process 1 and reaps: the suite waits for daemons by kill -0, which finds the dead too.
inside() {
    local dir=$1 tests=$2 socket engine code=0
    shift 2
    mount -t sysfs sysfs /sys
    mkdir -p /run/netns
    mount -t tmpfs tmpfs /run/netns
    # Test 101 looks into the kernel's configuration.
    if [[ ! -e /boot/config-$(uname -r) && -e /proc/config.gz ]]; then
        mkdir -p /boot
        mount -t tmpfs tmpfs /boot
        zcat /proc/config.gz >"/boot/config-$(uname -r)"
    fi
    ip link set lo up
    cd "$dir"
    # Here, so that a copy of the folder can be run beside the original.
    printf '%s\n' "at_testdir=tests" "abs_builddir='$dir/tests'" "at_srcdir=." "abs_srcdir='$dir/tests'" \
        "at_top_srcdir=.." "abs_top_srcdir='$dir'" "at_top_build_prefix=../" "abs_top_builddir='$dir'" \
        'at_top_builddir=$at_top_build_prefix' "EXEEXT=" "AUTOTEST_PATH=tests" 'SHELL=${CONFIG_SHELL-/bin/bash}' >"$dir/tests/atconfig"
    socket=$dir/engine.sock
    "$@" run --socket "$socket" >engine.log 2>&1 &
    engine=$!
    for ((i = 0; i < 300; i++)); do
        [[ -S $socket ]] && break
        sleep 0.1
    done
    "$@" exec --socket "$socket" -- make check-kernel TESTSUITEFLAGS="$tests" || code=$?
    kill "$engine" && wait "$engine" || { echo "The engine did not end well." >&2; code=1; }
    exit "$code"
}

case ${1:-} in
    prepare) prepare "$2" ;;
    run)
        self=$(realpath "$0")
        shift
        exec unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc --propagation private bash "$self" inside "$@"
        ;;
    inside)
        shift
        inside "$@"
        ;;
    *) sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
