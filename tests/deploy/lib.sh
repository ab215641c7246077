# What the steps of the deployment test share. Sourced by run.sh; WORK is the step's folder, STEP its name.
set -euo pipefail

# Says that something was seen to work.
ok() { echo "ok $*"; }

# Says that something cannot be tried here, and why.
skip() { echo "skip $*"; }

# Ends the step: something does not work.
fail() { echo "FAIL $*"; exit 1; }

# Ends the step, without fault, if a program is not there.
needs() {
    local program
    for program in "$@"; do
        if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null; then
            skip "$program is not installed"
            exit 0
        fi
    done
}

# same WHAT FOUND EXPECTED: compares two texts.
same() {
    [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"
}

# Returns a port on loopback that nobody uses.
port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# until_true SECONDS COMMAND…: tries until it succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { echo "never true: $*" >&2; return 1; }
        sleep 0.1
    done
}

# Returns whether somebody listens at a port on loopback.
is_up() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Starts a program in the background; PID is its number. It ends with the step.
start() {
    "$@" &
    PID=$!
}

# Ends a program by its number and waits for it.
stop() {
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# Returns the status of an address: status URL [curl options].
status() {
    local url=$1
    shift
    curl -s -o /dev/null -w '%{http_code}' "$@" "$url" || true
}

# Makes a site with the sample list in WORK/site.db, and settings in WORK/patchwork.toml that lead to it.
# Users: mara, tobias, admin; password: low-tide-at-noon.
sample_site() {
    cat >"$WORK/patchwork.toml" <<TOML
[database]
url = "sqlite:$WORK/site.db"
[site]
secret_key = "$("$PATCHWORK" secret-key)"
TOML
    "$PATCHWORK" demo --no-serve --database "sqlite:$WORK/site.db" -v0
}

# The folder of PostgreSQL's programs.
pg_bin() {
    ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1
}

# Starts a PostgreSQL of its own in WORK/pg; PGPORT and PGHOST lead to it, user postgres.
postgres() {
    local bin
    bin=$(pg_bin)
    [ -n "$bin" ] || { skip "PostgreSQL is not installed"; exit 0; }
    install -d -o postgres -m 700 "$WORK/pg"
    PGPORT=$(port) PGHOST=127.0.0.1 PGUSER=postgres
    export PGPORT PGHOST PGUSER
    runuser -u postgres -- "$bin/initdb" -D "$WORK/pg/data" -E UTF8 --locale=C.UTF-8 -A trust >/dev/null
    printf '%s\n' "port = $PGPORT" "listen_addresses = '127.0.0.1'" "unix_socket_directories = '$WORK/pg'" "fsync = off" \
        >>"$WORK/pg/data/postgresql.conf"
    runuser -u postgres -- "$bin/pg_ctl" -D "$WORK/pg/data" -l "$WORK/pg/log" -w start >/dev/null
}

# Stops that PostgreSQL.
postgres_stop() {
    runuser -u postgres -- "$(pg_bin)/pg_ctl" -D "$WORK/pg/data" -m fast -w stop >/dev/null
}

# Begins a configuration of nginx whose files are the step's own, up to within `http {`.
nginx_head() {
    mkdir -p "$WORK/nginx"
    cat <<CONF
pid $WORK/nginx/pid;
error_log $WORK/nginx/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $WORK/nginx/body;
    proxy_temp_path $WORK/nginx/proxy;
    fastcgi_temp_path $WORK/nginx/fastcgi;
    uwsgi_temp_path $WORK/nginx/uwsgi;
    scgi_temp_path $WORK/nginx/scgi;
CONF
}
