# What `patchwork check --deploy --url` sees through a front server: all is well behind a good one, by https too, and each
# fault of a bad one is named with what to do.
needs nginx curl openssl
sample_site
key=$(sed -n 's/^secret_key = "\(.*\)"/\1/p' "$WORK/patchwork.toml")
app=$(port) good=$(port) bad=$(port) tls=$(port)
start "$PATCHWORK" --config "$WORK/patchwork.toml" -v0 serve --port "$app"
(
    cd "$WORK"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Example CA' -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out csr.pem
    printf 'subjectAltName=DNS:localhost\n' >ext
    openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem
) 2>/dev/null
proxy="proxy_set_header Host \$http_host; proxy_set_header X-Forwarded-For 192.0.2.7; proxy_set_header X-Forwarded-Proto \$scheme;"
cat >"$WORK/nginx.conf" <<CONF
$(nginx_head)
    client_max_body_size 32m;
    server { listen 127.0.0.1:$good; location / { proxy_pass http://127.0.0.1:$app; $proxy } }
    server {
        listen 127.0.0.1:$tls ssl;
        ssl_certificate $WORK/cert.pem;
        ssl_certificate_key $WORK/key.pem;
        location / { proxy_pass http://127.0.0.1:$app; $proxy add_header Strict-Transport-Security max-age=1; }
    }
    server {
        listen 127.0.0.1:$bad;
        client_max_body_size 16k;
        location / {
            proxy_pass http://127.0.0.1:$app/;
            proxy_set_header Authorization "";
            proxy_hide_header Content-Security-Policy;
            proxy_set_header X-Forwarded-Proto https;
        }
        location /static/ { return 404; }
    }
}
CONF
start env PATH="$PATH:/usr/sbin" nginx -c "$WORK/nginx.conf" -g 'daemon off;'
until_true 10 curl -sf "http://127.0.0.1:$good/readyz" || fail "nginx or the site does not start"
looks() { # looks URL …: what check says
    local url=$1
    shift
    "$PATCHWORK" --config "$WORK/patchwork.toml" check --deploy --url "$url" "$@" 2>&1 || true
}
holds() { [[ $said == *"$1"* ]] || fail "no '$1' in: $said"; }

for url in "http://127.0.0.1:$good/" "https://localhost:$tls"; do
    said=$(looks "$url" $([[ $url == http:* ]] || echo --cacert "$WORK/ca.pem"))
    for line in 'ok: the site is reached' 'ok: pages have' 'ok: style sheets' 'ok: the Authorization' 'ok: the site knows that it is asked by' \
        "ok: the site knows the client's address: 192.0.2.7" 'ok: a slash within' 'ok: a body of 1 MiB'; do
        holds "$line"
    done
    ! grep '^error' <<<"$said" || fail "errors behind a good front server: $said"
done
ok "behind a good front server all is well, by http and https"
said=$(looks "https://localhost:$tls")
holds 'error: '
ok "a certificate of an authority that nobody knows is an error"
said=$(looks "http://127.0.0.1:$bad")
for line in 'removes Content-Security-Policy' '/static/' 'error: the Authorization header is lost' 'believes that it is asked by https' \
    'error: a body of 1 MiB'; do
    holds "$line"
done
ok "a bad front server: each fault is named"
said=$(looks "http://127.0.0.1:$good" --set site.hosts=)
holds 'warning: site.hosts is empty'
said=$(looks "http://127.0.0.1:$good" --set 'site.hosts=localhost 127.0.0.1')
[[ $said != *'site.hosts is empty'* ]] || fail "names are missed: $said"
said=$(looks "http://127.0.0.1:$good" --set site.secret_key=another-key-that-is-as-long-as-it-has-to-be)
holds 'another site.secret_key'
for proof in '' 1.2 "$(date +%s).0000" "$key"; do
    same "the probe to a stranger" "$(status "http://127.0.0.1:$good/-/probe/x" -H "X-Patchwork-Probe: $proof")" 404
done
ok "the probe answers nobody who does not know the key"
