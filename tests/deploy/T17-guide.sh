# The guide itself: every command block of docs/deployment.md, in its order, where systemd runs. Nothing is replaced but the place
# that packages come from; host names are in /etc/hosts.
. "$here/boot.sh"
needs python3 openssl curl psql nginx postfix dovecot getmail git
mkdir "$WORK/blocks"
said=$(python3 "$here/guide.py" "$root/docs/deployment.md" "$WORK/blocks") || fail "guide.py"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
same "the version in the guide" "$(grep -ho 'PW_VERSION=.*' "$WORK"/blocks/*.sh | sort -u)" "PW_VERSION=$version"
ok "the guide has $said, and every one says where it runs"

# What is downloaded: the tree, and the package where it can be made.
releases=$WORK/releases
mkdir "$releases"
package
tree=patchwork-$version-$(uname -m)
programs
CARGO_TARGET_DIR=$WORK/target "$root/debian/stage.sh" "$WORK/target/release" "$tree" >&2
cp "$WORK/target/$tree".tar.gz* "$releases/"
NODES="db web standby"
if [ -n "$DEB" ]; then
    NODES="one $NODES"
    cp "$DEB" "$releases/"
    (cd "$releases" && sha256sum "$(basename "$DEB")" >"$(basename "$DEB").sha256")
else
    skip "one node: cargo-deb, which makes the package, is not installed: cargo install cargo-deb"
fi

# A machine as it is after Debian's installer: packages are taken from what is there, and their services start as if just installed.
cat >"$WORK/apt-get" <<'SH'
#!/bin/bash
# Stands in for a machine on which nothing of this was installed: what is installed already starts now.
set -eu
export DEBIAN_FRONTEND=noninteractive
/usr/bin/apt-get "$@"
[ "$1" = install ] || exit 0
for package in "$@"; do
    case $package in
        postfix)
            if [ ! -e /etc/postfix/main.cf ]; then
                echo "postfix postfix/main_mailer_type select Internet Site" | debconf-set-selections
                echo "postfix postfix/mailname string patchwork.example.com" | debconf-set-selections
                dpkg-reconfigure -f noninteractive postfix
            fi ;;
    esac
    case $package in
        nginx | postfix | postgresql | apache2 | cron) systemctl enable --now "$package" ;;
    esac
done
SH
chmod 755 "$WORK/apt-get"
for name in $NODES; do
    case $name in db) address=10.1.1.1 ;; web) address=10.1.1.2 ;; standby) address=10.1.1.3 ;; *) address= ;; esac
    node "$name" $address
    new=$WORK/$name/root
    install -D -m 755 "$WORK/apt-get" "$new/usr/local/sbin/apt-get"
    cp -r "$releases" "$WORK/$name/shared/releases"
    rm -rf "$new/etc/patchwork" "$new/opt/patchwork"* "$new/usr/local/bin/patchwork"* "$new/var/lib/patchwork" "$new/var/www/patchwork"
    # What later installations of the package would have.
    printf '%s patchwork.example.com\n%s imap.example.com\n' "${address:-127.0.0.1}" 10.1.1.1 >>"$new/etc/hosts"
    inside "$name" systemd-run --quiet --unit=releases python3 -m http.server --bind 127.0.0.1 --directory /shared/releases 8088
done
join db web
join db standby
join web standby
ok "booted:$(for name in $NODES; do printf ' %s' "$name"; [ -z "${NODE_ADDRESS[$name]}" ] || printf ' (%s)' "${NODE_ADDRESS[$name]}"; done)"

# block NAME NODE: runs a block there, in a shell of its own with what `export` has said before.
block() {
    {
        echo 'set -eu -o pipefail; touch /root/said; . /root/said'
        sed "s|https://patchwork.example.com/releases|http://127.0.0.1:8088|" "$WORK/blocks/$1.sh"
        grep '^export PW_' "$WORK/blocks/$1.sh" | sed "s|https://patchwork.example.com/releases|http://127.0.0.1:8088|; s|.*|echo \"&\" >>/root/said|" || true
    } >"$WORK/$2/shared/block.sh"
    # Files that it makes are those of a root who has just logged in.
    inside "$2" bash /shared/block.sh </dev/null >"$WORK/said-there" 2>&1
}
there() { inside "$1" bash -c "set -eu -o pipefail; ${*:2}" </dev/null; }
api() { there "$1" "curl -fsSk 'https://patchwork.example.com/api/$2'"; }
# arrives NODE MESSAGE-ID: until the mail is in the API.
arrived() { [[ $(api "$1" "patches/?msgid=$2@example.com") == *"$2@example.com"* ]]; }
arrives() { until_true 60 arrived "$1" "$2" || fail "$2 does not arrive"; }
mail() { # mail MESSAGE-ID: a mail with a patch
    printf '%s\n' 'From: Ann Author <ann@example.com>' "Subject: [PATCH] pump: $1" "Message-Id: <$1@example.com>" \
        'List-Id: <tidepool.lists.example.org>' '' 'Text.' '---' '--- a/pump.c' '+++ b/pump.c' '@@ -1 +1,2 @@' ' int pump;' "+int $1;"
}
through() { # through NODE STATUS-AND-SCHEME: the list by the front server, which may just be starting
    until_true 20 is_through "$@" || { there "$1" "journalctl -n 20 --no-pager" >&2; fail "$1: the list is answered with $SEEN instead of $2"; }
}
is_through() {
    SEEN=$(there "$1" "curl -sk -o /dev/null -w '%{http_code} %{scheme}' -L http://patchwork.example.com/project/tidepool/list/") || true
    [ "$SEEN" = "$2" ]
}

# What has to be there before a block, and no reader would be told: a mailbox somewhere in the world.
before() {
    case $1 in
        *"A mailbox"*)
            mkdir "$WORK/tls"
            (
                cd "$WORK/tls"
                openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Example CA' -keyout ca.key -out ca.crt
                openssl req -newkey rsa:2048 -nodes -subj /CN=imap.example.com -keyout imap.key -out imap.csr
                printf 'subjectAltName=DNS:imap.example.com\n' >ext
                openssl x509 -req -in imap.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out imap.crt
            ) 2>/dev/null
            cp "$WORK"/tls/imap.* "$WORK/db/shared/"
            install -D -m 644 "$WORK/tls/ca.crt" "$WORK/web/root/usr/local/share/ca-certificates/example.crt"
            there web update-ca-certificates >&2
            cat >"$WORK/db/shared/dovecot.conf" <<'CONF'
protocols = imap
listen = 10.1.1.1
mail_location = maildir:/var/mail/box
ssl = required
ssl_cert = </shared/imap.crt
ssl_key = </shared/imap.key
first_valid_uid = 1
log_path = /var/log/dovecot.log
passdb {
  driver = static
  args = password=change-me
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/var/mail
}
CONF
            there db "install -d -o mail -g mail /var/mail/box; systemd-run --quiet --unit=imap dovecot -F -c /shared/dovecot.conf"
            put_in_box first-by-imap
            ;;
    esac
}
put_in_box() {
    mail "$1" >"$WORK/db/shared/mail"
    there db "/usr/lib/dovecot/dovecot-lda -c /shared/dovecot.conf -d patchwork@example.com </shared/mail" >&2
}
sent() { # sent NODE MESSAGE-ID ADDRESS: by the mail server there
    mail "$2" >"$WORK/$1/shared/mail"
    there "$1" "sendmail -f ann@example.com $3 </shared/mail"
    arrives "$1" "$2"
}

# prove HEADING: what was to be reached there.
prove() {
    local what=
    case $1 in
        "One node in ten minutes: The programs") what="the package's service and its timer run" ;;
        *"The settings")
            same "who reads the settings" "$(there one "stat -c '%U:%G %a' /etc/patchwork/patchwork.toml")" "root:www-data 640"
            what="settings are read, check has no complaint" ;;
        *"A project, and"*) what="a project, a superuser, a maintainer, the site's domain" ;;
        "One node"*"The front end") through one "200 HTTPS"; what="nginx with TLS shows the list; check --deploy is content" ;;
        *": Mails") what="a mail that Postfix hands over by LMTP is in the API" ;;
        *"From SQLite to PostgreSQL")
            through one "200 HTTPS"; arrives one start-it
            sent one after-the-move tidepool@in.patchwork.example.com
            what="everything is in PostgreSQL, pages and mails go on, without a password" ;;
        *": Setting") what="the machines are up to date, the variables are set" ;;
        *"The database node") what="PostgreSQL listens with TLS, three roles, a database in UTF-8, pg_hba.conf without mistakes" ;;
        *"The application")
            same "TLS to the database" "$(there db "runuser -u postgres -- psql -Atc \"SHOW ssl\"")" on
            there standby "PGPASSWORD=change-me-site PGCONNECT_TIMEOUT=3 psql 'host=10.1.1.1 dbname=patchwork user=www-data' -c 'SELECT 1'" >&2 2>&1 && fail "a third machine is let in"
            there web "PGPASSWORD=change-me-mail psql 'host=10.1.1.1 dbname=patchwork user=nobody sslmode=require' -c 'SELECT password FROM account'" >&2 2>&1 && fail "the mail's role reads passwords"
            for file in patchwork mail owner; do
                there web "runuser -u backup -- cat /etc/patchwork/$file.toml" >/dev/null 2>&1 && fail "everybody reads $file.toml"
            done
            what="the tree works from /opt; tables, rights, files, check; a third machine and a password are out of reach; runserver ends by itself with Ctrl-C" ;;
        "Two nodes: The front end")
            through web "200 HTTPS"
            # From here on the certificate is one that programs trust.
            there web "cp /etc/ssl/certs/patchwork.pem /usr/local/share/ca-certificates/patchwork.crt; update-ca-certificates" >&2
            what="systemd's service, nginx by HTTP and by FastCGI with TLS; check --deploy is content with both" ;;
        *": uWSGI")
            through web "200 HTTPS"
            same "who runs it" "$(there web "ps -o user= -p \$(pgrep -f '^/opt/patchwork/bin/patchwork serve') | sort -u")" www-data
            same "the service" "$(there web "systemctl is-active patchwork || true")" inactive
            what="the emperor runs the program as www-data, nginx reaches it" ;;
        *": Apache")
            through web "200 HTTP"
            what="Apache by HTTP, by FastCGI, with mod_fcgid and with CGI; check --deploy is content with all four" ;;
        *"every ten minutes")
            there web "sed -i 's|^\*/10|*|' /etc/cron.d/patchwork"
            date +%s >"$WORK/cron-from"
            what="the timer ran it without fault; the line for cron is in place" ;;
        *"A mailbox"*)
            arrives web first-by-imap; put_in_box second-by-imap; arrives web second-by-imap
            what="getmail brings a mail from a mailbox with TLS, and its service the next when it arrives" ;;
        *"an alias") there web systemctl restart postfix; sent web by-alias patchwork@localhost; what="a mail to the alias is stored by nobody's role" ;;
        *": LMTP")
            sent web by-lmtp tidepool@in.patchwork.example.com
            same "who takes mails" "$(there web "ps -o user= -p \$(systemctl show -p MainPID --value patchwork-lmtp)")" nobody
            what="a mail by LMTP is stored, by nobody's process" ;;
        *"A Maildir")
            mail by-maildir >"$WORK/web/shared/mail"
            there web "install -o www-data /shared/mail /var/mail/patchwork/tmp/1; mv /var/mail/patchwork/tmp/1 /var/mail/patchwork/new/1"
            arrives web by-maildir; what="a mail in the folder is stored" ;;
        *": HTTP") arrives web stop-it; what="a mail by HTTP is stored" ;;
        *"Version control")
            there web "export HOME=/root GIT_AUTHOR_NAME=Mara GIT_AUTHOR_EMAIL=mara@example.com GIT_COMMITTER_NAME=Mara GIT_COMMITTER_EMAIL=mara@example.com
                git init -q -b main /root/tree; cd /root/tree; git remote add origin /srv/git/tidepool.git
                echo 'int pump;' >pump.c; git add .; git commit -qm first; git push -q origin main
                echo 'int running = 0;' >>pump.c; git commit -qam 'pump: stop it'; git push origin main" >&2
            [[ $(api web 'patches/?msgid=stop-it@example.com') == *'"state":"accepted"'* ]] || fail "the pushed patch is not accepted"
            what="a push makes the patch accepted" ;;
        *": Backups")
            for name in one web; do
                [[ " $NODES " == *" $name "* ]] || continue
                same "who reads the backup on $name" "$(there "$name" "stat -c '%U %a' /var/backups/patchwork/site-*.zst")" "www-data 600"
            done
            there web "runuser -u www-data -- patchwork --database sqlite:/tmp/again.db migrate -v0
                runuser -u www-data -- patchwork --database sqlite:/tmp/again.db restore -v0 /var/backups/patchwork/site-*.zst
                runuser -u www-data -- patchwork --database sqlite:/tmp/again.db dumpdata | grep -c by-lmtp" >&2 || fail "the backup cannot be restored"
            what="the daily backup, and a restore into another kind of database" ;;
        *": Monitoring") what="health, readiness, numbers, the log, check" ;;
        *": Upgrading")
            arrives web by-lmtp
            sent web after-the-upgrade tidepool@in.patchwork.example.com
            what="the upgrade by package and by tree; pages and mails go on" ;;
        *"a standby")
            caught_up() { [ "$(there standby "runuser -u postgres -- psql -d patchwork -Atc \"SELECT count(*) FROM patch WHERE msgid LIKE '%to-standby%'\"")" = 1 ]; }
            sent web to-standby tidepool@in.patchwork.example.com
            until_true 20 caught_up || fail "the standby does not follow"
            asked() { there web "token=\$(sed -n 's/^metrics = \"\(.*\)\"/\1/p' /etc/patchwork/patchwork.toml)
                curl -fsS --unix-socket /run/patchwork/http.sock -H \"Authorization: Bearer \$token\" http://patchwork.example.com/metrics" |
                grep -qx 'patchwork_standby_asked 1'; }
            until_true 20 asked || fail "visitors are not answered by the standby"
            there db systemctl stop postgresql
            through web "200 HTTPS"
            there db systemctl start postgresql
            what="streaming replication; visitors are answered by the standby, also while the first server is away" ;;
        *) fail "nothing is proved of: $1" ;;
    esac
    ok "$1: $what"
}

last=
while IFS='|' read -r -u 3 name where ends begins heading; do
    if [ "$name" = end ]; then
        # A part of a node that there is not has proved nothing.
        [ -z "$last" ] || prove "$heading"
        last=
        continue
    fi
    [[ " $NODES " == *" $where "* ]] || continue
    last=$heading
    before "$heading"
    for service in ${ends//,/ }; do there "$where" "systemctl stop $service"; done
    for service in ${begins//,/ }; do there "$where" "systemctl start $service"; done
    echo "--- $where: $heading" >&2
    began=$SECONDS
    block "$name" "$where" || fail "$where, $heading: $(tail -n 12 "$WORK/said-there")"
    sed 's/^/    /' "$WORK/said-there" >&2
    echo "    ($((SECONDS - began)) s)" >&2
done 3<"$WORK/blocks/order"
by_cron() { there web "journalctl -u cron --since @$(cat "$WORK/cron-from") --no-pager | grep -q 'patchwork cron'"; }
until_true 90 by_cron || fail "cron does not start it"
same "what cron mails" "$(there web "cat /var/mail/www-data 2>/dev/null || true")" ""
ok "cron's own daemon starts the line, and it says nothing"
failed=$(for name in $NODES; do there "$name" "systemctl --failed --no-legend --plain"; done)
same "failed units" "$failed" ""
ok "every command of the guide succeeded, and no unit of any node has failed"
