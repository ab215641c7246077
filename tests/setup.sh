#!/bin/sh
# Installs what the tests need, where Debian's package manager and the right to use it are at hand.
# Says what it does. What cannot be installed is named; the tests that need it say that they are skipped.
set -eu

missing=
need() { # PACKAGE COMMAND...: the package is needed unless the command succeeds
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
is_postgres() { ls /usr/lib/postgresql/*/bin/initdb; }
is_chromium() { command -v "${CHROMIUM:-chromium}"; }
is_font() { ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf; }
is_compiler() { command -v cc; }
is_venv() { python3 -c 'import ensurepip, venv'; }

need build-essential is_compiler
need git command -v git
need postgresql is_postgres
need chromium is_chromium
need fonts-dejavu-core is_font
need nodejs command -v node
need npm command -v npm
need python3 command -v python3
need python3-venv is_venv
need patch command -v patch

browser() { # what drives the browser and knows the accessibility rules; npm must not fetch a browser of its own
    [ -d tests/browser/node_modules/playwright-core ] && return
    command -v npm >/dev/null 2>&1 || return 0
    echo "installing the browser test's packages"
    (cd tests/browser && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --silent </dev/null) ||
        echo "could not be installed: the browser test's packages"
}

python() { # FOLDER LIST: Python programs in an environment of their own, made anew when the list has changed
    folder=$1
    # A folder that was moved is of no use: its programs know their path.
    cmp -s "$2" "$folder/list" && "$folder/bin/pip" --version >/dev/null 2>&1 && return
    echo "installing what $2 lists"
    rm -rf "$folder"
    if python3 -m venv "$folder" &&
        "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$2" </dev/null; then
        cp "$2" "$folder/list"
        return
    fi
    rm -rf "$folder"
    echo "could not be installed: what $2 lists"
    [ "${CI:-}" != true ]
}
packages() {
    browser
    python tests/clients/venv/main tests/clients/requirements.txt
    python tests/clients/venv/new tests/clients/requirements-new.txt
    python tests/clients/venv/old tests/clients/requirements-old.txt
    python tests/schema/.venv tests/schema/requirements.txt
}

if [ -z "$missing" ]; then
    echo "everything the tests need is installed"
    packages
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing, and there is no apt-get to install it:$missing"
    packages
    exit 0
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "missing, and neither root nor sudo without a password to install it:$missing"
        packages
        exit 0
    fi
    as_root="sudo -n"
fi

echo "installing:$missing"
# A freshly installed database server would start at once; ours is started by the tests themselves.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    trap '$as_root rm -f "$policy"' EXIT
fi
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" </dev/null >/dev/null; }
$as_root apt-get update -qq || echo "the package lists could not be updated"
for package in $missing; do
    install "$package" || echo "could not be installed: $package"
done
packages
