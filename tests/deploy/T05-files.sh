# Style sheets and scripts: collectstatic, then every file that a page names, by the server alone and through nginx.
needs nginx curl
sample_site
static=$WORK/static
install -d -m 755 "$static"
chown nobody "$static"
cp "$PATCHWORK" "$WORK/patchwork"
chmod 755 "$WORK/patchwork"
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups env -i HOME="$WORK" "$WORK/patchwork" "$@"; }
(cd "$WORK" && as_nobody collectstatic --noinput "$static") >/dev/null
first=$(cd "$static" && sha256sum -- *)
(cd "$WORK" && as_nobody collectstatic --noinput "$static") | grep -q '^0 files' || fail "the second run writes again"
same "the files after the second run" "$(cd "$static" && sha256sum -- *)" "$first"
ok "collectstatic as an unprivileged user, twice"
chmod 555 "$static"
echo broken >"$static/patchwork.css"
(cd "$WORK" && as_nobody collectstatic "$static") >"$WORK/heard" 2>&1 && fail "a folder that cannot be written is no fault"
grep -q "cannot write to $static" "$WORK/heard" || fail "no reason: $(cat "$WORK/heard")"
chmod 755 "$static"
"$PATCHWORK" collectstatic "$static" >/dev/null
ok "a folder that can only be read is an error that names it"

app=$(port)
front=$(port)
start "$PATCHWORK" --config "$WORK/patchwork.toml" -v0 serve --port "$app"
mkdir "$WORK/static-x"
echo secret >"$WORK/static-x/secret"
cat >"$WORK/nginx.conf" <<CONF
$(nginx_head)
    include /etc/nginx/mime.types;
    server {
        listen 127.0.0.1:$front;
        location /static/ {
            alias $static/;
            gzip_static on;
            add_header Cache-Control "public, max-age=31536000, immutable";
            add_header X-From nginx;
        }
        location / { proxy_pass http://127.0.0.1:$app; proxy_set_header Host \$http_host; }
    }
}
CONF
PATH=$PATH:/usr/sbin nginx -t -q -c "$WORK/nginx.conf"
start env PATH="$PATH:/usr/sbin" nginx -c "$WORK/nginx.conf" -g 'daemon off;'
nginx=$PID
until_true 10 curl -sf "http://127.0.0.1:$front/readyz" || fail "nginx or the site does not start"

for port in "$app" "$front"; do
    pages=0
    assets=" "
    for path in / /project/tidepool/list/ /about/ /user/login/ /patch/1/ /help/ /api/; do
        curl -sL -H 'Accept: text/html' "http://127.0.0.1:$port$path" >"$WORK/page"
        pages=$((pages + 1))
        for asset in $(grep -oE '(src|href)="/static/[^"]+"' "$WORK/page" | cut -d'"' -f2); do
            [[ $assets == *" $asset "* ]] || assets="$assets$asset "
        done
    done
    [ "$assets" != " " ] || fail "no page names a file"
    for asset in $assets; do
        curl -s -D "$WORK/head" -o "$WORK/body" -H 'Accept-Encoding: identity' "http://127.0.0.1:$port$asset"
        grep -q '^HTTP/1.1 200' "$WORK/head" || fail "$asset: $(head -n 1 "$WORK/head")"
        grep -qi 'cache-control:.*immutable' "$WORK/head" || fail "$asset is not kept: $(cat "$WORK/head")"
        cmp -s "$WORK/body" "$static/${asset#/static/}" || fail "$asset is another file"
        [ "$port" = "$app" ] || grep -qi '^x-from: nginx' "$WORK/head" || fail "$asset does not come from nginx"
        curl -s --compressed "http://127.0.0.1:$port$asset" | cmp -s - "$WORK/body" || fail "$asset compressed is another"
    done
    for bad in /static../patchwork.toml /static/../patchwork.toml /static/..%2fpatchwork.toml /static/%2e%2e/patchwork.toml \
        /static-x/secret /static/..%2fstatic-x/secret /static/.%2e/site.db; do
        seen=$(status "http://127.0.0.1:$port$bad" --path-as-is)
        [[ $seen == 4* ]] || fail "$bad is answered $seen"
    done
    ok "port $([ "$port" = "$app" ] && echo 'of the server alone' || echo 'of nginx'): $pages pages, $(wc -w <<<"$assets") files, all there, kept for good, nothing beside them"
done
stop "$nginx"
