# The front door. Recipes call cargo, xtask, the scripts and install(1), nothing else.

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export GOLDSMITH_BIN := $(CARGO_TARGET_DIR)/release/goldsmith
export GOLDSMITH_AGENT := $(CARGO_TARGET_DIR)/x86_64-unknown-linux-gnu/agent/goldsmith-agent

CARGO_TEST := $(if $(shell command -v cargo-nextest),cargo nextest run,cargo test)

.PHONY: help demo test check unit clients vm user bench fuzz build agent install uninstall packages
.NOTPARALLEL:

help: ## Says what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: packages build ## Builds, tests and publishes the image of examples/web-server
	$(GOLDSMITH_BIN) build examples/web-server

test: packages check unit clients vm user ## Runs everything that must pass, as CI does

check: ## Judges formatting, lints and the house rules
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --test e2e -- -D warnings
	cargo test --locked --workspace --test tidy

unit: ## Runs the unit and property tests
	$(CARGO_TEST) --locked --workspace

clients: packages build ## Runs the AWS CLI and boto3 against a real server
	scripts/clients

vm: packages build ## Runs the tests that build, boot and publish real images
	cargo test --locked --workspace --test e2e

user: packages build ## Builds the example as an ordinary user, also when root asks
	scripts/as-user goldsmith doctor
	scripts/as-user goldsmith build examples/web-server

bench: packages build ## Measures builds, documents and the API
	cargo xtask bench
	cargo xtask bench component
	cargo xtask bench api

fuzz: ## Feeds the parsers noise, each for FUZZ_SECONDS
	scripts/fuzz

# The program finds its agent beside itself.
build: agent ## Builds goldsmith and its agent
	cargo build --locked --release --package cli
	install -m 0755 $(GOLDSMITH_AGENT) $(dir $(GOLDSMITH_BIN))

# Runs in any Linux, whatever C library that has.
agent: export RUSTFLAGS := -C target-feature=+crt-static
agent:
	cargo build --locked --package agent --profile agent --target x86_64-unknown-linux-gnu

install: ## Installs what `make build` built below PREFIX (default: /usr/local)
	scripts/install

uninstall: ## Removes what `make install` installed
	scripts/install --remove

packages:
	scripts/install-packages
