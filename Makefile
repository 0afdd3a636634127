# Names of commands, nothing more. CARGO_TARGET_DIR is honoured; no target is set.
.PHONY: up test lint bench kube test-kube

up: ## A simulated cluster, the controller and an example, from a fresh clone.
	cargo build --release --locked
	"$${CARGO_TARGET_DIR:-target}/release/tiphys" up $(ARGS)

test: ## All tests that need no real cluster.
	TIPHYS_KUBE=off cargo test --workspace --locked --quiet

lint: ## What CI holds the code to.
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings
	cargo xtask floors

bench: ## The figures of docs/benchmarks.md.
	tests/bench
	tests/bench-real

kube: ## A real cluster for tests, built by the go tool into ~/.cache/tiphys.
	tests/kube/build

test-kube: kube ## The tests that need a real cluster, or another of the real tools.
	cargo test --workspace --locked --quiet -- real:: outside::
