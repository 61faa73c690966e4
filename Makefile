# make run    the order pipeline on a sample of real orders, in this terminal
# make test   all tests; with KAFKA_HOME (a folder with Kafka's libs/) those on a real Kafka too
# make bench  the table in BENCHMARKS.md (needs KAFKA_HOME and PEERS)
# make fuzz   a million hostile inputs for each parser
# make soak   200,000 orders and 50 kills on the embedded broker, on one Kafka and on three; SEED repeats a run

.PHONY: setup build run test bench fuzz soak lint

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

soak: setup
	@SOAK=1 tools/test --filter SoakTests

lint:
	swift format lint --strict --recursive Package.swift Shared Services Tests Benchmarks Examples
