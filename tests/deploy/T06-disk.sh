# A disk that is full: what has to be written is refused, what is only read is not, and nothing has to be started again.
needs nginx curl python3 setpriv
. "$here/front.sh"
full=$WORK/full
mkdir "$full"
mount -t tmpfs -o size=8m,mode=755 tmpfs "$full" 2>/dev/null || { skip "no tmpfs can be mounted: a full disk is not tried"; exit 0; }
trap 'umount -l "$full" 2>/dev/null || true' EXIT
cat >"$WORK/patchwork.toml" <<TOML
[database]
url = "sqlite:$full/site.db"
[site]
secret_key = "$("$PATCHWORK" secret-key)"
TOML
run() { "$PATCHWORK" "$@" --config "$WORK/patchwork.toml"; }
mail() { # NUMBER: a mail with a patch
    printf 'From: a@example.org\nList-Id: <t.example.org>\nSubject: [PATCH] %s\nMessage-Id: <full-%s@example.org>\n' "$1" "$1"
    printf '\n--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n x\n+%s\n' "$1"
    head -c 20000 /dev/urandom | base64 | sed 's/^/ /'
}
parsemail() { mail "$1" | "$PARSEMAIL" --mta --config "$WORK/patchwork.toml"; }
run migrate -v0
run createproject tidepool --name Tidepool --list-id t.example.org --list-email t@example.org -v0
PATCHWORK_PASSWORD=low-tide-at-noon run createsuperuser --noinput --username mara --email mara@example.org >&2
run admin maintainer add tidepool mara >&2
token=$(run token mara)
parsemail 0
touch "$WORK/site.db"
front_folder
chown -R www-data "$full"
P1=$(port) P2=$(port)
for sample in "proxy $P1" "fastcgi $P2"; do
    sed -e "s|listen 80;|listen 127.0.0.1:${sample#* };|" -e '/listen \[::\]/d' -e "s|/run/patchwork/|$WORK/run/|" \
        -e "s|patchwork;$|patchwork${sample% *};|" -e "s|upstream patchwork |upstream patchwork${sample% *} |" \
        "$root/lib/nginx/patchwork-${sample% *}.conf"
done >"$WORK/sites.conf"
nginx_with "$WORK/sites.conf"
serve_all
fronts=("$DIRECT" "http://127.0.0.1:$P1" "http://127.0.0.1:$P2")
writes() { # FRONT: the status of something that is written
    status "$1/api/patches/1/checks/" -m 60 -H "Authorization: Token $token" -H 'Content-Type: application/json' \
        -d "{\"state\": \"success\", \"context\": \"ci\", \"description\": \"$(printf 'x%.0s' $(seq 2000))\"}"
}
for front in "${fronts[@]}"; do same "$front with room" "$(writes "$front")" 201; done
head -c 20000000 /dev/zero >"$full/filler" 2>/dev/null || true
for front in "${fronts[@]}"; do
    for _ in $(seq 200); do
        code=$(writes "$front")
        [ "$code" = 201 ] || break
    done
    [[ "$code" == 50[037] ]] || fail "$front with a full disk: $code"
    same "$front: a page with a full disk" "$(status "$front/project/tidepool/list/")" 200
done
code=0; parsemail 1 2>/dev/null || code=$?
same "parsemail with a full disk" "$code" 75
rm "$full/filler"
for front in "${fronts[@]}"; do same "$front with room again" "$(writes "$front")" 201; done
parsemail 1 || fail "parsemail with room again: $?"
kill -0 "$SERVER" || fail "the server has ended"
ok "a full disk: what writes is answered 5xx, pages are served, a mail stays with the mail server (75); with room it goes on without a restart"
stop "$SERVER"
stop "$NGINX"
umount "$full"
