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
	@echo 'make package        a wheel, an npm tarball, a Composer archive and an install prefix, into target/package'
	@echo 'make install        the C library with its header and the command, into PREFIX=/usr/local'
	@echo 'make test-rust      a part of the tests; also test-viewer, test-e2e, test-conformance, test-python, test-node, test-php, test-scenario, test-tools'

.PHONY: demo
demo: system node cli guest
	node tests/e2e/demo.mjs $(if $(filter-out 0,$(CHECK)),--check)

# The runner prepares what its suites need by itself, so that a preparation that fails is counted too.
.PHONY: test lint test-rust test-viewer test-e2e test-conformance test-python test-node test-php test-scenario test-tools
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
test-python:
	@$(RUN) python
test-node:
	@$(RUN) node
test-php:
	@$(RUN) php
test-scenario:
	@$(RUN) scenario
test-tools:
	@$(RUN) tools guest

# The C library, and the command. `make install BUILT=DIR` installs what was built before, into DIR.
PREFIX ?= /usr/local
.PHONY: install
install:
ifndef BUILT
	@[ -e viewer/dist/index.html ] || (cd viewer && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build)
	cargo build --locked --release -p consolepass-ffi -p consolepass-cli
endif
	@crates/ffi/install.sh $(or $(BUILT),$(TARGET)/release/deps) $(PREFIX)

# What is to be installed in each language, into PACKAGES. The tests try it where it was installed. `BUILT=DIR` packs what was built before, into DIR.
PACKAGES ?= $(TARGET)/package
RELEASE := $(or $(BUILT),$(TARGET)/release)
.PHONY: package package-python package-node package-php package-c release
package: package-c package-php package-node package-python
	@ls -l $(PACKAGES)
release: viewer
ifndef BUILT
	cargo build --locked --release --workspace
endif
package-c: release
	@crates/ffi/install.sh $(RELEASE)/deps $(PACKAGES)/prefix
package-php: release
	@$(PYTHON) bindings/php/tools/package.py $(RELEASE) $(PACKAGES)
package-node: release
	@node bindings/node/tools/package.mjs $(RELEASE)/libconsolepass_node.so $(PACKAGES)
# maturin builds by itself.
package-python: viewer $(VENV)
	@bindings/python/tools/package.sh $(PACKAGES)

# One workspace build, as for the tests, so that every face is measured as it is shipped.
.PHONY: bench
bench: system release $(VENV)
	cargo bench --locked -p consolepass
	cargo build --locked --release --workspace --example measure
	CONSOLEPASS_PROGRAM=$(TARGET)/release/consolepass $(VENV) benches/compare/run.py
	CONSOLEPASS_PROGRAM=$(TARGET)/release/consolepass $(VENV) benches/faces/run.py

# --- what the above need -------------------------------------------------------------------------------------------

# Looked at before each of the others: it is quick, and a package may have been removed since.
.PHONY: system
system:
	@tests/tools/install_system.sh

.PHONY: python python-face proxmoxer node node-addon viewer cli examples guest
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

# Programs in Rust that go through the library as a portal does. `cargo test` has built them already.
examples: cli
	@cargo build --locked --workspace --examples

# The Python package in place: its native half is one of the workspace's libraries, and the tests' Python finds it where it lies.
# Not written over, but replaced: it may be in use.
python-face: cli proxmoxer $(VENV)
	@cp --remove-destination $(TARGET)/debug/libconsolepass_python.so bindings/python/python/consolepass/_native.abi3.so
	@echo $(abspath bindings/python/python) >"$$($(VENV) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/consolepass.pth"

# Every version whose accounts are taken over, each in a folder of its own.
proxmoxer: $(foreach version,2.0.1 2.1.0 2.2.0 2.3.0,target/proxmoxer/$(version)/proxmoxer/__init__.py)
target/proxmoxer/%/proxmoxer/__init__.py: | $(VENV)
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target target/proxmoxer/$* proxmoxer==$*

# The Node package in place: its addon is one of the workspace's libraries. Not written over, but replaced: it may be in use.
node-addon: cli bindings/node/node_modules/.package-lock.json
	@cp --remove-destination $(TARGET)/debug/libconsolepass_node.so bindings/node/native.node

target/guest/boot.img: tests/guest/boot.s | system
	@echo 'The guest'
	@mkdir -p $(@D)
	@as --32 -o $(@D)/boot.o $<
	@ld -m elf_i386 --oformat binary -Ttext=0x7c00 -e _start -o $@ $(@D)/boot.o
