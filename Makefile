# The front door. `make help` lists what there is; what CI runs, a person runs with the same command.
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup setup-demo build demo test check format bench docs clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: setup-demo build ## install what is missing, build, and run Earshot on a virtual board
	@node scripts/demo.ts

test: setup build ## install what is missing, then lint, types and every test
	@node test/run.ts

setup: ## install what is missing (Debian packages, npm modules, native addon)
	@scripts/setup.sh test

setup-demo:
	@scripts/setup.sh demo

build: ## bundle the device's files into dist/
	@node scripts/build.ts

check: ## lint, format and types only
	@npm run -s check

format: ## format the tree
	@npm run -s format

bench: build ## run every benchmark in turn (one: npm run -s bench -- NAME [--json])
	@for name in audio-latency mic-latency audio-cpu video-latency video-cpu viewers rtp-send ipc preset-switch recovery startup memory soak; do \
	  npm run -s bench -- $$name || exit 1; \
	done

docs: ## write the generated parts of docs/ anew
	@node scripts/generate-docs.ts

clean: ## remove what was built
	rm -rf dist build coverage src/audio/native/build
