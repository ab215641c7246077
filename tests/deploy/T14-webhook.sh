# Mails by HTTP: each provider's shape, the secret and the signature, the limit, a database that is away.
needs curl openssl base64

postgres
createdb patchwork
PSQL() { psql -qAtX -d patchwork -c "$1"; }
SECRET=$("$PATCHWORK" secret-key | tr -dc 'A-Za-z0-9' | cut -c 1-40)
TOPIC=arn:aws:sns:eu-west-1:123456789012:patches
PORT=$(port)
cat >"$WORK/patchwork.toml" <<TOML
[server]
port = $PORT
[database]
url = "postgres://postgres@127.0.0.1:$PGPORT/patchwork"
connect_timeout = 3
[site]
url = "https://patches.example.org"
secret_key = "$("$PATCHWORK" secret-key)"
[inbound]
secret = "$SECRET"
mailgun_key = "signing-key"
topics = "$TOPIC"
[log]
level = "info"
TOML
"$PATCHWORK" migrate -v0 --config "$WORK/patchwork.toml"
"$PATCHWORK" createproject dev --name Dev --list-id dev.example.org --list-email dev@example.org -v0 --config "$WORK/patchwork.toml"
"$PATCHWORK" serve --config "$WORK/patchwork.toml" >"$WORK/server.log" 2>&1 &
SERVER=$!
trap 'kill $SERVER 2>/dev/null; postgres_stop >/dev/null 2>&1' EXIT
until_true 30 curl -sf "http://127.0.0.1:$PORT/healthz"

mail() { # NAME: a mail in a file of that name
    printf 'From: Zo\303\253 <zoe@example.org>\r\nSubject: [PATCH] pump: %s\r\nMessage-Id: <%s@example.org>\r\nDate: Tue, 05 Mar 2024 07:07:08 +0100\r\nList-Id: <dev.example.org>\r\n\r\nStart it.\r\n---\r\n--- a/pump.c\r\n+++ b/pump.c\r\n@@ -1 +1,2 @@\r\n x\r\n+%s\r\n' "$1" "$1" "$1" >"$WORK/$1"
}
json() { python3 -c 'import json, sys; print(json.dumps(sys.stdin.buffer.read().decode()))'; }
URL=http://127.0.0.1:$PORT/inbound/mail
# post PATH [curl options]: status and result
post() {
    local path=$1
    shift
    CODE=$(curl -s -o "$WORK/answer" -w '%{http_code}' "$@" "$URL$path" || true)
    RESULT=$(sed -n 's/.*"result":"\([^"]*\)".*/\1/p' "$WORK/answer")
}
expect() { # WHAT CODE [RESULT]
    [ "$CODE ${3:+$RESULT}" = "$2 ${3:-}" ] || fail "$1: $CODE $(head -c 500 "$WORK/answer")"
}
auth=(-H "Authorization: Bearer $SECRET")

for name in raw curl mailgun sendgrid postmark sns packed generic again; do mail "$name"; done
post / "${auth[@]}" -H 'Content-Type: message/rfc822' --data-binary "@$WORK/raw"
expect raw 200 patch
grep -q '"url":"https://patches.example.org/patch/' "$WORK/answer" || fail "no address in $(cat "$WORK/answer")"
post / -u "any:$SECRET" --data-binary "@$WORK/curl"
expect "plain curl" 200 patch
post / "${auth[@]}" -F "to=x@example.org" -F "email=<$WORK/sendgrid"
expect SendGrid 200 patch
printf '{"FromName":"Zoe","RawEmail":%s}' "$(json <"$WORK/postmark")" >"$WORK/body"
post / "${auth[@]}" -H 'Content-Type: application/json' --data-binary "@$WORK/body"
expect Postmark 200 patch
message=$(printf '{"notificationType":"Received","content":%s}' "$(json <"$WORK/sns")")
printf '{"Type":"Notification","TopicArn":"%s","Message":%s}' "$TOPIC" "$(printf %s "$message" | json)" >"$WORK/body"
post "/?key=$SECRET" -H 'Content-Type: text/plain; charset=UTF-8' --data-binary "@$WORK/body"
expect "Amazon SES through SNS" 200 patch
printf '{"notificationType":"Received","content":"%s"}' "$(base64 -w0 "$WORK/packed")" >"$WORK/body"
post / "${auth[@]}" -H 'Content-Type: application/json' --data-binary "@$WORK/body"
expect "Amazon SES in base64" 200 patch
printf '{"raw":%s}' "$(json <"$WORK/generic")" >"$WORK/body"
post / "${auth[@]}" -H 'Content-Type: application/json' --data-binary "@$WORK/body"
expect "generic JSON" 200 patch
ok "raw, curl, SendGrid, Postmark, SES through SNS plain and packed, generic JSON: each is stored"

signed() { # TIMESTAMP TOKEN KEY MAIL
    local code
    code=$(printf '%s%s' "$1" "$2" | openssl dgst -sha256 -hmac "$3" | sed 's/.*= //')
    post /mime --data-urlencode "timestamp=$1" --data-urlencode "token=$2" --data-urlencode "signature=$code" \
        --data-urlencode "body-mime@$WORK/$4"
}
now=$(date +%s)
signed "$now" t1 signing-key mailgun
expect "Mailgun's signature" 200 patch
signed "$now" t1 signing-key mailgun
expect "the same again" 200 duplicate
signed "$now" t1 signing-key again
expect "a replay with another mail" 403
signed "$now" t2 wrong again
expect "a wrong signature" 403
signed "$((now - 86400))" t3 signing-key again
expect "an old signature" 403
ok "Mailgun: right, repeated, replayed, wrong and old signatures"

printf '{"Type":"SubscriptionConfirmation","TopicArn":"%s","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/?Token=x"}' "$TOPIC" >"$WORK/body"
post "/?key=$SECRET" -H 'Content-Type: text/plain' --data-binary "@$WORK/body"
expect handshake 200 ignored
grep -q 'visit https://sns.eu-west-1.amazonaws.com/' "$WORK/server.log" || fail "the address to confirm is not in the log"
sed -i "s/$TOPIC/arn:other/" "$WORK/body"
post "/?key=$SECRET" -H 'Content-Type: text/plain' --data-binary "@$WORK/body"
expect "another topic" 403
ok "SNS: a known topic may be confirmed by hand, another may not"

post / --data-binary "@$WORK/raw"
expect "without a secret" 401
post / -H 'Authorization: Bearer wrong' --data-binary "@$WORK/raw"
expect "a wrong token" 401
post '/?key=wrong' --data-binary "@$WORK/raw"
expect "a wrong key" 403
post / "${auth[@]}" --data-binary "@$WORK/raw"
expect duplicate 200 duplicate
post / "${auth[@]}" -d 'body-plain=x'
expect "parsed fields" 400
post / "${auth[@]}" -H 'Content-Type: message/rfc822' --data-binary $'Subject: nobody wrote it\n\nx'
expect "a mail without a sender" 422
mail large
head -c 33000000 /dev/zero | tr '\0' x >>"$WORK/large"
post / "${auth[@]}" -H 'Content-Type: message/rfc822' --data-binary "@$WORK/large"
expect "32 MB" 422
head -c 3000000 /dev/zero | tr '\0' x >>"$WORK/large"
post / "${auth[@]}" -H 'Content-Type: message/rfc822' -H 'Expect:' --data-binary "@$WORK/large"
expect "more than 32 MiB" 413
ok "401, 403, 400, 422, 413 as they should be; what is too large for a mail is set aside"

same "kept once" "$(PSQL 'SELECT count(*), count(DISTINCT msgid) FROM patch')" "8|8"
postgres_stop
mail away
post / "${auth[@]}" -H 'Content-Type: message/rfc822' --data-binary "@$WORK/away"
expect "database away" 503
runuser -u postgres -- "$(pg_bin)/pg_ctl" -D "$WORK/pg/data" -l "$WORK/pg/log" -w start >/dev/null
back() { post / "${auth[@]}" -H 'Content-Type: message/rfc822' --data-binary "@$WORK/away"; [ "$CODE" = 200 ]; }
until_true 60 back
same "kept once" "$(PSQL 'SELECT count(*), count(DISTINCT msgid) FROM patch')" "9|9"
ok "503 while the database is away; the provider's next try is taken"
grep -q "$SECRET\|signing-key" "$WORK/server.log" && fail "a secret is in the log"
ok "no secret is in the log"
