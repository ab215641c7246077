# What the steps that boot a system share; sourced by them. A node is a container with this machine's own root below an overlay:
# what is installed here is installed there, and what is changed there goes with it. Nothing of this machine is touched.
needs systemd-nspawn nsenter ip mount strip
[ "$(id -u)" = 0 ] || { skip "booting a container takes root"; exit 0; }
declare -A LEADER NSPAWN SPACE
trap nodes_end EXIT

# node NAME [ADDRESS]: boots a system; with addresses, nodes see each other once they are joined. WORK/NAME/shared is /shared there.
node() {
    local name=$1 address=${2:-} folder=$WORK/$1 new
    SPACE[$name]=pw$name$$
    ip netns add "${SPACE[$name]}" || { skip "no network namespaces here"; exit 0; }
    ip -n "${SPACE[$name]}" link set lo up
    mkdir -p "$folder"/{upper,overlay,root,shared}
    new=$folder/root
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/overlay" "$new" ||
        { skip "no overlay of the root here: nothing is booted"; exit 0; }
    # Nothing is enabled yet, and a service may start when its package is installed.
    rm -rf "$new"/etc/systemd/system "$new"/etc/rc?.d/* "$new/usr/sbin/policy-rc.d" "$new/etc/resolv.conf"
    mkdir -p "$new/etc/systemd/system"
    head -c16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$new/etc/machine-id"
    echo "$name" >"$new/etc/hostname"
    printf '127.0.0.1 localhost %s\n' "$name" >"$new/etc/hosts"
    # The packages are there already; there is nobody to ask for others.
    rm -rf "$new"/etc/apt/sources.list*
    NODE_ADDRESS[$name]=$address
    boot "$name"
}
declare -A NODE_ADDRESS

# boot NAME: starts a node that was made.
boot() {
    local name=$1
    systemd-nspawn -q --register=no --keep-unit -D "$WORK/$name/root" --machine="${SPACE[$name]}" --hostname="$name" \
        --bind="$WORK/$name/shared:/shared" --network-namespace-path="/run/netns/${SPACE[$name]}" \
        -b systemd.unit=multi-user.target </dev/null >"$WORK/$name/boot.log" 2>&1 &
    NSPAWN[$name]=$!
    until_true 60 is_booted "$name" || {
        skip "a container does not boot here: $(tail -n 1 "$WORK/$name/boot.log" | tr -cd '[:print:]')"
        exit 0
    }
}

is_booted() {
    LEADER[$1]=$(pgrep -P "${NSPAWN[$1]}" | head -n 1)
    [ -n "${LEADER[$1]}" ] && nsenter -t "${LEADER[$1]}" -a -- systemctl is-system-running | grep -qE 'running|degraded'
}

# join NAME NAME: a cable between two nodes.
join() {
    ip link add "to$2" netns "${SPACE[$1]}" type veth peer name "to$1" netns "${SPACE[$2]}"
    end "$1" "$2"
    end "$2" "$1"
}
end() { # end HERE THERE: one end of a cable
    ip -n "${SPACE[$1]}" addr add "${NODE_ADDRESS[$1]}/32" dev "to$2"
    ip -n "${SPACE[$1]}" link set "to$2" up
    ip -n "${SPACE[$1]}" route add "${NODE_ADDRESS[$2]}/32" dev "to$2"
}

# inside NAME COMMAND…: runs as a service of that node, by root, as somebody who has logged in there would.
inside() {
    local name=$1
    shift
    nsenter -t "${LEADER[$name]}" -a -- systemd-run --quiet --collect --wait --pipe --working-directory=/root \
        -E HOME=/root -E LC_ALL=C.UTF-8 -E PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin -- "$@"
}

# reboot NAME: the node starts again.
reboot() {
    halt "$1"
    boot "$1"
}

halt() {
    kill -TERM "${NSPAWN[$1]}" 2>/dev/null || true
    wait "${NSPAWN[$1]}" 2>/dev/null || true
}

nodes_end() {
    local name
    for name in "${!SPACE[@]}"; do
        [ -z "${NSPAWN[$name]:-}" ] || halt "$name"
        umount "$WORK/$name/root" 2>/dev/null || true
        ip netns del "${SPACE[$name]}" 2>/dev/null || true
    done
}

# Puts the programs that are tried here, without what debuggers want, into WORK/target/release, as cargo-deb looks for them.
programs() {
    [ ! -e "$WORK/target" ] || return 0
    mkdir -p "$WORK/target/release"
    strip -o "$WORK/target/release/patchwork" "$PATCHWORK"
    strip -o "$WORK/target/release/patchwork-parsemail" "$PARSEMAIL"
}

# Makes the package of them, if cargo-deb is there; DEB is its file, empty if not. `package 2` makes the next one.
package() {
    local tool
    tool=$(PATH=$PATH:$root/target/tools/bin command -v cargo-deb || true)
    DEB=
    [ -n "$tool" ] || return 0
    programs
    "$root/debian/stage.sh" "$WORK/target/release" >&2
    (cd "$root" && CARGO_TARGET_DIR="$WORK/target" "$tool" --no-build --fast --profile release --deb-revision "${1:-1}" --output "$WORK/debs/") >&2 ||
        fail "cargo-deb"
    DEB=$(ls "$WORK"/debs/*-"${1:-1}"_*.deb)
}
