# SPDX-FileCopyrightText: 2026 The Dray authors
# SPDX-License-Identifier: Apache-2.0

PREFIX ?= /usr/local
DESTDIR ?=
BUILD = swift build -c release --static-swift-stdlib
# Apart from the command's own build, which is linked statically. No more tests at a time than there are processors: a test's time
# limit counts from its start, and the tests wait for other programs on the few threads that Swift's pool has.
TEST = swift test -c release --scratch-path .build/tests --experimental-maximum-parallelization-width $(shell nproc)
COMMANDS = convert checksum compare info map check measure submit submit-convert submit-checksum jobs watch cancel deadletters deadletters-retry coordinator worker topics-create topics-check completion

.PHONY: all build demo demo-fleet test soak bench bench-fleet lint format man install clean

all: build

# Leaves the command at .build/release/dray.
build:
	deploy/install-dependencies.sh
	$(BUILD) --product dray

# Converts an image and proves the result: IMAGE= and TARGET= choose the files.
demo: build
	deploy/demo.sh

# Shows a fleet on this machine at work, with a worker killed in the middle: IMAGE= chooses the image, KAFKA_HOME= the Kafka.
demo-fleet: build
	deploy/install-dependencies.sh --demo
	deploy/demo-fleet.sh

# Installs what the tests need and runs them all. ARGS="--filter Name" runs some.
test:
	deploy/install-dependencies.sh --test
	$(TEST) $(ARGS)

# Kills parts of a fleet at random, KILLS times; DRAY_SEED= replays a run.
KILLS ?= 500
soak:
	deploy/install-dependencies.sh --test
	DRAY_KILLS=$(KILLS) $(TEST) --filter FleetKillTests

# Prints a table of times beside qemu-img's.
bench: build
	deploy/install-dependencies.sh --test
	Tests/Benchmarks/run

# Measures a fleet on this machine, beside the local command.
bench-fleet: build
	deploy/install-dependencies.sh --test
	Tests/Benchmarks/run-fleet

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

# The manual pages, in .build/man.
man: build
	mkdir -p .build/man
	.build/release/dray --man-page > .build/man/dray.1
	for command in $(COMMANDS); do \
	    .build/release/dray --man-page $$(echo $$command | tr - ' ') > .build/man/dray-$$command.1 || exit 1; \
	done

# Builds nothing that is there: root need not have Swift.
install:
	test -x .build/release/dray || $(MAKE) build
	install -D -m 755 .build/release/dray $(DESTDIR)$(PREFIX)/bin/dray
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	.build/release/dray --man-page > $(DESTDIR)$(PREFIX)/share/man/man1/dray.1
	for command in $(COMMANDS); do \
	    .build/release/dray --man-page $$(echo $$command | tr - ' ') > \
	        $(DESTDIR)$(PREFIX)/share/man/man1/dray-$$command.1 || exit 1; \
	done
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	.build/release/dray completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/dray

clean:
	rm -rf .build
