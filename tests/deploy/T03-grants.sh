# Three roles on PostgreSQL: the owner migrates, www-data serves the site, nobody takes mail in. Each can do what it has to,
# with the rights of lib/sql/grant-all.postgres.sql, and no more.
needs psql createdb curl
postgres

as_role() { # as_role ROLE COMMAND…: patchwork as this role, without a settings file
    local role=$1
    shift
    DATABASE_URL="postgres://$role@127.0.0.1:$PGPORT/patchwork" "$PATCHWORK" "$@"
}
asks() { # asks ROLE SQL: the answer, or the reason why there is none
    psql -qAt -v ON_ERROR_STOP=1 -U "$1" -d patchwork -c "$2" 2>&1 || true
}
denied() { # denied ROLE SQL
    local said
    said=$(asks "$1" "$2")
    [[ $said == *"permission denied"* ]] || fail "$1 may: $2: $said"
}

for role in patchwork_owner www-data nobody; do
    createuser "$role"
done
createdb -O patchwork_owner -E UTF8 -T template0 patchwork

# Two at once, and once more.
as_role patchwork_owner migrate >"$WORK/a" 2>&1 &
one=$!
as_role patchwork_owner migrate >"$WORK/b" 2>&1 &
two=$!
wait "$one" || fail "the first of two migrations: $(cat "$WORK/a")"
wait "$two" || fail "the second of two migrations: $(cat "$WORK/b")"
as_role patchwork_owner migrate >/dev/null
as_role patchwork_owner migrate --check >/dev/null || fail "migrations are missing"
ok "migrate: twice at once and once more"

for _ in 1 2; do
    as_role patchwork_owner loaddata default_states default_tags >/dev/null
done
same "states" "$(asks patchwork_owner 'SELECT count(*) FROM state')" 10
ok "loaddata twice leaves ten states"

denied www-data 'SELECT * FROM patch'
for _ in 1 2; do
    psql -q -U patchwork_owner -v web=www-data -v mail=nobody -f "$root/lib/sql/grant-all.postgres.sql" patchwork
done
for _ in 1 2; do
    "$PATCHWORK" grants --web www-data --mail nobody --owner patchwork_owner |
        psql -q -v ON_ERROR_STOP=1 -U patchwork_owner patchwork
done
ok "grants: the sample and the command, each twice"

as_role www-data createproject tidepool --name Tidepool --list-id tidepool.lists.example.org \
    --list-email tidepool@lists.example.org -v0
as_role nobody parsearchive --list-id tidepool.lists.example.org "$root/lib/sample/tidepool.mbox" >"$WORK/heard" 2>&1 ||
    fail "the archive as nobody: $(cat "$WORK/heard")"
grep -q ' 0 errors' "$WORK/heard" || fail "the archive as nobody: $(cat "$WORK/heard")"
! grep -qi 'permission denied' "$WORK/heard" || fail "nobody lacks a right: $(cat "$WORK/heard")"

# The same by a role that may do everything, to compare with.
createdb -E UTF8 -T template0 other
other=postgres://postgres@127.0.0.1:$PGPORT/other
"$PATCHWORK" --database "$other" migrate >/dev/null
"$PATCHWORK" --database "$other" createproject tidepool --name Tidepool --list-id tidepool.lists.example.org \
    --list-email tidepool@lists.example.org -v0
"$PATCHWORK" --database "$other" parsearchive --list-id tidepool.lists.example.org "$root/lib/sample/tidepool.mbox" >/dev/null
"$PATCHWORK" --database "$other" dumpdata --stable >"$WORK/all"
as_role www-data dumpdata --stable >"$WORK/few"
cmp -s "$WORK/all" "$WORK/few" || fail "with few rights another result: $(diff "$WORK/all" "$WORK/few" | head -n 4)"
ok "an archive taken in as nobody: the same rows as with every right ($(wc -l <"$WORK/few"))"

mail() { # mail SUBJECT MESSAGE-ID [HEADER]
    printf 'From: Mara Lind <mara@example.org>\nTo: tidepool@lists.example.org\nList-Id: <tidepool.lists.example.org>\n'
    printf 'Date: Mon, 2 Mar 2026 10:00:00 +0000\nSubject: %s\nMessage-Id: <%s>\n' "$1" "$2"
    [ -z "${3:-}" ] || printf '%s\n' "$3"
    printf '\nWhat it does.\n\n---\n a.c | 1 +\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1,2 @@\n one\n+two %s\n' "$2"
}
take_in() { as_role nobody parsemail >"$WORK/heard" 2>&1 || fail "parsemail as nobody: $(cat "$WORK/heard")"; }
mail '[PATCH 2/2] second' late-2@example.org 'In-Reply-To: <late-0@example.org>' | take_in
mail '[PATCH 1/2] first' late-1@example.org 'In-Reply-To: <late-0@example.org>' | take_in
mail '[PATCH 0/2] both' late-0@example.org | sed '/^---$/,$d' | take_in
mail 'Re: [PATCH 1/2] first' late-3@example.org 'In-Reply-To: <late-1@example.org>' | sed '/^---$/,$d' | take_in
mail '[PATCH v2] first' late-4@example.org | take_in
printf 'From: x\n\nno mail\n' | as_role nobody parsemail --mta >"$WORK/heard" 2>&1 || fail "a broken mail: $(cat "$WORK/heard")"
! grep -qi 'permission denied' "$WORK/heard" || fail "nobody lacks a right: $(cat "$WORK/heard")"
same "patches" "$(asks www-data "SELECT count(*) FROM patch WHERE msgid LIKE '%late-%'")" 3
ok "parsemail as nobody: a series in the wrong order, a reply, a new version, a broken mail"

port=$(port)
export PATCHWORK_PASSWORD=low-tide-at-noon
as_role www-data createsuperuser --username mara --email mara@example.org --noinput >/dev/null
asks www-data 'INSERT INTO maintainer (account_id, project_id) SELECT a.id, p.id FROM account a, project p' >/dev/null
token=$(as_role www-data token mara)
start env DATABASE_URL="postgres://www-data@127.0.0.1:$PGPORT/patchwork" "$PATCHWORK" -v0 serve --port "$port"
until_true 10 curl -sf "http://127.0.0.1:$port/readyz" || fail "the site does not start"
for path in /project/tidepool/ /project/tidepool/list/ /api/patches/ /about/ /healthz /readyz; do
    same "GET $path" "$(status "http://127.0.0.1:$port$path")" 200
done
first=$(asks www-data 'SELECT min(id) FROM patch')
same "PATCH by the API" "$(status "http://127.0.0.1:$port/api/patches/$first/" -X PATCH \
    -H "Authorization: Token $token" -H 'Content-Type: application/json' -d '{"state": "accepted"}')" 200
same "POST of a check" "$(status "http://127.0.0.1:$port/api/patches/$first/checks/" -X POST \
    -H "Authorization: Token $token" -H 'Content-Type: application/json' -d '{"state": "success", "context": "ci"}')" 201
as_role www-data cron
ok "the site as www-data: pages, the API, cron"

as_role www-data backup "$WORK/site.zst" -v0
as_role www-data dumpdata --secrets | grep -v '^{"table":"\(pulse\|token\)"' >"$WORK/before"
createdb -E UTF8 -T template0 again
for target in "sqlite:$WORK/again.db" "postgres://postgres@127.0.0.1:$PGPORT/again"; do
    "$PATCHWORK" --database "$target" -v0 migrate
    "$PATCHWORK" --database "$target" -v0 restore "$WORK/site.zst"
    "$PATCHWORK" --database "$target" dumpdata --secrets | grep -v '^{"table":"\(pulse\|token\)"' >"$WORK/after"
    cmp -s "$WORK/before" "$WORK/after" || fail "${target%%:*} holds something else: $(diff "$WORK/before" "$WORK/after" | head -n 4)"
done
"$PATCHWORK" --database "sqlite:$WORK/again.db" -v0 backup "$WORK/back.zst"
createdb -E UTF8 -T template0 back
"$PATCHWORK" --database "postgres://postgres@127.0.0.1:$PGPORT/back" -v0 migrate
"$PATCHWORK" --database "postgres://postgres@127.0.0.1:$PGPORT/back" -v0 restore "$WORK/back.zst"
"$PATCHWORK" --database "postgres://postgres@127.0.0.1:$PGPORT/back" dumpdata --secrets |
    grep -v '^{"table":"\(pulse\|token\)"' | cmp -s - "$WORK/before" || fail "back from SQLite it is something else"
ok "a backup of PostgreSQL comes back on PostgreSQL and SQLite, and from there on PostgreSQL"

denied nobody 'SELECT password FROM account'
denied nobody 'SELECT * FROM account'
denied nobody 'SELECT key_hash FROM token'
denied nobody 'SELECT * FROM session'
denied nobody 'SELECT * FROM second_factor'
denied nobody 'DELETE FROM project'
denied nobody "UPDATE project SET name = 'x'"
denied nobody 'DELETE FROM patch'
denied nobody "INSERT INTO token (account_id, key_hash) VALUES (1, 'x')"
denied nobody 'UPDATE account SET is_superuser = TRUE'
denied nobody 'CREATE TABLE mine (id INT)'
denied www-data 'CREATE TABLE mine (id INT)'
[[ $(asks www-data 'DROP TABLE patch') == *"must be owner"* ]] || fail "www-data may drop a table"
same "an address of an account" "$(asks nobody 'SELECT username FROM account')" mara
ok "nobody reads no password, token or session and deletes nothing; neither role makes tables"

asks patchwork_owner 'CREATE TABLE later (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)' >/dev/null
asks www-data 'INSERT INTO later DEFAULT VALUES' >/dev/null
same "a row of a later table" "$(asks www-data 'SELECT count(*) FROM later')" 1
denied nobody 'SELECT * FROM later'
ok "tables of later migrations are the site's at once"

createdb -E SQL_ASCII --locale=C -T template0 ascii
"$PATCHWORK" --database "postgres://postgres@127.0.0.1:$PGPORT/ascii" check >"$WORK/heard" 2>&1 && fail "SQL_ASCII is taken"
grep -q 'must be UTF8' "$WORK/heard" || fail "SQL_ASCII: $(cat "$WORK/heard")"
ok "check refuses a database that keeps text as SQL_ASCII"
postgres_stop
