# Cron and the mails that go out: silent, once, kept when the mail server refuses; and by a real cron daemon.
needs python3 sqlite3 openssl
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || { skip "python3-aiosmtpd is not installed"; exit 0; }

SMTP=$(port)
mkdir "$WORK/mails"
start /usr/bin/python3 "$here/sink.py" "$WORK/mails" "$SMTP"
until_true 20 is_up "$SMTP"
touch "$WORK/mails/mails"

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
count() { wc -l <"$WORK/mails/mails"; }
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

touch "$WORK/mails/slow"
for number in 1 2 3 4; do leave "many$number@example.org"; done
run cron & A=$!
run cron & B=$!
wait "$A" && wait "$B" || fail "two at once do not go together"
rm "$WORK/mails/slow"
same "mails of two at once" "$(count)" $((before + 5))
ok "two at once send each mail once"

again() { sqlite3 "$WORK/site.db" ".timeout 10000" 'UPDATE outbox SET next_try = 0'; }
for how in refuse reject; do
    before=$(count)
    touch "$WORK/mails/$how"
    leave ben@example.org
    said=$(run cron 2>&1) || fail "$how: cron ended with $?: $said"
    case $said in *"Failed sending to ben@example.org"*) ;; *) fail "$how is not told: $said" ;; esac
    same "kept" "$(waiting)" 1
    rm "$WORK/mails/$how"
    again
    silent
    same "mails after it" "$(count)" $((before + 1))
done
ok "a mail that is refused, for now (451) or for good (550), is told of, kept, and sent later"

# A server that says nothing in time.
before=$(count)
touch "$WORK/mails/slow"
leave cleo@example.org
began=$(date +%s%N)
said=$(run cron --set mail.timeout=1 2>&1) || true
took=$((($(date +%s%N) - began) / 1000000))
case $said in *"Failed sending to cleo@example.org"*) ;; *) [ "$(waiting)" = 0 ] || fail "a slow server is not told: $said" ;; esac
rm "$WORK/mails/slow"
again
silent
[ "$(count)" -ge $((before + 1)) ] && [ "$(waiting)" = 0 ] || fail "$(waiting) left"
ok "a server that is too slow is left after $took ms, its mail is kept and sent later"

# TLS and a login.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE 2>/dev/null
TLS=$(port)
mkdir "$WORK/safe"
start /usr/bin/python3 "$here/sink.py" "$WORK/safe" "$TLS" --starttls "$WORK/cert.pem" "$WORK/key.pem" --login patchwork 'open sesame'
until_true 20 is_up "$TLS"
safe=(--set "mail.port=$TLS" --set mail.tls=starttls --set mail.user=patchwork)
trusted=(--set "mail.ca=$WORK/cert.pem")
leave dora@example.org
for why in certificate login plain; do
    case $why in
        certificate) more=("${safe[@]}" --set "mail.password=open sesame") ;;
        login) more=("${safe[@]}" "${trusted[@]}" --set "mail.password=open says me") ;;
        plain) more=(--set "mail.port=$TLS" --set mail.tls=none) ;;
    esac
    said=$(run cron "${more[@]}" 2>&1) || fail "$why: cron ended with $?: $said"
    case $said in *"Failed sending to dora@example.org"*) ;; *) fail "$why is not told: $said" ;; esac
    case $said in *"open sa"*) fail "the password is told: $said" ;; esac
    same "$why: kept" "$(waiting)" 1
    again
done
ok "a certificate that nobody vouches for, a wrong password, no TLS where it is wanted: told of without the password, and kept"
said=$(run cron "${safe[@]}" "${trusted[@]}" --set "mail.password=open sesame" 2>&1) || fail "STARTTLS: $said"
same "STARTTLS says" "$said" ""
grep -q '"tls": true, "login": true' "$WORK/safe/mails" || fail "not by TLS and with a login: $(cat "$WORK/safe/mails")"
ok "STARTTLS with an authority of one's own, and a login"

mkdir "$WORK/spool"
printf '[mail.intake]\nspool = "%s"\n' "$WORK/spool" >>"$WORK/patchwork.toml"
silent
ok "an empty spool is no trouble"
skip "a real cron daemon: where a system is booted, in T09"
