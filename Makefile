# make run    the order pipeline on a sample of real orders, in this terminal
# make test   all tests; with KAFKA_HOME (a folder with Kafka's libs/) those on a real Kafka too
# make bench  the tables in BENCHMARKS.md (needs KAFKA_HOME and PEERS); tools/bench broker makes that of the embedded broker alone
# make soak   the end-to-end tests for long: 200,000 orders, 50 kills

.PHONY: setup build run test bench soak lint

build: setup
	swift build -c release

setup:
	@tools/setup

run: build
	@tools/run-sample

test: setup
	@tools/test

bench: build
	@tools/bench

soak: setup
	@SOAK=1 tools/test --filter EndToEnd

lint:
	swift format lint --strict --recursive Package.swift Shared Services Tests Benchmarks Examples
