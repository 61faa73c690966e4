# make run    the order pipeline on a sample of real orders, in this terminal
# make test   all tests; with KAFKA_HOME (a folder with Kafka's libs/) those on a real Kafka too
# make bench  the tables in BENCHMARKS.md (needs KAFKA_HOME and PEERS); tools/bench broker makes that of the embedded broker alone
# make fuzz   a million hostile inputs for each parser
# make conformance   the specifications' own test suites, through streamctl
# make soak   200,000 orders and 50 kills on the embedded broker, on one Kafka and on three; SEED repeats a run

.PHONY: setup build run test bench fuzz conformance soak lint

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

fuzz: setup
	@FUZZ_INPUTS=1000000 tools/test --filter 'Fuzz'

conformance: build
	@tools/conformance

soak: setup
	@SOAK=1 tools/test --filter SoakTests

lint:
	swift format lint --strict --recursive Package.swift Shared Services Tests Benchmarks Examples
