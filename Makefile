# The only commands a newcomer needs. Each installs what it needs, quickly the second time.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
VENV := .venv/bin/python
RUN := $(PYTHON) tests/tools/run.py

# For every test and tool below: what was built, and where.
export PYTHON
export CONSOLEPASS_PROGRAM := $(TARGET)/debug/consolepass
export CONSOLEPASS_GUEST_IMAGE := $(abspath target/guest/boot.img)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help:
	@echo 'make demo           a guest, an emulated Proxmox VE and our relay; prints the link to open'
	@echo 'make demo CHECK=1   the same, and a headless browser checks it'
	@echo 'make test           every test, and one closing line'
	@echo 'make lint           rustfmt, clippy, documentation and types, with warnings as errors'
	@echo 'make bench          the byte path, the relay beside socat and websockify, and what each face costs'
	@echo 'make install        the C library with its header, into PREFIX=/usr/local'
	@echo 'make test-rust      a part of the tests; also test-viewer, test-e2e, test-conformance, test-node, test-tools'

.PHONY: demo
demo: system node cli guest
	node tests/e2e/demo.mjs $(if $(filter-out 0,$(CHECK)),--check)

# The runner prepares what its suites need by itself, so that a preparation that fails is counted too.
.PHONY: test lint test-rust test-viewer test-e2e test-conformance test-node test-tools
test:
	@$(RUN)
lint:
	@$(RUN) rustfmt clippy clippy-no-relay documentation viewer-types
test-rust:
	@$(RUN) rust
test-viewer:
	@$(RUN) viewer-types viewer
test-e2e:
	@$(RUN) e2e demo
test-conformance:
	@$(RUN) conformance conformance-node
test-node:
	@$(RUN) node
test-tools:
	@$(RUN) tools guest

# The C library. `make install BUILT=DIR` installs what was built before, into DIR.
PREFIX ?= /usr/local
.PHONY: install
install:
ifndef BUILT
	cargo build --locked --release -p consolepass-ffi
endif
	@crates/ffi/install.sh $(or $(BUILT),$(TARGET)/release/deps) $(PREFIX)

# The npm package, into target/package. `make package-node BUILT=DIR` takes the addon that was built before, into DIR.
.PHONY: package-node
package-node: viewer
ifndef BUILT
	cargo build --locked --release -p consolepass-node
endif
	@node bindings/node/tools/package.mjs $(or $(BUILT),$(TARGET)/release)/libconsolepass_node.so target/package

# One workspace build, as for the tests, so that every face is measured as it is shipped.
.PHONY: bench
bench: system viewer $(VENV)
	cargo bench --locked -p consolepass
	cargo build --locked --release --workspace
	cargo build --locked --release --workspace --example measure
	CONSOLEPASS_PROGRAM=$(TARGET)/release/consolepass $(VENV) benches/compare/run.py
	CONSOLEPASS_PROGRAM=$(TARGET)/release/consolepass $(VENV) benches/faces/run.py

# --- what the above need -------------------------------------------------------------------------------------------

# Looked at before each of the others: it is quick, and a package may have been removed since.
.PHONY: system
system:
	@tests/tools/install_system.sh

.PHONY: python node node-addon viewer cli guest
python: $(VENV)
node: tests/e2e/node_modules/.package-lock.json
viewer: viewer/dist/index.html
guest: target/guest/boot.img

$(VENV): tests/requirements.txt | system
	@echo 'Python packages for the tests, into .venv'
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check -r $< || { rm -rf .venv; exit 1; }
	@touch $@

# npm writes this file last; touched, because it keeps the time of the lock file's packages.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json | system
	@echo 'Node packages for $*'
	@cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Before the relay is compiled: it carries the viewer within.
viewer/dist/index.html: viewer/node_modules/.package-lock.json viewer/build.mjs $(wildcard viewer/src/*)
	@echo 'The viewer'
	@cd viewer && npm run --silent build
	@touch $@

# The whole workspace, as the tests build it: a part of it would be compiled with other features, a second time.
cli: viewer
	@echo 'The consolepass command, and what it is made of'
	@cargo build --locked --workspace

# The Node package in place: its addon is one of the workspace's libraries. Not written over, but replaced: it may be in use.
node-addon: cli bindings/node/node_modules/.package-lock.json
	@cp --remove-destination $(TARGET)/debug/libconsolepass_node.so bindings/node/native.node

target/guest/boot.img: tests/guest/boot.s | system
	@echo 'The guest'
	@mkdir -p $(@D)
	@as --32 -o $(@D)/boot.o $<
	@ld -m elf_i386 --oformat binary -Ttext=0x7c00 -e _start -o $@ $(@D)/boot.o
