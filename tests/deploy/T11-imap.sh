# getmail and fetchmail bring mails from Dovecot; every mail once, and none for ever.
needs dovecot doveadm getmail python3 openssl

mkdir "$WORK/bin" "$WORK/run" "$WORK/home" "$WORK/got"
for program in "$PATCHWORK" "$PARSEMAIL"; do
    cp -lL "$program" "$WORK/bin/" 2>/dev/null || cp -L "$program" "$WORK/bin/"
done
chmod 777 "$WORK/got"
postgres
createdb patchwork
PSQL() { psql -qAtX -d patchwork -c "$1"; }
cat >"$WORK/patchwork.toml" <<TOML
[database]
url = "postgres://postgres@127.0.0.1:$PGPORT/patchwork"
connect_timeout = 3
TOML
chmod 644 "$WORK/patchwork.toml"
"$PATCHWORK" migrate -v0 --config "$WORK/patchwork.toml"
"$PATCHWORK" createproject dev --name Dev --list-id dev.example.org --list-email dev@example.org -v0 --config "$WORK/patchwork.toml"
cat >"$WORK/bin/parsemail" <<SH
#!/bin/sh
exec "$WORK/bin/patchwork-parsemail" --config "$WORK/patchwork.toml" "\$@"
SH
chmod 755 "$WORK/bin/parsemail"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost
install -d -o nobody -g nogroup -m 700 "$WORK/home/patchwork"
IMAP=$(port) IMAPS=$(port) POPS=$(port)
cat >"$WORK/dovecot.conf" <<CONF
base_dir = $WORK/run
state_dir = $WORK/run
instance_name = patchwork-$$
log_path = $WORK/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
disable_plaintext_auth = no
first_valid_uid = 100
mail_location = maildir:~/Maildir
ssl = yes
ssl_cert = <$WORK/cert.pem
ssl_key = <$WORK/key.pem
service imap-login {
  chroot =
  inet_listener imap {
    port = $IMAP
  }
  inet_listener imaps {
    port = $IMAPS
    ssl = yes
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    port = $POPS
    ssl = yes
  }
}
service anvil {
  chroot =
}
passdb {
  driver = static
  args = password=change-me
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$WORK/home/patchwork
}
CONF
dovecot -c "$WORK/dovecot.conf"
trap 'doveadm -c "$WORK/dovecot.conf" stop >/dev/null 2>&1; postgres_stop >/dev/null 2>&1' EXIT
until_true 20 is_up "$IMAP"
until_true 20 is_up "$POPS"

# put NAME…: puts a mail into the box for each name.
cat >"$WORK/put.py" <<'PY'
import imaplib, sys, time
m = imaplib.IMAP4('127.0.0.1', int(sys.argv[1])); m.login('patchwork', 'change-me')
for name in sys.argv[2:]:
    mail = (f'From: Zoë <zoe@example.org>\nSubject: [PATCH] pump: {name}\nMessage-Id: <{name}@example.org>\n'
            'Date: Tue, 05 Mar 2024 07:07:08 +0100\nList-Id: <dev.example.org>\n\nStart it, grüße.\n---\n'
            f'--- a/pump.c\n+++ b/pump.c\n@@ -1 +1,2 @@\n x\n+{name}\n')
    if name.startswith('broken'):
        mail = 'Subject: nobody wrote it\n\n\0\n'.replace('\0', '?')
    m.append('INBOX', '', imaplib.Time2Internaldate(time.time()), mail.replace('\n', '\r\n').encode())
m.logout()
PY
put() { python3 "$WORK/put.py" "$IMAP" "$@"; }
stored() { [ "$(PSQL "SELECT count(*) FROM patch WHERE msgid IN ($(printf "'<%s@example.org>'," "$@" | sed 's/,$//'))")" = $# ]; }

# settings SAMPLE SERVER PORT FOLDER: the sample, with nothing changed but host, port, certificate and program.
settings() {
    install -d -o nobody -g nogroup -m 700 "$4"
    sed -e "s,^server = .*,server = localhost," -e "s,^port = .*,port = $3," -e "s,^username = .*,username = patchwork," \
        -e "s,^ca_certs = .*,ca_certs = $WORK/cert.pem," -e "s,^path = .*,path = $WORK/bin/parsemail," \
        "$root/lib/getmail/$1" >"$4/getmailrc"
    chown nobody "$4/getmailrc"
    chmod 600 "$4/getmailrc"
}
fetch() { runuser -u nobody -- env HOME="$1" getmail --getmaildir="$1" "${@:2}" >>"$WORK/getmail.log"; }

settings getmailrc localhost "$IMAPS" "$WORK/imap"
put one two two broken three
if getmail --getmaildir="$WORK/imap" >"$WORK/as-root" 2>&1; then fail "getmail runs a command as root"; fi
ok "getmail refuses to deliver as root: the guide's user is needed"
fetch "$WORK/imap" || fail "getmail ended with $?"
stored one two three || fail "not all mails of the box are stored"
same "patches" "$(PSQL 'SELECT count(*) FROM patch')" 3
fetch "$WORK/imap"
tail -n 1 "$WORK/getmail.log" | grep -q '0 messages (0 bytes) retrieved' || fail "mails are fetched again"
ok "IMAPS: each mail once; a duplicate and a broken mail end the matter, and are not fetched again"

postgres_stop
put four five
fetch "$WORK/imap" && fail "a mail was delivered to a database that is away"
runuser -u postgres -- "$(pg_bin)/pg_ctl" -D "$WORK/pg/data" -l "$WORK/pg/log" -w start >/dev/null
fetch "$WORK/imap" || fail "getmail ended with $?"
stored four five || fail "what came while the database was away is lost"
ok "mails that come while the database is away stay in the box, and arrive afterwards"

runuser -u nobody -- env HOME="$WORK/imap" getmail --getmaildir="$WORK/imap" --idle INBOX >"$WORK/idle.log" 2>&1 &
IDLE=$!
sleep 2
put six
until_true 30 stored six
put seven
until_true 30 stored seven
kill "$IDLE" 2>/dev/null || true
wait "$IDLE" 2>/dev/null || true
ok "getmail --idle brings a mail when it arrives"

settings getmailrc.pop3 localhost "$POPS" "$WORK/pop"
put eight
fetch "$WORK/pop" || fail "getmail ended with $?"
stored eight || fail "POP3 did not bring the mail"
same "patches" "$(PSQL 'SELECT count(*) FROM patch')" 8
ok "POP3S: the new mail once; those that came by IMAP are known"

if command -v fetchmail >/dev/null; then
    put nine
    sed -e "s,imap.example.com protocol IMAP,localhost service $IMAPS protocol IMAP," -e 's,"patchwork@example.com",patchwork,' \
        -e "s,sslcertck,sslcertck sslcertfile $WORK/cert.pem," -e "s,/usr/local/bin/patchwork-parsemail,$WORK/bin/parsemail," \
        "$root/lib/fetchmail/fetchmailrc" >"$WORK/pop/fetchmailrc"
    chown nobody "$WORK/pop/fetchmailrc"
    chmod 600 "$WORK/pop/fetchmailrc"
    runuser -u nobody -- env HOME="$WORK/pop" fetchmail -f "$WORK/pop/fetchmailrc" --nodetach --pidfile "$WORK/pop/pid" \
        -i "$WORK/pop/ids" >&2 || fail "fetchmail ended with $?"
    stored nine || fail "fetchmail did not bring the mail"
    ok "fetchmail with the sample brings the mail"
else
    skip "fetchmail is not installed"
fi

# The folder itself, as a mail server fills it.
"$WORK/bin/patchwork" watch --config "$WORK/patchwork.toml" "$WORK/home/patchwork/Maildir" >&2 &
WATCH=$!
put ten
until_true 20 stored ten
stop "$WATCH"
ok "a watched Maildir needs no fetching at all"
same "patches" "$(PSQL 'SELECT count(*), count(DISTINCT msgid) FROM patch')" "10|10"
ok "10 mails, each once"
