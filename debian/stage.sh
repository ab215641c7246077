#!/bin/bash
# Makes what packages hold beside the programs, in target/package/: manual pages, completions, samples and units for /usr/bin.
# With a name, also target/NAME.tar.gz: the tree that is unpacked below /opt, with its checksum.
#   debian/stage.sh FOLDER-OF-PROGRAMS [TARBALL]
set -euo pipefail
cd "$(dirname "$0")/.."
programs=$1
tarball=${2:-}
target=${CARGO_TARGET_DIR:-target}
# Where Cargo.toml says, wherever cargo builds.
stage=target/package
rm -rf "$stage"
mkdir -p "$stage/completions" "$stage/systemd"
"$programs/patchwork" man -v0 "$stage/man"
gzip -9n "$stage"/man/*
for shell in bash zsh fish; do
    "$programs/patchwork" completion "$shell" >"$stage/completions/patchwork.$shell"
done
gzip -9nc debian/changelog >"$stage/changelog.Debian.gz"
# The package's programs are where the system's are.
mkdir "$stage/hook" "$stage/maildir"
cp -r lib "$stage/lib"
rm -r "$stage/lib/fastcgi" "$stage/lib/sample"
grep -rlE '/opt/patchwork/bin|/usr/local/bin' "$stage/lib" | xargs sed -i 's:/opt/patchwork/bin\|/usr/local/bin:/usr/bin:g'
mv "$stage/lib/git/post-receive" "$stage/hook/"
# Units that systemd finds by themselves; the others stay samples.
for unit in patchwork.service patchwork-cron.service patchwork-cron.timer patchwork-lmtp.service; do
    mv "$stage/lib/systemd/$unit" "$stage/systemd/"
done
mv "$stage/lib/systemd/patchwork-watch@.service" "$stage/maildir/"
[ -n "$tarball" ] || exit 0

tree=$stage/$tarball
mkdir -p "$tree/bin" "$tree/patchwork/bin" "$tree/share/man/man1"
install -m 755 "$programs/patchwork" "$programs/patchwork-parsemail" "$tree/bin/"
cp -r lib "$tree/lib"
rm -rf "$tree/lib/fastcgi" "$tree/lib/sample"
cp -r docs README.md LICENSE Rocket.toml "$tree/"
cp "$stage"/man/* "$tree/share/man/man1/"
cp -r "$stage/completions" "$tree/share/"
script() { # script FILE COMMAND…: a file that runs one of our programs from wherever it is called
    printf '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/%s" "$@"\n' "$2" >"$tree/$1"
    chmod 755 "$tree/$1"
}
# Compatibility: the names under which guides have called these for years.
script manage.py bin/patchwork
script patchwork/bin/parsemail.sh '../../bin/patchwork-parsemail" --mta "'
script patchwork/bin/parsemail-batch.sh '../../bin/patchwork" parsearchive "'
sed -i 's| "" "\$@"| "$@"|' "$tree"/patchwork/bin/*.sh
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@"${SOURCE_DATE_EPOCH:-0}" -cf - "$tarball" |
    gzip -9n >"$target/$tarball.tar.gz"
(cd "$target" && sha256sum "$tarball.tar.gz" >"$tarball.tar.gz.sha256")
echo "$target/$tarball.tar.gz"
