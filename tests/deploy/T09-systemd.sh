# The units: what systemd says of them, the unit's own command and its words to systemd, a socket that systemd keeps.
needs systemd-analyze curl python3 setpriv
. "$here/front.sh"
front_site
units=$WORK/units
mkdir "$units"
for unit in "$root"/lib/systemd/*; do
    sed -e "s|/opt/patchwork/bin|$WORK/bin|" "$unit" >"$units/${unit##*/}"
done
# verify wants every program to be there.
for program in /usr/bin/getmail /usr/bin/uwsgi; do
    [ -x "$program" ] || sed -i "s|$program|/bin/true|" "$units"/*.service
done
for unit in "$units"/*; do
    said=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1 | grep -F "$units" || true)
    [ -z "$said" ] || fail "${unit##*/}: $said"
done
ok "systemd-analyze verify has no complaint about $(ls "$units" | wc -l) units"
for unit in patchwork.service patchwork-cron.service getmail.service; do
    exposure=$(systemd-analyze security --offline=true --no-pager "$units/$unit" 2>/dev/null | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p')
    [ -n "$exposure" ] || { skip "systemd-analyze security does not work here"; break; }
    awk -v e="$exposure" 'BEGIN {exit !(e <= 2.0)}' || fail "$unit is exposed: $exposure"
    ok "$unit: exposure $exposure"
done
# What verify does not look at: users that are not there, and commands that the program does not know.
for unit in "$root"/lib/systemd/*.service; do
    user=$(sed -n 's/^User=//p' "$unit")
    [ -z "$user" ] || id "$user" >/dev/null 2>&1 || fail "${unit##*/}: no user $user"
done
command=$(sed -n 's/^ExecStart=//p' "$root/lib/systemd/patchwork.service" | sed -e "s|/opt/patchwork/bin|$WORK/bin|" -e "s|/run/patchwork/|$WORK/run/|g")
cat >"$WORK/manager.py" <<'PY'
import os, socket, sys
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind(sys.argv[1])
with open(sys.argv[2], "a", buffering=1) as out:
    while True:
        out.write(listening.recv(4096).decode().replace("\n", " ") + "\n")
PY
start python3 "$WORK/manager.py" "$WORK/notify.sock" "$WORK/told"
until_true 5 test -S "$WORK/notify.sock"
chmod 777 "$WORK/notify.sock"
# shellcheck disable=SC2086 # the words of the command
start_as_www NOTIFY_SOCKET="$WORK/notify.sock" WATCHDOG_USEC=1000000 $command
SERVER=$PID
until_true 20 grep -q '^READY=1 STATUS=patchwork' "$WORK/told"
same "when it says that it is ready" "$(status http://localhost/api/ --unix-socket "$WORK/run/http.sock")" 200
until_true 5 grep -q '^WATCHDOG=1' "$WORK/told"
kill -HUP "$SERVER"
until_true 20 grep -q '^RELOADING=1' "$WORK/told"
twice() { [ "$(grep -c '^READY=1' "$WORK/told")" = 2 ]; }
until_true 20 twice
same "after the reload" "$(status http://localhost/api/ --unix-socket "$WORK/run/http.sock")" 200
kill -TERM "$SERVER"; wait "$SERVER" || fail "ended with $?"
grep -q '^STOPPING=1' "$WORK/told" || fail "not said: STOPPING=1"
ok "the unit's command says READY, STATUS, WATCHDOG, RELOADING, STOPPING"

if command -v systemd-socket-activate >/dev/null; then
    for name in http fastcgi; do
        sock=$WORK/run/activated-$name.sock
        # The first connection starts it; systemd-socket-activate has its own socket, ours are descriptors 3 and up.
        start systemd-socket-activate --fdname="$name" -l "$sock" -E "PATCHWORK_CONFIG=$WORK/patchwork.toml" "$WORK/bin/patchwork" serve
        activated=$PID
        until_true 5 test -S "$sock"
        if [ "$name" = http ]; then
            same "through systemd's socket" "$(status http://localhost/api/ --unix-socket "$sock" -m 20)" 200
            kill -HUP "$activated"; sleep 1
            same "through systemd's socket, after a reload" "$(status http://localhost/api/ --unix-socket "$sock" -m 20)" 200
        else
            python3 - "$here" "$sock" <<'PY' || fail "FastCGI through systemd's socket"
import sys
sys.path.insert(0, sys.argv[1])
import bad
answer = bad.say(sys.argv[2], bad.GET + bad.record(5))
answer = answer or bad.say(sys.argv[2], bad.GET + bad.record(5))
sys.exit(b"Status: 200" not in answer)
PY
        fi
        stop "$activated"
        [ -S "$sock" ] || fail "a socket of systemd's was removed"
        ok "a socket that systemd hands over, $name"
    done
else
    skip "systemd-socket-activate is not installed"
fi
skip "booting the units in a container: needs systemd as the first process, or systemd-nspawn"
