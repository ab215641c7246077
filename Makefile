# What one does with this project. `make` alone lists it; docs/development.md tells more.

CARGO ?= cargo
DEMO  := .demo
PORT  ?= 8000

.PHONY: help run test deploy-test faults bench fuzz lint deb tarball clean-demo

help:
	@echo "make run         build, load the sample list into $(DEMO)/, serve it on http://127.0.0.1:$(PORT)/"
	@echo "make test        install what the tests need, then format, lints and all tests on both databases"
	@echo "make deploy-test  try the deployment guide with real servers; STEPS='T06 T07' takes some of them"
	@echo "make faults      deliver 2,000 mails while both databases fail in every way; ARCHIVE=FILE takes other mails"
	@echo "make lint        format and lints only"
	@echo "make bench       measure the figures this project promises"
	@echo "make fuzz        feed the mail readers with damaged input, FUZZ_SECONDS=30 each"
	@echo "make deb         a package for Debian in target/debian/; takes cargo-deb: cargo install cargo-deb"
	@echo "make tarball     the tree for /opt as target/patchwork-VERSION-MACHINE.tar.gz, with its checksum"
	@echo "make clean-demo  forget what make run loaded"

run:
	$(CARGO) build --release --locked
	$(or $(CARGO_TARGET_DIR),target)/release/patchwork demo --directory $(DEMO) --port $(PORT)

test:
	tests/run.sh

deploy-test:
	tests/deploy/setup.sh all
	$(CARGO) build --release --locked
	tests/deploy/run.sh $(STEPS)

faults:
	PATCHWORK_FAULTS=1 $(CARGO) test --locked --test main -- --nocapture faults::

bench:
	$(CARGO) bench --locked

fuzz:
	fuzz/run.sh

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deb:
	$(CARGO) build --profile dist --locked
	debian/stage.sh $(or $(CARGO_TARGET_DIR),target)/dist
	$(CARGO) deb --no-build --profile dist --locked
	cd $(or $(CARGO_TARGET_DIR),target)/debian && for deb in *.deb; do sha256sum "$$deb" >"$$deb.sha256"; done

tarball:
	$(CARGO) build --profile dist --locked
	debian/stage.sh $(or $(CARGO_TARGET_DIR),target)/dist patchwork-$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-$$(uname -m)

clean-demo:
	rm -rf $(DEMO)
