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
for unit in patchwork.service patchwork-cron.service patchwork-lmtp.service patchwork-watch@.service getmail.service; do
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

# A systemd that really runs them: this machine's own root as the lower layer of an overlay, booted in a container.
boots() { # FOLDER: its units are installed, its check.sh runs inside when the system is up
    local new=$WORK/boot wants
    mkdir -p "$WORK/upper" "$WORK/overlay" "$new"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/overlay" "$new" || return 1
    rm -rf "$new/etc/systemd/system" "$new/usr/sbin/policy-rc.d"
    wants=$new/etc/systemd/system/patchwork-test.target.wants
    mkdir -p "$wants"
    printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' >"$new/etc/systemd/system/patchwork-test.target"
    cp "$1"/*.service "$1"/*.socket "$1"/*.timer "$new/etc/systemd/system/"
    cat >"$new/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=240
ExecStart=/bin/bash /shared/check.sh
StandardOutput=file:/shared/check.out
StandardError=inherit
ExecStopPost=/bin/systemctl poweroff --no-block
UNIT
    ln -s ../check.service "$wants/"
    head -c16 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$new/etc/machine-id"
    timeout 300 systemd-nspawn -q --register=no --keep-unit -D "$new" --machine="pwtest$$" --bind="$1:/shared" \
        --private-network -b systemd.unit=patchwork-test.target </dev/null >"$WORK/boot.log" 2>&1 || true
    umount "$new"
}
if ! command -v systemd-nspawn >/dev/null; then
    skip "systemd-nspawn is not installed: the units are not booted"
    exit 0
fi
shared=$WORK/shared
mkdir -m 755 "$shared"
cp "$root"/lib/systemd/patchwork* "$shared/"
# Every minute, not every ten.
sed 's|^\*/10 |* |' "$root/lib/cron.d/patchwork" >"$shared/cron.d"
install -m 755 "$PATCHWORK" "$shared/patchwork"
printf '[database]\nurl = "sqlite:/var/lib/patchwork/site.db"\n[site]\nsecret_key = "%s"\n[mail]\nbackend = "file"\n' "$("$PATCHWORK" secret-key)" >"$shared/patchwork.toml"
cat >"$shared/check.sh" <<'CHECK'
ask() { curl -s -o /dev/null -m 20 -w '%{http_code}' --unix-socket "${1:-/run/patchwork/http.sock}" http://localhost/api/; }
install -D -m 755 /shared/patchwork /opt/patchwork/bin/patchwork
install -D -m 640 -g www-data /shared/patchwork.toml /etc/patchwork/patchwork.toml
systemctl start patchwork.service; echo "started $(systemctl is-active patchwork.service) $(ask)"
systemctl show patchwork.service -p StatusText
pid=$(systemctl show patchwork.service -p MainPID --value)
systemctl reload patchwork.service; sleep 2
echo "reloaded $(ask) $([ "$pid" = "$(systemctl show patchwork.service -p MainPID --value)" ] && echo the same)"
kill -KILL "$pid"; sleep 5; echo "killed $(systemctl is-active patchwork.service) $(ask)"
systemctl start patchwork-cron.service && echo "cron $(systemctl show patchwork-cron.service -p Result --value)"
systemctl enable --now patchwork-cron.timer 2>/dev/null; echo "timer $(systemctl is-active patchwork-cron.timer)"
systemctl stop patchwork.service; echo "stopped $(systemctl is-failed patchwork.service)"
if [ -x /usr/sbin/cron ] && command -v sqlite3 >/dev/null; then
    cp /shared/cron.d /etc/cron.d/patchwork; chmod 644 /etc/cron.d/patchwork
    # A mail that waits, and nobody but cron to send it.
    systemctl disable --now patchwork-cron.timer 2>/dev/null
    runuser -u www-data -- sqlite3 /var/lib/patchwork/site.db ".timeout 9000" "INSERT INTO outbox
        (sender, recipient, subject, headers, content, created, tries, next_try, failed)
        VALUES ('patchwork@example.org', 'ann@example.org', 'A letter', '', 'Hello.', strftime('%s','now') * 1000000, 0, 0, 0)"
    systemctl start cron.service; echo "cron daemon $(systemctl is-active cron.service)"
    for _ in $(seq 75); do ls /var/lib/patchwork/mail/*.eml >/dev/null 2>&1 && break; sleep 1; done
    echo "sent by cron $(ls /var/lib/patchwork/mail/*.eml | wc -l)"
    sleep 1; systemctl stop cron.service
    journalctl -u cron.service -o cat --no-pager >/shared/cron.journal
fi
mkdir -p /etc/systemd/system/patchwork.service.d
printf '[Service]\nExecStart=\nExecStart=/opt/patchwork/bin/patchwork serve\n' >/etc/systemd/system/patchwork.service.d/socket.conf
systemctl daemon-reload; systemctl start patchwork.socket
echo "socket $(ask /run/patchwork.sock)"; systemctl restart patchwork.service; echo "again $(ask /run/patchwork.sock)"
systemctl --failed --no-legend --plain
journalctl -u patchwork.service -u patchwork-cron.service -o cat --no-pager >/shared/journal
CHECK
boots "$shared" || { skip "no overlay of the root here: the units are not booted"; exit 0; }
if [ ! -s "$shared/check.out" ]; then
    skip "a container does not boot here: $(tail -n 1 "$WORK/boot.log" | tr -cd '[:print:]')"
    exit 0
fi
cat "$shared/check.out" "$shared/journal" >&2 || true
for line in "started active 200" "reloaded 200 the same" "killed active 200" "cron success" "timer active" "stopped inactive" \
    "socket 200" "again 200"; do
    grep -qx "$line" "$shared/check.out" || fail "booted: not '$line' in: $(tr '\n' ';' <"$shared/check.out")"
done
ok "booted: start, reload, a killed server, cron and its timer, stop, and systemd's socket, all with the hardening"
if grep -q '^cron daemon' "$shared/check.out"; then
    cat "$shared/cron.journal" >&2
    grep -qx 'sent by cron 1' "$shared/check.out" || fail "the cron daemon: $(tr '\n' ';' <"$shared/check.out")"
    grep -q '(www-data) CMD (PATCHWORK_CONFIG=' "$shared/cron.journal" || fail "cron did not run it: $(cat "$shared/cron.journal")"
    ! grep -qi 'no mta\|mail' <(grep -v CMD "$shared/cron.journal") || fail "it was not silent: $(cat "$shared/cron.journal")"
    ok "a real cron daemon with lib/cron.d, a line a minute: runs it as www-data, a waiting mail leaves, nothing is said"
else
    skip "no cron daemon or no sqlite3: lib/cron.d is not tried"
fi
