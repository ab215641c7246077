#!/bin/bash
# Tries the deployment guide with real servers: tests/deploy/run.sh [T06 T07 …]; without names, everything.
#
# Each step is a file T<number>-<name>.sh beside this one. It gets a folder of its own and the functions of lib.sh, says
# `ok WHAT` for each thing it has proved, and ends with 0. What cannot be tried here is `skip WHY`. Every daemon runs with a
# configuration of its own, on loopback or in network namespaces that the step makes, and ends with the step.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
PATCHWORK=${PATCHWORK:-$root/target/release/patchwork}
PARSEMAIL=${PARSEMAIL:-$(dirname "$PATCHWORK")/patchwork-parsemail}
export here root PATCHWORK PARSEMAIL LC_ALL=C.UTF-8

for program in "$PATCHWORK" "$PARSEMAIL"; do
    if [ ! -x "$program" ]; then
        echo "$program is not built: cargo build --release" >&2
        exit 2
    fi
done

# Ends whatever a step has left running; containers take a moment.
end_group() {
    kill -TERM -- "-$group" 2>/dev/null || return 0
    for _ in $(seq 40); do
        sleep 0.5
        kill -0 -- "-$group" 2>/dev/null || return 0
    done
    kill -KILL -- "-$group" 2>/dev/null
}
group=
trap '[ -z "$group" ] || { end_group; rm -rf "$work"; }; exit 143' TERM INT

wanted=" $* " tries=${TRIES:-1}
failed=0 proved=0 skipped=0
for step in "$here"/T*.sh; do
    name=$(basename "$step" .sh)
    if [ "$wanted" != "  " ] && [[ "$wanted" != *" ${name%%-*} "* ]] && [[ "$wanted" != *" $name "* ]]; then
        continue
    fi
    # What fails is told in any case; TRIES=2 has it tried once more, for machines that are busy.
    for try in $(seq "$tries"); do
        work=$(mktemp -d "${TMPDIR:-/tmp}/patchwork-$name.XXXXXX")
        chmod 755 "$work"
        began=$SECONDS
        # A group of its own, so that whatever a step leaves running can be ended.
        STEP=$name WORK=$work setsid bash -c '. "$here/lib.sh"; . "$0"' "$step" >"$work/said" 2>"$work/log" </dev/null &
        group=$!
        wait "$group"
        code=$?
        end_group
        group=
        sed "s/^/$name /" "$work/said"
        proved=$((proved + $(grep -c '^ok ' "$work/said")))
        skipped=$((skipped + $(grep -c '^skip ' "$work/said")))
        if [ "$code" != 0 ] || grep -q '^FAIL' "$work/said"; then
            [ "$try" -lt "$tries" ] || failed=$((failed + 1))
            echo "$name FAIL: ended with $code after $((SECONDS - began)) s; the end of its log:"
            tail -n 40 "$work/log" | sed 's/^/    /'
            if [ -n "${KEEP:-}" ]; then echo "    kept: $work"; else rm -rf "$work"; fi
        else
            echo "$name done in $((SECONDS - began)) s"
            rm -rf "$work"
            break
        fi
    done
done
echo "deployment: $proved proved, $skipped skipped, $failed steps failed"
[ "$failed" = 0 ]
