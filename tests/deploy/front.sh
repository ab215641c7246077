# What the steps with front servers share; sourced by them.

# Makes the sample site, readable for www-data, with a patch of 3 MiB; TOKEN is a token of mara, LARGE the patch's mbox.
front_site() {
    sample_site
    python3 - >"$WORK/large.mbox" <<'PY'
print("From: Ann Author <ann@example.com>\nTo: tidepool@lists.example.org\nSubject: [PATCH] a long one")
print("Message-Id: <a-long-one@example.com>\nList-Id: <tidepool.lists.example.org>")
print("Date: Mon, 2 Nov 2026 10:00:00 +0000\nContent-Type: text/plain; charset=utf-8\n\nLong.\n---\n")
lines = 50000
print("diff --git a/long.txt b/long.txt\nnew file mode 100644\n--- /dev/null\n+++ b/long.txt\n@@ -0,0 +1,%d @@" % lines)
for line in range(lines):
    print("+line %06d, and sixty more characters so that it is long enough" % line)
PY
    "$PARSEMAIL" --config "$WORK/patchwork.toml" <"$WORK/large.mbox"
    LARGE="/project/tidepool/patch/a-long-one@example.com/mbox/"
    TOKEN=$("$PATCHWORK" --config "$WORK/patchwork.toml" token mara --name suite)
    front_folder
}

# Has the site belong to www-data.
front_folder() {
    id www-data >/dev/null 2>&1 || { skip "there is no user www-data"; exit 0; }
    install -d -o www-data -g www-data "$WORK/run"
    # A program in a folder that www-data may enter.
    install -D -m 755 "$PATCHWORK" "$WORK/bin/patchwork"
    chown www-data:www-data "$WORK" "$WORK"/site.db* "$WORK/patchwork.toml"
}

# Starts nginx with these servers; NGINX is its number.
nginx_with() { # FILE
    cat >"$WORK/nginx.conf" <<CONF
user www-data; daemon off; pid $WORK/nginx.pid; error_log $WORK/nginx.log; events { }
http { access_log off; include $1; client_body_temp_path $WORK/t1; fastcgi_temp_path $WORK/t2;
    proxy_temp_path $WORK/t3; uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5; }
CONF
    start nginx -e "$WORK/nginx.log" -c "$WORK/nginx.conf"
    NGINX=$PID
}

# Runs a program as www-data in the background; PID is its number.
start_as_www() {
    start setpriv --reuid=www-data --regid=www-data --init-groups env "PATCHWORK_CONFIG=$WORK/patchwork.toml" "$@"
}

# Starts the site with all doors: DIRECT by HTTP, WORK/run/http.sock, WORK/run/fastcgi.sock.
serve_all() {
    local port
    port=$(port)
    DIRECT=http://127.0.0.1:$port
    start_as_www "$WORK/bin/patchwork" serve --socket-mode 660 --listen "$DIRECT" \
        --listen "http+unix:$WORK/run/http.sock" --listen "fastcgi+unix:$WORK/run/fastcgi.sock" "$@"
    SERVER=$PID
    until_true 20 curl -sf "$DIRECT/api/"
}

# suite NAME=URL…: compares with what the site answers by itself, which is the first.
suite() {
    python3 "$here/suite.py" --token "$TOKEN" --large "$LARGE" "$@" || fail "the suite"
}
