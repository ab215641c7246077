# Pushes to a repository with the hook: over the REST API, on the database, with pwclient, with git-pw.
needs git curl python3 awk sqlite3
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=Mara GIT_AUTHOR_EMAIL=mara@example.org
export GIT_COMMITTER_NAME=Mara GIT_COMMITTER_EMAIL=mara@example.org
sample_site
PORT=$(port)
URL=http://127.0.0.1:$PORT
start "$PATCHWORK" --config "$WORK/patchwork.toml" -v0 serve --port "$PORT"
SERVER=$PID
until_true 20 curl -sf "$URL/api/"
TOKEN=$("$PATCHWORK" --config "$WORK/patchwork.toml" token mara --name hook)

git init -q --bare -b main "$WORK/bare"
git init -q -b main "$WORK/tree"
cp "$root/lib/git/post-receive" "$WORK/bare/hooks/post-receive"
cd "$WORK/tree"
git remote add origin "$WORK/bare"
push() { git push "$@" 2>&1 | sed -n 's/^remote: *//p' | sed 's/ *$//' >"$WORK/remote"; git ls-remote -q . >/dev/null; }

# The patch of a commit is mailed to the list; its number is printed.
mailed() { # NAME
    git format-patch -1 --stdout | sed -e "s/^Subject: .*/Subject: [PATCH] $1/" \
        -e "1a Message-Id: <$1@example.org>\nList-Id: <tidepool.lists.example.org>\nTo: tidepool@lists.example.org" |
        sed '/^From [0-9a-f]\{40\}/d' >"$WORK/mail"
    "$PARSEMAIL" --config "$WORK/patchwork.toml" <"$WORK/mail"
    of "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])'
}
of() { curl -s "$URL/api/patches/?project=tidepool&msgid=$1@example.org"; }
seen() { of "$1" | python3 -c 'import json, sys; it = json.load(sys.stdin)[0]; print(it["state"], it["commit_ref"] or "")'; }
commit() { # NAME LINES: changes a file of that name
    seq "$2" >"$1.txt"
    printf 'a line with an end\t \nand \303\244 word\n\n' >>"$1.txt"
    git add -A && git commit -q -m "$1"
    git rev-parse HEAD
}

root_commit=$(commit first 3); mailed first >/dev/null
push origin main
same "not set up" "$(cat "$WORK/remote")" "patchwork: not set up: git config patchwork.url, patchwork.token and patchwork.project, or a pwclient"
same "not set up, the push" "$(git -C "$WORK/bare" rev-parse main)" "$root_commit"
ok "a hook that is not set up says so, and the push is taken"
git push -q origin :main 2>/dev/null || git -C "$WORK/bare" update-ref -d refs/heads/main

git -C "$WORK/bare" config patchwork.url "$URL/"
git -C "$WORK/bare" config patchwork.token "$TOKEN"
git -C "$WORK/bare" config patchwork.project tidepool
git -C "$WORK/bare" config patchwork.states "refs/heads/main:accepted refs/heads/next:under-review refs/heads/up:awaiting-upstream"
git -C "$WORK/bare" config receive.denyDeleteCurrent ignore
push origin main
same "a root commit on a new branch" "$(seen first)" "accepted $root_commit"
ok "a root commit on a new branch: $(tail -n 1 "$WORK/remote")"

one=$(commit one 20); mailed one >/dev/null
sed -i '10a inserted' one.txt; git commit -qam two; two=$(git rev-parse HEAD); mailed two >/dev/null
git rm -q first.txt; git commit -qm gone; gone=$(git rev-parse HEAD); mailed gone >/dev/null
seq 5 >first.txt; git add -A; git commit -qm unmailed
push origin main
same "a change" "$(seen two)" "accepted $two"
same "a new file" "$(seen one)" "accepted $one"
same "a removed file" "$(seen gone)" "accepted $gone"
same "what is said" "$(tail -n 1 "$WORK/remote")" "patchwork: 3 updated, 1 not found, 0 failed"
ok "four commits, one that was never mailed: $(tail -n 1 "$WORK/remote")"

git checkout -q -b other; commit elsewhere 4 >/dev/null; mailed elsewhere >/dev/null
push origin other
same "a branch that means nothing" "$(seen elsewhere) $(cat "$WORK/remote")" "new  "
ok "a branch that means nothing is passed over in silence"

git checkout -q -b up; wait_up=$(commit upward 7); mailed upward >/dev/null
push origin up
same "a state of two words" "$(seen upward)" "awaiting-upstream $wait_up"
same "what another branch has" "$(seen elsewhere)" "new "
ok "a state of two words, on a new branch: only what no other branch has"

git checkout -q main; git merge -q --no-ff -m merged other 2>/dev/null
push origin main
same "a merge" "$(seen elsewhere | cut -d' ' -f1)" "accepted"
ok "a merge brings its commits, and is none itself"

git checkout -q -b next; commit nexus 6 >/dev/null; mailed nexus >/dev/null; push origin next
git commit -q --amend -m "nexus, in other words"; amended=$(git rev-parse HEAD)
push -f origin next
same "a branch that was rewritten" "$(seen nexus)" "under-review $amended"
ok "a branch that was rewritten"
push origin :next
same "a deleted branch" "$(cat "$WORK/remote")" ""
ok "a deleted branch is passed over in silence"

# What a branch brings that is old news.
git checkout -q main
git checkout -q -b vendor; commit foreign 12 >/dev/null; mailed foreign >/dev/null; push origin vendor
git checkout -q main; git merge -q --no-ff -m "from the vendor" vendor 2>/dev/null
git -C "$WORK/bare" config patchwork.exclude refs/heads/vendor
push origin main
same "what is excluded" "$(seen foreign) $(cat "$WORK/remote")" "new  "
git -C "$WORK/bare" config --unset patchwork.exclude
ok "commits of a branch that is excluded are passed over"

# Commits whose change is not the one that was mailed.
edited() { # NAME MESSAGE: mails a commit, edits it, and writes another message
    commit "$1" 15 >/dev/null
    mailed "$1" >/dev/null
    echo "a late thought about $1" >>"$1.txt"
    git commit -qa --amend -m "$2"
}
for fuzzy in '' 1; do
    git -C "$WORK/bare" config patchwork.fuzzy "$fuzzy"
    edited "link$fuzzy" "reworded

Link: https://archive.example.org/r/link$fuzzy@example.org/"
    linked=$(git rev-parse HEAD)
    edited "id$fuzzy" "reworded again

Message-ID: <id$fuzzy@example.org>"
    named=$(git rev-parse HEAD)
    edited "words$fuzzy" "words$fuzzy"
    worded=$(git rev-parse HEAD)
    push origin main
    if [ -z "$fuzzy" ]; then
        same "without FUZZY" "$(seen link) $(seen id) $(seen words)" "new  new  new "
        same "what is said" "$(grep -c 'left alone without FUZZY=1' "$WORK/remote")" 3
        ok "edited commits that name their mail, or have its author and subject, are told of: $(tail -n 1 "$WORK/remote")"
    else
        same "with FUZZY" "$(seen link1) $(seen id1) $(seen words1)" "accepted $linked accepted $named accepted $worded"
        ok "and taken with FUZZY=1: by Link:, by Message-Id:, by author and subject: $(tail -n 1 "$WORK/remote")"
    fi
done
git -C "$WORK/bare" config --unset patchwork.fuzzy

stop "$SERVER"
last=$(commit late 9)
began=$SECONDS
push origin main
same "without Patchwork" "$(git -C "$WORK/bare" rev-parse main)" "$last"
grep -q '1 failed' "$WORK/remote" || fail "$(cat "$WORK/remote")"
[ $((SECONDS - began)) -lt 15 ] || fail "the push took $((SECONDS - began)) s"
ok "a push to a repository whose Patchwork is away is taken: $(tail -n 1 "$WORK/remote")"

# On the machine itself, without a server.
git -C "$WORK/bare" config --unset patchwork.url
git -C "$WORK/bare" config patchwork.program "$PATCHWORK --config $WORK/patchwork.toml"
itself=$(commit itself 13); mailed itself >/dev/null 2>&1 || true
push origin main
by_database() { sqlite3 "$WORK/site.db" "SELECT s.slug, p.commit_ref FROM patch p JOIN state s ON s.id = p.state_id WHERE p.msgid = '<$1@example.org>'"; }
same "on the database" "$(by_database itself)" "accepted|$itself"
ok "on the database, without a server: $(tail -n 1 "$WORK/remote")"
git -C "$WORK/bare" config patchwork.token wrong
commit denied 14 >/dev/null
push origin main
grep -q '1 failed' "$WORK/remote" || fail "a wrong token: $(cat "$WORK/remote")"
ok "on the database a token counts, too: $(tail -n 1 "$WORK/remote")"
git -C "$WORK/bare" config --unset patchwork.program

# With pwclient, if it is at hand: by XML-RPC, for by REST its release 2.11 cannot look a hash up.
for kind in main:xmlrpc; do
    PWCLIENT=${CLIENTS:-$root/tests/clients/venv}/${kind%:*}/bin/pwclient
    if [ ! -x "$PWCLIENT" ]; then
        skip "pwclient is not installed: tests/setup.sh"
        break
    fi
    export PWCLIENT HOME=$WORK
    path=api backend=${kind#*:}
    [ "$backend" = rest ] || path=xmlrpc
    printf '[options]\ndefault = tidepool\n\n[tidepool]\nbackend = %s\nurl = %s/%s/\nusername = mara\npassword = low-tide-at-noon\n' \
        "$backend" "$URL" "$path" >"$WORK/.pwclientrc"
    "$PATCHWORK" --config "$WORK/patchwork.toml" serve --port "$PORT" --set api.xmlrpc=true >&2 &
    SERVER=$!
    until_true 20 curl -sf "$URL/api/"
    git checkout -q up
    by_client=$(commit "client-$backend" 11); mailed "client-$backend" >/dev/null
    push origin up
    same "by pwclient, $backend" "$(seen "client-$backend")" "awaiting-upstream $by_client"
    ok "by pwclient, $backend: $(tail -n 1 "$WORK/remote")"
    stop "$SERVER"
done

GITPW=${CLIENTS:-$root/tests/clients/venv}/main/bin/git-pw
if [ ! -x "$GITPW" ]; then
    skip "git-pw is not installed: tests/setup.sh"
    exit 0
fi
export GITPW PWCLIENT=/nowhere
"$PATCHWORK" --config "$WORK/patchwork.toml" serve --port "$PORT" >&2 &
SERVER=$!
until_true 20 curl -sf "$URL/api/"
git -C "$WORK/bare" config pw.server "$URL/api/1.2"
git -C "$WORK/bare" config pw.token "$TOKEN"
git -C "$WORK/bare" config pw.project tidepool
by_git_pw=$(commit git-pw 16); mailed git-pw >/dev/null
push origin up
same "by git-pw" "$(seen git-pw)" "awaiting-upstream $by_git_pw"
ok "by git-pw: $(tail -n 1 "$WORK/remote")"
stop "$SERVER"
