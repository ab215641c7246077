# Two nodes with the addresses of the guide: the database on 10.1.1.1, the site on 10.1.1.2, TLS with a CA of its own, and a
# third that is refused. Then the database stops and comes back. Then the third becomes a hot standby that visitors are answered from.
needs ip psql curl openssl
[ "$(id -u)" = 0 ] || { skip "network namespaces take root"; exit 0; }
bin=$(pg_bin)
[ -n "$bin" ] || { skip "PostgreSQL is not installed"; exit 0; }
db=pwdb$$ web=pwweb$$ other=pwother$$ bridge=pwbr$$
net_end() { for space in "$db" "$web" "$other" "$bridge"; do ip netns del "$space" 2>/dev/null || true; done; }
trap net_end EXIT
for space in "$db" "$web" "$other" "$bridge"; do ip netns add "$space" || { skip "no network namespaces here"; exit 0; }; done
if ip -n "$bridge" link add br0 type bridge 2>/dev/null; then
    ip -n "$bridge" link set br0 up
    number=0
    for space in "$db" "$web" "$other"; do
        number=$((number + 1))
        ip link add "v$number" netns "$bridge" type veth peer name eth0 netns "$space"
        ip -n "$bridge" link set "v$number" master br0 up
        ip -n "$space" addr add "10.1.1.$number/24" dev eth0
        ip -n "$space" link set eth0 up
        ip -n "$space" link set lo up
    done
else
    # Without bridges: a cable to each.
    number=1
    ip -n "$db" link set lo up
    for space in "$web" "$other"; do
        number=$((number + 1))
        ip link add "v$number" netns "$db" type veth peer name eth0 netns "$space"
        ip -n "$db" addr add 10.1.1.1/32 dev "v$number"
        ip -n "$db" link set "v$number" up
        ip -n "$db" route add "10.1.1.$number/32" dev "v$number"
        ip -n "$space" addr add "10.1.1.$number/32" dev eth0
        ip -n "$space" link set eth0 up
        ip -n "$space" link set lo up
        ip -n "$space" route add 10.1.1.1/32 dev eth0
    done
fi
on_db() { ip netns exec "$db" "$@"; }
on_web() { ip netns exec "$web" "$@"; }
pg() { on_db setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$WORK/pg" "$@"; }

# A CA, and a certificate of the database for its address.
mkdir "$WORK/tls"
(
    cd "$WORK/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Example CA' -keyout ca.key -out ca.crt
    openssl req -newkey rsa:2048 -nodes -subj /CN=10.1.1.1 -keyout server.key -out server.csr
    printf 'subjectAltName=IP:10.1.1.1,IP:10.1.1.3\n' >ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Another CA' -keyout other.key -out other.crt
) 2>/dev/null
install -d -o postgres -m 700 "$WORK/pg"
install -o postgres -m 600 "$WORK/tls/server.key" "$WORK/tls/server.crt" "$WORK/pg/"
cd "$WORK/pg"
pg "$bin/initdb" -D "$WORK/pg/data" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8 >/dev/null
cat >>"$WORK/pg/data/postgresql.conf" <<CONF
listen_addresses = '10.1.1.1'
unix_socket_directories = '$WORK/pg'
fsync = off
ssl = on
ssl_cert_file = '$WORK/pg/server.crt'
ssl_key_file = '$WORK/pg/server.key'
CONF
{ echo 'local all postgres trust'; cat "$root/lib/sql/pg_hba.sample"; } >"$WORK/pg/data/pg_hba.conf"
pg_ctl() { pg "$bin/pg_ctl" -D "$WORK/pg/data" -l "$WORK/pg/log" -w "$@" >/dev/null; }
pg_ctl start
net_end_all() { pg_ctl -m immediate stop || true; net_end; }
trap net_end_all EXIT
sql_as_postgres() { on_db psql -h "$WORK/pg" -U postgres -qAt "$@"; }
for role in patchwork_owner www-data nobody; do
    sql_as_postgres -c "CREATE ROLE \"$role\" LOGIN PASSWORD 'password-of-$role'"
done
sql_as_postgres -c "CREATE DATABASE patchwork OWNER patchwork_owner ENCODING 'UTF8' TEMPLATE template0"

url() { # url ROLE [PASSWORD] [CA]
    echo "postgres://$1:${2:-password-of-$1}@10.1.1.1/patchwork?sslmode=verify-full&sslrootcert=${3:-$WORK/tls/ca.crt}"
}
as_role() {
    local role=$1
    shift
    DATABASE_URL=$(url "$role") on_web "$PATCHWORK" "$@"
}
as_role patchwork_owner migrate >/dev/null
as_role patchwork_owner grants --psql >"$WORK/grants.sql"
on_web psql -q -v web=www-data -v mail=nobody -f "$WORK/grants.sql" "$(url patchwork_owner)"
ok "migrate and grants over the network, by TLS with a CA of one's own (verify-full)"
as_role www-data createproject tidepool --name Tidepool --list-id tidepool.lists.example.org \
    --list-email tidepool@lists.example.org -v0
as_role nobody parsearchive "$root/lib/sample/tidepool.mbox" >/dev/null
same "connections without TLS" \
    "$(sql_as_postgres -c "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.client_addr IS NOT NULL AND NOT s.ssl")" 0

refused() { # refused WHAT WORDS SPACE URL
    local said
    said=$(ip netns exec "$3" "$PATCHWORK" --database "$4" --set database.connect_timeout=3 check 2>&1) &&
        fail "$1 is let in"
    [[ $said == *"$2"* ]] || fail "$1: no word of '$2' in: $said"
    [[ $said != *password-of* ]] || fail "$1: the password is told: $said"
}
refused "a wrong password" "password authentication failed" "$web" "$(url www-data wrong)"
refused "a third machine" "rejects connection" "$other" "$(url www-data)"
refused "a role without a line" "rejects connection" "$web" "$(url postgres x)"
refused "a connection without TLS" "rejects connection" "$web" 'postgres://www-data:password-of-www-data@10.1.1.1/patchwork?sslmode=disable'
refused "a server of another CA" "" "$web" "$(url www-data '' "$WORK/tls/other.crt")"
ok "refused: a wrong password, a third machine, another role, no TLS, another CA; each says why, none tells the password"

# Two sites on one database.
for port in 8001 8002; do
    start env DATABASE_URL="$(url www-data)" ip netns exec "$web" "$PATCHWORK" -v0 serve --port "$port"
done
seen() { on_web curl -s -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' "http://127.0.0.1:${2:-8001}$1"; }
answers() { [ "$(seen "$1" "$3")" = "$2" ]; }
for port in 8001 8002; do
    until_true 30 answers /readyz 200 "$port" || fail "the site on $port does not start"
    same "a list on $port" "$(seen /project/tidepool/list/ "$port")" 200
done
ok "two processes of the site serve one database"

pg_ctl -m fast stop
same "a list without a database" "$(seen /project/tidepool/list/)" 503
grep -qi '^retry-after: ' "$WORK/head" || fail "503 without Retry-After: $(cat "$WORK/head")"
same "the API without a database" "$(seen /api/patches/)" 503
same "healthz" "$(seen /healthz)" 200
same "readyz" "$(seen /readyz)" 503
printf 'From: a@example.org\nList-Id: <tidepool.lists.example.org>\nSubject: x\nMessage-Id: <x@example.org>\n\nx\n' >"$WORK/mail"
code=0
as_role nobody parsemail --mta --set database.connect_timeout=3 <"$WORK/mail" 2>/dev/null || code=$?
same "parsemail without a database" "$code" 75
pg_ctl start
for port in 8001 8002; do
    until_true 30 answers /project/tidepool/list/ 200 "$port" || fail "the site on $port does not come back"
done
ok "the database stops while two sites serve: 503 with Retry-After, mail 75; it starts, and they go on by themselves"

# A hot standby on 10.1.1.3, by streaming over TLS.
sql_as_postgres -c "CREATE ROLE patchwork_standby REPLICATION LOGIN PASSWORD 'password-of-patchwork_standby'"
sed -i 's/^#hostssl replication/hostssl replication/' "$WORK/pg/data/pg_hba.conf"
sql_as_postgres -c 'SELECT pg_reload_conf()' >/dev/null
on_other() { ip netns exec "$other" setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$WORK/pg" "$@"; }
on_other "$bin/pg_basebackup" -D "$WORK/pg/copy" -R -c fast --no-sync \
    -d "host=10.1.1.1 user=patchwork_standby password=password-of-patchwork_standby sslmode=verify-full sslrootcert=$WORK/tls/ca.crt"
install -d -o postgres "$WORK/pg/run"
cat >>"$WORK/pg/copy/postgresql.conf" <<CONF
listen_addresses = '10.1.1.3'
unix_socket_directories = '$WORK/pg/run'
hot_standby_feedback = on
CONF
copy_ctl() { on_other "$bin/pg_ctl" -D "$WORK/pg/copy" -l "$WORK/pg/copy-log" -w "$@" >/dev/null; }
copy_ctl start
net_end_both() { copy_ctl -m immediate stop || true; net_end_all; }
trap net_end_both EXIT
standby=$(url www-data)
standby=${standby/10.1.1.1/10.1.1.3}
start env DATABASE_URL="$(url www-data)" ip netns exec "$web" "$PATCHWORK" -v0 --set server.metrics=local \
    --set database.replica_url="$standby" --set database.replica_max_lag=2 serve --port 8003
until_true 30 answers /readyz 200 8003 || fail "the site with a standby does not start"
asked() { on_web curl -s http://127.0.0.1:8003/metrics | grep -qx "patchwork_standby_asked $1"; }
until_true 30 asked 1 || fail "the standby is not asked"
same "streaming, by TLS" "$(sql_as_postgres -c \
    "SELECT r.state, s.ssl FROM pg_stat_replication r JOIN pg_stat_ssl s USING (pid)")" 'streaming|t'
as_role www-data check --set database.replica_url="$standby" >"$WORK/heard" || fail "check: $(cat "$WORK/heard")"
! grep -q replica_url "$WORK/heard" || fail "check of the standby: $(cat "$WORK/heard")"
printf 'From: a@example.org\nList-Id: <tidepool.lists.example.org>\nSubject: [PATCH] by way of the standby\nMessage-Id: <y@example.org>\n\nx\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n' |
    as_role nobody parsemail --mta
is_shown() { on_web curl -s "http://127.0.0.1:8003/project/tidepool/list/" | grep -q 'by way of the standby'; }
until_true 10 is_shown || fail "a new patch does not come to the standby"
ok "a hot standby by streaming replication over TLS: visitors are answered from it, a mail shows there"
pg_ctl -m fast stop
same "a list from the standby, without a database" "$(seen /project/tidepool/list/ 8003)" 200
same "the API from the standby" "$(seen /api/patches/ 8003)" 200
same "a login without a database" "$(seen /user/login/ 8003)" 503
same "a site without a standby" "$(seen /project/tidepool/list/ 8001)" 503
pg_ctl start
until_true 30 answers /user/login/ 200 8003 || fail "the site does not find its database again"
ok "the database stops: visitors read on from the standby, whoever needs the database gets 503"
copy_ctl -m immediate stop
same "a list without the standby" "$(seen /project/tidepool/list/ 8003)" 200
until_true 30 asked 0 || fail "a standby that is away is asked"
copy_ctl start
until_true 30 asked 1 || fail "the standby is not asked again"
ok "the standby stops: the database answers everybody; it comes back and is asked again"
