# Postfix hands mails over: by an alias and a pipe, by a transport of its own, over LMTP. Nothing bounces.
needs postfix postalias python3 sqlite3
ulimit -f unlimited || true

mkdir "$WORK/bin" "$WORK/etc" "$WORK/queue"
install -d -m 700 -o postfix "$WORK/data"
install -d -m 777 "$WORK/who"
for program in "$PATCHWORK" "$PARSEMAIL"; do
    cp -lL "$program" "$WORK/bin/" 2>/dev/null || cp -L "$program" "$WORK/bin/"
done

postgres
PSQL() { psql -qAtX -d patchwork -c "$1"; }
createdb patchwork
cat >"$WORK/patchwork.toml" <<TOML
[database]
url = "postgres://postgres@127.0.0.1:$PGPORT/patchwork"
connect_timeout = 3
[mail.intake]
max_bytes = "1 MiB"
TOML
chmod 644 "$WORK/patchwork.toml"
run() { "$WORK/bin/patchwork" "$@" --config "$WORK/patchwork.toml"; }
run migrate -v0
run createproject dev --name Dev --list-id dev.example.org --list-email dev@example.org -v0

# What the alias and the transport start: the program, after saying who runs it.
cat >"$WORK/bin/parsemail" <<SH
#!/bin/sh
id -un >"$WORK/who/\$\$"
exec "$WORK/bin/patchwork-parsemail" --config "$WORK/patchwork.toml" "\$@"
SH
chmod 755 "$WORK/bin/parsemail"

SMTP=$(port)
cat >"$WORK/etc/main.cf" <<CF
compatibility_level = 3.6
queue_directory = $WORK/queue
data_directory = $WORK/data
maillog_file_prefixes = $WORK
maillog_file = $WORK/maillog
myhostname = mx.example.org
mydestination = alias.example.org
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
alias_maps = hash:$WORK/etc/aliases
alias_database = hash:$WORK/etc/aliases
local_recipient_maps = \$alias_maps
default_privs = nobody
recipient_delimiter = +
message_size_limit = 20971520
mailbox_size_limit = 0
relay_domains = lmtp.example.org, pipe.example.org
transport_maps = inline:{ { lmtp.example.org = lmtp:unix:$WORK/lmtp.sock }, { pipe.example.org = patchwork: } }
default_transport = error:no mail leaves this machine
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
CF
cat >"$WORK/etc/master.cf" <<CF
127.0.0.1:$SMTP inet n - n - - smtpd
pickup    unix n - n 1 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 2 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
lmtp      unix - - n - - lmtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
local     unix - n n - - local
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
CF
# The samples as they are shipped, but for the place of the program.
sed "s,/usr/local/bin/patchwork-parsemail,$WORK/bin/parsemail,; /^#/d" "$root/lib/postfix/master.cf" >>"$WORK/etc/master.cf"
sed "s,/usr/local/bin/patchwork-parsemail,$WORK/bin/parsemail,; /^#/d" "$root/lib/postfix/aliases" >"$WORK/etc/aliases"
postalias -c "$WORK/etc" "hash:$WORK/etc/aliases"

start_door() { # the way in by LMTP
    start "$WORK/bin/patchwork" lmtp --listen "unix:$WORK/lmtp.sock" --socket-mode 666 --config "$WORK/patchwork.toml" >&2
    DOOR=$PID
    until_true 20 test -S "$WORK/lmtp.sock"
}
start_door
postfix -c "$WORK/etc" check
postfix -c "$WORK/etc" start
trap 'postfix -c "$WORK/etc" stop >/dev/null 2>&1; postgres_stop >/dev/null 2>&1' EXIT
until_true 20 is_up "$SMTP"

# send PREFIX COUNT AT-ONCE RECIPIENT…: sends mails with patches, each to all recipients.
cat >"$WORK/send.py" <<'PY'
import smtplib, sys, threading
port, prefix, count, at_once, recipients = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
MAIL = """From: Zoë <zoe@example.org>
Subject: [PATCH] pump: run {id}
Message-Id: <{id}@example.org>
Date: Tue, 05 Mar 2024 07:07:08 +0100
List-Id: <dev.example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Start it, grüße.
---
--- a/pump.c
+++ b/pump.c
@@ -1 +1,2 @@
 x
+{id}
.
"""
def work(numbers):
    s = smtplib.SMTP('127.0.0.1', port, local_hostname='client.example.org')
    for n in numbers:
        mail = MAIL.format(id=f'{prefix}-{n}').replace('\n', '\r\n').encode()
        s.sendmail('zoe@example.org', recipients, mail, mail_options=['BODY=8BITMIME', 'SMTPUTF8'])
    s.quit()
threads = [threading.Thread(target=work, args=(range(i, count, at_once),)) for i in range(at_once)]
[t.start() for t in threads]; [t.join() for t in threads]
PY
send() { python3 "$WORK/send.py" "$SMTP" "$@"; }
stored() { [ "$(PSQL "SELECT count(*) FROM patch WHERE msgid LIKE '<$1-%'")" = "$2" ]; }

GOAL=50
rate() { # PREFIX RECIPIENT WHAT
    local began ended load
    load=$(cut -d' ' -f1 /proc/loadavg)
    began=$(date +%s%N)
    send "$1" 200 20 "$2"
    until_true 120 stored "$1" 200
    ended=$(date +%s%N)
    RATE=$((200 * 1000000000 / (ended - began)))
    # A machine is as fast as it is: what falls short of the goal is told, not failed.
    local goal=
    [ "$RATE" -ge "$GOAL" ] || goal="; short of $GOAL"
    ok "$3: 200 mails, 20 at a time, all stored once, $RATE mails/s accepted and stored (load $load$goal)"
}
# all_rates PREFIX WHERE: each way, on the database that is set up.
all_rates() {
    rate "$1alias" patchwork@alias.example.org "alias and pipe, $2"
    rate "$1pipe" dev@pipe.example.org "pipe transport, $2"
    rate "$1lmtp" dev@lmtp.example.org "LMTP, $2"
}
all_rates "" PostgreSQL
same "user of the command" "$(sort -u "$WORK"/who/*)" nobody
ok "the command of the alias runs as nobody"

# The same with the server doing the work of the commands.
cp "$WORK/patchwork.toml" "$WORK/own.toml"
echo "socket = \"$WORK/run/intake.sock\"" >>"$WORK/patchwork.toml"
install -d -m 777 "$WORK/run"
start "$WORK/bin/patchwork" serve -v0 --socket-mode 666 --listen "http+unix:$WORK/run/http.sock" --config "$WORK/patchwork.toml" >&2
HELPER=$PID
until_true 20 test -S "$WORK/run/intake.sock"
chmod 666 "$WORK/run/intake.sock"
rate "handover" patchwork@alias.example.org "alias and pipe, handed over to the server, PostgreSQL"
stop "$HELPER"
mv "$WORK/own.toml" "$WORK/patchwork.toml"

# And on SQLite, which the user of the commands has to be able to write.
install -d -o nobody -m 755 "$WORK/sqlite"
cp "$WORK/patchwork.toml" "$WORK/own.toml"
sed -i "s|^url = .*|url = \"sqlite:$WORK/sqlite/site.db\"|" "$WORK/patchwork.toml"
run migrate -v0
run createproject dev --name Dev --list-id dev.example.org --list-email dev@example.org -v0
chown nobody "$WORK"/sqlite/*
in_postgres=$(declare -f stored)
stored() { [ "$(sqlite3 "$WORK/sqlite/site.db" ".timeout 9000" "SELECT count(*) FROM patch WHERE msgid LIKE '<$1-%'")" = "$2" ]; }
stop "$DOOR"
start_door
all_rates "" SQLite
stop "$DOOR"
eval "$in_postgres"
mv "$WORK/own.toml" "$WORK/patchwork.toml"
start_door

send three 5 1 a@lmtp.example.org b@lmtp.example.org patchwork@alias.example.org c@pipe.example.org
until_true 60 stored three 5
ok "a mail to four recipients by three ways is stored once"
same "8-bit text" "$(PSQL "SELECT count(*) FROM patch_body WHERE content LIKE '%grüße%'")" 805
same "8-bit name" "$(PSQL "SELECT name FROM person WHERE email = 'zoe@example.org'")" Zoë
ok "8-bit headers and bodies arrive as they were sent"

# Larger than the site takes: kept, and set aside.
python3 - "$SMTP" <<'PY'
import smtplib, sys
for to in 'patchwork@alias.example.org', 'dev@pipe.example.org', 'dev@lmtp.example.org':
    mail = f'From: zoe@example.org\r\nSubject: [PATCH] large\r\nMessage-Id: <large-{to}>\r\nList-Id: <dev.example.org>\r\n\r\n' + 'x' * 70 + '\r\n'
    s = smtplib.SMTP('127.0.0.1', int(sys.argv[1])); s.sendmail('zoe@example.org', [to], mail + ('y' * 70 + '\r\n') * 40000); s.quit()
    # Of no use at all.
    s = smtplib.SMTP('127.0.0.1', int(sys.argv[1])); s.sendmail('zoe@example.org', [to], 'nonsense\r\n'); s.quit()
PY
aside() { [ "$(PSQL "SELECT count(*) FROM quarantine")" = 3 ]; }
until_true 60 aside
ok "mails that are too large are set aside, whichever way they come"

postgres_stop
send away-a 10 5 patchwork@alias.example.org
send away-p 10 5 dev@pipe.example.org
send away-l 10 5 dev@lmtp.example.org
deferred() { [ "$(grep 'status=deferred' "$WORK/maillog" | grep -c "to=<[^>]*$1>")" -ge 10 ]; }
until_true 90 deferred @alias.example.org
until_true 90 deferred @pipe.example.org
until_true 90 deferred @lmtp.example.org
ok "while the database is away every mail stays in the queue"
runuser -u postgres -- "$(pg_bin)/pg_ctl" -D "$WORK/pg/data" -l "$WORK/pg/log" -w start >/dev/null
for way in a p l; do
    postqueue -c "$WORK/etc" -f
    until_true 120 stored "away-$way" 10
done
ok "and is stored when the database is back, without anybody's help"

kill "$DOOR"
wait "$DOOR" || fail "the LMTP door ended with $?"
send closed 3 1 dev@lmtp.example.org
start_door
sleep 2
postqueue -c "$WORK/etc" -f
until_true 60 stored closed 3
ok "LMTP may be restarted: mails wait meanwhile"

empty() { postqueue -c "$WORK/etc" -p | grep -q 'queue is empty'; }
until_true 60 empty
grep -E 'status=bounced|non-delivery|undeliverable' "$WORK/maillog" && fail "something bounced"
ok "nothing bounced: $(grep -c 'status=sent' "$WORK/maillog") deliveries, $(grep -c 'status=deferred' "$WORK/maillog") put off"
same "patches" "$(PSQL "SELECT count(*), count(DISTINCT msgid) FROM patch")" "838|838"
ok "838 patches, each once"
