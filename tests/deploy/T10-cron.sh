# Cron and the mails that go out: silent, once, kept when the mail server refuses; and by a real cron daemon.
needs python3 sqlite3
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || { skip "python3-aiosmtpd is not installed"; exit 0; }

SMTP=$(port)
cat >"$WORK/sink.py" <<'PY'
# Takes mails; while a file named `refuse` is beside it, with 451.
import json, os, sys, time
from aiosmtpd.controller import Controller
folder, port = sys.argv[1], int(sys.argv[2])
class Sink:
    async def handle_DATA(self, server, session, envelope):
        if os.path.exists(f'{folder}/slow'): time.sleep(1)
        if os.path.exists(f'{folder}/refuse'): return '451 4.3.0 later'
        with open(f'{folder}/mails', 'a') as out:
            out.write(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'raw': envelope.content.decode()}) + '\n')
        return '250 ok'
Controller(Sink(), hostname='127.0.0.1', port=port).start()
while True: time.sleep(3600)
PY
start /usr/bin/python3 "$WORK/sink.py" "$WORK" "$SMTP"
up() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
until_true 20 up "$SMTP"
touch "$WORK/mails"

sample_site
cat >>"$WORK/patchwork.toml" <<TOML
url = "https://patches.example.org"
[mail]
host = "127.0.0.1"
port = $SMTP
from = "Patchwork <patchwork@example.org>"
TOML
run() { "$PATCHWORK" "$@" --config "$WORK/patchwork.toml"; }
silent() { # cron mails whatever is said
    local said
    said=$(run cron 2>&1) || fail "cron ended with $?: $said"
    same "what cron says" "$said" ""
}
silent
count() { wc -l <"$WORK/mails"; }
before=$(count)

# A mail to send, as a page would leave it.
leave() {
    sqlite3 "$WORK/site.db" ".timeout 10000" "INSERT INTO outbox (sender, recipient, subject, headers, content, created, tries, next_try, failed)
        VALUES ('patchwork@example.org', '$1', 'A letter', '', 'Hello.', strftime('%s','now') * 1000000, 0, 0, 0)"
}
waiting() { sqlite3 "$WORK/site.db" ".timeout 10000" 'SELECT count(*) FROM outbox'; }
leave ann@example.org
silent
same "mails" "$(count)" $((before + 1))
same "left in the outbox" "$(waiting)" 0
silent
same "mails after a second run" "$(count)" $((before + 1))
ok "cron sends what is due, says nothing, and sends nothing twice"

touch "$WORK/slow"
for number in 1 2 3 4; do leave "many$number@example.org"; done
run cron & A=$!
run cron & B=$!
wait "$A" && wait "$B" || fail "two at once do not go together"
rm "$WORK/slow"
same "mails of two at once" "$(count)" $((before + 5))
ok "two at once send each mail once"

touch "$WORK/refuse"
leave ben@example.org
said=$(run cron 2>&1) || true
case $said in *"Failed sending to ben@example.org"*) ;; *) fail "a refusal is not told: $said" ;; esac
same "kept" "$(waiting)" 1
rm "$WORK/refuse"
sqlite3 "$WORK/site.db" ".timeout 10000" 'UPDATE outbox SET next_try = 0'
silent
same "mails after the refusal" "$(count)" $((before + 6))
ok "a mail that is refused is told of, kept, and sent later"

mkdir "$WORK/spool"
printf '[mail.intake]\nspool = "%s"\n' "$WORK/spool" >>"$WORK/patchwork.toml"
silent
ok "an empty spool is no trouble"

if ! command -v cron >/dev/null; then
    skip "no cron daemon"
    exit 0
fi
skip "a real cron daemon reads the machine's own tables: tried where a system is booted (T09)"
