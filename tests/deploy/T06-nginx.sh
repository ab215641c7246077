# nginx in front: by HTTP and by FastCGI, with TLS, below a prefix; bad input; the figures.
needs nginx curl python3 openssl setpriv
. "$here/front.sh"
front_site
serve_all

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 2 -subj /CN=localhost 2>/dev/null
P1=$(port) P2=$(port) S1=$(port) S2=$(port) P3=$(port) P4=$(port)
DIRECT2=http://127.0.0.1:$(port)
start_as_www "$WORK/bin/patchwork" serve --set server.url_prefix=/pw --listen "$DIRECT2" \
    --listen "http+unix:$WORK/run/pw-http.sock" --listen "fastcgi+unix:$WORK/run/pw-fastcgi.sock"

# The samples as they are shipped, with other sockets and ports.
site() { # SAMPLE PORT TLS-PORT SOCKET-PREFIX PATH
    sed -e "s|listen 80;|listen 127.0.0.1:$2; listen 127.0.0.1:$3 ssl;|" -e '/listen \[::\]/d' \
        -e "s|/run/patchwork/|$WORK/run/$4|" -e "s|location / {|location $5 {|" \
        -e "s|location /inbound/|location ${5}inbound/|" -e "s|patchwork;$|patchwork$2;|" -e "s|upstream patchwork |upstream patchwork$2 |" \
        "$root/lib/nginx/$1"
}
site patchwork-proxy.conf "$P1" "$S1" "" / >"$WORK/1.conf"
site patchwork-fastcgi.conf "$P2" "$S2" "" / >"$WORK/2.conf"
site patchwork-proxy.conf "$P3" "$(port)" pw- /pw/ >"$WORK/3.conf"
site patchwork-fastcgi.conf "$P4" "$(port)" pw- /pw/ >"$WORK/4.conf"
cat >"$WORK/nginx.conf" <<NGINX
user www-data; worker_processes 2; daemon off; pid $WORK/nginx.pid; error_log $WORK/nginx.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $WORK/t1; fastcgi_temp_path $WORK/t2; proxy_temp_path $WORK/t3; uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5;
    ssl_certificate $WORK/cert.pem; ssl_certificate_key $WORK/key.pem;
    # Two slashes are two slashes.
    merge_slashes off;
    include $WORK/[1-4].conf;
}
NGINX
nginx -t -e "$WORK/nginx.log" -c "$WORK/nginx.conf" 2>&1 | sed 's/^/nginx: /' >&2
ok "nginx takes the samples"
start nginx -e "$WORK/nginx.log" -c "$WORK/nginx.conf"
NGINX=$PID
until_true 10 curl -sf "http://127.0.0.1:$P1/api/"
until_true 20 curl -sf "http://127.0.0.1:$P3/pw/api/"

suite "own=$DIRECT" "nginx by HTTP=http://127.0.0.1:$P1" "nginx by FastCGI=http://127.0.0.1:$P2" \
    "nginx by HTTP, TLS=https://127.0.0.1:$S1" "nginx by FastCGI, TLS=https://127.0.0.1:$S2"
suite --prefix /pw "own=$DIRECT2" "nginx by HTTP below /pw/=http://127.0.0.1:$P3" \
    "nginx by FastCGI below /pw/=http://127.0.0.1:$P4"

# A stream of events comes as it is written, not when nginx has a buffer full of it.
for front in "$P1" "$P2"; do
    curl -sN --max-time 20 "http://127.0.0.1:$front/events/stream" >"$WORK/stream$front" 2>/dev/null &
    STREAM=$!
    until_true 5 grep -q '^retry: ' "$WORK/stream$front"
    kill "$STREAM" 2>/dev/null || true
done
ok "a stream of events passes nginx as it comes"

# The scheme comes from the front server, not from a client.
for front in "$P1" "$P2"; do
    same "scheme through $front" "$(curl -s "http://127.0.0.1:$front/api/" -H 'X-Forwarded-Proto: https' -H 'Forwarded: proto=https' | grep -c '"https://')" 0
done
for front in "$S1" "$S2"; do
    [ "$(curl -sk "https://127.0.0.1:$front/api/" | grep -c '"https://')" -gt 0 ] || fail "no https in links through $front"
done
ok "the scheme is what nginx says, whatever a client says"

# Bad input.
python3 "$here/bad.py" "$WORK/run/fastcgi.sock" "$DIRECT"
for front in "$P1" "$P2"; do
    same "a body that is too large" "$(head -c 9000000 /dev/zero | status "http://127.0.0.1:$front/user/login/" --data-binary @- -H 'Expect:')" 413
done
ok "9 MB are refused with 413"
for front in "$DIRECT" "http://127.0.0.1:$P1" "http://127.0.0.1:$P2"; do
    python3 "$here/bad.py" --parallel 200 "$front/project/tidepool/list/"
done

# The server begins anew under load, and nobody is turned away.
for front in "http://127.0.0.1:$P1" "http://127.0.0.1:$P2"; do
    python3 "$here/bad.py" --while 4 "$front/api/" >"$WORK/while" &
    asking=$!
    sleep 1; kill -HUP "$SERVER"
    sleep 1.5; kill -HUP "$SERVER"
    wait "$asking" || fail "SIGHUP under load: $(cat "$WORK/while")"
    ok "SIGHUP twice under load: $(cat "$WORK/while")"
done
kill -0 "$SERVER" || fail "the process is another one after SIGHUP"
echo 'nonsense = 1' >>"$WORK/patchwork.toml"
kill -HUP "$SERVER"; sleep 1
same "after SIGHUP with broken settings" "$(status "$DIRECT/api/")" 200
sed -i '$d' "$WORK/patchwork.toml"
ok "SIGHUP with broken settings changes nothing"

# A worker that is killed leaves its socket files; the next one takes their place.
kill -KILL "$SERVER"; wait "$SERVER" 2>/dev/null || true
same "without a server" "$(status "http://127.0.0.1:$P2/api/")" 502
[ -S "$WORK/run/fastcgi.sock" ] || fail "the socket file is gone"
serve_all
same "after a killed server" "$(status "http://127.0.0.1:$P2/api/")" 200
ok "a killed server: 502, then its successor takes the stale sockets over"
if "$PATCHWORK" --config "$WORK/patchwork.toml" serve --listen "fastcgi+unix:$WORK/run/fastcgi.sock" 2>"$WORK/second"; then
    fail "a second server on a live socket"
fi
grep -q "another process listens there" "$WORK/second" || fail "$(cat "$WORK/second")"
ok "a live socket is an error"
began=$(date +%s%N)
kill -TERM "$SERVER"; wait "$SERVER" || fail "ended with $?"
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -lt 10000 ] || fail "stopped after $took ms"
[ ! -e "$WORK/run/http.sock" ] && [ ! -e "$WORK/run/fastcgi.sock" ] || fail "socket files are left"
ok "stopped after $took ms, no socket files left"

if [ -n "$(pg_bin)" ]; then
    postgres
    createdb_sql="create database pw"
    runuser -u postgres -- "$(pg_bin)/psql" -h 127.0.0.1 -p "$PGPORT" -qc "$createdb_sql" >&2
    url=postgres://postgres@127.0.0.1:$PGPORT/pw
    DIRECT=http://127.0.0.1:$(port)
    "$PATCHWORK" migrate --database "$url" -v0
    "$PATCHWORK" createproject tidepool --name Tidepool --list-id t.example.org --list-email t@example.org --database "$url" >&2
    start_as_www "$WORK/bin/patchwork" serve --database "$url" --set database.connect_timeout=2 --listen "$DIRECT" \
        --listen "fastcgi+unix:$WORK/run/fastcgi.sock" --listen "http+unix:$WORK/run/http.sock" --socket-mode 660
    SERVER=$PID
    until_true 20 curl -sf "$DIRECT/api/"
    runuser -u postgres -- "$(pg_bin)/pg_ctl" -D "$WORK/pg/data" -m immediate -w stop >&2
    for front in "$DIRECT" "http://127.0.0.1:$P1" "http://127.0.0.1:$P2"; do
        answer=$(curl -s -i -m 30 "$front/project/tidepool/list/")
        [[ "$answer" == *" 503 "* ]] || fail "$front without a database: ${answer:0:200}"
        grep -qi '^retry-after: [0-9]' <<<"$answer" || fail "$front: no Retry-After"
    done
    runuser -u postgres -- "$(pg_bin)/pg_ctl" -D "$WORK/pg/data" -l "$WORK/pg/log" -w start >&2
    until_true 30 curl -sf "http://127.0.0.1:$P2/project/tidepool/list/"
    same "the database is back" "$(status "http://127.0.0.1:$P1/project/tidepool/list/")" 200
    ok "a dead database: 503 with Retry-After through each door, then served again without a restart"
    stop "$SERVER"
    postgres_stop
fi
stop "$NGINX"
