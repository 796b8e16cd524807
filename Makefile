# Each target does its own set-up (scripts/setup); where nothing is missing that takes a few milliseconds.
# Builds go to `target/`, or wherever CARGO_TARGET_DIR says.

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help setup web demo test test-web test-faults crash run bench lint docs

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## install what is missing: C compiler, tesseract (eng, deu), poppler
	@scripts/setup

web: ## build the page that the service shows; fetches Node where it is missing or too old
	@scripts/web

demo: setup ## a scanned letter becomes searchable text; kill -9 in the middle, and it goes on
	$(CARGO) build --locked --profile demo
	@scripts/demo

test: setup ## all tests
	$(CARGO) test --locked

test-web: setup web ## the page: types, parts, size, and all of it in a real Chromium against the service
	@scripts/test-web

crash: setup ## fifty kills while twenty documents are read: nothing may be lost or done twice
	$(CARGO) build --locked --release
	@python3 bench/crash.py "$${CARGO_TARGET_DIR:-target}/release/workflow" tests/fixtures/documents

test-faults: setup ## a minute of new lives in the simulated world, kills under a mixed load, deliveries four times over, 300 disks that lost power
	SIM_SECONDS=60 $(CARGO) test --locked --lib sim::new_lives -- --nocapture
	$(CARGO) build --locked --release
	@python3 bench/kills.py "$${CARGO_TARGET_DIR:-target}/release/workflow"
	@python3 bench/once.py "$${CARGO_TARGET_DIR:-target}/release/workflow" --keys 1000 --kills 6
	@python3 bench/power.py "$${CARGO_TARGET_DIR:-target}/release/workflow"

run: setup web ## build the page and the service, and start it: http://127.0.0.1:8080
	$(CARGO) run --locked --release -- serve

bench: setup ## the engine's benchmarks beside the floor of this machine
	$(CARGO) bench --locked

lint: setup ## format, clippy
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

docs: setup ## the documentation of the code, in target/doc
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
